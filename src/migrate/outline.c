#include "migrate/outline.h"

#include <stdlib.h>

void outline_clear(struct outline *outline)
{
    tokens_clear(&outline->tokens);
    free(outline->names);
    free(outline->columns);
    free(outline->actions);
    *outline = (struct outline){.kind = OUTLINE_OTHER};
}

const struct outline_action *outline_action(const struct outline *outline, enum action_kind kind)
{
    for (size_t i = 0; i < outline->action_count; i++)
        if (outline->actions[i].kind == kind)
            return &outline->actions[i];
    return NULL;
}
