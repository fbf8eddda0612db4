/*
 * gpus.c - which GPUs a program is told, on each rank of a host
 *
 * Every rank has two units.  One program for each rank asks for both, and waits
 * at a pipe until all of them run: so each rank has one.
 */
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 4 };

static const char *const *expected; /* by rank */

static void look_at_gpus(struct world *w)
{
    char line[TEXT_BYTES + 128], text[128];
    const char *pipe = scratch_path("pipe");
    rpt_future_t *futures[MOST];
    bool seen[MOST] = { false };
    int fd;

    CHECK(mkfifo(pipe, 0600) == 0);
    fd = open(pipe, O_RDWR | O_CLOEXEC);
    snprintf(line, sizeof line,
             "read x <%s; echo \"$CUDA_VISIBLE_DEVICES\" $CUDA_DEVICE_ORDER "
             "$RPT_RESOURCE_GPU",
             pipe);
    for (int i = 0; i < w->size; i++) {
        rpt_task_t *task = task_shell(line);

        CHECK(rpt_task_set_resource(task, "gpu", 2) == RPT_OK);
        futures[i] = submit(w->pool, task);
    }
    wait_running(w->pool, (uint64_t)w->size);
    for (int i = 0; i < w->size; i++) {
        CHECK(write(fd, "a\n", 2) == 2);
    }
    for (int i = 0; i < w->size; i++) {
        const rpt_result_t *result = ended(futures[i], RPT_OUTCOME_OK);

        if (result != NULL && CHECK(!seen[result->rank])) {
            int r = result->rank;

            seen[r] = true;
            snprintf(text, sizeof text, "%s PCI_BUS_ID %d,%d\n", expected[r],
                     2 * r, 2 * r + 1);
            CHECK(stdout_is(result, text));
        }
        rpt_future_destroy(futures[i]);
    }
    close(fd);
}

/* visible: what the ranks themselves are told, NULL: nothing. */
static void look_with(const char *visible, const char *const by_rank[])
{
    if (visible != NULL) {
        setenv("CUDA_VISIBLE_DEVICES", visible, 1);
    } else {
        unsetenv("CUDA_VISIBLE_DEVICES");
    }
    expected = by_rank;
    drive(1, MOST, "pool.slots=2 pool.resources=gpu=2", look_at_gpus);
    unsetenv("CUDA_VISIBLE_DEVICES");
}

static void without_a_list_units_are_the_hosts_gpus(void)
{
    static const char *const by_rank[] = { "0,1", "2,3", "4,5", "6,7" };

    look_with(NULL, by_rank);
}

static void hidden_gpus_stay_hidden(void)
{
    static const char *const by_rank[] = { "", "", "", "" };

    look_with("", by_rank);
}

static void a_list_for_the_host_is_shared_by_its_ranks(void)
{
    static const char *const by_rank[] = { "9,8", "15,14", "3,2", "11,10" };

    look_with("9,8,15,14,3,2,11,10", by_rank);
}

static void a_list_of_one_ranks_units_is_its_own(void)
{
    static const char *const by_rank[] = { "7,3", "7,3", "7,3", "7,3" };

    look_with("7,3", by_rank);
}

static void gpus_may_have_names(void)
{
    static const char *const by_rank[] = { "GPU-8932f937-d72c,GPU-1f3a",
                                           "MIG-GPU-77/1/0,GPU-b2",
                                           "GPU-c0,GPU-c1", "GPU-d0,GPU-d1" };
    static const char *const own[] = { "GPU-5e,GPU-11", "GPU-5e,GPU-11",
                                       "GPU-5e,GPU-11", "GPU-5e,GPU-11" };

    look_with("GPU-8932f937-d72c,GPU-1f3a,MIG-GPU-77/1/0,GPU-b2,GPU-c0,GPU-c1,"
              "GPU-d0,GPU-d1",
              by_rank);
    look_with("GPU-5e,GPU-11", own);
}

const struct pool_test gpus_tests[] = {
    TEST(without_a_list_units_are_the_hosts_gpus),
    TEST(hidden_gpus_stay_hidden),
    TEST(a_list_for_the_host_is_shared_by_its_ranks),
    TEST(a_list_of_one_ranks_units_is_its_own),
    TEST(gpus_may_have_names),
    TEST_END,
};
