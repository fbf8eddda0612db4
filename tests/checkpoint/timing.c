/*
 * timing.c - when a checkpoint is due
 */
#include "world.h"
#include "tables.h"

#include "base/clock.h"
#include "io/checkpoint/checkpoint_priv.h"
#include "io/checkpoint/due.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The figures of the paper's formula, in minutes: cost 5, failures every 24 h,
 * 6 h, 15 min. */
static void the_interval_is_that_of_daly(void)
{
    CHECK(fabs(rpt_checkpoint_interval(5 * 60, 24 * 3600) / 60 - 116.69) <
          0.01);
    CHECK(fabs(rpt_checkpoint_interval(5 * 60, 6 * 3600) / 60 - 56.71) < 0.01);
    CHECK(fabs(rpt_checkpoint_interval(5 * 60, 15 * 60) / 60 - 9.14) < 0.01);
    CHECK(fabs(rpt_checkpoint_interval(30, 15) - 15) < 1e-9);
    CHECK(fabs(rpt_checkpoint_interval(31, 15) - 15) < 1e-9);
    CHECK(!(rpt_checkpoint_interval(0, 15) > 0));
    CHECK(!(rpt_checkpoint_interval(1, 0) > 0));
    CHECK(!(rpt_checkpoint_interval(-1, 5) > 0));
    CHECK(!(rpt_checkpoint_interval(NAN, 5) > 0));
    CHECK(!(rpt_checkpoint_interval(1, INFINITY) > 0));
}

/* It is where the expected time is least: of a run of one hour of work, by
 * Daly's model of exponential failures, M e^(R/M) (e^((t+d)/M) - 1) / t. */
static double waste(double t, double cost, double mtbf)
{
    return mtbf * (exp((t + cost) / mtbf) - 1) / t;
}

static void no_other_interval_loses_less(void)
{
    static const double costs[] = { 0.1, 1, 10, 60 };
    static const double mtbfs[] = { 600, 3600, 86400 };

    for (int i = 0; i < 12; i++) {
        double cost = costs[i % 4], mtbf = mtbfs[i / 4];
        double best = rpt_checkpoint_interval(cost, mtbf);

        CHECK(waste(best, cost, mtbf) < waste(best * 0.9, cost, mtbf));
        CHECK(waste(best, cost, mtbf) < waste(best * 1.1, cost, mtbf));
    }
}

/* ---- the rules, without a clock ---- */

static void each_rule_says_when(void)
{
    struct rpt_due_rules none = { .every = 0 }, rules;
    struct rpt_due_state s = { .now_s = 1000,
                               .opened_s = 0,
                               .last_s = 900,
                               .iteration = 20,
                               .last_iteration = 10,
                               .cost_s = 2,
                               .spent_s = 8 };

    CHECK(rpt__due(&none, &s) == RPT_DUE_NO);
    rules = (struct rpt_due_rules){ .every = 10 };
    CHECK(rpt__due(&rules, &s) == RPT_DUE_ITERATIONS);
    s.iteration = 19;
    CHECK(rpt__due(&rules, &s) == RPT_DUE_NO);
    s.iteration = 35; /* steps of 7 pass multiples by */
    s.last_iteration = 28;
    CHECK(rpt__due(&rules, &s) == RPT_DUE_ITERATIONS);
    rules = (struct rpt_due_rules){ .interval_s = 100 };
    CHECK(rpt__due(&rules, &s) == RPT_DUE_SECONDS);
    rules.interval_s = 101;
    CHECK(rpt__due(&rules, &s) == RPT_DUE_NO);
    rules = (struct rpt_due_rules){ .by_daly = true, .mtbf_s = 2400 };
    CHECK(rpt__due(&rules, &s) == RPT_DUE_DALY); /* 97 s */
    rules.mtbf_s = 2700;                         /* 103 s */
    CHECK(rpt__due(&rules, &s) == RPT_DUE_NO);
    s.cost_s = 0; /* the first one is taken at once */
    CHECK(rpt__due(&rules, &s) == RPT_DUE_DALY);
    s.cost_s = 2;
    rules = (struct rpt_due_rules){ .interval_s = 1, .overhead = 0.01 };
    CHECK(rpt__due(&rules, &s) == RPT_DUE_SECONDS); /* 10 of 1002 s */
    rules.overhead = 0.009;
    CHECK(rpt__due(&rules, &s) == RPT_DUE_NO);
    rules = (struct rpt_due_rules){ .end_s = 1100, .before_end_s = 98 };
    CHECK(rpt__due(&rules, &s) == RPT_DUE_END);
    rules.before_end_s = 97;
    CHECK(rpt__due(&rules, &s) == RPT_DUE_NO);
    s.save_s = 3; /* in the background */
    CHECK(rpt__due(&rules, &s) == RPT_DUE_END);
    rules = (struct rpt_due_rules){ .before_end_s = 98 }; /* not known */
    CHECK(rpt__due(&rules, &s) == RPT_DUE_NO);
}

