/*
 * What a restore would replace, and whether it can work: rights, room, who has the database open.
 */
#ifndef KEDGE_SOURCE_SQLITE_PREVIEW_H
#define KEDGE_SOURCE_SQLITE_PREVIEW_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct load_preview;
struct os;
struct text_list;

struct sqlite_preview_options {
    struct os *os;
    const char *target; /* resolved */
    const char *side;
    uint64_t size; /* that is going to be written, 0 when not known */
    bool no_owner;
    /* Empty: the whole file is replaced. Otherwise it stays, and others may have it open. */
    const struct text_list *tables;
};

/* Refuses, with nothing touched, what cannot work: ERROR_PERMISSION, ERROR_NO_SPACE, ERROR_LOCKED,
 * with the ways that would. */
int sqlite_preview(const struct sqlite_preview_options *options, struct load_preview *ret_preview,
                   struct error *err);

#endif
