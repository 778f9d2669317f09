/*
 * Manifests that others wrote. One that is taken can be written, and what was written is read as
 * the same manifest.
 */
#include "fuzz.h"

#include "artifact/manifest.h"

static void parse(const struct buf *json, struct manifest *manifest)
{
    struct error err = ERROR_INIT;
    MUST(manifest_parse(json->data, json->length, manifest, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    SCOPED(manifest) struct manifest back = MANIFEST_INIT;
    SCOPED(buf) struct buf first = BUF_INIT;
    SCOPED(buf) struct buf second = BUF_INIT;
    if (manifest_parse((const char *)data, size, &manifest, &err) < 0) {
        MUST_SAY(&err);
        return 0;
    }
    MUST(manifest.file && manifest.file[0] && !strchr(manifest.file, '/'));
    if (manifest_format(&manifest, &first, &err) < 0) {
        MUST_SAY(&err); /* what we write of it may be longer than what may be read */
        return 0;
    }
    parse(&first, &back);
    MUST(manifest_format(&back, &second, &err) == 0);
    MUST(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
    return 0;
}
