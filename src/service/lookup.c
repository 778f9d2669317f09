#include "service/lookup.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "base/text.h"
#include "catalog/backup_find.h"
#include "catalog/backup_seals.h"
#include "catalog/catalog.h"
#include "service/service.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

void located_clear(struct located *located)
{
    if (located->known)
        backup_row_clear(&located->row);
    store_close(located->store);
    free(located->file);
    free(located->second);
    free(located->second_checksum);
    text_list_clear(&located->seals);
    *located = (struct located){0};
}

/* The copies elsewhere have another destination; what is left is the backup's first file, and
 * perhaps a second. */
static int find_second(void *context, const struct backup_file_row *file, struct error *err)
{
    (void)err;
    struct located *located = context;
    bool here =
        !file->destination_id[0] || strcmp(file->destination_id, located->row.destination_id) == 0;
    if (here && strcmp(file->file_path, located->file) != 0 && !located->second) {
        located->second = mem_string(file->file_path);
        located->second_checksum = mem_string(file->checksum);
    }
    backup_seals_of(file, &located->seals);
    return 0;
}

static int use_row(struct service *service, const char *from, struct located *located,
                   struct error *err)
{
    const struct backup_row *row = &located->row;
    located->known = true;
    if (!row->file_path)
        return error_set(err, ERROR_NOT_FOUND, "backup %lld has no file: it is %s",
                         (long long)row->number, row->status);
    int result = from ? service_store(service, from, false, &located->store, NULL, err)
                      : service_store_known(service, row->destination, &located->store, err);
    if (result < 0)
        return -1;
    located->file = mem_string(row->file_path);
    return backup_files_list(service->catalog, row->id, find_second, located, err);
}

/* A path to a file: its folder becomes the destination. */
static int use_path(struct service *service, const char *path, struct located *located,
                    struct error *err)
{
    SCOPED(string) char *folder = path_folder(path);
    struct store_options options = {.os = service->os};
    if (store_open(folder, &options, &located->store, err) < 0)
        return -1;
    located->file = mem_string(path_base(path));
    return 0;
}

static int is_file(struct service *service, const char *path, struct error *err)
{
    struct stat there;
    int found = file_stat(service->os, path, &there, err);
    return found > 0 ? S_ISREG(there.st_mode) : found;
}

/* The base name, in the destination that was named or the default one. */
static int find_in_store(struct service *service, const char *name, const char *from,
                         struct located *located, struct error *err)
{
    if (service_store(service, from, false, &located->store, NULL, err) < 0) {
        if (!from && err->code == ERROR_NOT_FOUND) {
            error_clear(err);
            return 0;
        }
        return -1;
    }
    struct store_entry entry;
    const char *base = path_base(name);
    if (!store_key_valid(base))
        return 0;
    int found = store_stat(located->store, base, &entry, err);
    if (found > 0)
        located->file = mem_string(base);
    return found;
}

static int not_found(const char *name, struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "backup file not found: %s", name);
}

static void note_named(struct located *located, const char *name)
{
    const char *base = path_base(name);
    if (located->second)
        located->named = strcmp(base, located->file) == 0     ? located->file
                         : strcmp(base, located->second) == 0 ? located->second
                                                              : NULL;
}

/* 1 when found, with the store and the file's key. */
static int locate(struct service *service, const char *name, const char *from,
                  struct located *located, struct error *err)
{
    /* A path with a folder in it means that very file, known or not: its bytes are what is
     * restored. */
    int found = strchr(name, '/') ? is_file(service, name, err) : 0;
    if (found > 0)
        return use_path(service, name, located, err) < 0 ? -1 : 1;
    if (found == 0)
        found = backups_find(service->catalog, path_base(name), &located->row, err);
    if (found > 0) {
        if (use_row(service, from, located, err) < 0)
            return -1;
        note_named(located, name);
        return 1;
    }
    if (found == 0)
        found = is_file(service, name, err);
    if (found > 0)
        return use_path(service, name, located, err) < 0 ? -1 : 1;
    return found < 0 ? -1 : find_in_store(service, name, from, located, err);
}

int lookup_backup(struct service *service, const char *name, const char *from,
                  struct located *ret_located, struct error *err)
{
    struct located located = {.row = BACKUP_ROW_INIT};
    int found = locate(service, name, from, &located, err);
    if (found <= 0) {
        located_clear(&located);
        return found < 0 ? -1 : not_found(name, err);
    }
    *ret_located = located;
    return 0;
}

int located_check(const struct located *located, const char *file, const char *checksum,
                  struct error *err)
{
    if (!located->known)
        return 0;
    const char *ours =
        text_equal(file, located->second) ? located->second_checksum : located->row.checksum;
    if (!ours || strcmp(ours, checksum) == 0)
        return 0;
    error_set(err, ERROR_CORRUPT,
              "%s is not the file of backup %lld: SHA-256 %s, the catalogue has %s", file,
              (long long)located->row.number, checksum, ours);
    return error_hint(err, "given as a path, with a folder in it, a file is taken for what it is");
}

int located_check_seal(const struct located *located, const char *file, const char *seal,
                       struct error *err)
{
    if (!located->seals.count || text_list_has(&located->seals, seal))
        return 0;
    error_set(err, ERROR_CORRUPT, "%s.json is not the manifest that was written with backup %lld",
              file, (long long)located->row.number);
    return error_hint(err, "with it moved away, kedge verify %lld writes a new one from the file",
                      (long long)located->row.number);
}
