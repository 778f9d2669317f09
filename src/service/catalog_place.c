#include "service/catalog_place.h"

#include "base/mem.h"
#include "db/url.h"
#include "service/service.h"
#include "service/target.h"

#include <string.h>

/* The database that is backed up when no target is named. */
static bool is_default(const struct service_options *options, const struct db_url *url)
{
    SCOPED(db_url) struct db_url other = DB_URL_INIT;
    return !options->target_count && options->default_target &&
           db_url_parse(options->default_target, &other, NULL) == 0 && db_url_same(url, &other);
}

static char *find_target(const struct service_options *options, const struct db_url *url)
{
    for (size_t i = 0; i < options->target_count; i++) {
        const struct target *target = &options->targets[i];
        if (target->has_database && db_url_same(url, &target->url))
            return mem_format("the target %s", target->name);
    }
    return is_default(options, url) ? mem_string("backed up itself") : NULL;
}

char *catalog_place_warning(const struct service_options *options, const char *url)
{
    SCOPED(db_url) struct db_url place = DB_URL_INIT;
    if (db_url_parse(url, &place, NULL) < 0)
        return NULL;
    SCOPED(string) char *target = find_target(options, &place);
    if (!target)
        return NULL;
    if (place.engine == DB_SQLITE)
        return mem_format("The catalogue lies in a file that is %s: kedge cannot restore that file "
                          "in place, and both are lost together; give the catalogue a file of its "
                          "own",
                          target);
    return mem_format("The catalogue lies in a database that is %s: its backups do not hold these "
                      "tables, and both are lost together; give the catalogue a database of its "
                      "own, or know kedge catalog rebuild",
                      target);
}