/* ---- on all ranks ---- */

static rpt_checkpoint_t *open_task(struct world *w, double *value)
{
    rpt_checkpoint_t *c = NULL;

    WORKS(rpt_checkpoint_open(w->group, w->folder, "t", NULL, &c));
    WORKS(rpt_checkpoint_add_value(c, "v", RPT_TYPE_F64, 1, value));
    return c;
}

static int due_at(rpt_checkpoint_t *c, uint64_t iteration)
{
    int due = -1;

    WORKS(rpt_checkpoint_due(c, iteration, &due));
    return due;
}

static void count_iterations(struct world *w)
{
    double value = 0;
    rpt_checkpoint_t *c = open_task(w, &value);
    int n = 0;

    for (uint64_t i = 1; i <= 20; i++) {
        if (due_at(c, i) != RPT_DUE_NO) {
            CHECK(due_at(c, i) == RPT_DUE_ITERATIONS);
            CHECK(i % 6 == 0);
            WORKS(n++ % 2 == 0 ? rpt_checkpoint_save(c, i)
                               : rpt_checkpoint_save_async(c, i));
            CHECK(due_at(c, i + 1) == RPT_DUE_NO); /* under way or over */
            WORKS(rpt_checkpoint_wait(c));
            CHECK(due_at(c, i) == RPT_DUE_NO);
        }
    }
    CHECK(n == 3);
    rpt_checkpoint_close(c);
}

static void it_is_due_every_so_many_iterations(void)
{
    on_all(1, "io.checkpoint.every=6", count_iterations);
}

static void ask_badly(struct world *w)
{
    double value = 0;
    rpt_checkpoint_t *c = open_task(w, &value);
    int due = -1;

    FAILS(RPT_ERR_MISMATCH, "different iterations",
          rpt_checkpoint_due(c, (uint64_t)w->rank, &due));
    CHECK(due == -1);
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_due(c, 1, NULL));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_due(NULL, 1, &due));
    CHECK(due_at(c, 1) == RPT_DUE_NO);
    rpt_checkpoint_close(c);
}

static void ranks_ask_about_the_same_iteration(void)
{
    on_all(2, NULL, ask_badly);
}

static void halt(struct world *w)
{
    double value = 0;
    rpt_checkpoint_t *c;

    /* A task may be called so. */
    CHECK(w->rank > 0 || mkdir(path_of(w, "HALT", NULL), 0755) == 0);
    meet(w);
    c = open_task(w, &value);
    CHECK(due_at(c, 1) == RPT_DUE_NO);
    rpt_checkpoint_close(c);
    meet(w);
    if (w->rank == 0) {
        FILE *file = rmdir(path_of(w, "HALT", NULL)) == 0
                         ? fopen(path_of(w, "HALT", NULL), "w")
                         : NULL;

        CHECK(file != NULL);
        fclose(file);
    }
    meet(w);
    c = open_task(w, &value);
    CHECK(due_at(c, 1) == RPT_DUE_HALT);
    CHECK((due_at(c, 1) & RPT_DUE_STOP) != 0);
    rpt_checkpoint_close(c);
}

