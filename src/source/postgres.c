#include "source/postgres.h"

#include "source/postgres_dump.h"
#include "source/postgres_load.h"
#include "source/source.h"

const struct source_ops source_postgres = {
    .engine = "postgres",
    .kind = "sql",
    .capabilities = SOURCE_DATABASE | SOURCE_TABLES,
    .dump = postgres_dump,
    .load = postgres_load_database,
    .recover = postgres_recover_database,
    .side = postgres_side_database,
    .undo = postgres_undo_database,
    .discard = postgres_discard_database,
};
