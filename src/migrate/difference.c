#include "migrate/difference.h"

#include "base/buf.h"
#include "base/text.h"

#include <string.h>

#define AROUND 2
/* The table of the comparison grows with both: so many lines of the differing middle are shown. */
#define LINES_MAXIMUM 2000

static void split(struct text_list *lines, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        text_list_give(lines, mem_string_n(text, size));
        text += size;
        text += *text == '\n';
    }
}

struct lines {
    char **items;
    size_t count;
};

static void line_append(struct buf *buf, char sign, const char *line)
{
    buf_append_char(buf, sign);
    buf_append_text(buf, line);
    buf_append_char(buf, '\n');
}

/* The longest common subsequence of the two, walked from the front. */
static void middle_append(struct buf *buf, struct lines was, struct lines is)
{
    size_t width = is.count + 1;
    SCOPED(memory) void *memory = mem_alloc((was.count + 1) * width, sizeof(unsigned));
    unsigned *length = memory;
    for (size_t i = was.count; i-- > 0;) {
        for (size_t j = is.count; j-- > 0;) {
            unsigned below = length[(i + 1) * width + j];
            unsigned right = length[i * width + j + 1];
            length[i * width + j] = strcmp(was.items[i], is.items[j]) == 0
                                        ? length[(i + 1) * width + j + 1] + 1
                                    : below > right ? below
                                                    : right;
        }
    }
    size_t i = 0;
    size_t j = 0;
    while (i < was.count || j < is.count) {
        if (i < was.count && j < is.count && strcmp(was.items[i], is.items[j]) == 0) {
            line_append(buf, ' ', was.items[i++]);
            j++;
        } else if (i < was.count &&
                   (j == is.count || length[(i + 1) * width + j] >= length[i * width + j + 1])) {
            line_append(buf, '-', was.items[i++]);
        } else {
            line_append(buf, '+', is.items[j++]);
        }
    }
}

static struct lines middle_of(const struct text_list *lines, size_t head, size_t tail)
{
    size_t count = lines->count - head - tail;
    if (count == 0)
        return (struct lines){0};
    return (struct lines){lines->items + head, count < LINES_MAXIMUM ? count : LINES_MAXIMUM};
}

void difference_append(struct buf *buf, const char *before, const char *after)
{
    SCOPED(text_list) struct text_list was = TEXT_LIST_INIT;
    SCOPED(text_list) struct text_list is = TEXT_LIST_INIT;
    split(&was, before);
    split(&is, after);
    size_t shorter = was.count < is.count ? was.count : is.count;
    size_t head = 0;
    while (head < shorter && strcmp(was.items[head], is.items[head]) == 0)
        head++;
    size_t tail = 0;
    while (tail < shorter - head &&
           strcmp(was.items[was.count - 1 - tail], is.items[is.count - 1 - tail]) == 0)
        tail++;
    for (size_t i = head > AROUND ? head - AROUND : 0; i < head; i++)
        line_append(buf, ' ', was.items[i]);
    middle_append(buf, middle_of(&was, head, tail), middle_of(&is, head, tail));
    for (size_t i = 0; i < tail && i < AROUND; i++)
        line_append(buf, ' ', was.items[was.count - tail + i]);
}
