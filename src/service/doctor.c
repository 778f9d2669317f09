#include "service/doctor.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "db/db.h"
#include "db/url.h"
#include "service/catalog_place.h"
#include "service/service.h"
#include "service/setup.h"
#include "service/target.h"
#include "source/source.h"
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Before this program was written no clock can be right. */
#define EARLIEST_NS (INT64_C(1735689600) * MOMENT_SECOND) /* 2025-01-01 */
#define LITTLE_ROOM (UINT64_C(1) << 30)
#define CONNECT_TIMEOUT_MS 5000

struct doctor {
    struct service *service;
    doctor_fn *told;
    void *context;
    int bad;
};

static void tell(struct doctor *doctor, const char *what, const char *finding,
                 const struct error *failure)
{
    struct doctor_item item = {.what = what,
                               .good = !failure,
                               .finding = failure ? failure->message : finding,
                               .hint = failure ? failure->hint : ""};
    doctor->bad += failure != NULL;
    doctor->told(doctor->context, &item);
}

static void try_clock(struct doctor *doctor)
{
    struct error err = ERROR_INIT;
    char now[32];
    struct os *os = doctor->service->os;
    moment_format_iso(os->clock_wall_ns(os), now);
    if (os->clock_wall_ns(os) >= EARLIEST_NS) {
        tell(doctor, "clock", now, NULL);
        return;
    }
    error_set(&err, ERROR_FAILED, "it is %s here, which cannot be", now);
    error_hint(&err, "set the time: names, expiry and the order of backups depend on it");
    tell(doctor, "clock", NULL, &err);
}

/* Whoever may write where the catalogue is can make kedge forget or invent backups. */
static int check_folder(struct os *os, const char *path, struct error *err)
{
    struct stat there;
    int found = file_stat(os, path, &there, err);
    if (found <= 0)
        return found;
    if (!(there.st_mode & S_IWOTH))
        return 0;
    error_set(err, ERROR_PERMISSION, "%s may be written by everybody", path);
    return error_hint(err, "chmod o-w %s", path);
}

static void try_catalog(struct doctor *doctor, const struct error *failure)
{
    struct error err = ERROR_INIT;
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    bool known = db_url_parse(doctor->service->options.catalog_url, &url, NULL) == 0;
    SCOPED(string)
    char *folder = known && url.engine == DB_SQLITE ? path_folder(url.database) : NULL;
    const struct catalog *catalog = doctor->service->catalog;
    if (!catalog) {
        tell(doctor, "catalogue", NULL, failure);
        return;
    }
    bool bad = folder && check_folder(doctor->service->os, folder, &err) < 0;
    if (!bad && catalog_is_read_only(catalog)) {
        error_set(&err, ERROR_PERMISSION, "%s cannot be written", catalog_name(catalog));
        bad = true;
    }
    tell(doctor, "catalogue", catalog_name(catalog), bad ? &err : NULL);
    const struct service_options *options = &doctor->service->options;
    SCOPED(string) char *warning = catalog_place_warning(options, options->catalog_url);
    if (warning)
        tell(doctor, "place of the catalogue", warning, NULL);
}

/* ---- destinations ---- */

static int try_writing(struct store *store, struct error *err)
{
    static const char probe[] = "kedge was here";
    struct upload *upload = NULL;
    if (store_put(store, &upload, err) < 0)
        return -1;
    int result = upload_write(upload, probe, sizeof probe, err);
    if (result == 0)
        result = upload_finish(upload, err);
    upload_free(upload);
    return result;
}

int doctor_try_destination(struct service *service, const char *name, char **ret_finding,
                           struct error *err)
{
    struct store *store = NULL;
    if (service_store(service, name, true, &store, NULL, err) < 0)
        return -1;
    uint64_t room = UINT64_MAX;
    int result = try_writing(store, err);
    if (result == 0)
        result = store_free_space(store, &room, err);
    char size[32] = "";
    if (room != UINT64_MAX)
        text_format_size(room, size);
    if (result == 0 && room < LITTLE_ROOM) {
        error_set(err, ERROR_NO_SPACE, "only %s are free at %s", size, store->url);
        result = error_hint(err, "kedge cleanup removes what has expired");
    }
    if (result == 0)
        *ret_finding =
            size[0] ? mem_format("%s, %s free", store->url, size) : mem_format("%s", store->url);
    store_close(store);
    return result;
}

