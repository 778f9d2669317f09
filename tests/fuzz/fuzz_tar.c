/*
 * Hostile archives. The first byte says in pieces of which size the rest is handed to the parser;
 * what it answers must not depend on that, and every member it lets through is written again and
 * must read back the same.
 */
#include "base/error.h"
#include "base/mem.h"
#include "io/tar.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(uint64_t *sum, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        *sum = (*sum ^ bytes[i]) * UINT64_C(0x100000001b3);
}

static bool equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void check_again(const struct tar_member *member)
{
    struct buf header = BUF_INIT;
    struct tar_parser *parser = tar_parser_new();
    tar_append_header(&header, member);
    const uint8_t *at = (const uint8_t *)header.data;
    size_t left = header.length;
    enum tar_event event = TAR_MORE;
    struct tar_piece piece;
    /* Together the records may be longer than a reader accepts. */
    if (header.length < TAR_EXTENDED_MAXIMUM / 2) {
        assert(tar_parser_next(parser, &at, &left, &event, &piece, NULL) == 0);
        const struct tar_member *again = tar_parser_member(parser);
        assert(event == TAR_MEMBER && again->type == member->type && again->mode == member->mode);
        assert(again->uid == member->uid && again->size == member->size);
        assert(again->attribute_count == member->attribute_count);
        assert(equal(again->link, member->link) && equal(again->acl, member->acl));
    }
    tar_parser_free(parser);
    buf_clear(&header);
}

static void read_map(struct tar_map *map, const struct tar_piece *piece)
{
    const uint8_t *at = piece->data;
    size_t left = piece->size;
    if (!map->complete && tar_map_read(map, &at, &left, NULL) < 0)
        map->complete = true;
}

static uint64_t parse(const uint8_t *data, size_t size, size_t step, bool again)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    struct tar_parser *parser = tar_parser_new();
    struct tar_map map = {.complete = true};
    struct buf clean = BUF_INIT;
    int result = 0;
    enum tar_event event = TAR_MORE;
    while (result == 0 && size && event != TAR_END) {
        size_t part = size < step ? size : step, left = part;
        const uint8_t *at = data;
        do {
            struct tar_piece piece;
            result = tar_parser_next(parser, &at, &left, &event, &piece, NULL);
            const struct tar_member *member = tar_parser_member(parser);
            if (result == 0 && event == TAR_MEMBER) {
                add(&sum, member->path, strlen(member->path));
                add(&sum, &member->size, sizeof member->size);
                tar_path_clean(member->path, &clean, NULL);
                tar_map_clear(&map);
                map = (struct tar_map){.real_size = member->real_size,
                                       .data_size = member->size,
                                       .complete = !member->sparse};
                if (again)
                    check_again(member);
            }
            if (result == 0 && event == TAR_CONTENT) {
                add(&sum, piece.data, piece.size);
                read_map(&map, &piece);
            }
        } while (result == 0 && event != TAR_MORE && event != TAR_END);
        data += part;
        size -= part;
    }
    if (result == 0)
        result = tar_parser_finish(parser, NULL);
    add(&sum, &result, sizeof result);
    tar_map_clear(&map);
    buf_clear(&clean);
    tar_parser_free(parser);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t step = (size_t)data[0] * 7 + 1;
    uint64_t whole = parse(data + 1, size - 1, SIZE_MAX, true);
    if (parse(data + 1, size - 1, step, false) != whole)
        abort();
    return 0;
}
