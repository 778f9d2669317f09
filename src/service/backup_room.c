#include "service/backup_room.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "catalog/backup_find.h"
#include "catalog/backups.h"
#include "service/service.h"
#include "store/store.h"

#include <stdlib.h>

/* ", and backup 3 of shop took 12.1 MB", or "". To be freed. */
static char *last_size(struct service *service, const char *target)
{
    struct error ignored = ERROR_INIT;
    SCOPED(backup_row) struct backup_row row = BACKUP_ROW_INIT;
    char size[32];
    if (backups_get_latest(service->catalog, target, NULL, true, &row, &ignored) <= 0)
        return mem_string("");
    text_format_size(row.size_bytes > 0 ? (uint64_t)row.size_bytes : 0, size);
    return mem_format(", and backup %lld of %s took %s", (long long)row.number, target, size);
}

void backup_room_explain(struct service *service, struct store *store, const char *target,
                         struct error *err)
{
    struct error ignored = ERROR_INIT;
    uint64_t room = 0;
    char size[32];
    if (err->code != ERROR_NO_SPACE || store_free_space(store, &room, &ignored) < 0)
        return;
    text_format_size(room, size);
    SCOPED(string) char *last = last_size(service, target);
    error_hint(err, "%s has %s free%s; kedge cleanup removes what has expired", store->url, size,
               last);
}
