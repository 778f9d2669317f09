/*
 * Folders for tests, which are gone when the test program is, whatever ended it.
 *
 * The first one asked for starts a keeper: a process that waits for the end of this one and of the
 * children it forked, and then removes all of them. So a crash, a timeout or a kill leaves nothing.
 */
#ifndef KEDGE_TESTS_HARNESS_SCRATCH_H
#define KEDGE_TESTS_HARNESS_SCRATCH_H

/* A new and empty folder. Removing it is allowed, not needed. */
void scratch_folder(char ret_path[static 64]);

/* The same in memory, where that can be had: for tests that sync much and are not about disks. */
void scratch_folder_in_memory(char ret_path[static 64]);

/* The path of a new and empty file of mode 0600. */
void scratch_file(char ret_path[static 64]);

#endif
