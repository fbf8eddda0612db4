/*
 * test_simulate.c - the simulator sees what is wrong with a schedule
 *
 * A right one of two ranks is spoiled in one place, and run until somebody
 * complains.
 */
#include "harness.h"
#include "meaning.h"

#include "base/error.h"
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*break_fn)(struct rpt_schedule schedules[2]);

static void expect_error(const struct rpt_algorithm *algorithm, break_fn spoil,
                         const char *words)
{
    struct rpt_schedule schedules[2];
    const size_t counts[2] = { 8, 8 };
    struct rpt_simulation *sim = NULL;
    struct rpt_case c;
    rpt_status_t status = RPT_OK;

    fill(&c, 2, 8, 8);
    for (int r = 0; r < 2; r++) {
        c.rank = r;
        schedules[r] = (struct rpt_schedule){ .window = 1 };
        algorithm->build(&c, &schedules[r]);
    }
    spoil(schedules);
    CU_ASSERT_FATAL(rpt__simulation_create(2, NULL, &sim) == RPT_OK);
    for (int i = 0; i < 4 && status == RPT_OK; i++) {
        status = rpt__simulation_run(sim, schedules, counts, counts, true);
    }
    CU_ASSERT_EQUAL(status, RPT_ERR_STATE);
    if (strstr(rpt_last_error()->what, words) == NULL) {
        printf("  instead of \"%s\": %s\n", words, rpt_last_error()->what);
        CU_ASSERT(false);
    }
    rpt__simulation_destroy(sim);
    rpt__schedule_free(&schedules[0]);
    rpt__schedule_free(&schedules[1]);
}

/* The n-th step of a kind. */
static struct rpt_step *step_of(struct rpt_schedule *schedule,
                                enum rpt_step_kind kind, int n)
{
    for (size_t i = 0; i < schedule->n_steps; i++) {
        if (schedule->steps[i].kind == kind && n-- == 0) {
            return &schedule->steps[i];
        }
    }
    abort();
}

/* A step that does nothing. */
static void drop(struct rpt_step *step)
{
    *step = (struct rpt_step){ .kind = RPT_STEP_FLUSH, .value = UINT32_MAX };
}

static void drop_wait(struct rpt_schedule schedules[2])
{
    drop(step_of(&schedules[1], RPT_STEP_WAIT, 0));
}

static void drop_signal(struct rpt_schedule schedules[2])
{
    drop(step_of(&schedules[0], RPT_STEP_SIGNAL, 0));
}

static void drop_send(struct rpt_schedule schedules[2])
{
    drop(step_of(&schedules[0], RPT_STEP_SEND, 0));
}

static void drop_flush(struct rpt_schedule schedules[2])
{
    drop(step_of(&schedules[0], RPT_STEP_FLUSH, 0));
}

static void send_less(struct rpt_schedule schedules[2])
{
    step_of(&schedules[1], RPT_STEP_SEND, 0)->count--;
}

static void reach_too_far(struct rpt_schedule schedules[2])
{
    step_of(&schedules[0], RPT_STEP_REDUCE, 0)->to.offset++;
}

static void write_anothers(struct rpt_schedule schedules[2])
{
    step_of(&schedules[0], RPT_STEP_COPY, 0)->to.rank = 1;
}

/* The buffers may be used by others when the rank is done. */
static void drop_last_wait(struct rpt_schedule schedules[2])
{
    drop(step_of(&schedules[1], RPT_STEP_WAIT, 0));
    schedules[1].seen_value = 0;
}

/* Both write the second half of the outputs. */
static void write_the_same(struct rpt_schedule schedules[2])
{
    step_of(&schedules[0], RPT_STEP_REDUCE, 0)->to.offset += 4;
}

static void forget_to_meet(struct rpt_schedule schedules[2])
{
    schedules[0].pulls = schedules[1].pulls = false;
}

static void claim_to_have_seen(struct rpt_schedule schedules[2])
{
    drop_wait(schedules);
    drop(step_of(&schedules[1], RPT_STEP_REDUCE, 0));
}

static void faults_of_schedules_are_found(void)
{
    expect_error(&rpt__allreduce_flat, drop_wait, "without knowing");
    expect_error(&rpt__allreduce_flat, drop_signal, "deadlock");
    expect_error(&rpt__allreduce_flat, write_anothers, "the stage of rank 1");
    expect_error(&rpt__allreduce_flat, claim_to_have_seen, "has not seen");
    expect_error(&rpt__allreduce_pulled, write_the_same,
                 "without knowing that rank 1 has read");
    expect_error(&rpt__allreduce_pulled, drop_last_wait, "is done without");
    expect_error(&rpt__allreduce_pulled, forget_to_meet, "has not met");
    expect_error(&rpt__allreduce_doubling, drop_send, "deadlock");
    expect_error(&rpt__allreduce_doubling, drop_flush, "is sending");
    expect_error(&rpt__allreduce_doubling, send_less, "which wants 8");
    expect_error(&rpt__allreduce_doubling, reach_too_far, "which has 8");
}

static const struct rpt_test tests[] = {
    RPT_TEST(faults_of_schedules_are_found),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("collectives simulate", tests, 60, argc, argv);
}
