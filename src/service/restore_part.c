#include "service/restore_part.h"

#include "artifact/artifact.h"
#include "artifact/manifest.h"
#include "base/error.h"
#include "catalog/lock.h"
#include "service/lookup.h"
#include "service/own_paths.h"
#include "service/restore_request.h"
#include "service/restore_choice.h"
#include "service/restore_trust.h"
#include "service/service.h"

#include <stdlib.h>
#include <string.h>

void restore_part_clear(struct restore_part *part)
{
    load_free(part->load);
    text_list_clear(&part->options.own);
    restore_target_clear(&part->target);
    artifact_close(part->reader);
    target_lock_free(part->lock);
    free(part->argument);
    *part = (struct restore_part){0};
}

const char *restore_part_type(const struct restore_part *part)
{
    return part->target.source->capabilities & SOURCE_DATABASE ? RESTORE_DATABASE : RESTORE_FILES;
}

/* ---- before anything is touched ---- */

int restore_part_open(struct service *service, const struct restore_request *request,
                      const struct located *located, const char *file, struct restore_part *part,
                      struct error *err)
{
    struct artifact_open_options options = {
        .os = service->os,
        .store = located->store,
        .progress = request->progress,
        .file = file,
        .keys = request->keys,
        .jobs = request->jobs,
    };
    part->file = file;
    if (artifact_open(&options, &part->reader, err) < 0)
        return -1;
    if (!artifact_kind(part->reader))
        return error_set(err, ERROR_CORRUPT, "%s is not a backup that kedge can read", file);
    const struct manifest *manifest = artifact_manifest(part->reader);
    struct restore_wish wish = {.to = request->to, .connection = request->connection};
    enum restore_trust trust;
    if (restore_trust_check(service, located, &options, part->reader, &trust, err) < 0)
        return -1;
    part->trusted = trust == RESTORE_TRUST_OURS;
    wish.trusted = trust != RESTORE_TRUST_NONE;
    if (located->known)
        wish.target = located->row.target;
    else if (part->trusted)
        wish.target = manifest->target;
    if (restore_target_resolve(service, manifest, artifact_kind(part->reader), &wish, &part->target,
                               err) < 0)
        return -1;
    part->argument = restore_target_argument(&part->target);
    return 0;
}

int restore_part_load(struct service *service, const struct restore_request *request,
                      const char *id, bool keep, struct restore_part *part, struct error *err)
{
    const struct manifest *manifest = artifact_manifest(part->reader);
    part->options = (struct load_options){
        .os = service->os,
        .progress = request->progress,
        .jobs = request->jobs,
        .format = artifact_kind(part->reader),
        .metadata = manifest ? manifest->metadata : NULL,
        .engine_version = manifest ? manifest->engine_version : NULL,
        .digest = manifest && manifest->digest[0] ? manifest->digest : NULL,
        .plain_size = manifest ? manifest->plain_bytes : 0,
        .tables = request->tables,
        .include = request->include,
        .exclude = request->exclude,
        .to = part->target.folder,
        .cascade = request->cascade,
        .force = request->force,
        .no_owner = request->no_owner,
        .no_tablespaces = request->no_tablespaces,
        .max_statement_bytes = part->trusted ? 0 : request->max_statement_bytes,
        .devices = request->devices,
        .role = request->role,
        .id = id,
        .keep = keep,
        .dry_run = request->dry_run,
    };
    own_paths(service, &part->options.own);
    return part->target.source->load(&part->target.what, &part->options, &part->load, err);
}

int restore_part_preview(struct restore_part *part, struct load_preview *ret_preview,
                         struct error *err)
{
    return part->load->ops->preview(part->load, artifact_segments(part->reader), ret_preview, err);
}

int restore_part_lock(struct catalog *catalog, struct restore_part *part, struct error *err)
{
    return catalog_lock_target(catalog, part->argument, "restore", &part->lock, err);
}

/* ---- the work ---- */

int restore_part_fill(struct restore_part *part, struct error *err)
{
    struct load *load = part->load;
    if (load->ops->fill(load, artifact_segments(part->reader), err) < 0)
        return -1;
    return load->ops->check(load, err);
}

int restore_part_swap(struct restore_part *part, struct error *err)
{
    if (part->load->ops->commit(part->load, err) < 0)
        return -1;
    part->swapped = true;
    return 0;
}

int restore_part_put_back(struct service *service, struct restore_part *part, struct error *err)
{
    const struct source_ops *source = part->target.source;
    if (source->undo(service->os, part->load->kept, &part->target.what, false, NULL, err) < 0)
        return -1;
    part->swapped = false;
    return restore_part_discard(service, part, err);
}

int restore_part_discard(struct service *service, struct restore_part *part, struct error *err)
{
    return part->target.source->discard(service->os, part->load->kept, &part->target.what, err);
}

struct kept_line restore_part_line(const struct restore_part *part)
{
    return (struct kept_line){part->target.source->engine, part->argument, part->load->kept};
}
