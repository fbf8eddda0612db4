/*
 * test_fence.c - the two sides of a barrier see each other
 *
 *   light   a = round; light fence; saw_b = b
 *   heavy   b = round; heavy fence; saw_a = a
 *
 * In no round have both seen nothing.  Rounds begin together, else the two
 * would hardly ever do this at the same time.
 */
#include "base/fence.h"
#include "base/futex.h"

#include "harness.h"

#include <pthread.h>
#include <sched.h>

enum { ROUNDS = 20000 };

static struct {
    _Alignas(64) _Atomic int a;
    _Alignas(64) _Atomic int b;
    _Alignas(64) _Atomic int light_is_here;
    _Alignas(64) _Atomic int heavy_is_here;
    _Alignas(64) int saw_a[ROUNDS];
    _Alignas(64) int saw_b[ROUNDS];
} shared;

static void meet(_Atomic int *mine, _Atomic int *other, int round)
{
    atomic_store(mine, round);
    for (int i = 0; atomic_load(other) < round; i++) {
        rpt__cpu_relax();
        if (i > 1000) { /* one core for both */
            sched_yield();
        }
    }
}

/* One side is a little later, differently in each round. */
static void dawdle(int n)
{
    for (volatile int i = 0; i < n; i++) {
    }
}

static void *light_side(void *is_light)
{
    for (int round = 1; round <= ROUNDS; round++) {
        meet(&shared.light_is_here, &shared.heavy_is_here, round);
        dawdle(round % 64);
        atomic_store_explicit(&shared.a, round, memory_order_release);
        rpt__fence_light(*(bool *)is_light);
        shared.saw_b[round - 1] = atomic_load_explicit(&shared.b,
                                                       memory_order_relaxed);
    }
    return NULL;
}

static void one_side_sees_the_other(void)
{
    bool is_light = rpt__fence_register();
    pthread_t thread;
    int n_blind = 0;

    CU_ASSERT(rpt__fence_register() == is_light);
    CU_ASSERT(pthread_create(&thread, NULL, light_side, &is_light) == 0);
    for (int round = 1; round <= ROUNDS; round++) {
        meet(&shared.heavy_is_here, &shared.light_is_here, round);
        dawdle(round / 64 % 64);
        atomic_store_explicit(&shared.b, round, memory_order_relaxed);
        rpt__fence_heavy();
        shared.saw_a[round - 1] = atomic_load_explicit(&shared.a,
                                                       memory_order_relaxed);
    }
    pthread_join(thread, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        n_blind += shared.saw_a[i] <= i && shared.saw_b[i] <= i;
    }
    CU_ASSERT(n_blind == 0);
}

static const struct rpt_test tests[] = { RPT_TEST(one_side_sees_the_other),
                                         RPT_TEST_END };

int main(int argc, char *argv[])
{
    return rpt_test_main("test_fence", tests, 60, argc, argv);
}
