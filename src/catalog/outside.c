#include "catalog/outside.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "catalog/dialect.h"
#include "catalog/query.h"
#include "catalog/state.h"
#include "db/db.h"

#include <string.h>

const char *const catalog_views[] = {"database_backups", "backup_history", "backup_schedule",
                                     "backup_restore_log", NULL};

/* What the table database_backups of before kedge must have. */
static const char *const foreign_columns[] = {
    "id",     "filename",   "s3_key",   "file_size",  "backup_type",
    "status", "created_by", "metadata", "created_at", "completed_at",
};

static int take_kind(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)count;
    (void)err;
    *(enum catalog_outside *)context =
        columns[0].type == DB_TEXT && strcmp(columns[0].text, "view") == 0 ? OUTSIDE_VIEW
                                                                           : OUTSIDE_TABLE;
    return 0;
}

int catalog_outside(struct catalog *catalog, const char *name, struct error *err)
{
    enum catalog_outside kind = OUTSIDE_FREE;
    const struct db_value value = db_text(name);
    if (db_query(catalog->db, catalog->dialect->outside, &value, 1, take_kind, &kind, err) < 0)
        return -1;
    return (int)kind;
}

int catalog_check_foreign(struct catalog *catalog, struct error *err)
{
    SCOPED(text_list) struct text_list present = TEXT_LIST_INIT;
    SCOPED(query) struct query query;
    query_init(&query, catalog, catalog->dialect->outside_columns);
    query_text(&query, catalog_views[0]);
    if (query_read_list(&query, &present, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(foreign_columns); i++)
        if (!text_list_has(&present, foreign_columns[i]))
            return error_set(err, ERROR_FAILED, "Required column %s is missing from %s table",
                             foreign_columns[i], catalog_views[0]);
    return 0;
}
