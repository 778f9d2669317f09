/*
 * A program that brings its own database up to date: two migrations of its own, and those of a
 * folder when one is named.
 *
 *     cc migrate.c $(pkg-config --cflags --libs kedge) -o migrate
 *     ./migrate sqlite:app.db [FOLDER]
 */
#include <kedge/migrate.h>

#include <stdio.h>

static int create_users(struct kedge_database *database, void *context, struct kedge_error *err)
{
    (void)context;
    return kedge_database_execute(database,
                                  "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)", err);
}

static int drop_users(struct kedge_database *database, void *context, struct kedge_error *err)
{
    (void)context;
    return kedge_database_execute(database, "DROP TABLE users", err);
}

static int show(void *context, const struct kedge_migration_state *state)
{
    (void)context;
    printf("%s %-8s %s\n", state->version, state->status, state->name);
    return 0;
}

static int migrate(struct kedge_migrator *migrator, struct kedge_error *err)
{
    const struct kedge_migration users = {
        .version = "20240101000001",
        .name = "create users",
        .tag = "1",
        .up = create_users,
        .down = drop_users,
    };
    if (kedge_migrator_register(migrator, &users, err) < 0 ||
        kedge_migrator_register_sql(migrator, "20240101000002", "create posts",
                                    "CREATE TABLE posts (id INTEGER PRIMARY KEY, text TEXT)",
                                    "DROP TABLE posts", err) < 0)
        return -1;
    size_t count = 0;
    if (kedge_migrator_up(migrator, NULL, &count, err) < 0)
        return -1;
    printf("%zu applied\n", count);
    return kedge_migrator_status(migrator, show, NULL, err);
}

int main(int argc, char **argv)
{
    struct kedge_database *database = NULL;
    struct kedge_migrator *migrator = NULL;
    struct kedge_error err = {0};
    const struct kedge_migrator_options options = {.folder = argc > 2 ? argv[2] : NULL};
    int result = kedge_database_open(argc > 1 ? argv[1] : "sqlite:app.db", &database, &err);
    if (result == 0)
        result = kedge_migrator_open(database, &options, &migrator, &err);
    if (result == 0)
        result = migrate(migrator, &err);
    if (result < 0)
        fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    kedge_migrator_close(migrator);
    kedge_database_close(database);
    return result < 0 ? (int)err.code : 0;
}
