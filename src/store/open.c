/*
 * Which driver a destination's URL belongs to.
 */
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/local.h"
#include "store/store.h"

#include <string.h>

/* One row a scheme; a URL without one is a local folder. */
struct scheme {
    const char *prefix;
    int (*open)(const char *rest, const struct store_options *options, struct store **ret_store,
                struct error *err);
};

static const struct scheme schemes[] = {
    {"file://", local_open},
};

int store_open(const char *url, const struct store_options *options, struct store **ret_store,
               struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        if (text_starts(url, schemes[i].prefix))
            return schemes[i].open(url + strlen(schemes[i].prefix), options, ret_store, err);
    if (strstr(url, "://")) {
        error_set(err, ERROR_USAGE, "no such kind of destination: %s", url);
        return error_hint(err,
                          "a destination is a folder, or file:///FOLDER; mount what is elsewhere");
    }
    return local_open(url, options, ret_store, err);
}
