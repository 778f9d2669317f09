#include "base/yaml.h"

#include "base/error.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAXIMUM 32

struct reader {
    const char *name;
    yaml_parser_t parser;
};

DEFINE_SCOPED(yaml_parser, yaml_parser_t *, yaml_parser_delete);

static void free_contents(struct yaml_tree *tree)
{
    for (size_t i = 0; i < tree->entry_count; i++) {
        free(tree->entries[i].key);
        yaml_tree_free(tree->entries[i].value);
    }
    free(tree->entries);
    if (tree->text)
        mem_wipe(tree->text, strlen(tree->text));
    free(tree->text);
}

void yaml_tree_free(struct yaml_tree *tree)
{
    if (!tree)
        return;
    free_contents(tree);
    free(tree);
}

const struct yaml_tree *yaml_tree_get(const struct yaml_tree *tree, const char *key)
{
    for (size_t i = 0; tree->kind == YAML_MAP && i < tree->entry_count; i++)
        if (strcmp(tree->entries[i].key, key) == 0)
            return tree->entries[i].value;
    return NULL;
}

static int refuse(const struct reader *reader, const yaml_mark_t *mark, const char *what,
                  struct error *err)
{
    return error_set(err, ERROR_USAGE, "%s:%zu:%zu: %s", reader->name, mark->line + 1,
                     mark->column + 1, what);
}

static int next_event(struct reader *reader, yaml_event_t *ret_event, struct error *err)
{
    if (yaml_parser_parse(&reader->parser, ret_event))
        return 0;
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_READER_ERROR)
        return error_set(err, ERROR_USAGE, "%s: byte %zu: %s", reader->name, parser->problem_offset,
                         parser->problem);
    return refuse(reader, &parser->problem_mark, parser->problem ? parser->problem : "no YAML",
                  err);
}

static int read_node(struct reader *reader, const yaml_event_t *event, int depth,
                     struct yaml_tree **ret_tree, struct error *err);

/* Read the node that begins with the next event. 0 in *ret_tree when the list or map ends here. */
static int read_next(struct reader *reader, int depth, struct yaml_tree **ret_tree,
                     struct error *err)
{
    yaml_event_t event;
    if (next_event(reader, &event, err) < 0)
        return -1;
    int result = 0;
    if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
        *ret_tree = NULL;
    else
        result = read_node(reader, &event, depth, ret_tree, err);
    yaml_event_delete(&event);
    return result;
}

static struct yaml_entry *add_entry(struct yaml_tree *tree)
{
    ARRAY_GROW(tree->entries, tree->entry_count, tree->entry_capacity);
    struct yaml_entry *entry = &tree->entries[tree->entry_count++];
    *entry = (struct yaml_entry){0};
    return entry;
}

static int read_list(struct reader *reader, int depth, struct yaml_tree *list, struct error *err)
{
    for (;;) {
        struct yaml_tree *item = NULL;
        if (read_next(reader, depth, &item, err) < 0)
            return -1;
        if (!item)
            return 0;
        *add_entry(list) =
            (struct yaml_entry){.line = item->line, .column = item->column, .value = item};
    }
}

static int read_map(struct reader *reader, int depth, struct yaml_tree *map, struct error *err)
{
    for (;;) {
        SCOPED(yaml_tree) struct yaml_tree *key = NULL;
        if (read_next(reader, depth, &key, err) < 0)
            return -1;
        if (!key)
            return 0;
        if (key->kind != YAML_SCALAR)
            return error_set(err, ERROR_USAGE, "%s:%zu:%zu: a key must be plain text", reader->name,
                             key->line, key->column);
        if (yaml_tree_get(map, key->text))
            return error_set(err, ERROR_USAGE, "%s:%zu:%zu: \"%s\" is here a second time",
                             reader->name, key->line, key->column, key->text);
        struct yaml_tree *value = NULL;
        if (read_next(reader, depth, &value, err) < 0)
            return -1;
        *add_entry(map) = (struct yaml_entry){
            .key = STEAL(key->text), .line = key->line, .column = key->column, .value = value};
    }
}

