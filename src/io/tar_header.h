/*
 * One block of tar: the layout that tar.c writes and tar_read.c reads.
 */
#ifndef KEDGE_IO_TAR_HEADER_H
#define KEDGE_IO_TAR_HEADER_H

/* The header block, POSIX.1-1988 with the ustar fields. */
struct tar_header {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6];
    char version[2];
    char user[32];
    char group[32];
    char major[8];
    char minor[8];
    char prefix[155];
    char unused[12];
};

_Static_assert(sizeof(struct tar_header) == 512, "a header is one block");

#endif
