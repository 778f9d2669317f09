#include "artifact/manifest_file.h"

#include "artifact/manifest.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#define ENDING ".json"

char *manifest_file_key(const char *file)
{
    return mem_format("%s" ENDING, file);
}

char *manifest_file_artifact(const char *key)
{
    return text_ends(key, ENDING) ? mem_string_n(key, strlen(key) - strlen(ENDING)) : NULL;
}

int manifest_file_read(struct store *store, const char *key, uint64_t size_bytes,
                       struct manifest *ret_manifest, struct error *err)
{
    if (size_bytes > MANIFEST_MAXIMUM)
        return error_set(err, ERROR_CORRUPT, "longer than a manifest can be");
    SCOPED(memory) void *text = mem_alloc((size_t)size_bytes + 1, 1);
    size_t size = 0;
    if (store_read(store, key, 0, text, (size_t)size_bytes, &size, err) < 0)
        return -1;
    return manifest_parse(text, size, ret_manifest, err);
}
