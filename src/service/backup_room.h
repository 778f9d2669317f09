/*
 * What to tell a person whose backup found no room at its destination.
 */
#ifndef KEDGE_SERVICE_BACKUP_ROOM_H
#define KEDGE_SERVICE_BACKUP_ROOM_H

struct error;
struct service;
struct store;

/* To an error that says that no room was left it adds how much there is at `store`, now that what
 * was begun is gone again, and how much the last backup of `target` took. Others stay as they are.
 */
void backup_room_explain(struct service *service, struct store *store, const char *target,
                         struct error *err);

#endif
