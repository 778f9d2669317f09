/*
 * The steps of an extraction, carried out: making a member in its side folder, writing pieces of
 * its content, finishing it, linking it.
 */
#ifndef KEDGE_SOURCE_FILES_MAKE_H
#define KEDGE_SOURCE_FILES_MAKE_H

#include "source/files_carry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct files_member;
struct files_sides;
struct os;
struct tar_member;

/* One per thread. */
struct files_maker {
    struct os *os;
    const struct files_sides *sides;
    bool repetitions; /* what exists is replaced */
    struct files_carrier carrier;
    char *parent; /* the folder that was used last, open */
    size_t parent_side;
    int parent_fd;
    uint64_t made, bytes;
    uint64_t entries;      /* that are there now by its doing, folders on the way included */
    uint64_t cached;       /* of the bytes: those that went through the page cache */
    bool folders_repeated; /* one was there already */
};

void files_maker_init(struct files_maker *maker, struct os *os, const struct files_sides *sides,
                      bool repetitions, bool no_owner);
void files_maker_clear(struct files_maker *maker);

/* Make what the header says; regular files are finished when all their content was written. */
int files_make(struct files_maker *maker, struct files_member *member, struct error *err);

/* Whether its content goes past the page cache, so that who writes it waits for the disk. */
bool files_make_waits(const struct files_member *member);

/* `size` bytes of data from `offset` of the data (holes not counted). */
int files_make_content(struct files_maker *maker, struct files_member *member, const void *data,
                       size_t size, uint64_t offset, struct error *err);

/* A hard link from `place` to what is at `target`. */
int files_make_link(struct files_maker *maker, size_t side, const char *place, size_t target_side,
                    const char *target, const struct tar_member *header, struct error *err);

/* Owner, mode and times of a folder whose content is complete. */
int files_make_folder_final(struct files_maker *maker, size_t side, const char *place,
                            const struct tar_member *header, struct error *err);

#endif
