/*
 * meaning.h - what a collective operation means, in symbols
 */
#ifndef RPT_TESTS_COLLECTIVES_MEANING_H
#define RPT_TESTS_COLLECTIVES_MEANING_H

#include "collectives/algorithm/algorithm.h"
#include "collectives/simulate.h"

enum { MAX_P = 64, STAGE = 40, N_KINDS = RPT_COLL_EXSCAN + 1 };

/* A sanitizer looks at the code, which takes it some minutes, and so does a
 * short run (RPT_TEST_SHORT is set): not at every number of ranks. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { EVERY = 8 };
#else
enum { EVERY = 1 };
#endif
int every(void);
int next_number(int p);

/* How ranks compare their calls first: pattern/checked.h, engine/meet.c. */
enum check_first { UNCHECKED, BY_MESSAGES, BY_MEETING };

/* A call, as all ranks make it. */
struct call {
    rpt_coll_kind_t kind;
    struct rpt_case c;
    size_t *counts, *starts, *offsets; /* of blocks of different sizes */
    size_t *all_counts; /* all-to-all: from rank s to rank d, by s p + d  */
    size_t *all_starts; /* ... where they are in the input of s           */
    size_t *in_starts;  /* ... where they come to in the output, by d p + s */
    size_t *in_counts;
    const int *node_of;     /* by rank; NULL: one node      */
    const bool *has_stages; /* ... of several               */
    enum check_first check_first;
};

size_t *numbers(size_t n);
/* Ranks of one node, blocks of the same size. */
void fill(struct rpt_case *c, int p, size_t count, size_t segment);
void make_uneven(struct call *call, size_t most);
void make_uneven_alltoall(struct call *call, size_t most);
void call_free(struct call *call);
struct rpt_case case_of(const struct call *call, int rank);

/* Elements of a rank's buffers. */
void sizes_of(rpt_coll_kind_t kind, const struct rpt_case *c, size_t *input,
              size_t *output);
/* Whether the last run gave a rank what it should. */
bool is_right(const struct call *call, int rank,
              const struct rpt_simulation *sim, bool in_place);
bool has_blocks(rpt_coll_kind_t kind);
/* Whether the input may be in the output as the simulator understands it. */
bool can_be_in_place(rpt_coll_kind_t kind);
bool has_order(rpt_coll_kind_t kind);

#endif /* RPT_TESTS_COLLECTIVES_MEANING_H */
