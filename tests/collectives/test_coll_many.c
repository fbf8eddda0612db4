/*
 * test_coll_many.c - collective operations of more ranks than there are cores
 *
 * 19 ranks, which are threads: no power of two, no multiple of anything; on one
 * node, on three that share nothing (7, 6 and 6 ranks), and by messages alone.
 */
#include "job.h"
#include "operations.h"

#include <stdlib.h>

enum { N_RANKS = 19 };

/* The others are for the long run: so many threads take their time. */
static void on_layout(size_t usual, void (*fn)(rpt_group_t *group))
{
    static const char *const one[] = { NULL };
    static const char *const three[] = { "topo.virtual_nodes", "3", NULL };
    static const char *const none[] = { "comm.shared_bytes", "0", NULL };
    static const char *const *const layouts[] = { one, three, none };
    bool is_long = getenv("RPT_TEST_LONG") != NULL;

    for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++) {
        struct job job = { .fn = fn };

        if (is_long || k == usual) {
            run_job(N_RANKS, layouts[k], &job);
        }
    }
}

#define ON_LAYOUT(usual, name, fn)                                             \
    static void name(void)                                                     \
    {                                                                          \
        on_layout(usual, fn);                                                  \
    }

ON_LAYOUT(1, every_form_is_right, every_form_of_call)
ON_LAYOUT(1, nan_and_zero_are_as_in_a_loop, special_numbers)
ON_LAYOUT(0, operators_of_users_keep_the_order, operators_of_users)
ON_LAYOUT(2, blocks_may_differ, blocks_of_different_sizes)
ON_LAYOUT(0, ranks_agree_to_the_bit, all_ranks_have_the_same_bits)

static const struct rpt_test tests[] = {
    RPT_TEST(every_form_is_right),
    RPT_TEST(nan_and_zero_are_as_in_a_loop),
    RPT_TEST(operators_of_users_keep_the_order),
    RPT_TEST(blocks_may_differ),
    RPT_TEST(ranks_agree_to_the_bit),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("collectives many ranks", tests, 900, argc, argv);
}
