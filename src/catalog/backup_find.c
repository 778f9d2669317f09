#include "catalog/backup_find.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "catalog/backup_list.h"
#include "catalog/backups.h"
#include "catalog/query.h"
#include "catalog/row.h"

#include <ctype.h>
#include <string.h>

#define PREFIX_MINIMUM 6

static int take_row(void *context, const struct backup_row *row, struct error *err)
{
    (void)err;
    backup_row_copy(row, context);
    return 1;
}

/* ---- one row ---- */

static void select_all(struct catalog *catalog, struct query *query)
{
    row_select(&backup_columns, backup_columns.count, catalog, query);
}

int backups_get(struct catalog *catalog, const char *id, struct backup_row *ret_row,
                struct error *err)
{
    SCOPED(query) struct query query;
    select_all(catalog, &query);
    query_add(&query, " WHERE id = ?");
    query_text(&query, id);
    return backups_read(catalog, &query, take_row, ret_row, err);
}

int backups_get_number(struct catalog *catalog, int64_t number, struct backup_row *ret_row,
                       struct error *err)
{
    SCOPED(query) struct query query;
    select_all(catalog, &query);
    query_add(&query, " WHERE number = ?");
    query_integer(&query, number);
    return backups_read(catalog, &query, take_row, ret_row, err);
}

static int check_unique(struct catalog *catalog, const char *first, const char *beyond,
                        const char *prefix, struct error *err)
{
    int64_t count = 0;
    SCOPED(query) struct query query;
    query_init(&query, catalog, "SELECT count(*) FROM backups WHERE id >= ? AND id < ?");
    query_text(&query, first);
    query_text(&query, beyond);
    if (query_read_integer(&query, &count, err) < 0)
        return -1;
    if (count > 1)
        return error_set(err, ERROR_USAGE, "%s: %lld backups begin so", prefix, (long long)count);
    return 0;
}

/* A ULID or the first six or more characters of one, in either case. ERROR_USAGE when several
 * begin so. */
static int get_prefix(struct catalog *catalog, const char *prefix, struct backup_row *ret_row,
                      struct error *err)
{
    size_t length = strlen(prefix);
    char first[27] = "", beyond[28] = "";
    if (length < PREFIX_MINIMUM || length > 26)
        return 0;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)prefix[i]))
            return 0;
        first[i] = beyond[i] = (char)toupper((unsigned char)prefix[i]);
    }
    /* 'Z' is the last letter of the alphabet, '[' the character after it. */
    beyond[length] = '[';
    if (check_unique(catalog, first, beyond, prefix, err) < 0)
        return -1;
    SCOPED(query) struct query query;
    select_all(catalog, &query);
    query_add(&query, " WHERE id >= ? AND id < ?");
    query_text(&query, first);
    query_text(&query, beyond);
    return backups_read(catalog, &query, take_row, ret_row, err);
}

int backups_get_file(struct catalog *catalog, const char *file, struct backup_row *ret_row,
                     struct error *err)
{
    SCOPED(query) struct query query;
    select_all(catalog, &query);
    query_add(&query, " WHERE file_path = ? OR id IN (SELECT backup_id FROM backup_files "
                      "WHERE file_name = ?) ORDER BY created_at DESC, number DESC LIMIT 1");
    query_text(&query, file);
    query_text(&query, file);
    return backups_read(catalog, &query, take_row, ret_row, err);
}

int backups_get_latest(struct catalog *catalog, const char *target, const char *type,
                       bool or_incomplete, struct backup_row *ret_row, struct error *err)
{
    SCOPED(query) struct query query;
    select_all(catalog, &query);
    query_add(&query, " WHERE status = 'success'");
    if (!or_incomplete)
        query_add(&query, " AND incomplete = 0");
    if (target) {
        query_add(&query, " AND target = ?");
        query_text(&query, target);
    }
    if (type) {
        query_add(&query, " AND type = ?");
        query_text(&query, type);
    }
    query_add(&query, " ORDER BY created_at DESC, number DESC LIMIT 1");
    return backups_read(catalog, &query, take_row, ret_row, err);
}

int backups_find(struct catalog *catalog, const char *text, struct backup_row *ret_row,
                 struct error *err)
{
    int64_t number = 0;
    if (text[0] && strspn(text, "0123456789") == strlen(text) &&
        text_parse_int(text, 1, INT64_MAX, &number, NULL) == 0) {
        int found = backups_get_number(catalog, number, ret_row, err);
        if (found)
            return found;
    }
    int found = get_prefix(catalog, text, ret_row, err);
    if (found)
        return found;
    if (strcmp(text, "latest") == 0)
        return backups_get_latest(catalog, NULL, NULL, false, ret_row, err);
    if (text_starts(text, "latest:"))
        return backups_get_latest(catalog, text + strlen("latest:"), NULL, false, ret_row, err);
    return backups_get_file(catalog, text, ret_row, err);
}
