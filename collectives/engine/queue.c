/*
 * queue.c - who advances a run, and who waits for it
 *
 *   here     the caller's thread alone: flags only, nothing else in the group's
 *            queue.  It looks, then lets others have the core, then sleeps.
 *   lazy     started here; the caller comes back to wait.  The loop looks
 *            for such runs every millisecond while there are any, and queues
 *            those that it sees twice.
 *   queued   the loop, one run of a group after the other; the caller waits in
 *            the loop, or comes back later.
 *
 * A sleeper is counted in the slice, so that who raises a flag knows whether
 * bells must be rung.
 */
#include "collectives/engine/run.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fence.h"

#include <math.h>
#include <stdlib.h>

/* Of a start, for the flags of others: to leave the run to the loop and to take
 * it back takes as long. */
enum { START_LOOKS = 8 };

/* For more than one free block: ranks that are fast wait seldom then. */
enum { ROOM_LOOKS = 100 };

/* ---- the loop ---- */

/* Who is counted makes a heavy fence before it looks for the last time. */
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
    run->ended_by = pthread_self();
    if (status < RPT_OK) {
        rpt__run_take_back(run);
    }
    if (run->ops != NULL && status < RPT_OK) {
        run->ops->abort(run);
    }
    atomic_fetch_sub(&team->n_queued, 1);
    if (!run->is_gone(run)) {
        atomic_store(&run->state, RPT_RUN_OVER); /* now it is its owner's */
        rpt__engine_tell(team->engine);          /* who may wait beside this */
    }
}

