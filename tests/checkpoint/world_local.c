/*
 * world_local.c - ranks as threads, for several numbers of them
 */
#include "world.h"

#include <stdlib.h>

const bool over_mpi = false;

struct running {
    world_fn fn;
    const char *folder;
};

static rpt_status_t run_rank(rpt_context_t *context, void *user)
{
    const struct running *running = user;
    struct world world = { context, rpt_group_world(context),
                           rpt_context_rank(context), rpt_context_size(context),
                           running->folder };

    running->fn(&world);
    return RPT_OK;
}

void on_all(int least, const char *settings, world_fn fn)
{
    static const int sizes[] = { 1, 2, 3, 4, 7 };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct running running = { fn, NULL };
        rpt_options_t *options;

        if (sizes[i] < least || (rpt_test_is_short() && sizes[i] > 3)) {
            continue;
        }
        running.folder = scratch_make();
        options = options_with(settings);
        CHECK(rpt_local_run(sizes[i], options, run_rank, &running) == RPT_OK);
        rpt_options_destroy(options);
        scratch_remove(running.folder);
    }
}

int main(int argc, char *argv[])
{
    struct rpt_test *tests = all_tests();
    int result = rpt_test_main(test_suite, tests, 900, argc, argv);

    free(tests);
    return result;
}
