/*
 * One more copy of a finished artifact, at another destination.
 */
#ifndef KEDGE_SERVICE_BACKUP_COPY_H
#define KEDGE_SERVICE_BACKUP_COPY_H

struct error;
struct manifest;
struct service;
struct store;

/* The stored bytes as they are, hashed on the way and compared with the manifest; the catalogue
 * gets a row of it. *ret_location is to be freed. */
int backup_copy(struct service *service, const char *backup_id, const struct manifest *manifest,
                struct store *from, const char *destination, char **ret_location,
                struct error *err);

#endif
