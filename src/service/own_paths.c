#include "service/own_paths.h"

#include "base/mem.h"
#include "db/url.h"
#include "service/service.h"
#include "service/target.h"

#include <stdlib.h>
#include <string.h>

static void add(struct text_list *paths, const char *path)
{
    char *real = realpath(path, NULL);
    if (real)
        text_list_give(paths, real);
}

static void add_catalogue(struct text_list *paths, const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        SCOPED(string) char *file = mem_format("%s%s", path, endings[i]);
        add(paths, file);
    }
}

void own_paths(const struct service *service, struct text_list *paths)
{
    const struct service_options *options = &service->options;
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    if (db_url_parse(options->catalog_url, &url, NULL) == 0 && url.engine == DB_SQLITE)
        add_catalogue(paths, url.database);
    if (options->local_folder)
        add(paths, options->local_folder);
    for (size_t i = 0; i < options->destination_count; i++)
        if (!strstr(options->destinations[i].url, "://"))
            add(paths, options->destinations[i].url);
}