static void a_halt_file_ends_it(void)
{
    on_all(1, NULL, halt);
}

/* The last rank gets the signal; all are told. */
static void signal_one(struct world *w)
{
    double value = 0;
    rpt_checkpoint_t *c = open_task(w, &value);

    CHECK(due_at(c, 1) == RPT_DUE_NO);
    meet(w);
    if (w->rank == w->size - 1) {
        raise(SIGUSR1);
    }
    meet(w);
    CHECK(due_at(c, 1) == RPT_DUE_SIGNAL);
    rpt_checkpoint_close(c);
}

static volatile sig_atomic_t n_signals;

static void note_signal(int number)
{
    (void)number;
    n_signals++;
}

static void a_signal_to_one_rank_is_heard_by_all(void)
{
    struct sigaction action = { .sa_handler = note_signal }, now;

    /* The program's own handler is called too, and is there again after. */
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    n_signals = 0;
    on_all(1, "io.checkpoint.signals=SIGUSR1,TERM", signal_one);
    CHECK(sigaction(SIGUSR1, NULL, &now) == 0);
    CHECK(now.sa_handler == note_signal);
    CHECK(n_signals > 0 || over_mpi);
    signal(SIGUSR1, SIG_DFL);
}

/* The program sets its own while checkpoints are open, which calls ours. */
static struct sigaction found_before;

static void call_before(int number, siginfo_t *info, void *context)
{
    n_signals++;
    found_before.sa_sigaction(number, info, context);
}

static void set_late(struct world *w)
{
    struct sigaction action = { .sa_flags = SA_SIGINFO }, now;
    double value = 0;
    rpt_checkpoint_t *c = open_task(w, &value);

    action.sa_sigaction = call_before;
    meet(w);
    if (w->rank == 0 || over_mpi) {
        CHECK(sigaction(SIGUSR1, &action, &found_before) == 0);
    }
    meet(w);
    rpt_checkpoint_close(c);
    meet(w);
    CHECK(sigaction(SIGUSR1, NULL, &now) == 0);
    CHECK(now.sa_sigaction == call_before);
    meet(w);
    c = open_task(w, &value);
    meet(w);
    if (w->rank == 0) {
        n_signals = 0;
        raise(SIGUSR1);
        CHECK(n_signals == 1);
    }
    meet(w);
    CHECK(due_at(c, 1) == RPT_DUE_SIGNAL);
    rpt_checkpoint_close(c);
    meet(w);
    signal(SIGUSR1, SIG_DFL);
}

static void a_handler_that_was_set_later_stays(void)
{
    on_all(1, "io.checkpoint.signals=USR1", set_late);
    signal(SIGUSR1, SIG_DFL);
}

static void open_with_signals(struct world *w)
{
    rpt_checkpoint_t *c = NULL;

    FAILS(RPT_ERR_INVALID, "USR1, USR2",
          rpt_checkpoint_open(w->group, w->folder, "t", NULL, &c));
}

static void a_signal_that_is_none_is_refused(void)
{
    on_all(1, "io.checkpoint.signals=USR1,KILL", open_with_signals);
}

static void near_the_end(struct world *w)
{
    char text[64], before[64] = "io.checkpoint.before_end_s=60";
    rpt_options_t *options;
    rpt_checkpoint_t *c = NULL;
    double value = 0;

    options = options_with(before);
    /* Far from it, then near: the same on all ranks. */
    for (int near = 0; near < 2; near++) {
        long end = ((long)time(NULL) / 600 + 2) * 600 - near * 1800;

        snprintf(text, sizeof text, "%ld", end);
        WORKS(rpt_options_set(options, "io.checkpoint.end_at", text));
        WORKS(rpt_checkpoint_open(w->group, w->folder, "t", options, &c));
        WORKS(rpt_checkpoint_add_value(c, "v", RPT_TYPE_F64, 1, &value));
        CHECK(due_at(c, 1) == (near ? RPT_DUE_END : RPT_DUE_NO));
        rpt_checkpoint_close(c);
    }
    rpt_options_destroy(options);
}

