/*
 * From settings to an open service: where the catalogue is, which targets and destinations there
 * are, with their secrets fetched.
 *
 * A target whose secret cannot be had does not keep the others from being used: it is left out, and
 * naming it gives its error.
 */
#ifndef KEDGE_SERVICE_SETUP_H
#define KEDGE_SERVICE_SETUP_H

#include "base/mem.h"
#include "service/service.h"

#include <stdbool.h>
#include <stddef.h>

struct error;
struct os;
struct settings;
struct setup;

/* `secrets` false: for commands that only look into the catalogue. Programs (command:…) are then
 * not run, and what needs them is left out silently. `settings` is borrowed until setup_free. */
int setup_make(struct os *os, struct settings *settings, bool secrets, struct setup **ret_setup,
               struct error *err);
void setup_free(struct setup *setup);

/* For service_open; lives as long as the setup. */
const struct service_options *setup_options(const struct setup *setup);

/* The names of all targets in the file, also of those left out. */
const struct text_list *setup_target_names(const struct setup *setup);

/* The target of this name, or NULL when it is no configured one or was left out. */
const struct target *setup_target(const struct setup *setup, const char *name);

/* -1 and the reason when that target was left out, else 0. */
int setup_check_target(const struct setup *setup, const char *name, struct error *err);

/* Does its configuration say `encrypt: passphrase`? */
bool setup_wants_passphrase(const struct setup *setup, const char *name);

DEFINE_SCOPED(setup, struct setup *, setup_free);

#endif
