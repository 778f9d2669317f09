/*
 * Sort out what killed runs left in the catalogue, at the start of the next one.
 */
#ifndef KEDGE_SERVICE_SETTLE_H
#define KEDGE_SERVICE_SETTLE_H

struct error;
struct service;

/* Backups of dead processes become failed. Restores of dead processes are finished or taken back by
 * their source, which looks at which side of the swap the target is. What was found is added to
 * service->notes. */
int settle_interrupted(struct service *service, struct error *err);

#endif
