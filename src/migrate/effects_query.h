/*
 * What is in a statement besides its object: the tables that a query reads, the sequences it draws
 * from; and which changes of type lose something.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_QUERY_H
#define KEDGE_MIGRATE_EFFECTS_QUERY_H

#include "migrate/effects_core.h"

/* The tables after FROM and JOIN, at any depth, each with ACCESS SHARE (or `lock`). `flags`:
 * EFFECT_WHOLE for a query that is run, so that what views read counts too. */
int effects_sources(struct effect_work *work, struct cursor query, enum effect_lock lock,
                    unsigned flags, struct error *err);
/* nextval('name') and setval('name', ...). */
int effects_sequences(struct effect_work *work, struct cursor query, struct error *err);

/* May a value be cut or refused on its way from one type to the other? */
bool effects_narrows(const char *before, const char *after);

#endif
