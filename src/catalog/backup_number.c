#include "catalog/backup_number.h"

#include "base/error.h"
#include "catalog/backup_find.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/query.h"

/* Nobody counts further; a manifest that says more would leave the counter no number to go on with.
 */
#define NUMBER_MAXIMUM 1000000000000

int backup_number_choose(struct catalog *catalog, int64_t wanted, int64_t *ret_number,
                         struct error *err)
{
    SCOPED(backup_row) struct backup_row other = BACKUP_ROW_INIT;
    bool possible = wanted > 0 && wanted <= NUMBER_MAXIMUM;
    int taken = possible ? backups_get_number(catalog, wanted, &other, err) : 1;
    if (taken < 0)
        return -1;
    if (taken)
        return catalog_next_number(catalog, "backups", ret_number, err);
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "UPDATE counters SET value = ? WHERE name = 'backups' AND value < ?");
    query_integer(&query, wanted);
    query_integer(&query, wanted);
    if (query_run(&query, NULL, err) < 0)
        return -1;
    *ret_number = wanted;
    return 0;
}
