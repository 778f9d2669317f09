#include "source/files_links.h"

#include <stdlib.h>
#include <string.h>

struct link {
    struct link *next; /* in its bucket */
    dev_t device;
    ino_t inode;
    nlink_t awaited; /* names not seen yet */
    char member[];
};

struct files_links {
    struct link **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    size_t bytes, limit;
    uint64_t lost;
};

struct files_links *files_links_new(size_t limit_bytes)
{
    struct files_links *links = MEM_NEW(struct files_links);
    links->bucket_count = 256;
    links->buckets = mem_alloc(links->bucket_count, sizeof *links->buckets);
    links->limit = limit_bytes;
    return links;
}

void files_links_free(struct files_links *links)
{
    if (!links)
        return;
    for (size_t i = 0; i < links->bucket_count; i++)
        while (links->buckets[i]) {
            struct link *link = links->buckets[i];
            links->buckets[i] = link->next;
            free(link);
        }
    free(links->buckets);
    free(links);
}

static struct link **bucket_of(struct files_links *links, dev_t device, ino_t inode)
{
    uint64_t hash = ((uint64_t)inode ^ (uint64_t)device << 40) * UINT64_C(0x9e3779b97f4a7c15);
    return &links->buckets[(hash >> 32) & (links->bucket_count - 1)];
}

static size_t cost(const struct link *link)
{
    return sizeof *link + strlen(link->member) + 1 + 16;
}

char *files_links_seen(struct files_links *links, const struct stat *stat)
{
    for (struct link **at = bucket_of(links, stat->st_dev, stat->st_ino); *at; at = &(*at)->next) {
        struct link *link = *at;
        if (link->inode != stat->st_ino || link->device != stat->st_dev)
            continue;
        char *member = mem_string(link->member);
        if (--link->awaited == 0) {
            *at = link->next;
            links->bytes -= cost(link);
            links->count--;
            free(link);
        }
        return member;
    }
    return NULL;
}

static void double_buckets(struct files_links *links)
{
    struct link **old = links->buckets;
    size_t old_count = links->bucket_count;
    links->bucket_count *= 2;
    links->buckets = mem_alloc(links->bucket_count, sizeof *links->buckets);
    for (size_t i = 0; i < old_count; i++)
        while (old[i]) {
            struct link *link = old[i];
            old[i] = link->next;
            struct link **bucket = bucket_of(links, link->device, link->inode);
            link->next = *bucket;
            *bucket = link;
        }
    free(old);
}

void files_links_remember(struct files_links *links, const struct stat *stat, const char *member)
{
    size_t length = strlen(member);
    if (links->bytes + sizeof(struct link) + length > links->limit) {
        links->lost++;
        return;
    }
    if (links->count >= links->bucket_count)
        double_buckets(links);
    struct link *link = mem_alloc(1, sizeof *link + length + 1);
    link->device = stat->st_dev;
    link->inode = stat->st_ino;
    link->awaited = stat->st_nlink - 1;
    memcpy(link->member, member, length + 1);
    struct link **bucket = bucket_of(links, stat->st_dev, stat->st_ino);
    link->next = *bucket;
    *bucket = link;
    links->bytes += cost(link);
    links->count++;
}

uint64_t files_links_lost(const struct files_links *links)
{
    return links->lost;
}
