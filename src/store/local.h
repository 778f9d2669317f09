/*
 * A destination that is a folder of this machine (or one mounted here).
 */
#ifndef KEDGE_STORE_LOCAL_H
#define KEDGE_STORE_LOCAL_H

struct error;
struct store;
struct store_options;

int local_open(const char *folder, const struct store_options *options, struct store **ret_store,
               struct error *err);

#endif
