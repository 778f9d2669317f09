#include "io/tar.h"

#include "base/error.h"
#include "io/tar_header.h"
#include "io/tar_number.h"
#include "io/tar_sparse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum state {
    AT_HEADER,
    IN_EXTENDED, /* collecting the body of a pax header or GNU long name */
    IN_OLD_MAP,  /* blocks that go on with the map of an old sparse header */
    IN_CONTENT,
    AT_END,
};

struct tar_parser {
    enum state state;
    uint8_t block[TAR_BLOCK]; /* the header, while it is being collected */
    size_t have;
    uint64_t consumed;  /* bytes of the archive so far */
    uint64_t left;      /* of the content, or of an extended body */
    size_t padding;     /* to skip before the next header */
    uint64_t offset;    /* in the content */
    char extended_type; /* what is being collected */
    bool zero_block;    /* the block before this one was the first of the end */
    bool in_member;     /* an extended header waits for its member */
    struct buf records; /* pax records of the coming member; values are ended by NUL in place */
    struct buf globals; /* of all global headers so far, as they were read */
    struct buf applied; /* the same, taken apart for the coming member */
    struct buf long_path;
    struct buf long_link;
    char path[256 + 2]; /* joined from the header */
    char link[101], user[33], group[33];
    struct tar_member member;
    struct tar_attribute *attributes;
    size_t attribute_capacity;
    bool has_size, has_uid, has_gid, has_mtime, has_path, has_link;
    bool global;      /* the records that are being taken are for every member */
    bool passed_over; /* the content, for it is no file's */
    struct tar_sparse sparse;
};

struct tar_parser *tar_parser_new(void)
{
    struct tar_parser *parser = MEM_NEW(struct tar_parser);
    parser->records = BUF_INIT_MAX(TAR_EXTENDED_MAXIMUM);
    parser->globals = BUF_INIT_MAX(TAR_EXTENDED_MAXIMUM);
    parser->applied = BUF_INIT_MAX(TAR_EXTENDED_MAXIMUM);
    parser->long_path = BUF_INIT_MAX(TAR_EXTENDED_MAXIMUM);
    parser->long_link = BUF_INIT_MAX(TAR_EXTENDED_MAXIMUM);
    return parser;
}

void tar_parser_free(struct tar_parser *parser)
{
    if (!parser)
        return;
    buf_clear(&parser->records);
    buf_clear(&parser->globals);
    buf_clear(&parser->applied);
    tar_sparse_clear(&parser->sparse);
    buf_clear(&parser->long_path);
    buf_clear(&parser->long_link);
    free(parser->attributes);
    free(parser);
}

const struct tar_member *tar_parser_member(const struct tar_parser *parser)
{
    return &parser->member;
}

static int corrupt(const struct tar_parser *parser, struct error *err, const char *what)
{
    return error_set(err, ERROR_CORRUPT, "tar: %s at byte %" PRIu64, what, parser->consumed);
}

/* ---- the fields of a header ---- */

/* Of bytes moved to the right; without a condition the compiler makes it wide. */
static int sum_of(const void *data, size_t size, int shift)
{
    const uint8_t *bytes = data;
    int sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += bytes[i] >> shift;
    return sum;
}

static bool checksum_right(const struct tar_header *header)
{
    const char *own = header->checksum;
    size_t width = sizeof header->checksum;
    int64_t stated = 0;
    if (tar_number_get(own, width, &stated) < 0)
        return false;
    /* The field itself counts as blanks, and some old writers added signed bytes. */
    int sum = sum_of(header, sizeof *header, 0) - sum_of(own, width, 0) + (int)width * ' ';
    return stated == sum ||
           stated == sum - 256 * (sum_of(header, sizeof *header, 7) - sum_of(own, width, 7));
}

static void copy_field(char *to, const char *field, size_t width)
{
    size_t length = strnlen(field, width);
    memcpy(to, field, length);
    to[length] = '\0';
}

static void get_path(struct tar_parser *parser, const struct tar_header *header)
{
    char name[sizeof header->name + 1];
    copy_field(name, header->name, sizeof header->name);
    /* GNU's own magic ("ustar  ") has other things where the prefix would be. */
    char prefix[sizeof header->prefix + 1] = "";
    if (memcmp(header->magic, "ustar", 6) == 0)
        copy_field(prefix, header->prefix, sizeof header->prefix);
    size_t length = strlen(prefix);
    memcpy(parser->path, prefix, length);
    if (length)
        parser->path[length++] = '/';
    memcpy(parser->path + length, name, strlen(name) + 1);
}

