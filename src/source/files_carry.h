/*
 * What a member carries besides its content, put onto what was made from it: owner, extended
 * attributes, ACLs, mode and times, in the order in which none undoes another.
 */
#ifndef KEDGE_SOURCE_FILES_CARRY_H
#define KEDGE_SOURCE_FILES_CARRY_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct error;
struct files_names;
struct os;
struct tar_member;

/* One per thread. */
struct files_carrier {
    struct os *os;
    struct files_names *names;
    struct buf acl;
    bool no_owner;
    bool root;
    uint64_t owners_lost, attributes_lost; /* what this system did not take */
};

void files_carrier_init(struct files_carrier *carrier, struct os *os, bool no_owner);
void files_carrier_clear(struct files_carrier *carrier);

/* Onto an open file or folder. */
int files_carry_open(struct files_carrier *carrier, int fd, const struct tar_member *member,
                     struct error *err);

/* Onto `name` in `folder`: a symbolic link, fifo or device that was just made there. */
int files_carry_name(struct files_carrier *carrier, int folder, const char *name,
                     const struct tar_member *member, struct error *err);

#endif
