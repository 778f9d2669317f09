/*
 * Which driver an engine's name belongs to. A new source is one file and one row here.
 */
#include "source/files.h"
#include "source/postgres.h"
#include "source/source.h"
#include "source/sqlite.h"

#include <string.h>

static const struct source_ops *const sources[] = {
    &source_files,
    &source_postgres,
    &source_sqlite,
};

const struct source_ops *source_find(const char *engine)
{
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
        if (sources[i] && strcmp(sources[i]->engine, engine) == 0)
            return sources[i];
    return NULL;
}