static void an_hour_before_the_end(struct world *w)
{
    double value = 0;
    rpt_checkpoint_t *c = open_task(w, &value);

    CHECK(due_at(c, 1) == RPT_DUE_END);
    rpt_checkpoint_close(c);
}

static void it_is_due_before_the_allocation_ends(void)
{
    on_all(1, NULL, near_the_end);
}

/* Before this machine was started, too: that is known, not unknown. */
static void it_is_due_after_the_allocation_has_ended(void)
{
    on_all(1, "io.checkpoint.before_end_s=60 io.checkpoint.end_at=1000000000",
           an_hour_before_the_end);
}

/* Some hours of distance, since ranks look at different moments. */
static void slurm_tells_the_end(void)
{
    char text[64];

    snprintf(text, sizeof text, "%ld", (long)time(NULL) + 3600);
    setenv("SLURM_JOB_END_TIME", text, 1);
    on_all(1, "io.checkpoint.before_end_s=7200", an_hour_before_the_end);
    unsetenv("SLURM_JOB_END_TIME");
}

static atomic_int n_warned;

static void count_warnings(rpt_log_level_t level, const char *message,
                           void *user)
{
    (void)user;
    if (level == RPT_LOG_WARN &&
        strstr(message, "io.checkpoint.end_at") != NULL) {
        n_warned++;
    }
}

static void no_end_is_told(struct world *w)
{
    double value = 0;
    rpt_checkpoint_t *c;

    n_warned = 0;
    meet(w);
    c = open_task(w, &value);
    CHECK(due_at(c, 1) == RPT_DUE_NO);
    CHECK(n_warned == (w->rank == 0 || !over_mpi));
    rpt_checkpoint_close(c);
}

static void an_end_that_nobody_tells_is_warned_of(void)
{
    unsetenv("SLURM_JOB_END_TIME");
    rpt_log_set(count_warnings, NULL);
    on_all(1, "io.checkpoint.before_end_s=60", no_end_is_told);
    rpt_log_set(NULL, NULL);
}

static void by_daly(struct world *w)
{
    double value = 0;
    rpt_checkpoint_t *c = open_task(w, &value);
    rpt_checkpoint_stats_t stats;

    CHECK(due_at(c, 1) == RPT_DUE_DALY);
    WORKS(rpt_checkpoint_save(c, 1));
    CHECK(due_at(c, 2) == RPT_DUE_NO);
    WORKS(rpt_checkpoint_stats(c, &stats));
    CHECK(stats.blocked_s > 0 && stats.total_s > 0);
    CHECK(stats.bytes > 0 || w->rank > 0);
    CHECK(w->rank > 0 ||
          fabs(stats.interval_s -
               rpt_checkpoint_interval(stats.blocked_s, 1e6)) < 1);
    rpt_checkpoint_close(c);
}

static void the_first_by_daly_is_taken_at_once(void)
{
    on_all(1, "io.checkpoint.daly=yes io.checkpoint.mtbf_s=1000000", by_daly);
}

/* ---- the options, with a clock that is set ---- */

/* As if the job had begun, and saved last, so many seconds ago. */
static void set_clock(rpt_checkpoint_t *c, double opened_s, double saved_s,
                      double spent_s, double cost_s)
{
    c->timing.opened_s = rpt__now_s() - opened_s;
    c->timing.last_s = rpt__now_s() - saved_s;
    c->timing.spent_s = spent_s;
    c->timing.cost_s = cost_s;
}

static void wait_for_interval(struct world *w)
{
    double value = 0;
    rpt_checkpoint_t *c = open_task(w, &value);

    CHECK(due_at(c, 1) == RPT_DUE_NO);
    set_clock(c, 1000, 400, 1, 1);
    CHECK(due_at(c, 1) == RPT_DUE_NO);
    set_clock(c, 1000, 600, 1, 1);
    CHECK(due_at(c, 1) == RPT_DUE_SECONDS);
    rpt_checkpoint_close(c);
}

