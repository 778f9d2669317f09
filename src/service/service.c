#include "service/service.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "catalog/catalog.h"
#include "catalog/destinations.h"
#include "service/target.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

static const struct destination *find_destination(const struct service *service, const char *name)
{
    for (size_t i = 0; i < service->options.destination_count; i++) {
        const struct destination *destination = &service->options.destinations[i];
        if (name ? strcmp(destination->name, name) == 0 : destination->is_default)
            return destination;
    }
    return NULL;
}

static int open_destination(struct service *service, const struct destination *destination,
                            bool create, struct store **ret_store, struct error *err)
{
    struct store_options options = {
        .os = service->os,
        .create = create,
        .access_key = destination->access_key,
        .secret_key = destination->secret_key,
        .region = destination->region,
        .endpoint = destination->endpoint,
    };
    return store_open(destination->url, &options, ret_store, err);
}

/* The one that is meant: configured, the local folder that is always there, or a folder or URL as
 * it stands. `made_up` holds the latter. */
static int resolve_destination(struct service *service, const char *name,
                               struct destination *made_up,
                               const struct destination **ret_destination, struct error *err)
{
    const struct destination *configured = find_destination(service, name);
    if (!configured && !name && service->options.destination_count == 1)
        configured = &service->options.destinations[0];
    if (configured) {
        *ret_destination = configured;
        return 0;
    }
    bool local = !name || strcmp(name, "local") == 0;
    struct stat there;
    if (!local && !strchr(name, '/') && file_stat(service->os, name, &there, NULL) <= 0) {
        error_set(err, ERROR_NOT_FOUND, "no destination named %s", name);
        return error_hint(err, "a destination is a name from the configuration, a folder or a URL");
    }
    made_up->name = local ? mem_string("local") : NULL;
    made_up->url = mem_string(local ? service->options.local_folder : name);
    *ret_destination = made_up;
    return 0;
}

static bool is_folder(const char *url, const char *folder)
{
    SCOPED(string)
    char *absolute = strstr(folder, "://") ? mem_string(folder) : path_absolute(folder);
    return strcmp(url, absolute) == 0;
}

/* A place that was given as it stands goes by the name it has elsewhere, or by where it is. */
static const char *name_of_url(const struct service *service, const char *url)
{
    for (size_t i = 0; i < service->options.destination_count; i++)
        if (is_folder(url, service->options.destinations[i].url))
            return service->options.destinations[i].name;
    return is_folder(url, service->options.local_folder) ? "local" : url;
}

int service_store(struct service *service, const char *name, bool create, struct store **ret_store,
                  char **ret_name, struct error *err)
{
    SCOPED(destination) struct destination made_up = {0};
    const struct destination *destination = NULL;
    if (resolve_destination(service, name, &made_up, &destination, err) < 0)
        return -1;
    bool ours = destination == &made_up && made_up.name;
    if (open_destination(service, destination, create || ours, ret_store, err) < 0)
        return -1;
    if (ret_name)
        *ret_name = mem_string(destination->name ? destination->name
                                                 : name_of_url(service, (*ret_store)->url));
    return 0;
}

int service_store_known(struct service *service, const char *name, struct store **ret_store,
                        struct error *err)
{
    SCOPED(destination_row) struct destination_row row = {0};
    if (find_destination(service, name))
        return service_store(service, name, false, ret_store, NULL, err);
    int found = destinations_get(service->catalog, name, &row, err);
    if (found < 0)
        return -1;
    return service_store(service, found && row.url ? row.url : name, false, ret_store, NULL, err);
}

static void copy_target(const struct target *from, struct target *to)
{
    *to = (struct target){
        .name = mem_string(from->name),
        .app = mem_string(from->app),
        .configured = from->configured,
        .has_database = from->has_database,
        .compress = mem_string(from->compress),
        .retention_days = from->retention_days,
        .environment = mem_string(from->environment),
    };
    if (from->has_database)
        db_url_copy(&from->url, &to->url);
    text_list_add_all(&to->paths, &from->paths);
    text_list_add_all(&to->configuration, &from->configuration);
    text_list_add_all(&to->exclude, &from->exclude);
    text_list_add_all(&to->exclude_tables, &from->exclude_tables);
    text_list_add_all(&to->destinations, &from->destinations);
    text_list_add_all(&to->encrypt, &from->encrypt);
}

int service_target(struct service *service, const char *name, struct target *ret_target,
                   struct error *err)
{
    for (size_t i = 0; name && i < service->options.target_count; i++) {
        if (strcmp(service->options.targets[i].name, name) == 0) {
            copy_target(&service->options.targets[i], ret_target);
            return 0;
        }
    }
    if (name)
        return target_from_argument(service->os, name, ret_target, err);
    if (service->options.default_target)
        return target_from_argument(service->os, service->options.default_target, ret_target, err);
    error_set(err, ERROR_USAGE, "no target");
    return error_hint(err,
                      "name a database or folder, set DATABASE_URL, or list targets in kedge.yaml");
}

bool service_is_production(const struct service *service, const struct target *target)
{
    const char *environment =
        target && target->environment ? target->environment : service->options.environment;
    return text_equal(environment, "production");
}

void service_close(struct service *service)
{
    if (!service)
        return;
    catalog_close(service->catalog);
    text_list_clear(&service->notes);
    free(service);
}
