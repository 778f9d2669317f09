#include "service/restore_target.h"

#include "artifact/manifest.h"
#include "base/error.h"
#include "base/file.h"
#include "service/service.h"

#include <stdlib.h>
#include <string.h>

void restore_target_clear(struct restore_target *target)
{
    free(target->what.name);
    db_url_clear(&target->what.url);
    text_list_clear(&target->what.paths);
    free(target->folder);
    target_clear(&target->configured);
    *target = (struct restore_target){0};
}

/* A server's URL is one, and so is "sqlite:..."; anything else is a path to a SQLite file that need
 * not exist yet. */
static int url_from_argument(const char *argument, struct db_url *ret_url, struct error *err)
{
    if (db_url_is(argument)) {
        if (db_url_parse(argument, ret_url, err) < 0)
            return -1;
    } else {
        *ret_url = (struct db_url){.engine = DB_SQLITE, .database = mem_string(argument)};
    }
    if (ret_url->engine == DB_SQLITE) {
        char *absolute = path_absolute(ret_url->database);
        free(ret_url->database);
        ret_url->database = absolute;
    }
    return 0;
}

static int use_configured(struct service *service, const char *name, struct restore_target *target,
                          struct error *err)
{
    if (service_target(service, name, &target->configured, err) < 0)
        return -1;
    if (target->configured.has_database)
        db_url_copy(&target->configured.url, &target->what.url);
    text_list_add_all(&target->what.paths, &target->configured.paths);
    return 0;
}

static bool is_configured(const struct service *service, const char *name)
{
    for (size_t i = 0; name && i < service->options.target_count; i++)
        if (strcmp(service->options.targets[i].name, name) == 0)
            return true;
    return false;
}

/* Does DATABASE_URL lead to the database that the manifest names? Then it brings the password that
 * a manifest never holds. */
static bool default_leads_to(const struct service *service, const char *connection)
{
    if (!service->options.default_target || !db_url_is(service->options.default_target))
        return false;
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    if (url_from_argument(service->options.default_target, &url, NULL) < 0)
        return false;
    SCOPED(string) char *display = db_url_display(&url);
    return strcmp(display, connection) == 0;
}

/* Does the connection of a manifest lead to this database? */
static bool leads_to(const char *connection, const struct db_url *url, const char *display)
{
    SCOPED(db_url) struct db_url from = DB_URL_INIT;
    if (strcmp(connection, display) == 0)
        return true;
    return url_from_argument(connection, &from, NULL) == 0 && db_url_same(&from, url);
}

/* A database that was named on the command line may be called as a configured target is, and be
 * another all the same: neither is taken for the other. */
static int use_own(struct service *service, const struct manifest *manifest, const char *name,
                   struct restore_target *target, struct error *err)
{
    if (use_configured(service, name, target, err) < 0)
        return -1;
    if (!manifest || !manifest->connection || !target->configured.has_database)
        return 0;
    const char *from = manifest->connection;
    SCOPED(string) char *display = db_url_display(&target->configured.url);
    if (leads_to(from, &target->configured.url, display))
        return 0;
    error_set(err, ERROR_USAGE, "%s was made from %s, and the target %s of the configuration is %s",
              manifest->file, from, name, display);
    return error_hint(err, "say where it is to go: --to %s, or --connection %s", from, name);
}

static int say_where(const struct manifest *manifest, const char *where, struct error *err)
{
    error_set(err, ERROR_USAGE,
              "the manifest of %s, which says that it belongs to %s, was edited, or has no seal "
              "that is known",
              manifest->file, where);
    return error_hint(err, "say where it is to go: --to %s, or --connection NAME", where);
}

static int resolve_database(struct service *service, const struct manifest *manifest,
                            const struct restore_wish *wish, struct restore_target *target,
                            struct error *err)
{
    if (wish->to)
        return url_from_argument(wish->to, &target->what.url, err);
    if (wish->connection)
        return use_configured(service, wish->connection, target, err);
    if (is_configured(service, wish->target))
        return use_own(service, manifest, wish->target, target, err);
    if (manifest && manifest->connection) {
        bool ours = default_leads_to(service, manifest->connection);
        const char *where = ours ? service->options.default_target : manifest->connection;
        if (!ours && !wish->trusted)
            return say_where(manifest, where, err);
        return url_from_argument(where, &target->what.url, err);
    }
    if (service->options.default_target)
        return url_from_argument(service->options.default_target, &target->what.url, err);
    error_set(err, ERROR_USAGE, "this file does not say where it came from");
    return error_hint(err, "say where it is to go with --to URL or --to PATH");
}

static int find_source(const struct manifest *manifest, const char *kind,
                       struct restore_target *target, struct error *err)
{
    const char *engine = db_engine_name(target->what.url.engine);
    if (strcmp(kind, "tar") == 0)
        engine = "files";
    target->source = source_find(engine);
    if (!target->source)
        return error_set(err, ERROR_USAGE, "this kedge cannot restore into %s", engine);
    if (strcmp(kind, "sqlite3") == 0 && strcmp(engine, "sqlite") != 0)
        return error_set(err, ERROR_USAGE, "a SQLite image cannot be restored into %s", engine);
    if (manifest && manifest->engine && strcmp(manifest->engine, engine) != 0)
        return error_set(err, ERROR_USAGE, "a backup of %s cannot be restored into %s",
                         manifest->engine, engine);
    return 0;
}

static int resolve_files(struct service *service, const struct manifest *manifest,
                         const struct restore_wish *wish, struct restore_target *target,
                         struct error *err)
{
    if (wish->to) {
        target->folder = path_absolute(wish->to);
        return 0;
    }
    if (wish->connection)
        return use_configured(service, wish->connection, target, err);
    if (!manifest) {
        error_set(err, ERROR_USAGE, "this archive does not say where its files were");
        return error_hint(err, "say where they are to go with --to FOLDER");
    }
    if (!wish->trusted) {
        error_set(err, ERROR_USAGE,
                  "the manifest of %s, which says where its files belong, was edited, or has no "
                  "seal that is known",
                  manifest->file);
        return error_hint(err, "say where they are to go: --to FOLDER, or --connection NAME");
    }
    return is_configured(service, wish->target) ? use_configured(service, wish->target, target, err)
                                                : 0;
}

int restore_target_resolve(struct service *service, const struct manifest *manifest,
                           const char *kind, const struct restore_wish *wish,
                           struct restore_target *ret_target, struct error *err)
{
    struct restore_target target = {0};
    int result = strcmp(kind, "tar") == 0 ? resolve_files(service, manifest, wish, &target, err)
                                          : resolve_database(service, manifest, wish, &target, err);
    if (result == 0)
        result = find_source(manifest, kind, &target, err);
    if (result < 0) {
        restore_target_clear(&target);
        return -1;
    }
    target.what.name = mem_string(manifest && manifest->target ? manifest->target : "restored");
    *ret_target = target;
    return 0;
}

char *restore_target_argument(const struct restore_target *target)
{
    if (target->source->capabilities & SOURCE_DATABASE)
        return db_url_display(&target->what.url);
    if (target->folder)
        return mem_string(target->folder);
    return mem_format("files:%s", target->what.name);
}