static void it_is_due_every_so_many_seconds(void)
{
    on_all(1, "io.checkpoint.interval_s=500", wait_for_interval);
}

/* 5 % of 1000 s are 50. */
static void spend_much(struct world *w)
{
    double value = 0;
    rpt_checkpoint_t *c = open_task(w, &value);

    set_clock(c, 1000, 600, 40, 8);
    CHECK(due_at(c, 1) == RPT_DUE_SECONDS);
    set_clock(c, 1000, 600, 45, 8);
    CHECK(due_at(c, 1) == RPT_DUE_NO);
    rpt_checkpoint_close(c);
}

static void saves_take_no_more_than_their_share(void)
{
    on_all(1, "io.checkpoint.interval_s=500 io.checkpoint.overhead_percent=5",
           spend_much);
}

/* Two jobs of an hour that failed: a failure an hour. */
static void learn(struct world *w)
{
    static const char events[] =
        "{\"time\": 1000, \"event\": \"open\", \"id\": \"0\"}\n"
        "{\"time\": 4600, \"event\": \"commit\", \"id\": \"1\"}\n"
        "{\"time\": 5000, \"event\": \"open\", \"id\": \"0\"}\n"
        "{\"time\": 8600, \"event\": \"commit\", \"id\": \"2\"}\n";
    double value = 0, interval_s = rpt_checkpoint_interval(2, 8600);
    rpt_checkpoint_t *c = open_task(w, &value);

    rpt_checkpoint_close(c);
    meet(w);
    if (w->rank == 0) {
        FILE *file = fopen(path_of(w, "t", "events.jsonl"), "w");

        CHECK(file != NULL && fputs(events, file) >= 0);
        fclose(file);
    }
    meet(w);
    c = open_task(w, &value);
    CHECK(w->rank > 0 || fabs(c->timing.run_s - 7200) < 1);
    CHECK(w->rank > 0 || c->timing.n_failures == 2);
    /* This one runs since 10000 s. */
    set_clock(c, 10000, interval_s - 5, 1, 2);
    CHECK(due_at(c, 1) == RPT_DUE_NO);
    set_clock(c, 10000, interval_s + 5, 1, 2);
    CHECK(due_at(c, 1) == RPT_DUE_DALY);
    rpt_checkpoint_close(c);
}

static void what_failed_before_says_how_often_jobs_fail(void)
{
    on_all(1, "io.checkpoint.daly=yes", learn);
    /* Five that died after three seconds: 10 min, and less often later. */
    CHECK(fabs(rpt__history_mtbf(5, 15) - 600) < 1e-9);
    CHECK(fabs(rpt__history_mtbf(5, 15 + 9985) - 2000) < 1e-9);
    CHECK(fabs(rpt__history_mtbf(0, 1e6) - 86400) < 1e-9);
}

const struct rpt_test timing_tests[] = {
    RPT_TEST(the_interval_is_that_of_daly),
    RPT_TEST(no_other_interval_loses_less),
    RPT_TEST(each_rule_says_when),
    RPT_TEST(it_is_due_every_so_many_iterations),
    RPT_TEST(ranks_ask_about_the_same_iteration),
    RPT_TEST(a_halt_file_ends_it),
    RPT_TEST(a_signal_to_one_rank_is_heard_by_all),
    RPT_TEST(a_handler_that_was_set_later_stays),
    RPT_TEST(a_signal_that_is_none_is_refused),
    RPT_TEST(it_is_due_before_the_allocation_ends),
    RPT_TEST(it_is_due_after_the_allocation_has_ended),
    RPT_TEST(slurm_tells_the_end),
    RPT_TEST(an_end_that_nobody_tells_is_warned_of),
    RPT_TEST(the_first_by_daly_is_taken_at_once),
    RPT_TEST(it_is_due_every_so_many_seconds),
    RPT_TEST(saves_take_no_more_than_their_share),
    RPT_TEST(what_failed_before_says_how_often_jobs_fail),
    RPT_TEST_END,
};
