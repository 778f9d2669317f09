/*
 * Who of an extraction's workers may run.
 *
 * There are as many seats as jobs, and more workers than seats: a worker gives its seat up while it
 * waits for the disk, and another one decodes meanwhile. So the processors stay busy, and no more
 * of them than was asked for.
 */
#ifndef KEDGE_SOURCE_FILES_SEATS_H
#define KEDGE_SOURCE_FILES_SEATS_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct files_seats;

/* One worker's: with a seat or without. */
struct files_seat {
    struct files_seats *seats;
    bool taken;
};

struct files_seats *files_seats_new(size_t count);

/* Wait for a seat; nothing happens when there is one already. Who keeps it while he waits for
 * another worker relies on that one to have its own. */
void files_seat_take(struct files_seat *seat);

/* For the next one; fine without a seat. */
void files_seat_leave(struct files_seat *seat);

void files_seats_free(struct files_seats *seats); /* all were left; NULL is fine */

DEFINE_SCOPED(files_seats, struct files_seats *, files_seats_free);

#endif
