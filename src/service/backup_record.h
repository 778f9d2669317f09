/*
 * The catalogue's rows of one backup: its app, destination, connection and own row, from asked-for
 * to success.
 */
#ifndef KEDGE_SERVICE_BACKUP_RECORD_H
#define KEDGE_SERVICE_BACKUP_RECORD_H

#include "catalog/backups.h"

struct error;
struct manifest;
struct service;
struct target;
struct text_list;

struct backup_record {
    struct backup_row row; /* id and number are set by begin */
};

void backup_record_clear(struct backup_record *record);

/* pending, then running as this process's. `retention_days` below 1: kept for ever. */
int backup_record_begin(struct service *service, const struct target *target,
                        const char *destination, const char *destination_url, const char *type,
                        const char *trigger, const char *notes, int64_t retention_days,
                        struct backup_record *record, struct error *err);

/* success, with what the manifests of its files say. */
int backup_record_finish(struct service *service, struct backup_record *record,
                         const struct manifest *parts, int part_count,
                         const struct text_list *reasons, struct error *err);

/* failed, because of `failure`, also when the step to success was taken but could not be confirmed.
 * 0 once the catalogue says so; -1 when it cannot be written. */
int backup_record_fail(struct service *service, const struct backup_record *record,
                       const struct error *failure);

#endif
