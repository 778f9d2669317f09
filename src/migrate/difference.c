#include "migrate/difference.h"

#include "base/buf.h"
#include "base/text.h"

#include <string.h>

#define AROUND 2
#define LINES_MAXIMUM                                                                              \
    2000 /* compared one by one; of longer texts the differing middle is shown                     \
          */

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
static void middle_append(struct buf *buf, struct lines old, struct lines new)
{
    size_t width = new.count + 1;
    SCOPED(memory) void *memory = mem_alloc((old.count + 1) * width, sizeof(unsigned));
    unsigned *length = memory;
    for (size_t i = old.count; i-- > 0;) {
        for (size_t j = new.count; j-- > 0;) {
            unsigned below = length[(i + 1) * width + j];
            unsigned right = length[i * width + j + 1];
            length[i * width + j] = strcmp(old.items[i], new.items[j]) == 0
                                        ? length[(i + 1) * width + j + 1] + 1
                                    : below > right ? below
                                                    : right;
        }
    }
    size_t i = 0;
    size_t j = 0;
    while (i < old.count || j < new.count) {
        if (i < old.count && j < new.count &&strcmp(old.items[i], new.items[j]) == 0) {
            line_append(buf, ' ', old.items[i++]);
            j++;
        } else if (i < old.count &&
                   (j == new.count || length[(i + 1) * width + j] >= length[i * width + j + 1])) {
            line_append(buf, '-', old.items[i++]);
        } else {
            line_append(buf, '+', new.items[j++]);
        }
    }
}

void difference_append(struct buf *buf, const char *before, const char *after)
{
    SCOPED(text_list) struct text_list old = TEXT_LIST_INIT;
    SCOPED(text_list) struct text_list new = TEXT_LIST_INIT;
    split(&old, before);
    split(&new, after);
    size_t shorter = old.count < new.count ? old.count : new.count;
    size_t head = 0;
    while (head < shorter && strcmp(old.items[head], new.items[head]) == 0)
        head++;
    size_t tail = 0;
    while (tail < shorter - head &&
           strcmp(old.items[old.count - 1 - tail], new.items[new.count - 1 - tail]) == 0)
        tail++;
    for (size_t i = head > AROUND ? head - AROUND : 0; i < head; i++)
        line_append(buf, ' ', old.items[i]);
    struct lines left = {old.items + head, old.count - head - tail};
    struct lines right = {new.items + head, new.count - head - tail};
    if (left.count > LINES_MAXIMUM)
        left.count = LINES_MAXIMUM;
    if (right.count > LINES_MAXIMUM)
        right.count = LINES_MAXIMUM;
    middle_append(buf, left, right);
    for (size_t i = 0; i < tail && i < AROUND; i++)
        line_append(buf, ' ', old.items[old.count - tail + i]);
}
