#include "service/redescribe.h"

#include "artifact/artifact.h"
#include "artifact/manifest.h"
#include "artifact/name.h"
#include "artifact/manifest_file.h"
#include "artifact/publish.h"
#include "base/error.h"
#include "service/lookup.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

static void replace(char **text, const char *with)
{
    if (!with)
        return;
    free(*text);
    *text = mem_string(with);
}

/* The files of a full backup share its id and keep what each says of itself. */
static void add_own(const struct backup_row *row, struct manifest *manifest)
{
    if (strcmp(row->type, "full") == 0) {
        replace(&manifest->group, row->id);
        return;
    }
    replace(&manifest->id, row->id);
    replace(&manifest->type, row->type);
    replace(&manifest->engine, row->engine);
    replace(&manifest->metadata, row->metadata);
    if (row->source_bytes > 0)
        manifest->source_bytes = (uint64_t)row->source_bytes;
    manifest->incomplete = row->incomplete;
}

static void add_known(const struct backup_row *row, struct manifest *manifest)
{
    add_own(row, manifest);
    manifest->number = row->number;
    replace(&manifest->app, row->app);
    replace(&manifest->target, row->target);
    manifest->expires_ns = row->expires_ns;
    manifest->retention_days = row->retention_days > 0 ? row->retention_days : 0;
}

static bool is_named_by_us(const char *file)
{
    SCOPED(artifact_name) struct artifact_name name = {0};
    return artifact_name_parse(file, &name) > 0;
}

/* 1 when there is a manifest, 0 when there is the artifact alone. */
static int is_described(const struct artifact_open_options *options, struct error *err)
{
    struct store_entry entry;
    SCOPED(string) char *key = manifest_file_key(options->file);
    if (store_find(options->store, options->file, &entry, err) < 0)
        return -1;
    return store_stat(options->store, key, &entry, err);
}

int redescribe_run(const struct located *located, const struct artifact_open_options *options,
                   struct error *err)
{
    int described = is_described(options, err);
    if (described != 0)
        return described < 0 ? -1 : 0;
    if (!located->known && !is_named_by_us(options->file)) {
        error_set(err, ERROR_NOT_FOUND, "%s has no manifest to compare with", options->file);
        return error_hint(err, "kedge restore FILE --to PLACE shows what it holds, and checks it");
    }
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    if (artifact_describe(options, &manifest, err) < 0)
        return -1;
    if (located_check(located, options->file, manifest.checksum, err) < 0)
        return -1;
    if (!manifest.source_bytes)
        manifest.source_bytes = manifest.plain_bytes;
    if (located->known)
        add_known(&located->row, &manifest);
    return publish_manifest(options->store, &manifest, err) < 0 ? -1 : 1;
}
