/*
 * state.h - a state with every kind of item, whose values are a formula
 *
 * Arrays of 1 to 8 dimensions divided by rows, by columns, in the middle with
 * ghost cells, to one rank only, with gaps; types of 1, 2, 3, 4, 8 and 16
 * bytes; values, also empty ones; a blob of another length on each rank.
 */
#ifndef RPT_TESTS_CHECKPOINT_STATE_H
#define RPT_TESTS_CHECKPOINT_STATE_H

#include "world.h"

enum { N_FIELDS = 9, TABLE = 5 };

struct state {
    rpt_checkpoint_array_t fields[N_FIELDS];
    double time;
    int32_t table[TABLE];
    unsigned char *blob;
    uint64_t blob_bytes;
    int rank, size;
    int n_savers; /* ranks that saved what is restored; 0: as many */
    rpt_blob_policy_t policy;
    int n_unpacked; /* blobs that came back ...                */
    int seed;       /* ... of this seed; -1: pack() shall fail */
    bool is_good;   /* ... and were right                      */
};

/* From now on the large fields have a hundredth of their bytes, or not. */
void state_shrink(bool small);
/* Of rank `rank` of `size`; turned: rows and columns are divided otherwise. */
void state_make(struct state *state, int rank, int size, bool turned);
void state_free(struct state *state);
/* The values of a seed. */
void state_fill(struct state *state, int seed);
/* Something else everywhere, ghost cells too. */
void state_spoil(struct state *state);
/* Whether all values are those of the seed; ghost cells are still spoilt. */
bool state_is(struct state *state, int seed);
/* Adds all items. */
void state_add(struct state *state, rpt_checkpoint_t *checkpoint);

/* What a checkpoint in a task's folder is found to be, all of it. */
rpt_status_t verdict(const char *task, const char *name);

#endif /* RPT_TESTS_CHECKPOINT_STATE_H */
