/*
 * POSIX ACLs between the two forms they live in: the kernel's (the value of
 * system.posix_acl_access and _default) and the text an archive carries.
 *
 * The text is what GNU tar, star and libarchive exchange: "user::rw-,user:lisa:r--:1001,...".
 * Who has a name is written with it and, as a fourth field, the number; who has none, with the
 * number in the name's place.
 */
#ifndef KEDGE_SOURCE_FILES_ACL_H
#define KEDGE_SOURCE_FILES_ACL_H

#include "base/buf.h"

#include <stddef.h>

struct error;
struct files_names;

#define FILES_ACL_ACCESS "system.posix_acl_access"
#define FILES_ACL_DEFAULT "system.posix_acl_default"

/* Append the text of a kernel value. -1 when it is none that we know. */
int files_acl_to_text(struct files_names *names, const void *value, size_t size, struct buf *text,
                      struct error *err);

/* The kernel value of a text, in `value` (reset first). A name that this machine does not know
 * falls back on the number. -1 with ERROR_CORRUPT. */
int files_acl_from_text(struct files_names *names, const char *text, struct buf *value,
                        struct error *err);

#endif
