/*
 * Taking over the history that another migration tool has kept, so that kedge goes on where it
 * stood: each of its rows becomes one of ours, with the sum of the file as it is now.
 *
 * The tool's table is left as it is. Only where it has the name that ours is to have it is renamed,
 * in the transaction (on MySQL by the one exchange of names) that puts ours in its place. What our
 * history says already stays, so that importing twice changes nothing.
 */
#ifndef KEDGE_MIGRATE_IMPORT_H
#define KEDGE_MIGRATE_IMPORT_H

#include "base/text.h"
#include "migrate/execute.h"

struct import_request {
    const char *from;  /* name of the tool; NULL: found out by the tables there are */
    const char *table; /* of its history; NULL: the tool's own name for it */
    bool dry_run;      /* write nothing */
};

/* One version. Owned strings. */
struct import_item {
    char *version;
    char *name;
    enum history_status status;
    char *applied_at; /* NULL: the tool does not keep it */
    int64_t execution_time_ms;
    int64_t batch;
    bool missing;                      /* no file has this version */
    bool known;                        /* our history has it already, and keeps what it says */
    bool replaced;                     /* our history has it, as tried in vain */
    bool changed;                      /* the file is not what the tool applied */
    const struct migration *migration; /* borrowed from the set */
    char *note;                        /* NULL, or what else there is to say */
};

struct import_report {
    const char *tool;
    char *table;
    char *kept_as; /* the table's new name; NULL when it keeps its own */
    struct import_item *items;
    size_t count;
    size_t capacity;
    size_t written;
    struct text_list passed_over; /* what the tool has applied without any version */
};

#define IMPORT_REPORT_INIT ((struct import_report){0})

/* `run` names the database, our history and who does it; the lock is held unless it is a dry run.
 * ERROR_NOT_FOUND when there is no such history, ERROR_USAGE when there are several or `from` is no
 * tool; nothing is written then. *ret_report is to be cleared. */
int import_history(const struct run *run, const struct migration_set *set,
                   const struct import_request *request, struct import_report *ret_report,
                   struct error *err);
void import_report_clear(struct import_report *report);

static inline void scoped_import_report_cleanup(struct import_report *report)
{
    import_report_clear(report);
}

#endif
