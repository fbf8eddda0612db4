/*
 * world_local.c - ranks as threads, for several numbers of them
 */
#include "world_priv.h"

#include <pthread.h>
#include <stdlib.h>

static const int sizes[] = { 1, 2, 3, 4, 7 };
const bool ranks_are_processes = false;

bool any_thread_may_call(void)
{
    return true;
}

static rpt_status_t run_rank(rpt_context_t *context, void *user)
{
    struct world world = { .context = context,
                           .rank = rpt_context_rank(context),
                           .size = rpt_context_size(context) };
    const world_fn *fn = user;

    (*fn)(&world);
    return RPT_OK;
}

void on_all(int least, int most, const char *settings, world_fn fn)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (sizes[i] >= least && sizes[i] <= most) {
            rpt_options_t *options;

            world_begins(sizes[i], true);
            options = options_with(settings);
            CHECK(rpt_local_run(sizes[i], options, run_rank, &fn) == RPT_OK);
            rpt_options_destroy(options);
            world_ends();
        }
    }
}

int main(int argc, char *argv[])
{
    static struct board here;
    struct rpt_test *tests = all_tests(4096);
    int result;

    board = &here;
    if (tests == NULL) {
        return 1;
    }
    result = rpt_test_main("test_pool", tests, 600, argc, argv);
    free(tests);
    return result;
}
