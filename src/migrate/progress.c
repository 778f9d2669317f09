#include "migrate/progress.h"

#include <stdio.h>
#include <string.h>

void migrate_progress_format(const struct migrate_progress *progress, char ret_text[static 128])
{
    char begun[40] = "";
    if (progress->begun)
        snprintf(begun, sizeof begun, "%zu begun, ", progress->done + 1);
    snprintf(ret_text, 128, "%s %zu of %zu, %s%s",
             progress->direction == MIGRATE_UP ? "up" : "down", progress->done, progress->total,
             begun, progress->sum);
}

bool migrate_progress_parse(const char *text, struct migrate_progress *ret_progress)
{
    char way[8] = "";
    char rest[100] = "";
    struct migrate_progress progress = {0};
    size_t next = 0;
    if (!text ||
        sscanf(text, "%7s %zu of %zu, %99[^\n]", way, &progress.done, &progress.total, rest) != 4)
        return false;
    progress.direction = strcmp(way, "up") == 0 ? MIGRATE_UP : MIGRATE_DOWN;
    char *sum = strstr(rest, " begun, ");
    if (sum && sscanf(rest, "%zu begun,", &next) == 1) {
        progress.begun = true;
        sum += strlen(" begun, ");
    } else {
        sum = rest;
    }
    if (strlen(sum) != sizeof progress.sum - 1 || progress.done > progress.total)
        return false;
    memcpy(progress.sum, sum, sizeof progress.sum);
    *ret_progress = progress;
    return true;
}

struct migrate_progress migrate_progress_of(const struct migration_part *part,
                                            enum direction direction, size_t done, bool begun)
{
    struct migrate_progress progress = {
        .direction = direction, .done = done, .total = part->count, .begun = begun};
    migration_sum_part(part, done, progress.sum);
    return progress;
}
