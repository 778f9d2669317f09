#include "fixture.h"

#include "artifact/manifest.h"
#include "catalog/backup_find.h"
#include "catalog/import.h"
#include "catalog/stats.h"

#define HOUR_NS INT64_C(3600000000000)

static struct manifest manifest_of(char *id, char *file)
{
    static char app[] = "shop", type[] = "database", kind[] = "sql", zstd[] = "zstd:3",
                none[] = "none", engine[] = "postgres";
    return (struct manifest){
        .id = id,
        .number = 7,
        .app = app,
        .target = app,
        .engine = engine,
        .type = type,
        .kind = kind,
        .created_ns = 1769824800000000000,
        .compression = zstd,
        .encryption = none,
        .size_bytes = 100,
        .source_bytes = 1000,
        .rows = 10,
        .file = file,
        .checksum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        .retention_days = 30,
        .expires_ns = 1769824800000000000 + 30 * 24 * HOUR_NS,
    };
}

static char id_one[] = "01KEDGE0000000000000000001";
static char id_two[] = "01kedge0000000000000000002";
static char id_group[] = "01KEDGE0000000000000000009";

static bool import(struct fixture *fixture, const struct manifest *manifest)
{
    struct error err = ERROR_INIT;
    bool added = false;
    assert_ok(catalog_import_manifest(fixture->catalog, manifest, fixture->destination_id, HOUR_NS,
                                      &added, &err),
              err);
    return added;
}

TEST(manifest_becomes_a_backup_once)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    char file[] = "shop_1.sql.zst", other[] = "shop_2.sql.zst";
    struct manifest manifest = manifest_of(id_one, file);
    assert_true(import(&fixture, &manifest));
    assert_false(import(&fixture, &manifest));
    SCOPED(backup_row) struct backup_row row = BACKUP_ROW_INIT;
    assert_int_equal(backups_find(fixture.catalog, "shop_1.sql.zst", &row, &err), 1);
    assert_int_equal(row.number, 7);
    assert_string_equal(row.status, "success");
    assert_string_equal(row.app, "shop");
    assert_string_equal(row.engine, "postgres");
    assert_int_equal(row.verified_level, 0);
    assert_int_equal(row.rows, 10);
    assert_int_equal(row.expires_ns, manifest.expires_ns);
    assert_int_equal(row.created_ns, manifest.created_ns);
    backup_row_clear(&row);

    /* Another backup has that number: this one gets the next. */
    struct manifest second = manifest_of(id_two, other);
    assert_true(import(&fixture, &second));
    assert_int_equal(backups_find(fixture.catalog, id_two, &row, &err), 1);
    assert_int_equal(row.number, 8);
    struct backup_row fresh = fixture_row(&fixture, "shop");
    assert_ok(backups_insert(fixture.catalog, &fresh, &err), err);
    assert_int_equal(fresh.number, 9);
    fixture_clear(&fixture);
}

TEST(files_of_one_group_are_one_backup_in_either_order)
{
    for (int order = 0; order < 2; order++) {
        struct fixture fixture;
        fixture_init(&fixture);
        struct error err = ERROR_INIT;
        char file[] = "shop_1.sql.zst", tree[] = "shop_1_files.tar.zst", part[] = "files",
             kind[] = "tar";
        struct manifest database = manifest_of(id_one, file);
        struct manifest files = manifest_of(id_two, tree);
        database.group = files.group = id_group;
        files.part = part;
        files.kind = kind;
        assert_true(import(&fixture, order ? &files : &database));
        assert_true(import(&fixture, order ? &database : &files));
        assert_false(import(&fixture, &files));
        assert_false(import(&fixture, &database));
        SCOPED(backup_row) struct backup_row row = BACKUP_ROW_INIT;
        assert_int_equal(backups_get(fixture.catalog, id_group, &row, &err), 1);
        assert_string_equal(row.type, "full");
        assert_string_equal(row.file_path, "shop_1.sql.zst");
        assert_string_equal(row.format, "sql");
        assert_int_equal(row.size_bytes, 200);
        assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM backup_files"), 2);

        /* A copy at another destination is a file, and adds nothing to the sums. */
        struct destination_row off = {.name = "offsite", .url = "s3://b/x", .is_active = true};
        assert_ok(destinations_upsert(fixture.catalog, &off, &err), err);
        bool added = false;
        assert_ok(catalog_import_manifest(fixture.catalog, &database, off.id, 1, &added, &err),
                  err);
        assert_true(added);
        backup_row_clear(&row);
        assert_int_equal(backups_get(fixture.catalog, id_group, &row, &err), 1);
        assert_int_equal(row.size_bytes, 200);
        assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM backup_files"), 3);
        fixture_clear(&fixture);
    }
}

