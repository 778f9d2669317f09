/*
 * Where the catalogue lies with respect to what is backed up. In a database that is a target it is
 * lost together with it, and no backup brings it back as it was: worth a word before that happens.
 */
#ifndef KEDGE_SERVICE_CATALOG_PLACE_H
#define KEDGE_SERVICE_CATALOG_PLACE_H

struct service_options;

/* What is to be known of a catalogue at `url`, to be freed; NULL when it lies in no target, as far
 * as the options know. */
char *catalog_place_warning(const struct service_options *options, const char *url);

#endif