/* The number of steps that were taken. */
static int advance_team(struct rpt_team *team)
{
    int n = 0;

    while (!STAILQ_EMPTY(&team->queue)) {
        struct rpt_run *run = STAILQ_FIRST(&team->queue);
        uint64_t before = run->n_taken;
        rpt_status_t status = rpt__run_is_failed(run)
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

/* It is counted. */
static void enqueue(struct rpt_run *run)
{
    struct rpt_team *team = run->team;

    atomic_store(&run->state, RPT_RUN_QUEUED);
    if (STAILQ_EMPTY(&team->queue)) {
        LIST_INSERT_HEAD(&team->colls->busy, team, busy);
        count_sleeper(team, 1);
        rpt__engine_fence_sleep(team->engine);
    }
    STAILQ_INSERT_TAIL(&team->queue, run, link);
}

/* ---- lazy runs ---- */

#define LOOK_S 1e-3
/* A device rings no bell: it is asked again when an eighth of the time is over
 * that it has been asked for, within these limits. */
#define ASK_SOON_S 20e-6
#define ASK_LATE_S 1e-3
enum { IDLE_LOOKS = 100 };

/* Takes a lazy run; false: somebody else has it. */
static bool take(struct rpt_run *run)
{
    int lazy = RPT_RUN_LAZY;

    if (!atomic_compare_exchange_strong(&run->state, &lazy, RPT_RUN_TAKEN)) {
        return false;
    }
    atomic_store_explicit(&run->team->lazy, NULL, memory_order_release);
    return true;
}

/* Its owner may come back, or not. */
static void leave(struct rpt_run *run)
{
    struct rpt_team *team = run->team;

    atomic_store_explicit(&run->state, RPT_RUN_LAZY, memory_order_release);
    atomic_store_explicit(&team->lazy, run, memory_order_release);
    rpt__fence_light(team->colls->fences_lightly);
    if (atomic_load_explicit(&team->colls->is_watched, memory_order_relaxed) ==
        0) {
        atomic_store(&team->colls->is_watched, 1);
        rpt__engine_ring(team->engine);
    }
}

void rpt__team_queue_lazy(struct rpt_team *team)
{
    struct rpt_run *run = atomic_load(&team->lazy);

    if (run == NULL) {
        return;
    }
    atomic_fetch_add(&team->n_queued, 1);
    if (take(run)) {
        run->is_here = false;
        enqueue(run);
    } else {
        atomic_fetch_sub(&team->n_queued, 1);
    }
}

void rpt__team_leave(struct rpt_team *team)
{
    while (!STAILQ_EMPTY(&team->queue)) {
        pop(team, RPT_ERR_STATE);
    }
}

/* Nobody looks for some time to come, unless one was left meanwhile. */
static void stop_watching(struct rpt_colls *colls)
{
    const struct rpt_team *team;

    atomic_store(&colls->is_watched, 0);
    rpt__fence_heavy();
    LIST_FOREACH (team, &colls->teams, all) {
        if (atomic_load(&team->lazy) != NULL) {
            atomic_store(&colls->is_watched, 1);
        }
    }
    colls->n_idle_looks = 0;
}

static void look_for_lazy(struct rpt_colls *colls)
{
    struct rpt_team *team;
    double now;

    if (atomic_load(&colls->is_watched) == 0) {
        return;
    }
    now = rpt__now_s();
    if (now < colls->next_look_s) {
        return;
    }
    colls->next_look_s = now + LOOK_S;
    colls->n_idle_looks++;
    LIST_FOREACH (team, &colls->teams, all) {
        struct rpt_run *run = atomic_load(&team->lazy);

        if (run != NULL) {
            colls->n_idle_looks = 0;
            /* Its owner may have it already: only the team is ours to read. */
            if (team->lazy_seen == team->n_runs) {
                rpt__team_queue_lazy(team);
            }
            team->lazy_seen = team->n_runs;
        }
    }
    if (colls->n_idle_looks > IDLE_LOOKS) {
        stop_watching(colls);
    }
}

/* When the first run of a queue is to be asked how far its device is. */
static double next_question_s(const struct rpt_colls *colls)
{
    double now = 0, next = INFINITY;
    const struct rpt_team *team;

    LIST_FOREACH (team, &colls->busy, busy) {
        const struct rpt_run *run = STAILQ_FIRST(&team->queue);

        if (run->asked_s > 0) {
            now = now > 0 ? now : rpt__now_s();
            next = fmin(next,
                        now + fmin(fmax((now - run->asked_s) / 8, ASK_SOON_S),
                                   ASK_LATE_S));
        }
    }
    return next;
}

static double next_s(struct rpt_poller *poller)
{
    const struct rpt_colls *colls =
        (struct rpt_colls *)(void *)((char *)poller -
                                     offsetof(struct rpt_colls, poller));

    return fmin(next_question_s(colls), atomic_load(&colls->is_watched) != 0
                                            ? colls->next_look_s
                                            : INFINITY);
}

/* ---- who sleeps beside the loop ---- */

/* Whether it may go on; flag NULL: it waits for its block. */
static bool is_ready(struct rpt_run *run, const _Atomic uint64_t *flag,
                     uint64_t value)
{
    return flag != NULL
               ? atomic_load_explicit(flag, memory_order_acquire) >= value
               : rpt__run_is_free(run);
}

static bool may_go_on(void *arg)
{
    struct rpt_run *run = arg;
    uint64_t value = 0;
    const _Atomic uint64_t *flag = rpt__run_flag(run, &value);

    return rpt__run_is_failed(run) || is_ready(run, flag, value);
}

/* A flag is no event of the loop: who waits for one beside the thread that
 * leads sees it only when he is told. */
static void tell_those_here(const struct rpt_colls *colls)
{
    const struct rpt_team *team;

    LIST_FOREACH (team, &colls->teams, all) {
        if (team->here != NULL && may_go_on(team->here)) {
            rpt__engine_tell(team->engine);
        }
    }
}

static int poll(struct rpt_poller *poller)
{
    struct rpt_colls *colls =
        (struct rpt_colls *)(void *)((char *)poller -
                                     offsetof(struct rpt_colls, poller));
    struct rpt_team *team;
    int n = 0;

    look_for_lazy(colls);
    if (colls->n_here > 0 &&
        rpt__engine_has_followers(rpt__comm_engine(colls->comm))) {
        tell_those_here(colls);
    }
    team = LIST_FIRST(&colls->busy);
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
    rpt__comm_handle(colls->comm, RPT_TAG_GONE, NULL, NULL);
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
        colls->fences_lightly = rpt__fence_register();
        LIST_INIT(&colls->busy);
        LIST_INIT(&colls->teams);
        status = rpt__early_create(comm, &colls->early);
        if (status == RPT_OK) {
            status = rpt__gone_listen(colls);
        }
        if (status != RPT_OK) {
            rpt__early_destroy(colls->early);
            free(colls);
            return status;
        }
        colls->poller = (struct rpt_poller){ .name = "collectives",
                                             .poll = poll,
                                             .next_s = next_s };
        rpt__engine_add(rpt__comm_engine(comm), &colls->poller);
        rpt__comm_attach(comm, colls, colls_release);
    }
    *colls_out = colls;
    return RPT_OK;
}

/* ---- waiting ---- */

/* The owner waits in pieces, or asks again and again: after a while, and again
 * when twice as long has passed, is time to look whether ranks make other
 * calls, and whether some are missing. */
#define FIRST_PIECE_S 1e-3
#define LAST_PIECE_S 0.1

static void begin_patience(struct rpt_run *run)
{
    struct rpt_patience *patience = &run->patience;

    patience->late = rpt__late_from_now(run->team);
    patience->piece_s = FIRST_PIECE_S;
    patience->asked_s = patience->late.began_s;
    patience->look_s = patience->late.began_s + FIRST_PIECE_S;
}

/* Who asks seldom does not wait meanwhile, and nothing goes on: of the time
 * between two questions no more than a piece counts. */
static void come_back(struct rpt_patience *patience, double now)
{
    double away_s = now - patience->asked_s - LAST_PIECE_S;

    if (away_s > 0) {
        rpt__late_put_off(&patience->late, away_s);
    }
}

/* RPT_OK: done(run), or so much time or one piece is over. */
static rpt_status_t wait_a_piece(struct rpt_run *run, rpt_done_fn done,
                                 double most_s)
{
    struct rpt_patience *patience = &run->patience;
    double now = rpt__now_s(), until;
    rpt_status_t status;

    if (patience->piece_s <= 0) {
        begin_patience(run);
    }
    come_back(patience, now);
    until = fmin(patience->look_s, rpt__late_next_s(&patience->late));
    status = rpt__comm_wait(run->team->comm, done, run,
                            fmin(fmax(until - now, 0), most_s));
    if (status != RPT_PENDING) {
        return status;
    }
    patience->asked_s = now = rpt__now_s();
    if (now < until) {
        return RPT_OK;
    }
    patience->piece_s = fmin(2 * patience->piece_s, LAST_PIECE_S);
    patience->look_s = now + patience->piece_s;
    status = rpt__run_look_for_strays(run);
    return status == RPT_OK ? rpt__late(&patience->late, run) : status;
}

/* ---- queued ---- */

void rpt__run_queue(struct rpt_run *run)
{
    struct rpt_team *team = run->team;

    rpt__team_queue_lazy(team);
    rpt__run_begin(run);
    rpt__run_note(run);
    atomic_fetch_add(&team->n_queued, 1);
    enqueue(run);
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

/* A failure that this rank has found.  Runs before one that does not fit go
 * on. */
static void end_early(struct rpt_run *run, rpt_status_t status)
{
    struct rpt_team *team = run->team;

    if (status == RPT_ERR_MISMATCH) {
        advance_team(team);
        return;
    }
    while (!is_over(run)) {
        pop(team, status);
    }
    if (rpt__group_is_failed(team->group)) {
        advance_team(team); /* those behind it fail, too: the loop may sleep */
    }
}

/* Advances the queue in this thread as long as that goes quickly: to have the
 * loop do it costs changes of threads. */
static void hurry(struct rpt_run *run)
{
    struct rpt_team *team = run->team;
    enum { TRIES = 64 };

    for (int i = 0; i < TRIES && !is_over(run); i++) {
        const struct rpt_run *first;
        const _Atomic uint64_t *flag;
        uint64_t value = 0;
        bool is_raised;

        advance_team(team);
        first = STAILQ_FIRST(&team->queue);
        flag = first != NULL ? rpt__run_flag(first, &value) : NULL;
        if (is_over(run) || flag == NULL) {
            return;
        }
        rpt__engine_unlock(team->engine);
        is_raised = rpt__look_at(&team->look, flag, value);
        rpt__engine_lock(team->engine);
        if (!is_raised) {
            return;
        }
    }
}

/* A failure may reach a run by time alone, and who turns the loop sleeps. */
static void end_failed(const struct rpt_run *run)
{
    if (rpt__group_is_failed(run->team->group)) {
        advance_team(run->team);
    }
}

/* As wait_a_piece(), of one that is queued. */
static void ask_for(struct rpt_run *run, double most_s)
{
    rpt_status_t status = wait_a_piece(run, is_over, most_s);

    if (status < RPT_OK) {
        end_early(run, status);
    } else {
        end_failed(run);
    }
}

static rpt_status_t end(struct rpt_run *run)
{
    atomic_store(&run->state, RPT_RUN_IDLE);
    if (run->status < RPT_OK && !pthread_equal(run->ended_by, pthread_self())) {
        return rpt__run_say(run, run->status);
    }
    return run->status;
}

rpt_status_t rpt__run_wait(struct rpt_run *run)
{
    hurry(run);
    while (!is_over(run)) {
        ask_for(run, INFINITY);
    }
    return end(run);
}

rpt_status_t rpt__run_look(struct rpt_run *run)
{
    rpt_status_t status = rpt__comm_wait(run->team->comm, is_over, run, 0);

    end_failed(run);
    return is_over(run) ? end(run) : status;
}

rpt_status_t rpt__run_test(struct rpt_run *run)
{
    /* The loop queues it as soon as it has seen it twice. */
    if (atomic_load(&run->state) == RPT_RUN_LAZY) {
        return rpt__run_look(run);
    }
    if (!is_over(run)) {
        ask_for(run, 0);
    }
    return is_over(run) ? end(run) : RPT_PENDING;
}

/* ---- here ---- */

/* As far as it goes with so many further looks. */
static rpt_status_t go(struct rpt_run *run, int n_more_looks)
{
    if (run->is_straight) {
        return rpt__run_go_straight(run, n_more_looks);
    }
    rpt__run_note(run);
    return rpt__run_advance(run);
}

static bool is_free(void *arg)
{
    return rpt__run_is_free(arg);
}

static bool look(struct rpt_run *run)
{
    uint64_t value = 0;
    const _Atomic uint64_t *flag = rpt__run_flag(run, &value);
    int spins = rpt__look_spins(&run->team->look);

    if (flag != NULL) {
        return rpt__look_at(&run->team->look, flag, value);
    }
    for (int i = 0; i < ROOM_LOOKS && i < spins; i++) {
        if (rpt__run_has_room(run)) {
            return true;
        }
        rpt__cpu_relax();
    }
    return rpt__look_for(&run->team->look, is_free, run);
}

/* Sleeps in the loop until the flag is raised. */
static rpt_status_t sleep_for_flag(struct rpt_run *run)
{
    struct rpt_team *team = run->team;
    rpt_status_t status = RPT_OK;

    rpt__engine_lock(team->engine);
    count_sleeper(team, 1);
    rpt__fence_heavy();
    team->here = run;
    team->colls->n_here++;
    while (status == RPT_OK && !may_go_on(run)) {
        status = wait_a_piece(run, may_go_on, INFINITY);
    }
    if (status == RPT_OK && rpt__run_is_failed(run)) {
        status = rpt__group_failure(team->group);
    }
    team->here = NULL;
    team->colls->n_here--;
    count_sleeper(team, -1);
    rpt__engine_unlock(team->engine);
    return status;
}

static rpt_status_t finish_here(struct rpt_run *run)
{
    rpt_status_t status = go(run, rpt__look_spins(&run->team->look));

    while (status == RPT_PENDING) {
        status = look(run) ? RPT_OK : sleep_for_flag(run);
        if (status == RPT_OK) {
            status = rpt__run_advance(run);
        }
    }
    return status;
}

/* In this thread. */
static void begin_here(struct rpt_run *run)
{
    run->is_here = true;
    rpt__run_begin(run);
    if (run->pace >= 0) {
        rpt__wish_ask(run);
        run->trial = rpt__pace_begin(run->team->paces[run->role], run->pace);
        if (!run->meets) {
            rpt__pace_settle(&run->trial, false);
        }
    }
}

static void end_here(struct rpt_run *run, rpt_status_t status)
{
    run->status = status;
    if (status < RPT_OK) {
        rpt__run_take_back(run);
    }
    if (run->trial.pace != NULL) {
        rpt__pace_end(&run->trial);
        rpt__wish_tell(run);
    }
    run->is_here = false;
}

rpt_status_t rpt__run_here(struct rpt_run *run)
{
    rpt_status_t status;

    begin_here(run);
    status = finish_here(run);
    end_here(run, status);
    return status;
}

void rpt__run_start_here(struct rpt_run *run)
{
    int spins = rpt__look_spins(&run->team->look);

    begin_here(run);
    run->status = go(run, spins < START_LOOKS ? spins : START_LOOKS);
    if (run->status == RPT_PENDING) {
        rpt__pace_leave(&run->trial);
        leave(run);
    } else {
        end_here(run, run->status);
        atomic_store(&run->state, RPT_RUN_OVER);
    }
}

rpt_status_t rpt__run_go_on(struct rpt_run *run, bool once)
{
    rpt_status_t status;

    if (!take(run)) {
        return RPT_ERR_STATE;
    }
    rpt__pace_return(&run->trial);
    status = once ? rpt__run_advance(run) : finish_here(run);
    if (status == RPT_PENDING) {
        rpt__pace_leave(&run->trial);
        leave(run);
    } else {
        end_here(run, status);
        atomic_store(&run->state, RPT_RUN_IDLE);
    }
    return status;
}
