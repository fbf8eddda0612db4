/*
 * test_table.c - the table of digests, against a plain array
 */
#include "harness.h"

#include "base/table.h"

#include <stdlib.h>
#include <string.h>

enum { N_KEYS = 3000 };

static uint64_t state = 12345;

/* xorshift64: the same numbers in every run. */
static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Keys of the same home crowd together: only 16 different low parts. */
static struct rpt_digest key_of(int i, int n_homes)
{
    return (struct rpt_digest){ .high = (uint64_t)i * 0x9e3779b97f4a7c15u + 1,
                                .low = (uint64_t)(i % n_homes) };
}

static void compare(const struct rpt_table *table, int *const values[],
                    int n_homes)
{
    size_t n = 0;

    for (int i = 0; i < N_KEYS; i++) {
        n += values[i] != NULL;
        CU_ASSERT_PTR_EQUAL(rpt__table_get(table, key_of(i, n_homes)),
                            values[i]);
    }
    CU_ASSERT_EQUAL(table->n, n);
}

static void change_at_random(int n_homes)
{
    static int numbers[N_KEYS];
    static int *values[N_KEYS];
    struct rpt_table table = RPT_TABLE_EMPTY;

    memset(values, 0, sizeof values);
    for (int step = 0; step < 40000; step++) {
        int i = (int)(next_random() % N_KEYS);
        struct rpt_digest key = key_of(i, n_homes);

        /* More puts at first, more removals at last. */
        if (next_random() % 40000 > (uint64_t)step) {
            values[i] = &numbers[next_random() % N_KEYS];
            CU_ASSERT_EQUAL(rpt__table_put(&table, key, values[i]), RPT_OK);
        } else {
            CU_ASSERT_PTR_EQUAL(rpt__table_remove(&table, key), values[i]);
            values[i] = NULL;
        }
        if (step % 4000 == 0) {
            compare(&table, values, n_homes);
        }
    }
    compare(&table, values, n_homes);
    for (int i = 0; i < N_KEYS; i++) {
        CU_ASSERT_PTR_EQUAL(rpt__table_remove(&table, key_of(i, n_homes)),
                            values[i]);
    }
    CU_ASSERT_EQUAL(table.n, 0);
    rpt__table_free(&table, NULL);
}

static void it_holds_what_an_array_holds(void)
{
    change_at_random(N_KEYS);
}

static void keys_of_the_same_home_do_no_harm(void)
{
    change_at_random(16);
    change_at_random(1);
}

/* The last homes of the table overflow to its beginning. */
static void a_cluster_goes_round_the_end(void)
{
    struct rpt_table table = RPT_TABLE_EMPTY;
    int numbers[40];
    size_t last;

    CU_ASSERT_EQUAL(rpt__table_put(&table, key_of(0, 1), &numbers[0]), RPT_OK);
    last = table.capacity - 1;
    rpt__table_remove(&table, key_of(0, 1));
    for (uint64_t i = 0; i < 40; i++) {
        struct rpt_digest key = { i, (uint64_t)last - i % 2 };

        CU_ASSERT_EQUAL(rpt__table_put(&table, key, &numbers[i]), RPT_OK);
    }
    CU_ASSERT_EQUAL(table.capacity, last + 1); /* it did not grow */
    for (uint64_t i = 0; i < 40; i += 3) {
        struct rpt_digest key = { i, (uint64_t)last - i % 2 };

        CU_ASSERT_PTR_EQUAL(rpt__table_remove(&table, key), &numbers[i]);
    }
    for (uint64_t i = 0; i < 40; i++) {
        struct rpt_digest key = { i, (uint64_t)last - i % 2 };

        CU_ASSERT_PTR_EQUAL(rpt__table_get(&table, key),
                            i % 3 == 0 ? NULL : &numbers[i]);
    }
    rpt__table_free(&table, NULL);
}

static void an_empty_table_has_nothing(void)
{
    struct rpt_table table = RPT_TABLE_EMPTY;

    CU_ASSERT_PTR_NULL(rpt__table_get(&table, key_of(1, 1)));
    CU_ASSERT_PTR_NULL(rpt__table_remove(&table, key_of(1, 1)));
    rpt__table_free(&table, NULL);
    rpt__table_free(&table, free);
}

static int n_released;

static void release(void *value)
{
    n_released++;
    free(value);
}

static void values_are_released_once_each(void)
{
    struct rpt_table table = RPT_TABLE_EMPTY;

    for (int i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL(rpt__table_put(&table, key_of(i, 7), malloc(1)),
                        RPT_OK);
    }
    free(rpt__table_remove(&table, key_of(5, 7)));
    n_released = 0;
    rpt__table_free(&table, release);
    CU_ASSERT_EQUAL(n_released, 999);
    CU_ASSERT_EQUAL(table.n, 0);
    CU_ASSERT_PTR_NULL(rpt__table_get(&table, key_of(1, 7)));
    CU_ASSERT_EQUAL(rpt__table_put(&table, key_of(1, 7), malloc(1)), RPT_OK);
    rpt__table_free(&table, release);
}

static const struct rpt_test tests[] = {
    RPT_TEST(it_holds_what_an_array_holds),
    RPT_TEST(keys_of_the_same_home_do_no_harm),
    RPT_TEST(a_cluster_goes_round_the_end),
    RPT_TEST(an_empty_table_has_nothing),
    RPT_TEST(values_are_released_once_each),
    RPT_TEST_END
};

int main(int argc, char *argv[])
{
    return rpt_test_main("test_table", tests, 60, argc, argv);
}
