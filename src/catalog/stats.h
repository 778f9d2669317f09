/*
 * Totals over the backups: for `kedge stats`, the panel and monitoring.
 */
#ifndef KEDGE_CATALOG_STATS_H
#define KEDGE_CATALOG_STATS_H

#include <stdint.h>

struct catalog;
struct error;

struct backup_stats {
    int64_t pending, running, success, failed, deleting; /* rows in that state */
    int64_t incomplete;                                  /* of the successes */
    int64_t size_bytes, source_bytes;                    /* of the successes */
    double success_rate; /* of those that ended, 0 to 1; 0 when none did */
};

int backups_stats(struct catalog *catalog, struct backup_stats *ret_stats, struct error *err);

/* One target. Times are 0 and levels -1 where there is none. */
struct target_stats {
    const char *target;
    int64_t success, failed;
    int64_t size_bytes;
    int64_t newest_success_ns;  /* created_at of the newest good one */
    int64_t newest_verified_ns; /* created_at of the newest good one with level 1 or more */
    int64_t verified_level;     /* the highest level among its good ones */
};

/* By name; `stats` lives until `visit` returns; non-zero from it stops and comes back. */
typedef int target_stats_fn(void *context, const struct target_stats *stats, struct error *err);
int backups_target_stats(struct catalog *catalog, target_stats_fn *visit, void *context,
                         struct error *err);

/* Storage used at one destination, copies included. */
struct destination_stats {
    const char *destination;
    int64_t files, size_bytes;
};

typedef int destination_stats_fn(void *context, const struct destination_stats *stats,
                                 struct error *err);
int backups_destination_stats(struct catalog *catalog, destination_stats_fn *visit, void *context,
                              struct error *err);

#endif
