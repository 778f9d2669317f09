/*
 * What an open catalogue is made of: for the files of this folder only.
 */
#ifndef KEDGE_CATALOG_STATE_H
#define KEDGE_CATALOG_STATE_H

struct db;
struct dialect;
struct os;

struct catalog {
    struct os *os;
    struct db *db;
    const struct dialect *dialect;
    char *folder; /* where lock files are */
    char *name;   /* for messages: no password */
};

#endif
