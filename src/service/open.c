/*
 * Opening the room: the catalogue, what the configuration says, and what killed runs left.
 */
#include "base/error.h"
#include "base/os.h"
#include "catalog/apps.h"
#include "catalog/catalog.h"
#include "catalog/connections.h"
#include "catalog/destinations.h"
#include "service/service.h"
#include "service/settle.h"
#include "service/target.h"

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

int service_open(const struct service_options *options, struct service **ret_service,
                 struct error *err)
{
    SCOPED(service) struct service *service = MEM_NEW(struct service);
    service->options = *options;
    service->os = options->os;
    if (service->options.jobs <= 0)
        service->options.jobs = (int)sysconf(_SC_NPROCESSORS_ONLN);
    struct catalog_options catalog = {.url = options->catalog_url};
    if (catalog_open(options->os, &catalog, &service->catalog, err) < 0)
        return -1;
    if (publish_configuration(service, err) < 0 || settle_interrupted(service, err) < 0)
        return -1;
    *ret_service = STEAL(service);
    return 0;
}