/* ---- pax records ---- */

static int hex_value(char c)
{
    const char digits[] = "0123456789ABCDEF0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)((at - digits) % 16) : -1;
}

/* The name is decoded where it lies: it only gets shorter. */
static void add_attribute(struct tar_parser *parser, char *name, const char *value, size_t size)
{
    char *to = name;
    for (const char *from = name; *from; from++) {
        int high = from[0] == '%' ? hex_value(from[1]) : -1;
        int low = high >= 0 ? hex_value(from[2]) : -1;
        if (low >= 0 && (high || low)) {
            *to++ = (char)(high << 4 | low);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    ARRAY_GROW(parser->attributes, parser->member.attribute_count, parser->attribute_capacity);
    parser->attributes[parser->member.attribute_count++] =
        (struct tar_attribute){.name = name, .value = value, .size = size};
}

/* libarchive's own form: the value is base 64, decoded where it lies. */
static int add_encoded_attribute(struct tar_parser *parser, char *name, char *value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    for (const char *at = value; *at && *at != '='; at++) {
        const char *digit = strchr(digits, *at);
        if (!digit)
            return -1;
        bits = bits << 6 | (uint32_t)(digit - digits);
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        value[size++] = (char)(bits >> count);
    }
    add_attribute(parser, name, value, size);
    return 0;
}

/* What only one member can have makes no sense in a header for all of them. */
static bool of_one_member(const char *key)
{
    return strcmp(key, "path") == 0 || strcmp(key, "linkpath") == 0 || strcmp(key, "size") == 0 ||
           strncmp(key, "GNU.sparse.", 11) == 0;
}

/* One record; -1 when its value is not what its key promises. Keys of no meaning to us pass. */
static int take_record(struct tar_parser *parser, char *key, char *value, size_t size)
{
    struct tar_member *member = &parser->member;
    uint64_t number = 0;
    if (strncmp(key, "SCHILY.xattr.", 13) == 0) {
        if (!key[13])
            return -1;
        add_attribute(parser, key + 13, value, size);
        return 0;
    }
    if (strlen(value) != size || (parser->global && of_one_member(key)))
        return -1;
    if (strncmp(key, "LIBARCHIVE.xattr.", 17) == 0)
        return key[17] ? add_encoded_attribute(parser, key + 17, value) : -1;
    if (strcmp(key, "path") == 0) {
        member->path = value;
        parser->has_path = true;
        return size ? 0 : -1;
    }
    if (strcmp(key, "linkpath") == 0) {
        member->link = value;
        parser->has_link = true;
        return size ? 0 : -1;
    }
    if (strcmp(key, "size") == 0) {
        parser->has_size = true;
        return tar_number_parse(value, INT64_MAX, &member->size);
    }
    if (strcmp(key, "uid") == 0 || strcmp(key, "gid") == 0) {
        if (tar_number_parse(value, UINT32_MAX - 1, &number) < 0)
            return -1;
        *(key[0] == 'u' ? &member->uid : &member->gid) = (uint32_t)number;
        *(key[0] == 'u' ? &parser->has_uid : &parser->has_gid) = true;
        return 0;
    }
    if (strcmp(key, "mtime") == 0) {
        parser->has_mtime = true;
        return tar_number_parse_time(value, &member->mtime);
    }
    if (strcmp(key, "uname") == 0)
        member->user = value;
    if (strcmp(key, "gname") == 0)
        member->group = value;
    if (strcmp(key, "SCHILY.acl.access") == 0)
        member->acl = value;
    if (strcmp(key, "SCHILY.acl.default") == 0)
        member->default_acl = value;
    if (strncmp(key, "GNU.sparse.", 11) == 0)
        return tar_sparse_record(&parser->sparse, key + 11, value);
    return 0;
}

static int take_records(struct tar_parser *parser, struct buf *records, struct error *err)
{
    char *at = records->data;
    char *end = at + records->length;
    while (at < end) {
        char *digits = at;
        size_t length = 0;
        while (at < end && *at >= '0' && *at <= '9' && length < TAR_EXTENDED_MAXIMUM)
            length = length * 10 + (size_t)(*at++ - '0');
        if (at == digits || at >= end || *at != ' ' || length > (size_t)(end - digits) ||
            length < (size_t)(at - digits) + 3 || digits[length - 1] != '\n')
            return corrupt(parser, err, "a pax record of wrong length");
        char *key = at + 1;
        char *value = memchr(key, '=', (size_t)(digits + length - key));
        if (!value || value == key)
            return corrupt(parser, err, "a pax record without a key");
        *value++ = '\0';
        digits[length - 1] = '\0';
        if (strlen(key) != (size_t)(value - key - 1) ||
            take_record(parser, key, value, (size_t)(digits + length - 1 - value)) < 0)
            return error_set(err, ERROR_CORRUPT, "tar: bad or unknown %.100s before byte %" PRIu64,
                             key, parser->consumed);
        at = digits + length;
    }
    parser->member.attributes = parser->attributes;
    return 0;
}

/* What global headers said counts for each member, until its own header says otherwise. */
static int take_all_records(struct tar_parser *parser, struct error *err)
{
    buf_reset(&parser->applied);
    buf_append(&parser->applied, parser->globals.data, parser->globals.length);
    parser->global = true;
    int result = take_records(parser, &parser->applied, err);
    parser->global = false;
    return result < 0 ? -1 : take_records(parser, &parser->records, err);
}

/* ---- from blocks to members ---- */

static bool is_extended(char type)
{
    return type == 'x' || type == 'X' || type == 'g' || type == 'L' || type == 'K';
}

static struct buf *extended_buf(struct tar_parser *parser, char type)
{
    switch (type) {
    case 'x':
    case 'X': /* Solaris */
        return &parser->records;
    case 'L':
        return &parser->long_path;
    case 'K':
        return &parser->long_link;
    default:
        return &parser->globals;
    }
}

static int begin_extended(struct tar_parser *parser, const struct tar_header *header,
                          struct error *err)
{
    int64_t size = 0;
    if (tar_number_get(header->size, sizeof header->size, &size) < 0 || size < 0)
        return corrupt(parser, err, "a bad size");
    struct buf *buf = extended_buf(parser, header->type);
    if (header->type != 'g')
        buf_reset(buf);
    if ((uint64_t)size > buf->maximum - buf->length)
        return corrupt(parser, err, "extended headers longer than 4 MiB");
    parser->extended_type = header->type;
    parser->in_member |= header->type != 'g';
    parser->left = (uint64_t)size;
    parser->padding = tar_padding(parser->left);
    parser->state = IN_EXTENDED;
    return 0;
}

static int take_numbers(struct tar_parser *parser, const struct tar_header *header,
                        struct error *err)
{
    struct tar_member *member = &parser->member;
    int64_t mode = 0, uid = 0, gid = 0, size = 0, mtime = 0, major = 0, minor = 0;
    if (tar_number_get(header->mode, sizeof header->mode, &mode) < 0 ||
        tar_number_get(header->uid, sizeof header->uid, &uid) < 0 ||
        tar_number_get(header->gid, sizeof header->gid, &gid) < 0 ||
        tar_number_get(header->size, sizeof header->size, &size) < 0 ||
        tar_number_get(header->mtime, sizeof header->mtime, &mtime) < 0 || size < 0)
        return corrupt(parser, err, "a header with a bad number");
    member->mode = (uint32_t)mode & 07777;
    if (!parser->has_uid && (uid < 0 || uid >= UINT32_MAX))
        return corrupt(parser, err, "a user number out of range");
    if (!parser->has_gid && (gid < 0 || gid >= UINT32_MAX))
        return corrupt(parser, err, "a group number out of range");
    if (!parser->has_uid)
        member->uid = (uint32_t)uid;
    if (!parser->has_gid)
        member->gid = (uint32_t)gid;
    if (!parser->has_size)
        member->size = (uint64_t)size;
    if (!parser->has_mtime)
        member->mtime.tv_sec = mtime;
    if (member->type != TAR_CHARACTER_DEVICE && member->type != TAR_BLOCK_DEVICE)
        return 0;
    if (tar_number_get(header->major, sizeof header->major, &major) < 0 ||
        tar_number_get(header->minor, sizeof header->minor, &minor) < 0 || major < 0 || minor < 0 ||
        major > UINT32_MAX || minor > UINT32_MAX)
        return corrupt(parser, err, "a bad device number");
    member->major = (uint32_t)major;
    member->minor = (uint32_t)minor;
    return 0;
}

static int take_type(struct tar_parser *parser, const struct tar_header *header, struct error *err)
{
    char type = header->type;
    if (type == '\0' || type == '7' || type == 'S')
        type = TAR_FILE;
    /* GNU's incremental archives: the content lists what was in the folder. */
    if (type == 'D')
        type = TAR_FOLDER;
    if (type < '0' || type > '6')
        return error_set(
            err, ERROR_CORRUPT,
            "tar: a member of type 0x%02x, which is not supported, before byte %" PRIu64,
            (unsigned)(unsigned char)type, parser->consumed);
    parser->member.type = (enum tar_type)type;
    return 0;
}

static void take_texts(struct tar_parser *parser, const struct tar_header *header)
{
    struct tar_member *member = &parser->member;
    get_path(parser, header);
    copy_field(parser->link, header->link, sizeof header->link);
    copy_field(parser->user, header->user, sizeof header->user);
    copy_field(parser->group, header->group, sizeof header->group);
    if (!parser->has_path)
        member->path = parser->long_path.length ? parser->long_path.data : parser->path;
    bool link = member->type == TAR_HARD_LINK || member->type == TAR_SYMLINK;
    if (!link)
        member->link = NULL;
    else if (!parser->has_link)
        member->link = parser->long_link.length ? parser->long_link.data : parser->link;
    if (!member->user && parser->user[0])
        member->user = parser->user;
    if (!member->group && parser->group[0])
        member->group = parser->group;
}

static int take_sparse(struct tar_parser *parser, struct error *err)
{
    struct tar_member *member = &parser->member;
    if (!tar_sparse_any(&parser->sparse))
        return 0;
    if (member->type != TAR_FILE || tar_sparse_finish(&parser->sparse, member) < 0)
        return corrupt(parser, err, "a sparse file of a form that is not supported");
    return 0;
}

/* In old archives a folder is a file whose name ends in a slash. */
static int trim_slash(struct tar_parser *parser, const struct tar_header *header, struct error *err)
{
    struct tar_member *member = &parser->member;
    size_t length = strlen(member->path);
    if ((header->type != '\0' && header->type != '0') || !length || member->path[length - 1] != '/')
        return 0;
    if (member->size)
        return corrupt(parser, err, "a file whose name ends in a slash");
    member->type = TAR_FOLDER;
    return 0;
}

/* The map of GNU's old sparse files goes on in blocks of its own: 1 when it is complete, 0. */
static int begin_old_sparse(struct tar_parser *parser, const struct tar_header *header,
                            struct error *err)
{
    int more = tar_sparse_old_header(&parser->sparse, header);
    if (more < 0)
        return corrupt(parser, err, "a bad map of a sparse file");
    if (more) {
        parser->state = IN_OLD_MAP;
        return 0;
    }
    return take_sparse(parser, err) < 0 ? -1 : 1;
}

static int continue_old_sparse(struct tar_parser *parser, struct error *err)
{
    int more = tar_sparse_old_block(&parser->sparse, parser->block);
    parser->have = 0;
    if (more < 0)
        return corrupt(parser, err, "a bad map of a sparse file");
    if (more)
        return 0;
    parser->state = IN_CONTENT;
    return take_sparse(parser, err) < 0 ? -1 : 1;
}

/* 1 when the member is told of, 0 when more of its headers comes, -1. */
static int begin_member(struct tar_parser *parser, const struct tar_header *header,
                        struct error *err)
{
    struct tar_member *member = &parser->member;
    *member = (struct tar_member){0};
    parser->has_size = parser->has_uid = parser->has_gid = parser->has_mtime = false;
    parser->has_path = parser->has_link = false;
    tar_sparse_reset(&parser->sparse);
    if (take_type(parser, header, err) < 0 || take_all_records(parser, err) < 0 ||
        take_numbers(parser, header, err) < 0)
        return -1;
    take_texts(parser, header);
    if (trim_slash(parser, header, err) < 0)
        return -1;
    if (!member->path[0])
        return corrupt(parser, err, "a member without a name");
    if (member->link && !member->link[0])
        return corrupt(parser, err, "a link without a target");
    /* Whether content follows a link that states a size depends on who wrote it. */
    if (member->type == TAR_HARD_LINK && member->size)
        return corrupt(parser, err, "a hard link with content");
    parser->passed_over = header->type == 'D';
    if (member->type != TAR_FILE && !parser->passed_over)
        member->size = 0;
    parser->left = member->size;
    parser->offset = 0;
    parser->padding = tar_padding(member->size);
    parser->in_member = true;
    parser->state = IN_CONTENT;
    if (header->type != 'S')
        return take_sparse(parser, err) < 0 ? -1 : 1;
    return begin_old_sparse(parser, header, err);
}

static bool all_zero(const uint8_t *block)
{
    return !block[0] && memcmp(block, block + 1, TAR_BLOCK - 1) == 0;
}

/* A whole block is there: 1 when it made a member, else 0. */
static int take_block(struct tar_parser *parser, struct error *err)
{
    const struct tar_header *header = (const struct tar_header *)(const void *)parser->block;
    parser->have = 0;
    if (all_zero(parser->block)) {
        if (parser->in_member)
            return corrupt(parser, err, "the end right after an extended header");
        if (parser->zero_block)
            parser->state = AT_END;
        parser->zero_block = true;
        return 0;
    }
    if (parser->zero_block)
        return corrupt(parser, err, "a lone block of zeros");
    if (!checksum_right(header))
        return corrupt(parser, err, "a header with a wrong checksum");
    if (is_extended(header->type))
        return begin_extended(parser, header, err);
    /* The name of a volume, which is nobody's. */
    if (header->type == 'V')
        return 0;
    return begin_member(parser, header, err);
}

static size_t least(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

static void advance(struct tar_parser *parser, const uint8_t **data, size_t *size, size_t used)
{
    *data += used;
    *size -= used;
    parser->consumed += used;
}

static void collect_extended(struct tar_parser *parser, const uint8_t **data, size_t *size)
{
    size_t part = least(parser->left, *size);
    buf_append(extended_buf(parser, parser->extended_type), *data, part);
    parser->left -= part;
    advance(parser, data, size, part);
    if (!parser->left)
        parser->state = AT_HEADER;
}

/* The member is over: what its extended headers said does not count for the next one. */
static void end_member(struct tar_parser *parser)
{
    parser->state = AT_HEADER;
    parser->in_member = false;
    buf_reset(&parser->records);
    buf_reset(&parser->long_path);
    buf_reset(&parser->long_link);
}

int tar_parser_next(struct tar_parser *parser, const uint8_t **data, size_t *size,
                    enum tar_event *ret_event, struct tar_piece *ret_piece, struct error *err)
{
    for (;;) {
        if (parser->state == AT_END) {
            *ret_event = TAR_END;
            return 0;
        }
        if (parser->state == IN_CONTENT && !parser->left)
            end_member(parser);
        if (!*size) {
            *ret_event = TAR_MORE;
            return 0;
        }
        if (parser->state == IN_CONTENT) {
            size_t part = least(parser->left, *size);
            if (parser->passed_over) {
                parser->left -= part;
                advance(parser, data, size, part);
                continue;
            }
            *ret_piece = (struct tar_piece){.data = *data, .size = part, .offset = parser->offset};
            parser->offset += part;
            parser->left -= part;
            advance(parser, data, size, part);
            *ret_event = TAR_CONTENT;
            return 0;
        }
        if (parser->state == IN_EXTENDED) {
            collect_extended(parser, data, size);
            continue;
        }
        if (parser->padding && parser->state == AT_HEADER) {
            size_t part = least(parser->padding, *size);
            parser->padding -= part;
            advance(parser, data, size, part);
            continue;
        }
        size_t part = least(TAR_BLOCK - parser->have, *size);
        memcpy(parser->block + parser->have, *data, part);
        parser->have += part;
        advance(parser, data, size, part);
        if (parser->have < TAR_BLOCK)
            continue;
        int made = parser->state == IN_OLD_MAP ? continue_old_sparse(parser, err)
                                               : take_block(parser, err);
        if (made < 0)
            return -1;
        if (made) {
            *ret_event = TAR_MEMBER;
            return 0;
        }
    }
}

int tar_parser_finish(struct tar_parser *parser, struct error *err)
{
    bool between =
        parser->state == AT_HEADER && !parser->have && !parser->in_member && !parser->padding;
    bool content_over = parser->state == IN_CONTENT && !parser->left && !parser->padding;
    if (parser->state == AT_END || between || content_over)
        return 0;
    return corrupt(parser, err, "the archive ends in the middle of a member");
}
