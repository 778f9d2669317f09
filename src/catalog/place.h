/*
 * Our place in the database, where making it commits by itself (MySQL, MariaDB): an installation
 * that fails before anything stands in it takes it away again, so that the server is as before.
 * On other engines it is part of the transaction, and everything here does nothing.
 */
#ifndef KEDGE_CATALOG_PLACE_H
#define KEDGE_CATALOG_PLACE_H

#include <stdbool.h>

struct catalog;
struct error;

/* Is it there, with nothing in it? 1, 0, -1. */
int place_is_empty(struct catalog *catalog, struct error *err);

/* Make it, as the only one who installs (until the session ends). *ret_made is true from the moment
 * when we may have made it, on failure too. ERROR_LOCKED when another one installs. */
int place_make(struct catalog *catalog, bool *ret_made, struct error *err);

/* After place_make, and also when a stop is asked for: take it away when there is nothing in it. 1:
 * gone; 0: something is in it, or it was never made. In a new session this waits for the end of
 * the one that was lost. */
int place_remove_empty(struct catalog *catalog, struct error *err);

#endif
