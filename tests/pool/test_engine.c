/*
 * test_engine.c - the loop of a context: who leads, who sleeps, who is woken
 *
 * A poller that the tests steer takes the place of transports and pool.
 */
#include "harness.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/futex.h"
#include "comm/engine.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define LIMIT_S 120.0

static struct rpt_bell bell;
static struct rpt_engine *engine;

/* What a poller does. */
struct probe {
    struct rpt_poller poller;
    _Atomic uint32_t n_polls;
    _Atomic uint32_t todo; /* events to come */
    _Atomic uint32_t n_events;
    double next_s;
    pthread_t last; /* the thread that polled last */
    /* Called once when set, from inside poll. */
    void (*once)(struct probe *probe);
};

static int poll_probe(struct rpt_poller *poller)
{
    struct probe *probe = (struct probe *)poller;
    uint32_t todo = atomic_exchange(&probe->todo, 0);
    void (*once)(struct probe *) = probe->once;

    probe->last = pthread_self();
    atomic_fetch_add(&probe->n_polls, 1);
    rpt__futex_wake(&probe->n_polls, 100);
    atomic_fetch_add(&probe->n_events, todo);
    if (once != NULL) {
        probe->once = NULL;
        once(probe);
        return 1;
    }
    return (int)todo;
}

static double next_of_probe(struct rpt_poller *poller)
{
    return ((struct probe *)poller)->next_s;
}

static void begin(struct probe *probe, bool with_thread)
{
    rpt_options_t *options = NULL;

    memset(&bell, 0, sizeof bell);
    memset((void *)probe, 0, sizeof *probe);
    probe->poller.name = "probe";
    probe->poller.poll = poll_probe;
    probe->poller.next_s = next_of_probe;
    probe->next_s = INFINITY;
    CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
    CU_ASSERT_EQUAL_FATAL(
        rpt__engine_create(options, &bell, false, 0, 1, "here", &engine),
        RPT_OK);
    rpt_options_destroy(options);
    rpt__engine_lock(engine);
    rpt__engine_add(engine, &probe->poller);
    rpt__engine_unlock(engine);
    if (with_thread) {
        CU_ASSERT_EQUAL(rpt__engine_start_thread(engine), RPT_OK);
    }
    CU_ASSERT_EQUAL(rpt__engine_has_thread(engine), with_thread);
}

static void end(struct probe *probe)
{
    rpt__engine_lock(engine);
    rpt__engine_remove(engine, &probe->poller);
    rpt__engine_unlock(engine);
    rpt__engine_destroy(engine);
    engine = NULL;
}

static bool reaches(_Atomic uint32_t *word, uint32_t least)
{
    double limit = rpt__now_s() + LIMIT_S;
    uint32_t now;

    while ((now = atomic_load(word)) < least) {
        if (rpt__now_s() > limit) {
            return false;
        }
        rpt__futex_wait(word, now, 1);
    }
    return true;
}

/* ---- waits ---- */

