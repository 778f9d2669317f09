#include "io/tar.h"

#include "base/error.h"
#include "io/tar_header.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char padding[512];

/* ---- writing ---- */

/* Octal that fills its field but for the NUL; false when it does not fit. */
static bool put_octal(char *field, size_t width, uint64_t value)
{
    if (value >> (3 * (width - 1)))
        return false;
    for (size_t i = width - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
    field[width - 1] = '\0';
    return true;
}

static void put_checksum(struct tar_header *header)
{
    memset(header->checksum, ' ', sizeof header->checksum);
    const unsigned char *bytes = (const unsigned char *)header;
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof *header; i++)
        sum += bytes[i];
    put_octal(header->checksum, 7, sum);
}

/* "27 path=...\n": the length counts its own digits. */
static void append_record(struct buf *out, const char *key, const void *value, size_t size)
{
    size_t rest = strlen(key) + size + 3;
    size_t digits = 1;
    for (size_t limit = 10; rest + digits >= limit; limit *= 10)
        digits++;
    size_t length = rest + digits;
    buf_append_format(out, "%zu %s=", length, key);
    buf_append(out, value, size);
    buf_append_char(out, '\n');
}

static void append_number_record(struct buf *out, const char *key, uint64_t value)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRIu64, value);
    append_record(out, key, text, (size_t)length);
}

static void append_time_record(struct buf *out, const char *key, struct timespec time)
{
    /* Before 1970 the seconds are rounded down and the fraction counts upwards; on paper it is one
     * negative decimal. */
    bool negative = time.tv_sec < 0;
    int64_t seconds = time.tv_sec;
    long fraction = time.tv_nsec;
    if (negative && fraction) {
        seconds++;
        fraction = 1000000000 - fraction;
    }
    char text[48];
    int length = snprintf(text, sizeof text, "%s%" PRIu64, negative ? "-" : "",
                          negative ? -(uint64_t)seconds : (uint64_t)seconds);
    if (fraction) {
        length += snprintf(text + length, sizeof text - (size_t)length, ".%09ld", fraction);
        while (text[length - 1] == '0')
            length--;
    }
    append_record(out, key, text, (size_t)length);
}

/* '=' would end the keyword too early; GNU tar writes it, and '%', in hex. */
static void append_attribute_record(struct buf *out, const struct tar_attribute *attribute)
{
    struct buf key = BUF_INIT;
    buf_append_text(&key, "SCHILY.xattr.");
    for (const char *c = attribute->name; *c; c++) {
        if (*c == '=' || *c == '%')
            buf_append_format(&key, "%%%02X", (unsigned)*c);
        else
            buf_append_char(&key, *c);
    }
    append_record(out, key.data, attribute->value, attribute->size);
    buf_clear(&key);
}

/* Copy into a field that needs no NUL; false when it does not fit. */
static bool put_text(char *field, size_t width, const char *text)
{
    size_t length = strlen(text);
    memcpy(field, text, length < width ? length : width);
    return length <= width;
}

/* The name, split at a slash between prefix and name where it is long. */
static bool put_path(struct tar_header *header, const char *path, bool folder)
{
    size_t length = strlen(path);
    char slash[] = "/";
    if (length + folder <= sizeof header->name) {
        memcpy(header->name, path, length);
        if (folder)
            memcpy(header->name + length, slash, 1);
        return true;
    }
    for (size_t cut = length; cut-- > 1;) {
        size_t tail = length - cut - 1;
        if (path[cut] != '/' || cut > sizeof header->prefix || tail == 0)
            continue;
        if (tail + folder > sizeof header->name)
            break;
        memcpy(header->prefix, path, cut);
        memcpy(header->name, path + cut + 1, tail);
        if (folder)
            memcpy(header->name + tail, slash, 1);
        return true;
    }
    memcpy(header->name, path, sizeof header->name);
    return false;
}

/* The name tools see that know nothing of sparse files; others take GNU.sparse.name. */
static char *sparse_stand_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path + 1) : 0;
    return mem_format("%.*sGNUSparseFile.0/%s", folder, path, path + folder);
}

static void append_path_record(struct buf *records, const char *key, const char *path, bool folder)
{
    if (!folder) {
        append_record(records, key, path, strlen(path));
        return;
    }
    SCOPED(string) char *slashed = mem_format("%s/", path);
    append_record(records, key, slashed, strlen(slashed));
}

