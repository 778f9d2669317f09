#include "source/files_choice.h"

#include "base/text.h"
#include "io/tar.h"
#include "source/files_glob.h"
#include "source/files_roots.h"
#include "source/files_side.h"

static const struct files_root *root_of(const struct files_roots *roots, const char *member)
{
    for (size_t i = 0; i < roots->count; i++)
        if (files_root_holds(&roots->items[i], member))
            return &roots->items[i];
    return NULL;
}

bool files_choice_takes(const struct files_choice *choice, const char *path, bool folder)
{
    const struct files_root *root = root_of(choice->roots, path);
    if (choice->include->count && !files_glob_covers(choice->include, root, path, folder))
        return false;
    return !files_glob_covers(choice->exclude, root, path, folder) &&
           !files_sides_elsewhere(choice->sides, path);
}

bool files_choice_leaves(const struct files_choice *choice, char type)
{
    return !choice->devices && (type == TAR_CHARACTER_DEVICE || type == TAR_BLOCK_DEVICE);
}
