#include "service/kept.h"

#include "base/error.h"
#include "catalog/restores.h"
#include "service/service.h"
#include "service/target.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void kept_clear(struct kept *kept)
{
    free(kept->what.name);
    db_url_clear(&kept->what.url);
    text_list_clear(&kept->what.paths);
    *kept = (struct kept){0};
}

/* The log holds no password: a configured target, or DATABASE_URL, that shows the same address
 * brings it. */
static int find_url(const struct service *service, const char *display, struct db_url *ret_url,
                    struct error *err)
{
    for (size_t i = 0; i < service->options.target_count; i++) {
        const struct target *target = &service->options.targets[i];
        if (!target->has_database)
            continue;
        SCOPED(string) char *shown = db_url_display(&target->url);
        if (strcmp(shown, display) == 0)
            return db_url_copy(&target->url, ret_url);
    }
    const char *fallback = service->options.default_target;
    if (fallback && db_url_is(fallback)) {
        SCOPED(db_url) struct db_url url = DB_URL_INIT;
        SCOPED(string)
        char *shown = db_url_parse(fallback, &url, NULL) == 0 ? db_url_display(&url) : NULL;
        if (text_equal(shown, display))
            return db_url_copy(&url, ret_url);
    }
    return db_url_parse(display, ret_url, err);
}

char *kept_backup(const struct restore_row *row)
{
    json_t *root = row->safety_ref ? json_loads(row->safety_ref, 0, NULL) : NULL;
    char *id = mem_string(json_string_value(json_object_get(root, "backup")));
    json_decref(root);
    return id;
}

int kept_open(struct service *service, const struct restore_row *row, struct kept *ret_kept,
              struct error *err)
{
    SCOPED(string) char *backup = kept_backup(row);
    if (!row->safety_ref || backup)
        return 0;
    struct kept kept = {.json = row->safety_ref,
                        .source = row->engine ? source_find(row->engine) : NULL};
    if (!kept.source)
        return error_set(err, ERROR_CORRUPT, "restore %lld: this kedge knows no engine %s",
                         (long long)row->number, row->engine ? row->engine : "");
    kept.what.name = mem_string(row->target);
    if (kept.source->capabilities & SOURCE_DATABASE &&
        find_url(service, row->target, &kept.what.url, err) < 0) {
        kept_clear(&kept);
        return -1;
    }
    *ret_kept = kept;
    return 1;
}
