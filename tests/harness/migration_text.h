/*
 * A migration from a text, as a file of a folder would be read: for tests of what looks at
 * migrations without running them.
 */
#ifndef KEDGE_TESTS_HARNESS_MIGRATION_TEXT_H
#define KEDGE_TESTS_HARNESS_MIGRATION_TEXT_H

#include "db/url.h"

struct migration;

/* `text` with or without "-- +migrate Up" at its head; the path is VERSION.sql. Fails the test when
 * it cannot be read. To be freed. */
struct migration *migration_of_text(enum db_engine engine, const char *version, const char *text);

#endif
