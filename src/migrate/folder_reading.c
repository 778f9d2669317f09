#include "migrate/folder_reading.h"

#include "base/error.h"
#include "io/crew.h"
#include "migrate/parallel.h"

#include <stdlib.h>

struct folder_reading {
    struct migration_folder folder;
    struct crew *crew;
    struct parallel_helper *helper;
    bool started; /* else there was no thread to be had, and it is read at the end */
    struct migration_set set;
    struct text_list warnings;
};

static int read_folder(void *context, struct error *err)
{
    struct folder_reading *reading = context;
    int result = migration_folder_read(&reading->folder, &reading->set, &reading->warnings, err);
    parallel_helper_end(reading->helper);
    return result;
}

struct folder_reading *folder_reading_start(const struct migration_folder *folder)
{
    struct error ignored = ERROR_INIT;
    struct folder_reading *reading = MEM_NEW(struct folder_reading);
    reading->folder = *folder;
    reading->crew = crew_new();
    reading->helper = parallel_helper_new();
    reading->folder.helper = reading->helper;
    reading->started = crew_start(reading->crew, read_folder, reading, &ignored) == 0;
    return reading;
}

int folder_reading_finish(struct folder_reading *reading, struct migration_set *set,
                          struct text_list *warnings, struct error *err)
{
    if (reading->started)
        parallel_helper_work(reading->helper);
    int result = reading->started ? crew_join(reading->crew, err) : read_folder(reading, err);
    for (size_t i = 0; i < reading->warnings.count; i++)
        text_list_add(warnings, reading->warnings.items[i]);
    migration_set_clear(set);
    *set = reading->set;
    reading->set = MIGRATION_SET_INIT;
    return result;
}

void folder_reading_free(struct folder_reading *reading)
{
    struct error ignored = ERROR_INIT;
    if (!reading)
        return;
    crew_join(reading->crew, &ignored);
    crew_free(reading->crew);
    parallel_helper_free(reading->helper);
    migration_set_clear(&reading->set);
    text_list_clear(&reading->warnings);
    free(reading);
}
