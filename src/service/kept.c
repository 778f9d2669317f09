#include "service/kept.h"

#include "base/error.h"
#include "base/json_text.h"
#include "catalog/restores.h"
#include "service/service.h"
#include "service/target.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void part_clear(struct kept_part *part)
{
    free(part->what.name);
    db_url_clear(&part->what.url);
    text_list_clear(&part->what.paths);
    free(part->target);
    free(part->json);
}

void kept_clear(struct kept *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        part_clear(&kept->parts[i]);
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

/* ---- reading ---- */

static int damaged(const struct restore_row *row, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "restore %lld: what it kept cannot be read",
                     (long long)row->number);
}

/* Takes `json`. */
static int add_part(struct service *service, const struct restore_row *row, const char *engine,
                    const char *target, char *json, struct kept *kept, struct error *err)
{
    struct kept_part *part = &kept->parts[kept->count++];
    *part = (struct kept_part){.source = engine ? source_find(engine) : NULL,
                               .what.name = mem_string(target),
                               .target = mem_string(target),
                               .json = json};
    if (!part->source)
        return error_set(err, ERROR_CORRUPT, "restore %lld: this kedge knows no engine %s",
                         (long long)row->number, engine ? engine : "");
    return part->source->capabilities & SOURCE_DATABASE
               ? find_url(service, target, &part->what.url, err)
               : 0;
}

static char *text_of(const json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    char *copy = mem_string(text);
    free(text);
    return copy;
}

static int open_parts(struct service *service, const struct restore_row *row, const json_t *root,
                      struct kept *kept, struct error *err)
{
    const json_t *parts = json_object_get(root, "parts");
    const char *undo = json_string_value(json_object_get(root, "undo"));
    size_t count = json_array_size(parts);
    if (!count || count > KEPT_MAXIMUM)
        return damaged(row, err);
    kept->undoing = undo != NULL;
    kept->undo_to = text_equal(undo, "after") ? LOAD_AFTER : LOAD_BEFORE;
    for (size_t i = 0; i < count; i++) {
        const json_t *part = json_array_get(parts, i);
        const char *engine = json_string_value(json_object_get(part, "engine"));
        SCOPED(string) char *target = json_text_value(json_object_get(part, "target"));
        const json_t *line = json_object_get(part, "kept");
        if (!engine || !target || !line)
            return damaged(row, err);
        if (add_part(service, row, engine, target, text_of(line), kept, err) < 0)
            return -1;
    }
    return 0;
}

int kept_open(struct service *service, const struct restore_row *row, struct kept *ret_kept,
              struct error *err)
{
    SCOPED(string) char *backup = kept_backup(row);
    if (!row->safety_ref || backup)
        return 0;
    struct kept kept = {0};
    json_t *root = json_loads(row->safety_ref, 0, NULL);
    int result = json_object_get(root, "parts") ? open_parts(service, row, root, &kept, err)
                                                : add_part(service, row, row->engine, row->target,
                                                           mem_string(row->safety_ref), &kept, err);
    json_decref(root);
    if (result < 0) {
        kept_clear(&kept);
        return -1;
    }
    *ret_kept = kept;
    return 1;
}

int kept_open_line(struct service *service, const char *text, struct kept *ret_kept,
                   struct error *err)
{
    SCOPED(string) char *line = mem_string(text);
    const struct restore_row row = {.safety_ref = line};
    int found = kept_open(service, &row, ret_kept, err);
    return found == 0 ? damaged(&row, err) : found;
}

/* ---- one part ---- */

int kept_undo(struct service *service, const struct kept_part *part, struct error *err)
{
    return part->source->undo(service->os, part->json, &part->what, false, NULL, err);
}

int kept_discard(struct service *service, const struct kept *kept, struct error *err)
{
    for (size_t i = 0; i < kept->count; i++) {
        const struct kept_part *part = &kept->parts[i];
        if (part->source->discard(service->os, part->json, &part->what, err) < 0)
            return -1;
    }
    return 0;
}

int kept_side(struct service *service, const struct kept_part *part, enum load_state *ret_state,
              struct error *err)
{
    int told = part->source->side
                   ? part->source->side(service->os, part->json, &part->what, ret_state, err)
                   : 0;
    if (told)
        return told < 0 ? -1 : 0;
    return error_set(err, ERROR_FAILED, "cannot tell whether %s is as before or as restored",
                     part->target);
}

/* ---- writing ---- */

static char *join_as_parts(const struct kept_line *lines, size_t count, const char *undo)
{
    json_t *root = json_object();
    json_t *parts = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *part = json_object();
        json_object_set_new(part, "engine", json_string(lines[i].engine));
        json_object_set_new(part, "target", json_text(lines[i].target));
        json_object_set_new(part, "kept", json_loads(lines[i].json, 0, NULL));
        json_array_append_new(parts, part);
    }
    json_object_set_new(root, "parts", parts);
    if (undo)
        json_object_set_new(root, "undo", json_string(undo));
    char *text = text_of(root);
    json_decref(root);
    return text;
}

static char *join(const struct kept_line *lines, size_t count, const char *undo)
{
    return count == 1 ? mem_string(lines[0].json) : join_as_parts(lines, count, undo);
}

char *kept_line_format(const struct kept_line *line)
{
    return join_as_parts(line, 1, NULL);
}

char *kept_join(const struct kept_line *lines, size_t count)
{
    return join(lines, count, NULL);
}

static char *join_parts(const struct kept *kept, const char *undo)
{
    struct kept_line lines[KEPT_MAXIMUM];
    for (size_t i = 0; i < kept->count; i++)
        lines[i] = (struct kept_line){kept->parts[i].source->engine, kept->parts[i].target,
                                      kept->parts[i].json};
    return join(lines, kept->count, undo);
}

char *kept_mark_undo(const struct kept *kept, enum load_state to)
{
    return join_parts(kept, to == LOAD_AFTER ? "after" : "before");
}

char *kept_unmark(const struct kept *kept)
{
    return join_parts(kept, NULL);
}
