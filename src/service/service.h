/*
 * The room behind both doors: what a use-case needs, opened once.
 *
 * Use-cases are one file each (backup.h, restore.h, verify.h, ...). They neither print nor ask nor
 * speak HTTP: a door passes what it wants done as a request, gets a report back, and lends
 * callbacks for what happens in between.
 */
#ifndef KEDGE_SERVICE_SERVICE_H
#define KEDGE_SERVICE_SERVICE_H

#include "base/mem.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalog;
struct config;
struct destination;
struct error;
struct os;
struct store;
struct target;

/* What a command does to the catalogue. */
enum service_use {
    SERVICE_WRITES,
    SERVICE_READS,    /* nothing that has to be: a catalogue that cannot be written will do */
    SERVICE_REBUILDS, /* it may be new although there are backups */
};

struct service_options {
    struct os *os;
    enum service_use use;
    const char *catalog_url;      /* "sqlite:path"; never NULL */
    const char *local_folder;     /* of the destination `local` when none is configured */
    const char *environment;      /* kedge.environment, or NULL */
    const struct target *targets; /* from the configuration; borrowed */
    size_t target_count;
    const struct destination *destinations; /* likewise */
    size_t destination_count;
    const char *default_target;                              /* DATABASE_URL, or NULL */
    int64_t undo_days;                                       /* restore.undo_days */
    uint64_t verification_min_bytes, verification_max_bytes; /* 0: no check */
    int jobs;                                                /* 0: number of processors */
};

struct service {
    struct service_options options;
    struct os *os;
    struct catalog *catalog;
    /* What opening found out, for the door to say: "backup 12 was interrupted: marked failed". */
    struct text_list notes;
};

/* Opens (and on first use creates) the catalogue, brings the configuration's targets and
 * destinations into it, and settles what killed runs left: their rows become failed, half-done
 * restores are finished or taken back. Of a catalogue that can only be read nothing is settled.
 * ERROR_FAILED when it is empty although there are backups. */
int service_open(const struct service_options *options, struct service **ret_service,
                 struct error *err);

/* The same without a catalogue, for who only looks at the rest (doctor.h): never fails. */
struct service *service_open_bare(const struct service_options *options);
void service_close(struct service *service);

/* A destination by name, folder or URL (NULL: the default one), opened. *ret_name (may be NULL) is
 * its name in the catalogue, to be freed. */
int service_store(struct service *service, const char *destination, bool create,
                  struct store **ret_store, char **ret_name, struct error *err);

/* A destination of which the catalogue has a row, by its name, opened: the configuration's word
 * comes first (it may have moved the folder, and it knows the keys), then the row's URL. */
int service_store_known(struct service *service, const char *name, struct store **ret_store,
                        struct error *err);

/* A target by name or argument; the result is owned by the caller (target_clear). */
int service_target(struct service *service, const char *name, struct target *ret_target,
                   struct error *err);

/* Is a restore here a matter of two questions? */
bool service_is_production(const struct service *service, const struct target *target);

DEFINE_SCOPED(service, struct service *, service_close);

#endif
