/*
 * An operating system that fails on demand.
 *
 * It counts the calls that go through the table and, at call number `at` (from 1), does one of the
 * things below. With FAULT_NONE it only counts, which tells how many cases there are: run once,
 * then once per call.
 */
#ifndef KEDGE_TESTS_HARNESS_OS_FAULTY_H
#define KEDGE_TESTS_HARNESS_OS_FAULTY_H

#include "base/os.h"

#include <stdbool.h>

enum fault {
    FAULT_NONE,
    FAULT_EIO,       /* that one call fails with EIO */
    FAULT_NO_SPACE,  /* from that call on every call that needs room fails with ENOSPC */
    FAULT_SHORT,     /* that write is cut to half, reads and writes before it are whole */
    FAULT_INTERRUPT, /* that call fails once with EINTR where it may */
    FAULT_DEAD, /* from that call on nothing has any effect any more: every call fails with EIO */
    FAULT_KILL, /* the process ends there, as by kill -9 */
};

/* A fresh one over os_real(). There is one at a time; calling again starts the count anew. */
struct os *os_faulty(enum fault fault, long at);

/* Calls so far. */
long os_faulty_calls(void);

/* From KEDGE_TEST_FAULT="kill:17" (eio, nospace, short, interrupt, dead); os_faulty(FAULT_NONE, 0)
 * when it is not set. */
struct os *os_faulty_from_environment(void);

/* Count a call that another library makes (the SQLite VFS shim): 0 to go on, else the errno to fail
 * with. */
int os_faulty_count(bool needs_room);

#endif
