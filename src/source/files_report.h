/*
 * What of a tree could not be backed up as it was: the lines of dump_result.incomplete, collected
 * from several threads.
 */
#ifndef KEDGE_SOURCE_FILES_REPORT_H
#define KEDGE_SOURCE_FILES_REPORT_H

#include "base/text.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct files_report {
    pthread_mutex_t lock;
    struct text_list lines;
    uint64_t more; /* not kept, because the manifest has an end */
    bool quiet;    /* nothing goes to the log */
};

void files_report_init(struct files_report *report);
void files_report_clear(struct files_report *report);

/* "<member>: <text>", with the member made safe to show. */
void files_report_add(struct files_report *report, const char *member, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Move the lines to `list`, with a last one for those not kept. */
void files_report_take(struct files_report *report, struct text_list *list);

#endif
