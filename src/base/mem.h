/*
 * Memory that does not fail, and variables that clean up after themselves.
 *
 * Small allocations end the process when the machine has none left; buffers fed from outside go
 * through `struct buf`, which knows its maximum. What a function owns is a scoped variable:
 *
 *     SCOPED(string) char *name = mem_format("%s.json", file);
 *     ...
 *     *ret_name = STEAL(name);
 *
 * DEFINE_SCOPED(store, struct store *, store_close) makes SCOPED(store) close what it holds at the
 * end of the block. The function must accept NULL.
 */
#ifndef KEDGE_BASE_MEM_H
#define KEDGE_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

/* Zeroed memory for `count` things of `size` bytes. Ends the process when there is none. Free with
 * free(). */
void *mem_alloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Zeroed, for one struct. */
#define MEM_NEW(type) ((type *)mem_alloc(1, sizeof(type)))

/* `old` (or NULL) grown or shrunk to count * size bytes; new bytes are not zeroed. */
void *mem_resize(void *old, size_t count, size_t size) __attribute__((returns_nonnull));

/* Copies, ended by NUL. mem_string(NULL) is NULL. */
char *mem_string(const char *text);
char *mem_string_n(const char *text, size_t length) __attribute__((malloc, returns_nonnull));

/* printf into fresh memory. */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
char *mem_format_v(const char *format, va_list args)
    __attribute__((format(printf, 1, 0), returns_nonnull));

/* Overwrite `size` bytes in a way the compiler keeps. */
void mem_wipe(void *data, size_t size);

/* Is memory left to the system when the program ends? What a command holds to its end need not be
 * given back piece by piece then. Those who look for leaks build without. */
#ifdef KEDGE_LEAVES_AT_ONCE
#define MEM_LEFT_AT_THE_END true
#else
#define MEM_LEFT_AT_THE_END false
#endif

/* Hand a scoped pointer on: its value, and NULL stays behind. */
#define STEAL(pointer)                                                                             \
    __extension__({                                                                                \
        __typeof__(pointer) stolen_ = (pointer);                                                   \
        (pointer) = NULL;                                                                          \
        stolen_;                                                                                   \
    })

#define DEFINE_SCOPED(name, type, function)                                                        \
    static inline void scoped_##name##_cleanup(type *variable)                                     \
    {                                                                                              \
        function(*variable);                                                                       \
    }                                                                                              \
    struct scoped_##name##_needs_a_semicolon

/* A guard may be used by nothing but its clean-up. */
#define SCOPED(name) __attribute__((cleanup(scoped_##name##_cleanup), unused))

void mem_free_string(char *text);
void mem_free(void *memory);

DEFINE_SCOPED(string, char *, mem_free_string);
DEFINE_SCOPED(memory, void *, mem_free);

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Grow `array` (a pointer lvalue) so that index `count` exists; `capacity` is a size_t lvalue. The
 * array is not NULL after it, which the analyzer does not conclude from the capacity. */
#define ARRAY_GROW(array, count, capacity)                                                         \
    do {                                                                                           \
        if (!(array) || (count) >= (capacity)) {                                                   \
            (capacity) = (capacity) ? (capacity)*2 : 8;                                            \
            (array) = mem_resize((array), (capacity), sizeof *(array));                            \
        }                                                                                          \
    } while (0)

#endif