static bool has_event(void *arg)
{
    return atomic_load(&((struct probe *)arg)->n_events) > 0;
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static rpt_status_t wait_for(rpt_done_fn done, void *arg, double timeout_s)
{
    rpt_status_t status;

    rpt__engine_lock(engine);
    status = rpt__engine_wait(engine, done, arg, timeout_s);
    rpt__engine_unlock(engine);
    return status;
}

static void check_waits(bool with_thread)
{
    struct probe probe;
    double begun;

    begin(&probe, with_thread);
    CU_ASSERT_EQUAL(wait_for(always, NULL, -1), RPT_OK);
    CU_ASSERT_EQUAL(wait_for(always, NULL, 0), RPT_OK);
    CU_ASSERT_EQUAL(wait_for(never, NULL, 0), RPT_PENDING);
    begun = rpt__now_s();
    CU_ASSERT_EQUAL(wait_for(never, NULL, 0.05), RPT_PENDING);
    CU_ASSERT(rpt__now_s() - begun >= 0.05);
    CU_ASSERT(rpt__now_s() - begun < LIMIT_S);
    atomic_store(&probe.todo, 1);
    CU_ASSERT_EQUAL(wait_for(has_event, &probe, -1), RPT_OK);
    CU_ASSERT_EQUAL(wait_for(has_event, &probe, 0), RPT_OK);
    end(&probe);
}

static void a_wait_ends_when_it_is_done_or_its_time_is_over(void)
{
    check_waits(false);
    check_waits(true);
}

static void to_look_polls_at_least_once(void)
{
    struct probe probe;

    begin(&probe, false);
    atomic_store(&probe.todo, 1);
    CU_ASSERT_EQUAL(wait_for(has_event, &probe, 0), RPT_OK);
    CU_ASSERT_EQUAL(atomic_load(&probe.n_polls), 1);
    end(&probe);
}

static void pollers_are_asked_in_their_order(void)
{
    struct probe first, second;
    int n;

    begin(&first, false);
    memset((void *)&second, 0, sizeof second);
    second.poller.poll = poll_probe; /* without next_s */
    rpt__engine_lock(engine);
    rpt__engine_add(engine, &second.poller);
    atomic_store(&first.todo, 2);
    atomic_store(&second.todo, 3);
    n = rpt__engine_poll(engine);
    rpt__engine_remove(engine, &first.poller);
    rpt__engine_remove(engine, &first.poller); /* gone already */
    atomic_store(&first.todo, 2);
    CU_ASSERT_EQUAL(rpt__engine_poll(engine), 0);
    rpt__engine_remove(engine, &second.poller);
    CU_ASSERT_EQUAL(rpt__engine_poll(engine), 0);
    rpt__engine_unlock(engine);
    CU_ASSERT_EQUAL(n, 5);
    CU_ASSERT_EQUAL(atomic_load(&first.n_events), 2);
    rpt__engine_destroy(engine);
}

/* A moment that a poller asks for ends the sleep although nobody rings. */
static void the_loop_wakes_for_the_next_moment(void)
{
    struct probe probe;
    double at;

    begin(&probe, false);
    at = rpt__now_s() + 0.03;
    probe.next_s = at;
    CU_ASSERT_EQUAL(wait_for(never, NULL, 0.06), RPT_PENDING);
    CU_ASSERT(atomic_load(&probe.n_polls) > 1);
    end(&probe);
}

/* ---- sleepers and ringers ---- */

static void *ring_until_it_is_seen(void *arg)
{
    struct probe *probe = arg;

    if (reaches(&probe->n_polls, 1)) {
        while (atomic_load(&bell.sleeping) == 0) {
            rpt__cpu_relax();
        }
        atomic_store(&probe->todo, 1);
        rpt__engine_ring(engine);
    }
    return NULL;
}

static void a_ring_wakes_the_sleeper(void)
{
    struct probe probe;
    pthread_t ringer;

    begin(&probe, false);
    pthread_create(&ringer, NULL, ring_until_it_is_seen, &probe);
    CU_ASSERT_EQUAL(wait_for(has_event, &probe, LIMIT_S), RPT_OK);
    pthread_join(ringer, NULL);
    end(&probe);
}

/* A ringer was held up between its two steps; the sleeper saw the first one,
 * and is about to sleep: the mark stays, for the next ringer. */
static void a_late_ringer_leaves_the_next_one_its_sleeper(void)
{
    struct rpt_bell b;
    uint32_t early, late, next;

    memset(&b, 0, sizeof b);
    early = rpt__bell_count(&b);
    late = rpt__bell_count(&b);
    atomic_store(&b.sleeping, rpt__bell_mark(atomic_load(&b.count)));
    rpt__bell_wake(&b, early);
    rpt__bell_wake(&b, late);
    CU_ASSERT_NOT_EQUAL(atomic_load(&b.sleeping), 0);
    next = rpt__bell_count(&b);
    rpt__bell_wake(&b, next);
    CU_ASSERT_EQUAL(atomic_load(&b.sleeping), 0);
    /* The count goes round. */
    atomic_store(&b.count, UINT32_MAX);
    atomic_store(&b.sleeping, rpt__bell_mark(UINT32_MAX));
    rpt__bell_wake(&b, UINT32_MAX);
    CU_ASSERT_NOT_EQUAL(atomic_load(&b.sleeping), 0);
    rpt__bell_ring(&b);
    CU_ASSERT_EQUAL(atomic_load(&b.count), 0);
    CU_ASSERT_EQUAL(atomic_load(&b.sleeping), 0);
}

enum { RINGS = 20000 };

static void *ring_often(void *arg)
{
    struct probe *probe = arg;

    for (int i = 0; i < RINGS; i++) {
        atomic_fetch_add(&probe->todo, 1);
        rpt__engine_ring(engine);
    }
    return NULL;
}

static bool has_all(void *arg)
{
    return atomic_load(&((struct probe *)arg)->n_events) == 2 * RINGS;
}

static void no_ring_is_lost(void)
{
    struct probe probe;
    pthread_t ringers[2];

    begin(&probe, false);
    for (int i = 0; i < 2; i++) {
        pthread_create(&ringers[i], NULL, ring_often, &probe);
    }
    CU_ASSERT_EQUAL(wait_for(has_all, &probe, LIMIT_S), RPT_OK);
    for (int i = 0; i < 2; i++) {
        pthread_join(ringers[i], NULL);
    }
    end(&probe);
}

/* ---- who leads ---- */

static void the_engine_thread_leads_while_nobody_waits(void)
{
    struct probe probe;

    begin(&probe, true);
    CU_ASSERT(reaches(&probe.n_polls, 1));
    atomic_store(&probe.todo, 1);
    rpt__engine_ring(engine);
    while (atomic_load(&probe.n_events) == 0) {
        uint32_t seen = atomic_load(&probe.n_polls);

        CU_ASSERT_FATAL(reaches(&probe.n_polls, seen + 1) ||
                        atomic_load(&probe.n_events) > 0);
    }
    CU_ASSERT_EQUAL(atomic_load(&probe.n_events), 1);
    end(&probe);
}

/* Polls until this thread was the one that did. */
static bool led_by_this_thread(void *arg)
{
    struct probe *probe = arg;

    return atomic_load(&probe->n_polls) > 0 &&
           pthread_equal(probe->last, pthread_self());
}

static void a_waiting_user_takes_the_lead(void)
{
    struct probe probe;

    begin(&probe, true);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(wait_for(led_by_this_thread, &probe, LIMIT_S), RPT_OK);
        rpt__engine_lock(engine);
        probe.last = pthread_self();
        atomic_store(&probe.n_polls, 0);
        rpt__engine_unlock(engine);
    }
    end(&probe);
}

struct waiter {
    struct probe *probe;
    uint32_t least;
    rpt_status_t status;
};

static bool has_least(void *arg)
{
    const struct waiter *waiter = arg;

    return atomic_load(&waiter->probe->n_events) >= waiter->least;
}

static void *wait_in_thread(void *arg)
{
    struct waiter *waiter = arg;

    waiter->status = wait_for(has_least, waiter, LIMIT_S);
    return NULL;
}

/* Waits that end one after another: each time another thread must take over. */
static void check_many_users(bool with_thread)
{
    enum { N = 6 };
    struct probe probe;
    struct waiter waiters[N];
    pthread_t threads[N];

    begin(&probe, with_thread);
    for (int i = 0; i < N; i++) {
        waiters[i] = (struct waiter){ &probe, (uint32_t)i + 1, RPT_PENDING };
        pthread_create(&threads[i], NULL, wait_in_thread, &waiters[i]);
    }
    for (int i = 0; i < N; i++) {
        atomic_fetch_add(&probe.todo, 1);
        rpt__engine_ring(engine);
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(waiters[i].status, RPT_OK);
    }
    end(&probe);
}

static void the_lead_goes_from_user_to_user(void)
{
    check_many_users(false);
    check_many_users(true);
}

static bool flag_is_set(void *arg)
{
    return *(bool *)arg;
}

static void *set_flag(void *arg)
{
    rpt__engine_lock(engine);
    *(bool *)arg = true;
    rpt__engine_tell(engine);
    rpt__engine_unlock(engine);
    rpt__engine_ring(engine);
    return NULL;
}

static void what_another_thread_changed_is_seen_when_it_tells(void)
{
    struct probe probe;
    pthread_t thread;
    bool flag = false;

    begin(&probe, true);
    pthread_create(&thread, NULL, set_flag, &flag);
    CU_ASSERT_EQUAL(wait_for(flag_is_set, &flag, LIMIT_S), RPT_OK);
    pthread_join(thread, NULL);
    end(&probe);
}

/* ---- functions of users ---- */

static _Atomic uint32_t others_polls;

/* A function that lasts until the loop was turned by somebody else. */
static void last_long(struct probe *probe)
{
    pthread_t self = pthread_self();
    uint32_t seen;

    CU_ASSERT(rpt__engine_can_release(engine));
    rpt__engine_release(engine);
    seen = atomic_load(&probe->n_polls);
    CU_ASSERT(reaches(&probe->n_polls, seen + 1));
    atomic_fetch_add(&others_polls, 1);
    rpt__engine_reclaim(engine);
    CU_ASSERT_FALSE(pthread_equal(probe->last, self));
    atomic_fetch_add(&probe->n_events, 1);
}

static void the_engine_thread_stands_in_for_a_busy_leader(void)
{
    struct probe probe;

    begin(&probe, true);
    atomic_store(&others_polls, 0);
    rpt__engine_lock(engine);
    probe.once = last_long;
    /* Only a user's thread may run it: until one leads the poller is not
     * there. */
    rpt__engine_remove(engine, &probe.poller);
    rpt__engine_unlock(engine);
    for (int i = 0; i < 20; i++) {
        rpt_status_t status;

        rpt__engine_lock(engine);
        probe.once = NULL;
        atomic_store(&probe.n_events, 0);
        rpt__engine_add(engine, &probe.poller);
        /* Takes the lead first, then has the function run. */
        status = rpt__engine_wait(engine, led_by_this_thread, &probe, LIMIT_S);
        CU_ASSERT_EQUAL(status, RPT_OK);
        probe.once = last_long;
        atomic_store(&probe.n_polls, 0);
        status = rpt__engine_wait(engine, has_event, &probe, LIMIT_S);
        CU_ASSERT_EQUAL(status, RPT_OK);
        rpt__engine_remove(engine, &probe.poller);
        rpt__engine_unlock(engine);
    }
    CU_ASSERT_EQUAL(atomic_load(&others_polls), 20);
    rpt__engine_destroy(engine);
}

