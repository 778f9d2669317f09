/*
 * The difference between two texts, line by line.
 */
#ifndef KEDGE_MIGRATE_DIFFERENCE_H
#define KEDGE_MIGRATE_DIFFERENCE_H

struct buf;

/* Lines that were taken away with "-", lines that came with "+", and up to two lines around them
 * with a blank. */
void difference_append(struct buf *buf, const char *before, const char *after);

#endif