/* What ustar fields cannot say goes into pax records. */
static void fill_header(struct tar_header *header, struct buf *records,
                        const struct tar_member *member)
{
    memcpy(header->magic, "ustar", 6);
    memcpy(header->version, "00", 2);
    header->type = (char)member->type;
    put_octal(header->mode, sizeof header->mode, member->mode & 07777);
    if (!put_octal(header->uid, sizeof header->uid, member->uid)) {
        put_octal(header->uid, sizeof header->uid, 0);
        append_number_record(records, "uid", member->uid);
    }
    if (!put_octal(header->gid, sizeof header->gid, member->gid)) {
        put_octal(header->gid, sizeof header->gid, 0);
        append_number_record(records, "gid", member->gid);
    }
    if (!put_octal(header->size, sizeof header->size, member->size)) {
        put_octal(header->size, sizeof header->size, 0);
        append_number_record(records, "size", member->size);
    }
    bool fits = member->mtime.tv_sec >= 0 &&
                put_octal(header->mtime, sizeof header->mtime, (uint64_t)member->mtime.tv_sec);
    if (!fits)
        put_octal(header->mtime, sizeof header->mtime, 0);
    if (!fits || member->mtime.tv_nsec)
        append_time_record(records, "mtime", member->mtime);
    put_octal(header->major, sizeof header->major, member->major);
    put_octal(header->minor, sizeof header->minor, member->minor);
    /* A reader wants a NUL at the end of these two. */
    if (member->user && !put_text(header->user, sizeof header->user - 1, member->user))
        append_record(records, "uname", member->user, strlen(member->user));
    if (member->group && !put_text(header->group, sizeof header->group - 1, member->group))
        append_record(records, "gname", member->group, strlen(member->group));
    if (member->link && !put_text(header->link, sizeof header->link, member->link))
        append_record(records, "linkpath", member->link, strlen(member->link));
}

static void fill_path(struct tar_header *header, struct buf *records,
                      const struct tar_member *member)
{
    bool folder = member->type == TAR_FOLDER;
    if (!member->sparse) {
        if (!put_path(header, member->path, folder))
            append_path_record(records, "path", member->path, folder);
        return;
    }
    SCOPED(string) char *stand_in = sparse_stand_in(member->path);
    put_path(header, stand_in, false);
    append_record(records, "GNU.sparse.major", "1", 1);
    append_record(records, "GNU.sparse.minor", "0", 1);
    append_record(records, "GNU.sparse.name", member->path, strlen(member->path));
    append_number_record(records, "GNU.sparse.realsize", member->real_size);
}

static void append_extended(struct buf *out, const struct buf *records,
                            const struct tar_member *member)
{
    struct tar_header header = {.type = 'x'};
    const char *base = strrchr(member->path, '/');
    base = base ? base + 1 : member->path;
    snprintf(header.name, sizeof header.name, "PaxHeaders/%.80s", base);
    memcpy(header.magic, "ustar", 6);
    memcpy(header.version, "00", 2);
    put_octal(header.mode, sizeof header.mode, 0644);
    put_octal(header.uid, sizeof header.uid, 0);
    put_octal(header.gid, sizeof header.gid, 0);
    put_octal(header.size, sizeof header.size, records->length);
    put_octal(header.mtime, sizeof header.mtime, 0);
    put_octal(header.major, sizeof header.major, 0);
    put_octal(header.minor, sizeof header.minor, 0);
    put_checksum(&header);
    buf_append(out, &header, sizeof header);
    buf_append(out, records->data, records->length);
    buf_append(out, padding, tar_padding(records->length));
}

void tar_append_header(struct buf *out, const struct tar_member *member)
{
    struct tar_header header = {0};
    struct buf records = BUF_INIT;
    fill_header(&header, &records, member);
    fill_path(&header, &records, member);
    for (size_t i = 0; i < member->attribute_count; i++)
        append_attribute_record(&records, &member->attributes[i]);
    if (member->acl)
        append_record(&records, "SCHILY.acl.access", member->acl, strlen(member->acl));
    if (member->default_acl)
        append_record(&records, "SCHILY.acl.default", member->default_acl,
                      strlen(member->default_acl));
    if (records.length)
        append_extended(out, &records, member);
    put_checksum(&header);
    buf_append(out, &header, sizeof header);
    buf_clear(&records);
}