static bool may_release;

static void ask(struct probe *probe)
{
    may_release = rpt__engine_can_release(engine);
    atomic_fetch_add(&probe->n_events, 1);
}

static bool asked_in(struct probe *probe, double timeout_s)
{
    may_release = true;
    atomic_store(&probe->n_events, 0);
    probe->once = ask;
    CU_ASSERT_EQUAL(wait_for(has_event, probe, timeout_s), RPT_OK);
    return may_release;
}

static void functions_run_only_where_somebody_can_stand_in(void)
{
    struct probe probe;

    begin(&probe, false);
    CU_ASSERT_FALSE(asked_in(&probe, LIMIT_S)); /* no engine thread */
    rpt__engine_lock(engine);
    CU_ASSERT_FALSE(rpt__engine_can_release(engine)); /* nobody leads */
    rpt__engine_unlock(engine);
    end(&probe);

    begin(&probe, true);
    CU_ASSERT(reaches(&probe.n_polls, 1));
    rpt__engine_lock(engine);
    probe.once = ask;
    atomic_store(&probe.n_events, 0);
    may_release = true;
    rpt__engine_unlock(engine);
    rpt__engine_ring(engine);
    while (atomic_load(&probe.n_events) == 0) {
        uint32_t seen = atomic_load(&probe.n_polls);

        reaches(&probe.n_polls, seen + 1);
    }
    CU_ASSERT_FALSE(may_release); /* the engine thread itself */
    end(&probe);
}

/* ---- the end ---- */

static void check_break(bool with_thread)
{
    enum { N = 3 };
    struct probe probe;
    struct waiter waiters[N];
    pthread_t threads[N];

    begin(&probe, with_thread);
    for (int i = 0; i < N; i++) {
        waiters[i] = (struct waiter){ &probe, 1000, RPT_OK };
        pthread_create(&threads[i], NULL, wait_in_thread, &waiters[i]);
    }
    CU_ASSERT(reaches(&probe.n_polls, 1));
    rpt__fail(RPT_ERR_PEER, "rank 3 is gone");
    rpt__fail_why("its node caught fire");
    rpt__engine_lock(engine);
    CU_ASSERT_EQUAL(rpt__engine_status(engine), RPT_OK);
    rpt__engine_break(engine, RPT_ERR_PEER);
    rpt__fail(RPT_ERR_IO, "something else");
    rpt__engine_break(engine, RPT_ERR_IO); /* the first one counts */
    rpt__engine_unlock(engine);
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(waiters[i].status, RPT_ERR_PEER);
    }
    CU_ASSERT_EQUAL(wait_for(never, NULL, -1), RPT_ERR_PEER);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, "rank 3 is gone"));
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->why, "fire"));
    CU_ASSERT_EQUAL(wait_for(always, NULL, -1), RPT_OK);
    end(&probe);
}

static void a_broken_engine_ends_all_waits_with_its_reason(void)
{
    check_break(false);
    check_break(true);
}

static const struct rpt_test tests[] = {
    RPT_TEST(a_wait_ends_when_it_is_done_or_its_time_is_over),
    RPT_TEST(to_look_polls_at_least_once),
    RPT_TEST(pollers_are_asked_in_their_order),
    RPT_TEST(the_loop_wakes_for_the_next_moment),
    RPT_TEST(a_ring_wakes_the_sleeper),
    RPT_TEST(a_late_ringer_leaves_the_next_one_its_sleeper),
    RPT_TEST(no_ring_is_lost),
    RPT_TEST(the_engine_thread_leads_while_nobody_waits),
    RPT_TEST(a_waiting_user_takes_the_lead),
    RPT_TEST(the_lead_goes_from_user_to_user),
    RPT_TEST(what_another_thread_changed_is_seen_when_it_tells),
    RPT_TEST(the_engine_thread_stands_in_for_a_busy_leader),
    RPT_TEST(functions_run_only_where_somebody_can_stand_in),
    RPT_TEST(a_broken_engine_ends_all_waits_with_its_reason),
    RPT_TEST_END
};

int main(int argc, char *argv[])
{
    return rpt_test_main("test_engine", tests, 60, argc, argv);
}
