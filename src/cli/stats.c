/*
 * kedge stats: totals, and how old each target's newest proven backup is.
 */
#include "catalog/stats.h"

#include "base/error.h"
#include "base/os.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/session.h"
#include "cli/table.h"
#include "service/service.h"

#include <inttypes.h>
#include <unistd.h>

static const struct column_row columns[] = {{"target", "TARGET", COLUMN_OF_TEXT},
                                            {"success", "BACKUPS", COLUMN_OF_NUMBER},
                                            {"failed", "FAILED", COLUMN_OF_NUMBER},
                                            {"size_bytes", "STORED", COLUMN_OF_BYTES},
                                            {"newest_age", "NEWEST", COLUMN_OF_AGE},
                                            {"verified_age", "VERIFIED", COLUMN_OF_AGE},
                                            {NULL, NULL, COLUMN_OF_TEXT}};

struct gathered {
    struct table *table;
    json_t *targets;
    int64_t now_ns;
};

static int64_t age(int64_t moment_ns, int64_t now_ns)
{
    return moment_ns ? (now_ns - moment_ns) / 1000000000 : TABLE_NONE;
}

static void add_json(struct gathered *gathered, const struct target_stats *stats)
{
    int64_t verified_age = age(stats->newest_verified_ns, gathered->now_ns);
    json_t *target = json_object();
    json_object_set_new(target, "target", console_json_text(stats->target));
    json_object_set_new(target, "success", json_integer(stats->success));
    json_object_set_new(target, "failed", json_integer(stats->failed));
    json_object_set_new(target, "size_bytes", json_integer(stats->size_bytes));
    json_object_set_new(target, "newest", console_json_moment(stats->newest_success_ns));
    json_object_set_new(target, "newest_verified", console_json_moment(stats->newest_verified_ns));
    json_object_set_new(target, "verified_age",
                        verified_age == TABLE_NONE ? json_null() : json_integer(verified_age));
    json_object_set_new(target, "verified_level",
                        stats->verified_level < 0 ? json_null()
                                                  : json_integer(stats->verified_level));
    json_array_append_new(gathered->targets, target);
}

static int add_target(void *context, const struct target_stats *stats, struct error *err)
{
    (void)err;
    struct gathered *gathered = context;
    table_text(gathered->table, stats->target);
    table_number(gathered->table, stats->success);
    table_number(gathered->table, stats->failed);
    table_number(gathered->table, stats->size_bytes);
    table_number(gathered->table, age(stats->newest_success_ns, gathered->now_ns));
    table_number(gathered->table, age(stats->newest_verified_ns, gathered->now_ns));
    add_json(gathered, stats);
    return 0;
}

static void print_json(const struct backup_stats *all, json_t *targets)
{
    json_t *object = json_object();
    json_object_set_new(object, "pending", json_integer(all->pending));
    json_object_set_new(object, "running", json_integer(all->running));
    json_object_set_new(object, "success", json_integer(all->success));
    json_object_set_new(object, "failed", json_integer(all->failed));
    json_object_set_new(object, "incomplete", json_integer(all->incomplete));
    json_object_set_new(object, "size_bytes", json_integer(all->size_bytes));
    json_object_set_new(object, "source_bytes", json_integer(all->source_bytes));
    json_object_set_new(object, "success_rate", json_real(all->success_rate));
    json_object_set_new(object, "targets", json_incref(targets));
    console_json(object);
}

static void print_people(const struct backup_stats *all, const struct table *table)
{
    char stored[32];
    char read[32];
    text_format_size((uint64_t)all->size_bytes, stored);
    text_format_size((uint64_t)all->source_bytes, read);
    console_result("Backups: %" PRId64 " succeeded, %" PRId64 " failed (%.1f%% succeeded)",
                   all->success, all->failed, all->success_rate * 100);
    if (all->running || all->pending)
        console_result("At work: %" PRId64 " running, %" PRId64 " pending", all->running,
                       all->pending);
    console_result("Storage used: %s, for %s of sources", stored, read);
    if (!table_rows(table))
        return;
    console_result("%s", "");
    table_print(table, console_terminal_width(STDOUT_FILENO));
}

int command_stats(struct cli *cli, struct error *err)
{
    SCOPED(session) struct session session = SESSION_INIT;
    if (session_open(cli, false, &session, err) < 0)
        return -1;
    struct backup_stats all = {0};
    SCOPED(table) struct table *table = table_new(columns);
    struct gathered gathered = {
        .table = table, .targets = json_array(), .now_ns = cli->os->clock_wall_ns(cli->os)};
    int result = backups_stats(session.service->catalog, &all, err);
    if (result == 0)
        result = backups_target_stats(session.service->catalog, add_target, &gathered, err);
    if (result == 0 && console_wants_json(cli))
        print_json(&all, gathered.targets);
    else if (result == 0)
        print_people(&all, table);
    json_decref(gathered.targets);
    return result;
}
