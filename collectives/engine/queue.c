/*
 * queue.c - who advances a run, and who waits for it
 *
 *   here     the caller's thread alone: flags only, nothing else in the group's
 *            queue.  It looks, then lets others have the core, then sleeps.
 *   queued   the loop, one run of a group after the other; the caller waits in
 *            the loop, or comes back later.
 *
 * A sleeper is counted in the slice, so that who raises a flag knows whether
 * bells must be rung.
 */
#include "collectives/engine/run.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>

/* ---- the loop ---- */

static void count_sleeper(struct rpt_team *team, int n)
{
    if (team->slice.head != NULL) {
        atomic_fetch_add(&team->slice.head->n_sleeping, (uint32_t)n);
    }
}

static void pop(struct rpt_team *team, rpt_status_t status)
{
    struct rpt_run *run = STAILQ_FIRST(&team->queue);

    STAILQ_REMOVE_HEAD(&team->queue, link);
    if (STAILQ_EMPTY(&team->queue)) {
        LIST_REMOVE(team, busy);
        count_sleeper(team, -1);
    }
    run->status = status;
    atomic_store(&run->state, RPT_RUN_OVER);
    atomic_fetch_sub(&team->n_queued, 1);
    if (run->on_over != NULL) {
        run->on_over(run);
    }
}

/* The number of steps that were taken. */
static int advance_team(struct rpt_team *team)
{
    int n = 0;

    while (!STAILQ_EMPTY(&team->queue)) {
        struct rpt_run *run = STAILQ_FIRST(&team->queue);
        uint64_t before = run->n_taken;
        rpt_status_t status = rpt__group_is_failed(team->group)
                                  ? rpt__group_failure(team->group)
                                  : rpt__run_advance(run);

        n += (int)(run->n_taken - before);
        if (status == RPT_PENDING) {
            break;
        }
        pop(team, status);
        n++;
    }
    return n;
}

static int poll(struct rpt_poller *poller)
{
    struct rpt_colls *colls =
        (struct rpt_colls *)(void *)((char *)poller -
                                     offsetof(struct rpt_colls, poller));
    struct rpt_team *team = LIST_FIRST(&colls->busy);
    int n = 0;

    while (team != NULL) {
        struct rpt_team *next = LIST_NEXT(team, busy);

        n += advance_team(team);
        team = next;
    }
    return n;
}

static void colls_release(void *data)
{
    struct rpt_colls *colls = data;

    rpt__engine_remove(rpt__comm_engine(colls->comm), &colls->poller);
    rpt__early_destroy(colls->early);
    free(colls);
}

rpt_status_t rpt__colls_of(struct rpt_comm *comm, struct rpt_colls **colls_out)
{
    struct rpt_colls *colls = rpt__comm_attached(comm);
    rpt_status_t status;

    if (colls == NULL) {
        colls = calloc(1, sizeof *colls);
        if (colls == NULL) {
            return rpt__fail_nomem(sizeof *colls);
        }
        colls->comm = comm;
        LIST_INIT(&colls->busy);
        status = rpt__early_create(comm, &colls->early);
        if (status != RPT_OK) {
            free(colls);
            return status;
        }
        colls->poller = (struct rpt_poller){ .name = "collectives",
                                             .poll = poll };
        rpt__engine_add(rpt__comm_engine(comm), &colls->poller);
        rpt__comm_attach(comm, colls, colls_release);
    }
    *colls_out = colls;
    return RPT_OK;
}

/* ---- queued ---- */

void rpt__run_queue(struct rpt_run *run)
{
    struct rpt_team *team = run->team;

    rpt__run_begin(run);
    atomic_store(&run->state, RPT_RUN_QUEUED);
    atomic_fetch_add(&team->n_queued, 1);
    if (STAILQ_EMPTY(&team->queue)) {
        LIST_INSERT_HEAD(&team->colls->busy, team, busy);
        count_sleeper(team, 1);
    }
    STAILQ_INSERT_TAIL(&team->queue, run, link);
    if (advance_team(team) > 0) {
        rpt__engine_tell(team->engine);
    }
    if (!STAILQ_EMPTY(&team->queue)) {
        rpt__engine_ring(team->engine); /* the loop may sleep */
    }
}