static void try_destination(struct doctor *doctor, const char *name)
{
    struct error err = ERROR_INIT;
    SCOPED(string) char *what = mem_format("destination %s", name ? name : "local");
    SCOPED(string) char *finding = NULL;
    int result = doctor_try_destination(doctor->service, name, &finding, &err);
    tell(doctor, what, finding, result < 0 ? &err : NULL);
}

/* ---- targets ---- */

static int try_database(struct service *service, const struct db_url *url, char **ret_finding,
                        struct error *err)
{
    const struct db_options options = {
        .os = service->os, .connect_timeout_ms = CONNECT_TIMEOUT_MS, .read_only = true};
    SCOPED(db) struct db *db = NULL;
    SCOPED(string) char *version = NULL;
    if (db_open(url, &options, &db, err) < 0 || db->ops->version(db, &version, err) < 0)
        return -1;
    SCOPED(string) char *where = db_url_display(url);
    *ret_finding = mem_format("%s, %s %s", where, db_engine_name(url->engine), version);
    const struct source_ops *source = source_find(db_engine_name(url->engine));
    if (!source || !source->equipped)
        return 0;
    SCOPED(string) char *program = NULL;
    if (source->equipped(service->os, version, &program, err) < 0)
        return -1;
    SCOPED(string) char *before = *ret_finding;
    *ret_finding = mem_format("%s, %s", before, program);
    return 0;
}

static int try_paths(const struct text_list *paths, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++)
        if (access(paths->items[i], R_OK) < 0)
            return error_set_errno(err, ERROR_FAILED, errno, "read %s", paths->items[i]);
    return 0;
}

static int try_target(struct doctor *doctor, const struct target *target, char **ret_finding,
                      struct error *err)
{
    if (try_paths(&target->paths, err) < 0 || try_paths(&target->configuration, err) < 0)
        return -1;
    if (target->has_database)
        return try_database(doctor->service, &target->url, ret_finding, err);
    *ret_finding = mem_string("can be read");
    return 0;
}

static void try_named_target(struct doctor *doctor, const struct setup *setup, const char *name)
{
    struct error err = ERROR_INIT;
    SCOPED(string) char *what = mem_format("target %s", name);
    SCOPED(string) char *finding = NULL;
    const struct target *target = setup_target(setup, name);
    int result =
        target ? try_target(doctor, target, &finding, &err) : setup_check_target(setup, name, &err);
    tell(doctor, what, finding, result < 0 ? &err : NULL);
}

static void try_default_target(struct doctor *doctor)
{
    struct error err = ERROR_INIT;
    struct target target = {.retention_days = -1};
    SCOPED(string) char *finding = NULL;
    int result = service_target(doctor->service, NULL, &target, &err);
    if (result == 0)
        result = try_target(doctor, &target, &finding, &err);
    tell(doctor, "default database", finding, result < 0 ? &err : NULL);
    target_clear(&target);
}

int doctor_run(struct service *service, const struct setup *setup,
               const struct error *catalog_failure, doctor_fn *told, void *context)
{
    struct doctor doctor = {.service = service, .told = told, .context = context};
    const struct service_options *options = &service->options;
    tell(&doctor, "kedge", KEDGE_VERSION, NULL);
    try_clock(&doctor);
    try_catalog(&doctor, catalog_failure);
    if (!options->destination_count)
        try_destination(&doctor, NULL);
    for (size_t i = 0; i < options->destination_count; i++)
        try_destination(&doctor, options->destinations[i].name);
    const struct text_list *names = setup_target_names(setup);
    for (size_t i = 0; i < names->count; i++)
        try_named_target(&doctor, setup, names->items[i]);
    if (options->default_target)
        try_default_target(&doctor);
    return doctor.bad;
}
