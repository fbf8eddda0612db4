/*
 * test_look.c - how long a rank looks at a flag follows who uses its core
 *
 * A clock that goes on tells that somebody did, one that stands: nobody.
 */
#include "collectives/engine/look.h"

#include "base/clock.h"

#include "harness.h"

static double moment_s, step_s;
static int n_asked;

static double now(void)
{
    return moment_s += step_s;
}

static bool never(void *arg)
{
    (void)arg;
    n_asked++;
    return false;
}

static bool at_last(void *arg)
{
    return ++n_asked == *(int *)arg;
}

static void begin(double step)
{
    n_asked = 0;
    step_s = step;
    rpt__clock_set(now);
}

static void a_raised_flag_is_seen_at_once(void)
{
    struct rpt_look look;
    _Atomic uint64_t flag = 5;

    rpt__look_init(&look, false);
    CU_ASSERT_TRUE(rpt__look_at(&look, &flag, 5));
    CU_ASSERT_FALSE(rpt__look_at(&look, &flag, 6));
}

static void a_used_core_makes_spins_shorter(void)
{
    struct rpt_look look;
    int most, n_before;

    rpt__look_init(&look, false);
    most = rpt__look_spins(&look);
    begin(1e-3);
    CU_ASSERT_FALSE(rpt__look_for(&look, never, NULL));
    CU_ASSERT_EQUAL(rpt__look_spins(&look), most / 2);
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_FALSE(rpt__look_for(&look, never, NULL));
    }
    CU_ASSERT_TRUE(rpt__look_spins(&look) > 0);
    CU_ASSERT_TRUE(rpt__look_spins(&look) < most / 50);
    n_before = rpt__look_spins(&look);
    begin(0);
    CU_ASSERT_FALSE(rpt__look_for(&look, never, NULL));
    CU_ASSERT_EQUAL(rpt__look_spins(&look), 2 * n_before);
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_FALSE(rpt__look_for(&look, never, NULL));
    }
    CU_ASSERT_EQUAL(rpt__look_spins(&look), most);
    rpt__clock_set(NULL);
}

static void ranks_that_share_cores_hardly_spin(void)
{
    struct rpt_look own, shared;

    rpt__look_init(&own, false);
    rpt__look_init(&shared, true);
    CU_ASSERT_TRUE(rpt__look_spins(&shared) < rpt__look_spins(&own) / 50);
    begin(0);
    CU_ASSERT_FALSE(rpt__look_for(&shared, never, NULL));
    CU_ASSERT_TRUE(n_asked < rpt__look_spins(&own));
    rpt__clock_set(NULL);
}

static void what_comes_while_others_run_is_seen(void)
{
    struct rpt_look look;
    int last;

    rpt__look_init(&look, false);
    last = rpt__look_spins(&look) + 3;
    begin(1e-3);
    CU_ASSERT_TRUE(rpt__look_for(&look, at_last, &last));
    CU_ASSERT_EQUAL(n_asked, last);
    rpt__clock_set(NULL);
}

static const struct rpt_test tests[] = {
    RPT_TEST(a_raised_flag_is_seen_at_once),
    RPT_TEST(a_used_core_makes_spins_shorter),
    RPT_TEST(ranks_that_share_cores_hardly_spin),
    RPT_TEST(what_comes_while_others_run_is_seen),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("test_look", tests, 60, argc, argv);
}