static bool is_over(void *arg)
{
    const struct rpt_run *run = arg;

    return atomic_load(&run->state) == RPT_RUN_OVER;
}

/* A failure that this rank has found. */
static void end_early(struct rpt_run *run, rpt_status_t status)
{
    struct rpt_team *team = run->team;

    while (!is_over(run)) {
        pop(team, status);
    }
}

rpt_status_t rpt__run_wait(struct rpt_run *run)
{
    struct rpt_late late = rpt__late_from_now(run->team);

    while (!is_over(run)) {
        double next = rpt__late_next_s(&late), left = next - rpt__now_s();
        rpt_status_t status = rpt__comm_wait(run->team->comm, is_over, run,
                                             isinf(next) ? -1
                                             : left > 0  ? left
                                                         : 0);

        if (status == RPT_PENDING) {
            status = rpt__late(&late, run);
        }
        if (status < RPT_OK) {
            end_early(run, status);
        }
    }
    atomic_store(&run->state, RPT_RUN_IDLE);
    return run->status;
}

/* ---- here ---- */

/* Whether it may go on. */
static bool look(struct rpt_run *run)
{
    const struct rpt_team *team = run->team;
    uint64_t value = 0;
    const _Atomic uint64_t *flag = rpt__run_flag(run, &value);

    if (flag == NULL) {
        return true; /* it waits for its block: cheap enough to try */
    }
    for (int i = 0; i < team->n_spins; i++) {
        if (atomic_load_explicit(flag, memory_order_acquire) >= value) {
            return true;
        }
        rpt__cpu_relax();
    }
    for (int i = 0; i < team->n_yields; i++) {
        sched_yield();
        if (atomic_load_explicit(flag, memory_order_acquire) >= value) {
            return true;
        }
    }
    return false;
}

static bool may_go_on(void *arg)
{
    struct rpt_run *run = arg;
    uint64_t value = 0;
    const _Atomic uint64_t *flag = rpt__run_flag(run, &value);

    if (rpt__group_is_failed(run->team->group)) {
        return true;
    }
    return flag != NULL
               ? atomic_load_explicit(flag, memory_order_acquire) >= value
               : rpt__run_is_free(run);
}

/* Sleeps in the loop until the flag is raised. */
static rpt_status_t sleep_for_flag(struct rpt_run *run, struct rpt_late *late)
{
    struct rpt_team *team = run->team;
    rpt_status_t status;

    rpt__engine_lock(team->engine);
    count_sleeper(team, 1);
    if (late->notice_s == 0) {
        *late = rpt__late_from_now(team);
    }
    do {
        double next = rpt__late_next_s(late), left = next - rpt__now_s();

        status = rpt__comm_wait(team->comm, may_go_on, run,
                                isinf(next) ? -1
                                : left > 0  ? left
                                            : 0);
        if (status == RPT_PENDING) {
            status = rpt__late(late, run);
        }
    } while (status == RPT_OK && !may_go_on(run));
    if (status == RPT_OK && rpt__group_is_failed(team->group)) {
        status = rpt__group_failure(team->group);
    }
    count_sleeper(team, -1);
    rpt__engine_unlock(team->engine);
    return status;
}

rpt_status_t rpt__run_here(struct rpt_run *run)
{
    struct rpt_late late = { 0, 0, 0 };
    rpt_status_t status;

    run->is_here = true;
    rpt__run_begin(run);
    while ((status = rpt__run_advance(run)) == RPT_PENDING) {
        if (!look(run) || (!run->begun && !rpt__run_is_free(run))) {
            status = sleep_for_flag(run, &late);
            if (status < RPT_OK) {
                break;
            }
        }
    }
    run->is_here = false;
    return status;
}
