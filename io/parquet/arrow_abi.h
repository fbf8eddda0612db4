/*
 * arrow_abi.h - the two structs of Arrow's C data interface
 *
 * They are the whole of what a producer of columns and a library of Arrow have
 * to agree on, and do not change any more:
 * https://arrow.apache.org/docs/format/CDataInterface.html.  The macro is the
 * one by which that page lets headers share the definition.
 */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#include <stdint.h>

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

/* A type: of a column, or of a table with the columns as children. */
struct ArrowSchema {
    const char *format;
    const char *name;
    const char
        *metadata; /* int32: pairs; of each int32 bytes, key, and value */
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *schema); /* NULL: it is released */
    void *private_data;
};

/* Values of such a type. */
struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *array); /* NULL: it is released */
    void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */
