#include "source/files_report.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAXIMUM ((size_t)500)

void files_report_init(struct files_report *report)
{
    *report = (struct files_report){.lines = TEXT_LIST_INIT};
    pthread_mutex_init(&report->lock, NULL);
}

void files_report_clear(struct files_report *report)
{
    text_list_clear(&report->lines);
    pthread_mutex_destroy(&report->lock);
}

void files_report_add(struct files_report *report, const char *member, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    SCOPED(string) char *what = mem_format_v(format, args);
    va_end(args);
    struct buf line = BUF_INIT;
    text_append_visible(&line, member, strlen(member));
    buf_append_format(&line, ": %s", what);

    if (!report->quiet)
        log_warning("%s", line.data);
    pthread_mutex_lock(&report->lock);
    if (report->lines.count < LINES_MAXIMUM)
        text_list_give(&report->lines, buf_steal(&line));
    else
        report->more++;
    pthread_mutex_unlock(&report->lock);
    buf_clear(&line);
}

void files_report_take(struct files_report *report, struct text_list *list)
{
    text_list_add_all(list, &report->lines);
    if (report->more)
        text_list_give(list, mem_format("and %" PRIu64 " more", report->more));
}
