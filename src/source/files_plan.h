/*
 * The renames that put a restored tree in the place of the live one, written down before the first
 * of them is done, so that they can be finished or taken back by any later process.
 *
 * Whether a step was done is told by the side folder alone, which only we write to: it still holds
 * the inode that was restored, or it holds what the step moved there. So a plan can be run again
 * from its beginning after a kill at any point, in either direction.
 */
#ifndef KEDGE_SOURCE_FILES_PLAN_H
#define KEDGE_SOURCE_FILES_PLAN_H

struct error;
struct files_side;
struct os;

struct text_list;

enum files_swap {
    FILES_SWAP_WHOLE, /* the tree as one */
    FILES_SWAP_MERGE, /* each restored file; what the backup does not hold stays */
};

/* Write the plan for what lies under "tree" in the side folder, and sync it. With a side folder
 * inside the live tree, WHOLE exchanges the tree's content, name by name. What `own` names is
 * left where it is by a MERGE. */
int files_plan_make(struct os *os, struct files_side *side, enum files_swap swap,
                    const struct text_list *own, struct error *err);

/* Do what is not done yet. */
int files_plan_forwards(struct os *os, const struct files_side *side, struct error *err);

/* Take back what was done. */
int files_plan_backwards(struct os *os, const struct files_side *side, struct error *err);

#endif