static int read_scalar(struct reader *reader, const yaml_event_t *event, struct yaml_tree *scalar,
                       struct error *err)
{
    const char *text = (const char *)event->data.scalar.value;
    if (memchr(text, '\0', event->data.scalar.length))
        return refuse(reader, &event->start_mark, "a NUL character in a value", err);
    scalar->text = mem_string_n(text, event->data.scalar.length);
    scalar->null = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                   (!text[0] || text_equal(text, "~") || text_equal(text, "null"));
    return 0;
}

/* Has the event an anchor or a tag of its own? */
static bool is_marked(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default:
        return false;
    }
}

static int read_node(struct reader *reader, const yaml_event_t *event, int depth,
                     struct yaml_tree **ret_tree, struct error *err)
{
    if (event->type == YAML_ALIAS_EVENT || is_marked(event))
        return refuse(reader, &event->start_mark, "anchors, aliases and tags are not taken here",
                      err);
    if (depth >= DEPTH_MAXIMUM)
        return refuse(reader, &event->start_mark, "nested too deeply", err);

    SCOPED(yaml_tree) struct yaml_tree *tree = MEM_NEW(struct yaml_tree);
    tree->line = event->start_mark.line + 1;
    tree->column = event->start_mark.column + 1;
    int result = -1;
    if (event->type == YAML_SCALAR_EVENT) {
        tree->kind = YAML_SCALAR;
        result = read_scalar(reader, event, tree, err);
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        tree->kind = YAML_LIST;
        result = read_list(reader, depth + 1, tree, err);
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        tree->kind = YAML_MAP;
        result = read_map(reader, depth + 1, tree, err);
    } else {
        result = refuse(reader, &event->start_mark, "a value was expected", err);
    }
    if (result < 0)
        return -1;
    *ret_tree = STEAL(tree);
    return 0;
}

/* Is the next event of this type? */
static int expect(struct reader *reader, yaml_event_type_t type, const char *otherwise,
                  struct error *err)
{
    yaml_event_t event;
    if (next_event(reader, &event, err) < 0)
        return -1;
    int result = event.type == type ? 0 : refuse(reader, &event.start_mark, otherwise, err);
    yaml_event_delete(&event);
    return result;
}

static int read_document(struct reader *reader, struct yaml_tree **ret_tree, struct error *err)
{
    yaml_event_t event;
    if (expect(reader, YAML_STREAM_START_EVENT, "no YAML", err) < 0 ||
        next_event(reader, &event, err) < 0)
        return -1;
    bool empty = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    SCOPED(yaml_tree) struct yaml_tree *tree = NULL;
    if (empty) {
        tree = MEM_NEW(struct yaml_tree);
        *tree = (struct yaml_tree){.kind = YAML_MAP, .line = 1, .column = 1};
    } else if (read_next(reader, 0, &tree, err) < 0 ||
               expect(reader, YAML_DOCUMENT_END_EVENT, "one value was expected", err) < 0 ||
               expect(reader, YAML_STREAM_END_EVENT, "a second document", err) < 0) {
        return -1;
    }
    *ret_tree = STEAL(tree);
    return 0;
}

int yaml_tree_parse(const char *name, const char *text, size_t size, struct yaml_tree **ret_tree,
                    struct error *err)
{
    if (size > YAML_MAXIMUM)
        return error_set(err, ERROR_USAGE, "%s: longer than %zu bytes", name, YAML_MAXIMUM);
    struct reader reader = {.name = name};
    if (!yaml_parser_initialize(&reader.parser))
        return error_set(err, ERROR_FAILED, "%s: no memory for the YAML reader", name);
    SCOPED(yaml_parser) yaml_parser_t *parser = &reader.parser;
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)text, size);
    SCOPED(yaml_tree) struct yaml_tree *tree = NULL;
    if (read_document(&reader, &tree, err) < 0)
        return -1;
    if (tree->kind == YAML_SCALAR && tree->null) {
        free_contents(tree);
        *tree = (struct yaml_tree){.kind = YAML_MAP, .line = tree->line, .column = tree->column};
    }
    *ret_tree = STEAL(tree);
    return 0;
}
