#include "harness/test.h"

#include "base/yaml.h"

#include <string.h>

static int parse(const char *text, struct yaml_tree **ret_tree, struct error *err)
{
    return yaml_tree_parse("f", text, strlen(text), ret_tree, err);
}

TEST(maps_lists_and_scalars_know_their_place)
{
    struct error err = ERROR_INIT;
    SCOPED(yaml_tree) struct yaml_tree *tree = NULL;
    assert_ok(parse("a:\n  b: [x, 'null', ~]\n", &tree, &err), err);
    const struct yaml_tree *list = yaml_tree_get(yaml_tree_get(tree, "a"), "b");
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->line, 2);
    assert_int_equal(list->column, 6);
    assert_int_equal(list->entry_count, 3);
    assert_string_equal(list->entries[0].value->text, "x");
    assert_false(list->entries[1].value->null);
    assert_true(list->entries[2].value->null);
    assert_null(yaml_tree_get(tree, "b"));
}

TEST(an_empty_document_is_an_empty_map)
{
    static const char *const texts[] = {"", "# nothing\n", "---\n", "~"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct error err = ERROR_INIT;
        SCOPED(yaml_tree) struct yaml_tree *tree = NULL;
        assert_ok(parse(texts[i], &tree, &err), err);
        assert_int_equal(tree->kind, YAML_MAP);
        assert_int_equal(tree->entry_count, 0);
    }
}

TEST(what_is_not_taken_is_refused_with_its_place)
{
    static const struct {
        int line;
        const char *text;
        const char *begins;
    } cases[] = {
        {__LINE__, "a: 1\nb: 2\na: 3\n", "f:3:1: \"a\" is here a second time"},
        {__LINE__, "a: &x 1\n", "f:1:4: anchors"},
        {__LINE__, "a: *x\n", "f:1:4: anchors"},
        {__LINE__, "a: !tag 1\n", "f:1:4: anchors"},
        {__LINE__, "a: !!int 1\n", "f:1:4: anchors"},
        {__LINE__, "[a]: 1\n", "f:1:1: a key must be plain text"},
        {__LINE__, "a: 1\n---\nb: 2\n", "f:2:1: a second document"},
        {__LINE__, "a: [1\n", "f:2:1: "},
        {__LINE__, "a: \"x\n", "f:2:1: "},
        {__LINE__, "a:\n\t- b\n", "f:2:1: "},
        {__LINE__, "a: \"\\0\"\n", "f:1:4: a NUL character"},
        {__LINE__, "a: \xff\n", "f: byte 3: "},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        struct yaml_tree *tree = NULL;
        assert_case(cases[i].line, parse(cases[i].text, &tree, &err) < 0);
        assert_case(cases[i].line, err.code == ERROR_USAGE);
        if (strncmp(err.message, cases[i].begins, strlen(cases[i].begins)) != 0)
            fail_msg("case at line %d: %s", cases[i].line, err.message);
    }
}

TEST(nesting_has_an_end)
{
    char deep[2001];
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    deep[2000] = '\0';
    struct error err = ERROR_INIT;
    struct yaml_tree *tree = NULL;
    assert_fails(parse(deep, &tree, &err), err, ERROR_USAGE);
    assert_non_null(strstr(err.message, "nested too deeply"));
}

TEST_MAIN(UNIT(maps_lists_and_scalars_know_their_place), UNIT(an_empty_document_is_an_empty_map),
          UNIT(what_is_not_taken_is_refused_with_its_place), UNIT(nesting_has_an_end))
