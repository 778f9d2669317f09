/*
 * One line of the index at a time: from bytes that arrive in any pieces to the visitor's calls.
 */
#ifndef KEDGE_ARTIFACT_INDEX_LINES_H
#define KEDGE_ARTIFACT_INDEX_LINES_H

#include "base/buf.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct index_visitor;

/* The first line of every index, and what stands before each line in SQL. */
#define INDEX_HEADER "{\"kedge-index\":1}"
#define INDEX_COMMENT "-- "

struct index_lines {
    const struct index_visitor *visitor;
    bool comments; /* each line begins with INDEX_COMMENT */
    uint64_t number;
    struct buf line;
};

void index_lines_init(struct index_lines *lines, const struct index_visitor *visitor,
                      bool comments);
void index_lines_clear(struct index_lines *lines);

/* 0, what the visitor said, or -1. */
int index_lines_feed(struct index_lines *lines, const void *data, size_t size, struct error *err);
/* After the last byte. */
int index_lines_finish(struct index_lines *lines, struct error *err);

#endif
