/*
 * Any text through the MySQL statement reader.
 */
#include "statements_compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return statements_compare(DB_MYSQL, data, size);
}
