/*
 * Opening the room: the catalogue, what the configuration says, and what killed runs left.
 */
#include "artifact/manifest_file.h"
#include "artifact/name.h"
#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "catalog/apps.h"
#include "catalog/catalog.h"
#include "catalog/connections.h"
#include "catalog/destinations.h"
#include "service/service.h"
#include "service/settle.h"
#include "service/target.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Targets and destinations of the configuration are rows, kept up to date by name; none is removed
 * because it left the file. */
static int publish_configuration(struct service *service, struct error *err)
{
    const struct service_options *options = &service->options;
    for (size_t i = 0; i < options->destination_count; i++) {
        const struct destination *destination = &options->destinations[i];
        struct destination_row row = {.name = destination->name,
                                      .url = destination->url,
                                      .region = destination->region,
                                      .is_default = destination->is_default,
                                      .is_active = true};
        if (destinations_upsert(service->catalog, &row, err) < 0)
            return error_prefix(err, "destination %s", destination->name);
    }
    for (size_t i = 0; i < options->target_count; i++) {
        const struct target *target = &options->targets[i];
        char app_id[27];
        char connection_id[27];
        if (!target->has_database)
            continue;
        if (apps_upsert(service->catalog, target->app ? target->app : target->name, app_id, err) <
                0 ||
            connections_upsert(service->catalog, target->name, app_id, &target->url, connection_id,
                               err) < 0)
            return error_prefix(err, "target %s", target->name);
    }
    return 0;
}

/* ---- a file of no bytes ---- */

static int find_artifact(void *context, const struct store_entry *entry, struct error *err)
{
    (void)err;
    SCOPED(artifact_name) struct artifact_name name = {0};
    SCOPED(string) char *artifact = manifest_file_artifact(entry->key);
    if (!artifact || artifact_name_parse(artifact, &name) <= 0)
        return 0;
    *(bool *)context = true;
    return 1;
}

/* Only what can be listed at no cost is looked at. */
static bool holds_artifacts(struct service *service, const char *folder)
{
    struct error ignored = ERROR_INIT;
    struct store_options options = {.os = service->os};
    SCOPED(store) struct store *store = NULL;
    bool found = false;
    if (!strstr(folder, "://") && store_open(folder, &options, &store, &ignored) == 0)
        store_list(store, "", find_artifact, &found, &ignored);
    error_clear(&ignored);
    return found;
}

/* A catalogue that was cut to nothing looks like a new one. Where there are backups it is not. */
static int refuse_emptied(struct service *service, struct error *err)
{
    const struct service_options *options = &service->options;
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    struct stat there;
    if (db_url_parse(options->catalog_url, &url, err) < 0)
        return error_prefix(err, "catalogue");
    if (url.engine != DB_SQLITE || file_stat(service->os, url.database, &there, NULL) <= 0 ||
        there.st_size > 0)
        return 0;
    const char *where =
        holds_artifacts(service, options->local_folder) ? options->local_folder : NULL;
    for (size_t i = 0; i < options->destination_count && !where; i++)
        if (holds_artifacts(service, options->destinations[i].url))
            where = options->destinations[i].url;
    if (!where)
        return 0;
    error_set(err, ERROR_FAILED, "catalogue %s is empty, but there are backups in %s", url.database,
              where);
    return error_hint(err, "kedge catalog rebuild --from %s fills it again", where);
}

struct service *service_open_bare(const struct service_options *options)
{
    struct service *service = MEM_NEW(struct service);
    service->options = *options;
    service->os = options->os;
    if (service->options.jobs <= 0)
        service->options.jobs = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return service;
}

int service_open(const struct service_options *options, struct service **ret_service,
                 struct error *err)
{
    SCOPED(service) struct service *service = service_open_bare(options);
    struct catalog_options catalog = {.url = options->catalog_url,
                                      .only_reads = options->use == SERVICE_READS};
    if ((options->use != SERVICE_REBUILDS && refuse_emptied(service, err) < 0) ||
        catalog_open(options->os, &catalog, &service->catalog, err) < 0)
        return -1;
    if (catalog_is_read_only(service->catalog)) {
        *ret_service = STEAL(service);
        return 0;
    }
    if (publish_configuration(service, err) < 0 || settle_interrupted(service, err) < 0)
        return -1;
    *ret_service = STEAL(service);
    return 0;
}
