#include "artifact/artifact.h"
#include "artifact/manifest_file.h"
#include "base/error.h"
#include "store/store.h"

/* The manifest goes first: an artifact without one is an orphan that people see, a manifest without
 * an artifact would be a lie. */
int artifact_remove(struct store *store, const char *file, struct error *err)
{
    SCOPED(string) char *manifest_key = manifest_file_key(file);
    if (store_remove(store, manifest_key, err) < 0)
        return -1;
    return store_remove(store, file, err);
}
