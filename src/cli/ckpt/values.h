/*
 * values.h - the values of a part of a dataset, printed
 */
#ifndef CLI_CKPT_VALUES_H
#define CLI_CKPT_VALUES_H

#include "cli/args.h"
#include "cli/text.h"

#include <repartir/catalog.h>

#include <stdbool.h>

struct values {
    const char *dataset; /* NULL: none */
    uint64_t start[RPT_CHECKPOINT_DIMS];
    uint64_t count[RPT_CHECKPOINT_DIMS];
    int n_start, n_count; /* 0: not given */
};

/* "1,20": 0, or EINVAL after argp_error(). */
int values_take_list(struct argp_state *state, const char *name,
                     const char *text, uint64_t list[], int *n_out);

/* CODE_OK, or a code after its fault was printed. */
int values_add(struct text *text, const struct values *values,
               rpt_stored_t *stored, bool json);

#endif /* CLI_CKPT_VALUES_H */
