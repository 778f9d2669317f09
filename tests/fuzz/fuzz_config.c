/*
 * kedge.yaml, its own or another program's: the tree of it, and the settings in it. What the tree
 * refuses is refused with a place.
 */
#include "fuzz.h"

#include "base/yaml.h"
#include "service/config_file.h"
#include "service/settings.h"

static size_t count_nodes(const struct yaml_tree *tree, int depth)
{
    size_t count = 1;
    MUST(depth <= 40);
    MUST(tree->line && tree->column);
    MUST(tree->kind != YAML_SCALAR || tree->text);
    for (size_t i = 0; i < tree->entry_count; i++) {
        const struct yaml_entry *entry = &tree->entries[i];
        MUST((tree->kind == YAML_MAP) == (entry->key != NULL));
        if (entry->key)
            MUST(yaml_tree_get(tree, entry->key) == entry->value);
        count += count_nodes(entry->value, depth + 1);
    }
    return count;
}

static bool parse_tree(const char *text, size_t size)
{
    struct error err = ERROR_INIT;
    SCOPED(yaml_tree) struct yaml_tree *tree = NULL;
    if (yaml_tree_parse("kedge.yaml", text, size, &tree, &err) < 0) {
        MUST(err.code == ERROR_USAGE && strncmp(err.message, "kedge.yaml", 10) == 0);
        return false;
    }
    MUST(count_nodes(tree, 0) <= size + 2);
    return true;
}

static void parse_file(const char *text, size_t size, bool shared, bool is_yaml)
{
    struct error err = ERROR_INIT;
    SCOPED(config_file) struct config_file file = CONFIG_FILE_INIT;
    if (config_file_parse("/etc/kedge.yaml", text, size, settings_rows, SETTING_COUNT, shared,
                          &file, &err) < 0) {
        MUST_SAY(&err);
        return;
    }
    MUST(is_yaml);
    for (size_t i = 0; i < file.value_count; i++)
        MUST(file.values[i].row < SETTING_COUNT && file.values[i].line);
    for (size_t i = 0; i < file.target_count; i++)
        MUST(file.targets[i].name);
    for (size_t i = 0; i < file.destination_count; i++)
        MUST(file.destinations[i].name && file.destinations[i].url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    SCOPED(string) char *text = input_text(&input);
    bool is_yaml = parse_tree((const char *)data, size);
    parse_file((const char *)data, size, false, is_yaml);
    parse_file((const char *)data, size, true, is_yaml);
    config_file_is_ours(text);
    return 0;
}
