#include "service/restore_trust.h"

#include "artifact/artifact.h"
#include "artifact/manifest.h"
#include "base/error.h"
#include "base/text.h"
#include "catalog/backup_find.h"
#include "catalog/backup_seals.h"
#include "catalog/backups.h"
#include "service/lookup.h"
#include "service/service.h"

static int check_manifest(const struct located *located, const char *file,
                          const struct manifest *manifest, struct error *err)
{
    if (located_check(located, file, manifest->checksum, err) < 0 ||
        located_check_seal(located, file, manifest->seal, err) < 0)
        return -1;
    const char *ours = located->row.target;
    if (located->seals.count || text_equal(manifest->target, ours))
        return 0;
    return error_set(err, ERROR_CORRUPT, "backup %lld is of %s, the manifest of %s says %s",
                     (long long)located->row.number, ours, file,
                     manifest->target ? manifest->target : "nothing");
}

static int check_known(const struct located *located, const struct artifact_open_options *options,
                       const struct artifact_reader *reader, enum restore_trust *ret_trust,
                       struct error *err)
{
    const struct manifest *manifest = artifact_manifest(reader);
    if (manifest && check_manifest(located, options->file, manifest, err) < 0)
        return -1;
    bool trusted = manifest && located->seals.count;
    char checksum[65];
    if (!(trusted && artifact_proves_itself(reader)) &&
        (artifact_checksum(options, checksum, err) < 0 ||
         located_check(located, options->file, checksum, err) < 0))
        return -1;
    *ret_trust = trusted ? RESTORE_TRUST_OURS : RESTORE_TRUST_NONE;
    return 0;
}

static int collect_seals(void *context, const struct backup_file_row *file, struct error *err)
{
    (void)err;
    backup_seals_of(file, context);
    return 0;
}

/* A path may well lead to a backup of ours. */
static int check_path(struct service *service, const char *file, const struct manifest *manifest,
                      enum restore_trust *ret_trust, struct error *err)
{
    SCOPED(backup_row) struct backup_row row = BACKUP_ROW_INIT;
    SCOPED(text_list) struct text_list seals = TEXT_LIST_INIT;
    *ret_trust = RESTORE_TRUST_NONE;
    if (!manifest || !manifest->sealed)
        return 0;
    int found = backups_get_file(service->catalog, file, &row, err);
    if (found < 0 ||
        (found && backup_files_list(service->catalog, row.id, collect_seals, &seals, err) < 0))
        return -1;
    if (!found)
        *ret_trust = RESTORE_TRUST_STRANGER;
    else if (text_list_has(&seals, manifest->seal))
        *ret_trust = RESTORE_TRUST_OURS;
    return 0;
}

int restore_trust_check(struct service *service, const struct located *located,
                        const struct artifact_open_options *options,
                        const struct artifact_reader *reader, enum restore_trust *ret_trust,
                        struct error *err)
{
    if (located->known)
        return check_known(located, options, reader, ret_trust, err);
    return check_path(service, options->file, artifact_manifest(reader), ret_trust, err);
}
