#include "source/files_glob.h"

#include "base/mem.h"
#include "base/text.h"
#include "source/files_roots.h"

#include <string.h>

static bool matches_one(const char *pattern, const char *within, const char *member, bool folder)
{
    SCOPED(string) char *trimmed = NULL;
    size_t length = strlen(pattern);
    if (length > 1 && pattern[length - 1] == '/') {
        if (!folder)
            return false;
        pattern = trimmed = mem_string_n(pattern, length - 1);
    }
    if (pattern[0] != '/')
        return text_glob(pattern, within);
    /* With its slash kept, so that "/tmp" does not mean every "tmp". */
    SCOPED(string) char *absolute = mem_format("/%s", member);
    return text_glob(pattern, absolute);
}

bool files_glob_matches(const struct text_list *patterns, const struct files_root *root,
                        const char *member, bool folder)
{
    const char *within = member + (root ? strlen(root->member) : 0);
    within += *within == '/';
    for (size_t i = 0; i < patterns->count; i++)
        if (matches_one(patterns->items[i], within, member, folder))
            return true;
    return false;
}

bool files_glob_covers(const struct text_list *patterns, const struct files_root *root,
                       const char *member, bool folder)
{
    if (!patterns->count)
        return false;
    if (files_glob_matches(patterns, root, member, folder))
        return true;
    SCOPED(string) char *above = mem_string(member);
    size_t top = root ? strlen(root->member) : 0;
    for (char *slash = strrchr(above, '/'); slash && (size_t)(slash - above) > top;
         slash = strrchr(above, '/')) {
        *slash = '\0';
        if (files_glob_matches(patterns, root, above, true))
            return true;
    }
    return false;
}
