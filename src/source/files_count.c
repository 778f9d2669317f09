#include "source/files_count.h"

#include "base/error.h"
#include "base/file.h"
#include "source/files_entry.h"
#include "source/files_report.h"
#include "source/files_roots.h"
#include "source/files_walk.h"

struct counting {
    struct files_count *count;
    int64_t moment_ns;
};

static int count_unit(void *context, struct files_unit *unit, struct error *err)
{
    (void)err;
    struct counting *counting = context;
    for (size_t i = 0; i < unit->count; i++) {
        const struct files_entry *entry = &unit->entries[i];
        /* A later part of a file that has been counted. */
        if (entry->content && entry->begin)
            continue;
        counting->count->entries++;
        if (S_ISREG(entry->stat.st_mode) && !entry->hard_link)
            counting->count->bytes += (uint64_t)entry->stat.st_size;
        int64_t changed_ns =
            (int64_t)entry->stat.st_ctim.tv_sec * 1000000000 + entry->stat.st_ctim.tv_nsec;
        if (!entry->root_path && changed_ns > counting->moment_ns)
            counting->count->newer++;
    }
    files_unit_free(unit);
    return 0;
}

int files_count_tree(struct os *os, const char *path, int64_t moment_ns, struct files_count *count,
                     struct error *err)
{
    struct stat stat;
    int there = file_stat(os, path, &stat, err);
    if (there <= 0)
        return there;
    SCOPED(text_list) struct text_list paths = TEXT_LIST_INIT;
    SCOPED(files_roots) struct files_roots roots = {0};
    text_list_add(&paths, path);
    if (files_roots_make(&paths, &roots, err) < 0)
        return -1;
    struct files_report report;
    files_report_init(&report);
    report.quiet = true;
    struct text_list nothing = TEXT_LIST_INIT;
    struct counting counting = {.count = count, .moment_ns = moment_ns};
    struct files_walk_options walk = {.os = os,
                                      .roots = &roots,
                                      .exclude = &nothing,
                                      .descriptors_per_unit = 256,
                                      .links_limit_bytes = (size_t)24 << 20,
                                      .report = &report,
                                      .emit = count_unit,
                                      .context = &counting};
    int result = files_walk(&walk, err);
    count->partial |= report.lines.count > 0;
    files_report_clear(&report);
    return result;
}