void tar_append_end(struct buf *out)
{
    buf_append(out, padding, sizeof padding);
    buf_append(out, padding, sizeof padding);
}

void tar_append_map(struct buf *out, const struct tar_extent *extents, size_t count,
                    uint64_t real_size)
{
    size_t begin = out->length;
    /* A hole at the end is told by an empty extent there. */
    bool tail = !count || extents[count - 1].offset + extents[count - 1].length < real_size;
    buf_append_format(out, "%zu\n", count + tail);
    for (size_t i = 0; i < count; i++)
        buf_append_format(out, "%" PRIu64 "\n%" PRIu64 "\n", extents[i].offset, extents[i].length);
    if (tail)
        buf_append_format(out, "%" PRIu64 "\n0\n", real_size);
    buf_append(out, padding, tar_padding(out->length - begin));
}

/* ---- paths and maps ---- */

int tar_path_clean(const char *path, struct buf *clean, struct error *err)
{
    buf_reset(clean);
    if (path[0] == '/')
        return error_set(err, ERROR_CORRUPT, "member %s has an absolute path", path);
    for (const char *at = path; *at;) {
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return error_set(err, ERROR_CORRUPT, "member %s climbs out of its folder", path);
        if (length > 255)
            return error_set(err, ERROR_CORRUPT, "member %.200s… has a name of %zu bytes", path,
                             length);
        if (length && !(length == 1 && at[0] == '.')) {
            if (clean->length)
                buf_append_char(clean, '/');
            buf_append(clean, at, length);
        }
        at += length;
        at += *at == '/';
    }
    return 0;
}

#define MAP_EXTENTS_MAXIMUM ((uint64_t)1 << 20)

static int map_number(struct tar_map *map, struct error *err)
{
    uint64_t value = map->number;
    if (map->numbers == 0) {
        if (value > MAP_EXTENTS_MAXIMUM)
            return error_set(err, ERROR_CORRUPT, "sparse map of %" PRIu64 " extents", value);
        map->announced = value;
    } else if (map->numbers % 2) {
        uint64_t end =
            map->count ? map->extents[map->count - 1].offset + map->extents[map->count - 1].length
                       : 0;
        if (value < end || value > map->real_size)
            return error_set(err, ERROR_CORRUPT, "sparse map is not in order");
        ARRAY_GROW(map->extents, map->count, map->capacity);
        map->extents[map->count++] = (struct tar_extent){.offset = value};
    } else {
        struct tar_extent *last = &map->extents[map->count - 1];
        if (value > map->real_size - last->offset)
            return error_set(err, ERROR_CORRUPT, "sparse map goes past the end of the file");
        last->length = value;
    }
    map->numbers++;
    map->number = 0;
    map->digits = false;
    return 0;
}

static bool map_read_all_numbers(const struct tar_map *map)
{
    return map->numbers && map->numbers == 1 + 2 * map->announced;
}

static int map_complete(struct tar_map *map, struct error *err)
{
    uint64_t total = 0;
    for (size_t i = 0; i < map->count; i++)
        total += map->extents[i].length;
    map->map_size = map->read;
    if (map->map_size > map->data_size || map->data_size - map->map_size != total)
        return error_set(err, ERROR_CORRUPT, "sparse map and content differ in length");
    map->data_size = total;
    map->complete = true;
    return 0;
}

int tar_map_read(struct tar_map *map, const uint8_t **data, size_t *size, struct error *err)
{
    while (!map->complete) {
        bool numbers_done = map_read_all_numbers(map);
        if (numbers_done && map->read % TAR_BLOCK == 0)
            return map_complete(map, err);
        if (!*size)
            return 0;
        uint8_t byte = **data;
        ++*data;
        --*size;
        map->read++;
        if (numbers_done)
            continue;
        if (byte == '\n' && map->digits) {
            if (map_number(map, err) < 0)
                return -1;
            continue;
        }
        if (byte < '0' || byte > '9' || map->number > (UINT64_MAX - 9) / 10)
            return error_set(err, ERROR_CORRUPT, "sparse map holds something else than numbers");
        map->number = map->number * 10 + (uint64_t)(byte - '0');
        map->digits = true;
    }
    return 0;
}

void tar_map_clear(struct tar_map *map)
{
    free(map->extents);
    *map = (struct tar_map){0};
}
