/*
 * What is kedge's own on this machine: the catalogue's files and the folders that backups lie in. A
 * restore of files never replaces them, wherever in a tree they are.
 */
#ifndef KEDGE_SERVICE_OWN_PATHS_H
#define KEDGE_SERVICE_OWN_PATHS_H

struct service;
struct text_list;

/* Absolute, links resolved; only what is there. Added to `paths`. */
void own_paths(const struct service *service, struct text_list *paths);

#endif
