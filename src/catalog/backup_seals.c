#include "catalog/backup_seals.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "catalog/backups.h"
#include "catalog/query.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define KEY "manifest_seals"

char *backup_seals_note(const char *metadata, const char *seal)
{
    json_t *object = metadata ? json_loads(metadata, 0, NULL) : json_object();
    if (!seal[0] || !json_is_object(object)) {
        json_decref(object);
        return mem_string(metadata);
    }
    json_t *seals = json_object_get(object, KEY);
    if (!json_is_array(seals)) {
        seals = json_array();
        json_object_set_new(object, KEY, seals);
    }
    json_array_append_new(seals, json_string(seal));
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

void backup_seals_of(const struct backup_file_row *file, struct text_list *seals)
{
    json_t *object = file->metadata ? json_loads(file->metadata, 0, NULL) : NULL;
    size_t index = 0;
    json_t *seal = NULL;
    json_array_foreach(json_object_get(object, KEY), index, seal)
    {
        if (json_is_string(seal))
            text_list_add(seals, json_string_value(seal));
    }
    json_decref(object);
}

struct addition {
    const char *file_path, *seal;
    char row_id[27]; /* "": not found yet */
    char *metadata;
};

static int note_row(void *context, const struct backup_file_row *file, struct error *err)
{
    struct addition *addition = context;
    (void)err;
    if (addition->row_id[0] || strcmp(file->file_path, addition->file_path) != 0)
        return 0;
    memcpy(addition->row_id, file->id, sizeof addition->row_id);
    addition->metadata = backup_seals_note(file->metadata, addition->seal);
    return 0;
}

int backup_seals_add(struct catalog *catalog, const char *backup_id, const char *file_path,
                     const char *seal, struct error *err)
{
    struct addition addition = {.file_path = file_path, .seal = seal};
    int result = backup_files_list(catalog, backup_id, note_row, &addition, err);
    SCOPED(string) char *metadata = addition.metadata;
    if (result < 0 || !metadata)
        return result;
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE backup_files SET metadata = ? WHERE id = ?");
    query_text(&query, metadata);
    query_text(&query, addition.row_id);
    return query_run(&query, NULL, err);
}
