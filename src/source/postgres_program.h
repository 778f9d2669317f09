/*
 * Which pg_dump to run: the one of the server's own major version, else the oldest newer one, where
 * the packages put it or on the PATH.
 */
#ifndef KEDGE_SOURCE_POSTGRES_PROGRAM_H
#define KEDGE_SOURCE_POSTGRES_PROGRAM_H

struct error;
struct os;

/* For a server of the major version `server`; the path is to be freed. ERROR_SOURCE when there is
 * none, with the package as the hint. */
int postgres_program_find(struct os *os, int server, char **ret_path, struct error *err);

/* As source_ops' `equipped`. */
int postgres_equipped(struct os *os, const char *server_version, char **ret_finding,
                      struct error *err);

#endif
