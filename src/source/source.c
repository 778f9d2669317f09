#include "source/source.h"

#include <stdlib.h>

void dump_result_clear(struct dump_result *result)
{
    free(result->engine_version);
    free(result->consistent_at);
    free(result->metadata);
    text_list_clear(&result->incomplete);
    *result = (struct dump_result){0};
}

void load_preview_clear(struct load_preview *preview)
{
    free(preview->target);
    text_list_clear(&preview->conflicts);
    text_list_clear(&preview->places);
    *preview = (struct load_preview){0};
}
