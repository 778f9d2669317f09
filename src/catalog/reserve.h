/*
 * A megabyte beside a catalogue file, kept for the day the disk is full: given up then, it is the
 * room in which cleanup and delete write down what they remove.
 */
#ifndef KEDGE_CATALOG_RESERVE_H
#define KEDGE_CATALOG_RESERVE_H

struct os;

/* Before the catalogue at `path` is opened: give the reserve up when hardly any room is left, make
 * it (again) when there is plenty. What fails is no failure of the caller's. */
void reserve_settle(struct os *os, const char *path);

#endif
