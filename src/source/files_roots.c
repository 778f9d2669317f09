#include "source/files_roots.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool has_dots(const char *path)
{
    for (const char *at = path; *at; at += *at == '/') {
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return true;
        at += length;
    }
    return false;
}

/* Without doubled slashes, "." and a slash at the end. */
static char *clean(const char *path)
{
    char *out = mem_alloc(strlen(path) + 2, 1);
    size_t length = 0;
    for (const char *at = path; *at; at += *at == '/') {
        size_t part = strcspn(at, "/");
        if (part && !(part == 1 && at[0] == '.')) {
            out[length++] = '/';
            memcpy(out + length, at, part);
            length += part;
        }
        at += part;
    }
    if (!length)
        out[length++] = '/';
    out[length] = '\0';
    return out;
}

static int add_root(struct files_roots *roots, const char *path, struct error *err)
{
    if (!path[0])
        return error_set(err, ERROR_USAGE, "an empty path");
    SCOPED(string) char *absolute = path_absolute(path);
    if (has_dots(absolute)) {
        /* ".." after a symbolic link is not the folder before it: only the system knows. */
        char *real = realpath(absolute, NULL);
        if (!real)
            return error_set_errno(err, ERROR_FAILED, errno, "resolve %s", path);
        free(absolute);
        absolute = real;
    }
    char *cleaned = clean(absolute);
    for (size_t i = 0; i < roots->count; i++)
        if (strcmp(roots->items[i].path, cleaned) == 0) {
            free(cleaned);
            return 0;
        }
    ARRAY_GROW(roots->items, roots->count, roots->capacity);
    roots->items[roots->count++] =
        (struct files_root){.path = cleaned, .member = mem_string(cleaned + 1)};
    return 0;
}

static int compare_roots(const void *a, const void *b)
{
    const struct files_root *left = a, *right = b;
    return strcmp(left->path, right->path);
}

int files_roots_make(const struct text_list *paths, struct files_roots *ret_roots,
                     struct error *err)
{
    SCOPED(files_roots) struct files_roots roots = {0};
    for (size_t i = 0; i < paths->count; i++)
        if (add_root(&roots, paths->items[i], err) < 0)
            return -1;
    if (!roots.count)
        return error_set(err, ERROR_USAGE, "no path given");
    qsort(roots.items, roots.count, sizeof *roots.items, compare_roots);
    *ret_roots = roots;
    roots = (struct files_roots){0};
    return 0;
}

void files_roots_clear(struct files_roots *roots)
{
    for (size_t i = 0; i < roots->count; i++) {
        free(roots->items[i].path);
        free(roots->items[i].member);
    }
    free(roots->items);
    *roots = (struct files_roots){0};
}

const struct files_root *files_roots_find(const struct files_roots *roots, const char *member)
{
    for (size_t i = 0; i < roots->count; i++)
        if (strcmp(roots->items[i].member, member) == 0)
            return &roots->items[i];
    return NULL;
}

bool files_root_holds(const struct files_root *root, const char *member)
{
    return !root->member[0] || path_holds(root->member, member);
}

/* ---- JSON ---- */

void files_path_escape(struct buf *out, const char *path)
{
    for (const char *at = path; *at;) {
        /* The longest valid character here is at most four bytes. */
        size_t length = 1;
        while (length < 4 && !text_is_utf8(at, length) && at[length])
            length++;
        if (!text_is_utf8(at, length)) {
            buf_append_format(out, "%%%02X", (unsigned)(unsigned char)*at++);
        } else if (length == 1 && *at == '%') {
            buf_append_text(out, "%25");
            at++;
        } else {
            buf_append(out, at, length);
            at += length;
        }
    }
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

char *files_path_unescape(const char *text)
{
    char *path = mem_alloc(strlen(text) + 1, 1);
    size_t length = 0;
    for (; *text; text++) {
        int high = *text == '%' ? hex_digit(text[1]) : -1;
        int low = high >= 0 ? hex_digit(text[2]) : -1;
        if (low >= 0 && (high || low)) {
            path[length++] = (char)(high << 4 | low);
            text += 2;
        } else {
            path[length++] = *text;
        }
    }
    return path;
}

json_t *files_path_json(const char *path)
{
    struct buf text = BUF_INIT;
    files_path_escape(&text, path);
    json_t *json = json_stringn(text.data, text.length);
    buf_clear(&text);
    return json;
}

char *files_metadata_format(const struct files_roots *roots, const struct files_facts *facts,
                            const struct text_list *exclude, bool one_file_system)
{
    json_t *paths = json_array(), *left_out = json_array();
    for (size_t i = 0; i < roots->count; i++)
        json_array_append_new(paths, files_path_json(roots->items[i].path));
    for (size_t i = 0; i < exclude->count; i++)
        json_array_append_new(left_out, files_path_json(exclude->items[i]));
    json_t *all = json_pack("{s:o, s:I, s:I, s:o, s:b}", "roots", paths, "members",
                            (json_int_t)facts->members, "bytes", (json_int_t)facts->bytes,
                            "exclude", left_out, "one_file_system", (int)one_file_system);
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    return text;
}

static int parse_list(const json_t *array, struct text_list *list)
{
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(array, i, item)
    {
        if (!json_is_string(item))
            return -1;
        text_list_give(list, files_path_unescape(json_string_value(item)));
    }
    return 0;
}

static int parse_roots(const json_t *array, struct files_roots *ret_roots, struct error *err)
{
    SCOPED(text_list) struct text_list paths = TEXT_LIST_INIT;
    if (parse_list(array, &paths) < 0)
        return error_set(err, ERROR_CORRUPT, "metadata: roots are not texts");
    for (size_t i = 0; i < paths.count; i++)
        if (paths.items[i][0] != '/' || has_dots(paths.items[i]))
            return error_set(err, ERROR_CORRUPT, "metadata: root %s is not an absolute path",
                             paths.items[i]);
    return paths.count ? files_roots_make(&paths, ret_roots, err) : 0;
}

int files_metadata_parse(const char *json, struct files_roots *ret_roots,
                         struct files_facts *ret_facts, struct text_list *ret_exclude,
                         struct error *err)
{
    if (!json)
        return 0;
    json_error_t problem;
    json_t *all = json_loads(json, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(all)) {
        json_decref(all);
        return error_set(err, ERROR_CORRUPT, "metadata: not an object");
    }
    json_int_t members = json_integer_value(json_object_get(all, "members"));
    json_int_t bytes = json_integer_value(json_object_get(all, "bytes"));
    *ret_facts = (struct files_facts){.members = members > 0 ? (uint64_t)members : 0,
                                      .bytes = bytes > 0 ? (uint64_t)bytes : 0};
    parse_list(json_object_get(all, "exclude"), ret_exclude);
    int result = parse_roots(json_object_get(all, "roots"), ret_roots, err);
    json_decref(all);
    if (result < 0)
        return -1;
    return ret_roots->count > 0;
}