TEST(hostile_manifest_is_refused_or_bounded)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    bool added = false;
    char file[] = "x.sql", id[] = "not an id", type[] = "everything";
    struct manifest manifest = manifest_of(id, file);
    assert_fails(catalog_import_manifest(fixture.catalog, &manifest, fixture.destination_id, 1,
                                         &added, &err),
                 err, ERROR_CORRUPT);
    manifest = manifest_of(id_one, file);
    manifest.type = type;
    assert_fails(catalog_import_manifest(fixture.catalog, &manifest, fixture.destination_id, 1,
                                         &added, &err),
                 err, ERROR_FAILED);
    assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM backups"), 0);
    manifest = manifest_of(id_one, file);
    manifest.size_bytes = manifest.rows = UINT64_MAX;
    manifest.number = INT64_MIN;
    assert_true(import(&fixture, &manifest));
    fixture_clear(&fixture);
}

static int see_target(void *context, const struct target_stats *stats, struct error *err)
{
    struct target_stats *seen = context;
    (void)err;
    if (strcmp(stats->target, "shop") == 0)
        *seen = *stats;
    return 0;
}

static int see_destination(void *context, const struct destination_stats *stats, struct error *err)
{
    (void)err;
    assert_string_equal(stats->destination, "local");
    *(int64_t *)context = stats->size_bytes;
    return 0;
}

TEST(stats_add_up)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct backup_stats stats;
    assert_ok(backups_stats(fixture.catalog, &stats, &err), err);
    assert_int_equal(stats.success, 0);
    assert_int_equal(stats.size_bytes, 0);

    struct backup_row rows[4];
    for (int i = 0; i < 4; i++) {
        rows[i] = fixture_row(&fixture, i == 3 ? "blog" : "shop");
        rows[i].created_ns = (i + 1) * HOUR_NS;
        rows[i].verified_level = i == 0 ? 2 : i == 1 ? 0 : 3;
        rows[i].incomplete = i == 2;
        fixture_succeed(&fixture, &rows[i]);
    }
    struct backup_row failed = fixture_row(&fixture, "shop");
    assert_ok(backups_insert(fixture.catalog, &failed, &err), err);
    assert_ok(backups_fail(fixture.catalog, failed.id, "no", &err), err);
    assert_ok(backups_stats(fixture.catalog, &stats, &err), err);
    assert_int_equal(stats.success, 4);
    assert_int_equal(stats.failed, 1);
    assert_int_equal(stats.incomplete, 1);
    assert_int_equal(stats.size_bytes, 400);
    assert_true(stats.success_rate > 0.79 && stats.success_rate < 0.81);
    struct target_stats shop = {0};
    assert_ok(backups_target_stats(fixture.catalog, see_target, &shop, &err), err);
    assert_int_equal(shop.success, 3);
    assert_int_equal(shop.failed, 1);
    assert_int_equal(shop.newest_success_ns, 2 * HOUR_NS);
    assert_int_equal(shop.newest_verified_ns, HOUR_NS);
    assert_int_equal(shop.verified_level, 2);
    int64_t used = 0;
    assert_ok(backups_destination_stats(fixture.catalog, see_destination, &used, &err), err);
    assert_int_equal(used, 400);
    fixture_clear(&fixture);
}

TEST_MAIN(UNIT(manifest_becomes_a_backup_once),
          UNIT(files_of_one_group_are_one_backup_in_either_order),
          UNIT(hostile_manifest_is_refused_or_bounded), UNIT(stats_add_up))
