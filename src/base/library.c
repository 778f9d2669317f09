#include "base/library.h"

#include "base/error.h"

#include <dlfcn.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int load(struct library *library, struct error *err)
{
    void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        error_set(err, ERROR_FAILED, "cannot load %s: %s", library->file, dlerror());
        return error_hint(err, "install the package %s", library->package);
    }
    for (const struct library_symbol *symbol = library->symbols; symbol->name; symbol++) {
        *symbol->slot = dlsym(handle, symbol->name);
        if (!*symbol->slot) {
            error_set(err, ERROR_FAILED, "%s has no %s", library->file, symbol->name);
            dlclose(handle);
            return error_hint(err, "the version in %s or a newer one is needed", library->package);
        }
    }
    library->loaded = true;
    return 0;
}

int library_load(struct library *library, struct error *err)
{
    pthread_mutex_lock(&lock);
    int result = library->loaded ? 0 : load(library, err);
    pthread_mutex_unlock(&lock);
    return result;
}
