/*
 * The lines of an index. The pieces they come in make no difference, and lines made from what was
 * read are read as the same.
 */
#include "fuzz.h"

#include "artifact/index.h"
#include "artifact/index_lines.h"
#include "artifact/manifest.h"

static int take_frame(void *context, const struct index_frame *frame, struct error *err)
{
    (void)err;
    index_append_frame(context, frame);
    return 0;
}

static int take_table(void *context, const struct segment_table *table, struct error *err)
{
    (void)err;
    struct segment_table named = *table;
    if (!named.name)
        named.name = "(none)";
    /* Ours is plain text, and written as it is. */
    if (named.digest && strcspn(named.digest, "\"\\") != strlen(named.digest))
        named.digest = NULL;
    index_append_table(context, &named);
    return 0;
}

static int take_member(void *context, const struct index_member *member, struct error *err)
{
    (void)err;
    SCOPED(string) char *path = mem_string(member->path);
    struct segment_member copy = {.path = path, .type = member->type, .size = member->size};
    index_append_member(context, &copy, member->frame);
    return 0;
}

/* Read `text` in pieces; what was found is appended to `out` as lines of our own. */
static int read_lines(const void *text, size_t size, size_t piece, bool comments, struct buf *out,
                      struct error *err)
{
    struct index_visitor visitor = {
        .context = out, .frame = take_frame, .table = take_table, .member = take_member};
    struct index_lines lines;
    int result = 0;
    index_lines_init(&lines, &visitor, comments);
    for (size_t at = 0; at < size && result == 0; at += piece)
        result = index_lines_feed(&lines, (const char *)text + at,
                                  size - at < piece ? size - at : piece, err);
    if (result == 0)
        result = index_lines_finish(&lines, err);
    index_lines_clear(&lines);
    return result;
}

static void read_again(const struct buf *found)
{
    struct error err = ERROR_INIT;
    SCOPED(buf) struct buf text = BUF_INIT;
    SCOPED(buf) struct buf back = BUF_INIT;
    buf_append_text(&text, INDEX_HEADER "\n");
    buf_append(&text, found->data, found->length);
    MUST(read_lines(text.data, text.length, text.length, false, &back, &err) == 0);
    MUST(back.length == found->length && memcmp(back.data, found->data, back.length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    bool comments = data[0] & 1;
    size_t piece = (size_t)data[1] + 1;
    struct error err = ERROR_INIT;
    struct error late = ERROR_INIT;
    SCOPED(buf) struct buf whole = BUF_INIT;
    SCOPED(buf) struct buf pieces = BUF_INIT;
    int result = read_lines(data + 2, size - 2, size, comments, &whole, &err);
    MUST(read_lines(data + 2, size - 2, piece, comments, &pieces, &late) == result);
    MUST(strcmp(err.message, late.message) == 0);
    MUST(whole.length == pieces.length && memcmp(whole.data, pieces.data, whole.length) == 0);
    if (result < 0)
        MUST_SAY(&err);
    else
        read_again(&whole);
    return 0;
}
