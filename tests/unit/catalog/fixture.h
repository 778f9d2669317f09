/*
 * A fresh catalogue in a folder of its own, and a few rows in it.
 */
#ifndef KEDGE_TESTS_CATALOG_FIXTURE_H
#define KEDGE_TESTS_CATALOG_FIXTURE_H

#include "harness/scratch.h"
#include "harness/test.h"

#include "base/mem.h"
#include "base/os.h"
#include "catalog/apps.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/destinations.h"
#include "catalog/state.h"
#include "catalog/worker.h"
#include "db/db.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    char folder[64];
    char path[128];
    struct catalog *catalog;
    char app_id[27];
    char destination_id[27];
};

static inline struct catalog *fixture_open(const struct fixture *fixture)
{
    struct error err = ERROR_INIT;
    struct catalog *catalog = NULL;
    const struct catalog_options options = {.url = fixture->path};
    assert_ok(catalog_open(os_real(), &options, &catalog, &err), err);
    return catalog;
}

/* One app and one destination. */
static inline void fixture_fill(struct fixture *fixture, struct error *err)
{
    struct destination_row local = {.name = "local", .url = "/srv/backups", .is_active = true};
    assert_ok(apps_upsert(fixture->catalog, "shop", fixture->app_id, err), *err);
    assert_ok(destinations_upsert(fixture->catalog, &local, err), *err);
    memcpy(fixture->destination_id, local.id, sizeof local.id);
}

/* In memory where that can be had: many of these tests are about what is written when, and none
 * about how fast a disk is. */
static inline void fixture_folder(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    scratch_folder_in_memory(fixture->folder);
    snprintf(fixture->path, sizeof fixture->path, "%s/home/catalog.db", fixture->folder);
}

static inline void fixture_init(struct fixture *fixture)
{
    struct error err = ERROR_INIT;
    fixture_folder(fixture);
    fixture->catalog = fixture_open(fixture);
    fixture_fill(fixture, &err);
}

static inline void fixture_remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry = NULL;
    while (folder && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        SCOPED(string) char *inside = mem_format("%s/%s", path, entry->d_name);
        if (unlink(inside) < 0)
            fixture_remove_folder(inside);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

static inline void fixture_clear(struct fixture *fixture)
{
    catalog_close(fixture->catalog);
    fixture_remove_folder(fixture->folder);
}

/* A row that is ready for backups_insert. */
static inline struct backup_row fixture_row(const struct fixture *fixture, const char *target)
{
    struct backup_row row = BACKUP_ROW_INIT;
    memcpy(row.app_id, fixture->app_id, sizeof row.app_id);
    memcpy(row.destination_id, fixture->destination_id, sizeof row.destination_id);
    row.target = target;
    row.type = "database";
    return row;
}

/* Insert, start and finish one; `row` may be changed before by the caller. */
static inline void fixture_succeed(struct fixture *fixture, struct backup_row *row)
{
    struct error err = ERROR_INIT;
    SCOPED(string) char *self = worker_self(os_real());
    assert_ok(backups_insert(fixture->catalog, row, &err), err);
    assert_ok(backups_start(fixture->catalog, row->id, self, &err), err);
    SCOPED(string) char *file = mem_format("%s_%lld.sql.zst", row->target, (long long)row->number);
    row->name = row->file_path = file;
    row->size_bytes = 100;
    const struct backup_file_row files[] = {{.file_path = file,
                                             .file_name = file,
                                             .file_type = "sql",
                                             .size_bytes = 300,
                                             .compressed_size_bytes = 100}};
    assert_ok(backups_finish(fixture->catalog, row, files, 1, &err), err);
    row->name = row->file_path = NULL;
}

static inline int64_t fixture_count(struct fixture *fixture, const char *sql)
{
    struct error err = ERROR_INIT;
    int64_t value = -1;
    assert_int_equal(db_query_integer(fixture->catalog->db, sql, NULL, 0, &value, &err), 1);
    return value;
}

static inline void fixture_execute(struct fixture *fixture, const char *sql)
{
    struct error err = ERROR_INIT;
    assert_ok(db_execute(fixture->catalog->db, sql, NULL, 0, NULL, &err), err);
}

#endif
