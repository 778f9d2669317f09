#include "service/migration_backup.h"

#include "base/error.h"
#include "base/mem.h"
#include "service/backup.h"
#include "service/restore.h"
#include "service/verify.h"
#include "source/source.h"

#define VERIFY_LEVEL 2 /* every byte and every frame is read again */

int migration_backup_check(enum db_engine engine, struct error *err)
{
    if (source_find(db_engine_name(engine)))
        return 0;
    error_set(err, ERROR_USAGE, "this kedge cannot back up %s databases", db_engine_name(engine));
    return error_hint(err,
                      "make a backup with the server's own tools and migrate without --backup");
}

static int verify(struct service *service, const struct migration_backup *backup, const char *id,
                  struct error *err)
{
    const struct verify_request request = {
        .backup = id,
        .level = VERIFY_LEVEL,
        .jobs = backup->jobs,
        .keys = backup->keys,
        .progress = backup->progress,
    };
    struct verify_report report = {0};
    int result = verify_run(service, &request, &report, err);
    verify_report_clear(&report);
    return result;
}

int migration_backup_make(struct service *service, const struct migration_backup *backup,
                          struct backup_report *ret_report, struct error *err)
{
    SCOPED(string) char *notes = mem_format("before the migrations %s", backup->versions);
    const struct backup_request request = {
        .target = backup->target,
        .type = "database",
        .passphrase = backup->passphrase,
        .retention_days = -1,
        .jobs = backup->jobs,
        .max_wait_ms = backup->max_wait_ms,
        .trigger = "pre_migration",
        .notes = notes,
        .progress = backup->progress,
    };
    struct backup_report report = {0};
    if (backup_run(service, &request, &report, err) < 0)
        return error_prefix(err, "backup before the migrations");
    int result = report.incomplete ? error_set(err, ERROR_SOURCE, "it is incomplete")
                                   : verify(service, backup, report.id, err);
    if (result < 0) {
        error_prefix(err, "backup %lld before the migrations", (long long)report.number);
        backup_report_clear(&report);
        return -1;
    }
    *ret_report = report;
    return 0;
}

int migration_backup_return(struct service *service, const struct migration_backup *backup,
                            const char *id,
                            int (*confirm)(void *context, const struct restore_plan *plan,
                                           bool production, struct error *err),
                            void *context, struct restore_report *ret_report, struct error *err)
{
    const struct restore_request request = {
        .backup = id,
        .to = backup->configured ? NULL : backup->target,
        .connection = backup->configured ? backup->target : NULL,
        .safety = SAFETY_SWAP,
        .jobs = backup->jobs,
        .keys = backup->keys,
        .progress = backup->progress,
        .confirm = confirm,
        .context = context,
    };
    return restore_run(service, &request, ret_report, err);
}
