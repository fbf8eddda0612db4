/*
 * on_devices.c - arrays in the memory of devices, saved and restored
 *
 * Nothing here is of the doubles of CUDA: the same runs on GPUs.
 */
#include "device_fields.h"
#include "device_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rpt_checkpoint_t *open_task(struct world *w, const char *task)
{
    rpt_checkpoint_t *c = NULL;

    WORKS(rpt_checkpoint_open(w->group, w->folder, task, NULL, &c));
    return c;
}

static void fill(struct twins *t, int seed)
{
    state_fill(&t->state, seed);
    twins_write(t);
}

static void spoil(struct twins *t)
{
    state_spoil(&t->state);
    twins_write(t);
}

static void check_restored(struct twins *t, rpt_checkpoint_t *c,
                           uint64_t iteration)
{
    uint64_t found = 0;

    spoil(t);
    t->state.seed = (int)iteration;
    WORKS(rpt_checkpoint_restore(c, &found));
    CHECK(found == iteration);
    twins_read(t);
    CHECK(state_is(&t->state, (int)iteration));
}

/* ---- what is saved comes back ---- */

static void save_and_restore(struct world *w, bool turned, bool async)
{
    struct twins t;
    rpt_checkpoint_t *c;

    twins_make(&t, w, turned);
    c = open_task(w, "task");
    twins_add(&t, c);
    for (int i = 1; i <= 2; i++) {
        fill(&t, i);
        if (async) {
            WORKS(rpt_checkpoint_save_async(c, (uint64_t)i));
            spoil(&t); /* it may be changed at once */
            WORKS(rpt_checkpoint_wait(c));
        } else {
            WORKS(rpt_checkpoint_save(c, (uint64_t)i));
        }
        check_restored(&t, c, (uint64_t)i);
    }
    rpt_checkpoint_close(c);
    c = open_task(w, "task");
    twins_add(&t, c);
    check_restored(&t, c, 2);
    rpt_checkpoint_close(c);
    twins_free(&t);
}

static void save_now(struct world *w)
{
    save_and_restore(w, false, false);
}

static void save_behind(struct world *w)
{
    save_and_restore(w, true, true);
}

static void arrays_on_devices_come_back(void)
{
    on_all(1, NULL, save_now);
    on_all(1, NULL, save_behind);
}

static void so_they_do_between_nodes(void)
{
    on_all(2, "topo.virtual_nodes=2", save_behind);
    on_all(2, "topo.virtual_nodes=2 comm.shm=no", save_now);
}

static void so_they_do_from_rows_that_are_not_gathered(void)
{
    on_all(2, "io.checkpoint.row_bytes=0", save_behind);
}

static void so_they_do_compressed(void)
{
    on_all(1, "io.checkpoint.compress=deflate", save_now);
    on_all(1, "io.checkpoint.compress=deflate", save_behind);
}

static void so_they_do_when_files_are_used_again(void)
{
    on_all(1, "io.checkpoint.changed_only=yes io.checkpoint.keep=1", save_now);
}

static void so_they_do_with_the_collective_engine(void)
{
    if (!over_mpi) {
        rpt_test_skip("ranks are threads here");
        return;
    }
    on_all(1, "io.checkpoint.engine=collective", save_now);
    on_all(1, "io.checkpoint.engine=collective", save_behind);
}

/* ---- the host and devices have the same files ---- */

static void mix(struct world *w)
{
    struct twins t;
    rpt_checkpoint_t *c = open_task(w, "task");
    uint64_t found = 0;

    twins_make(&t, w, false);
    twins_add(&t, c);
    fill(&t, 1);
    WORKS(rpt_checkpoint_save(c, 1));
    /* The same names are on the host from now on. */
    state_spoil(&t.state);
    state_add(&t.state, c);
    WORKS(rpt_checkpoint_restore(c, &found));
    CHECK(state_is(&t.state, 1));
    state_fill(&t.state, 2);
    WORKS(rpt_checkpoint_save(c, 2));
    twins_add(&t, c);
    check_restored(&t, c, 2);
    rpt_checkpoint_close(c);
    twins_free(&t);
}

static void arrays_move_between_host_and_devices(void)
{
    on_all(1, NULL, mix);
    on_all(1, "io.checkpoint.compress=deflate", mix);
}

/* ---- values ---- */

enum { TABLE_BYTES = 300000 };

static void save_values(struct world *w)
{
    static const double number = 2.5;
    rpt_checkpoint_t *c = open_task(w, "task");
    char *table = malloc(TABLE_BYTES);
    void *number_there = device_give(0, &number, sizeof number), *table_there;
    double number_back = 0;
    uint64_t found = 0;
    bool is_good = true;

    for (int i = 0; i < TABLE_BYTES; i++) {
        table[i] = (char)(i * 7 + (w->rank > 0)); /* that of rank 0 counts */
    }
    table_there = device_give(0, table, TABLE_BYTES);
    WORKS(rpt_checkpoint_add_value(c, "number", RPT_TYPE_F64, 1, number_there));
    WORKS(rpt_checkpoint_add_value(c, "table", RPT_TYPE_I8, TABLE_BYTES,
                                   table_there));
    WORKS(rpt_checkpoint_save(c, 1));
    memset(table, 1, TABLE_BYTES);
    device_write(0, table_there, table, TABLE_BYTES);
    device_write(0, number_there, table, sizeof number);
    WORKS(rpt_checkpoint_restore(c, &found));
    device_read(0, table, table_there, TABLE_BYTES);
    device_read(0, &number_back, number_there, sizeof number);
    for (int i = 0; i < TABLE_BYTES; i++) {
        is_good = is_good && table[i] == (char)(i * 7);
    }
    CHECK(is_good);
    CHECK(number_back > 2.4 && number_back < 2.6);
    rpt_checkpoint_close(c);
    device_release(0, table_there);
    device_release(0, number_there);
    free(table);
}

static void values_may_be_on_a_device(void)
{
    on_all(1, NULL, save_values);
}

/* ---- order ---- */

enum { N = 200000 };

static void add_one(struct world *w, rpt_checkpoint_t *c, void *data)
{
    rpt_checkpoint_array_t a = {
        .size = sizeof a, .name = "a", .type = RPT_TYPE_F64, .n_dims = 1
    };

    a.dims[0] = (uint64_t)N * (uint64_t)w->size;
    a.start[0] = (uint64_t)N * (uint64_t)w->rank;
    a.count[0] = N;
    a.data = data;
    WORKS(rpt_checkpoint_add_array(c, &a));
}

static double *numbers(double first)
{
    double *data = malloc(N * sizeof *data);

    for (int i = 0; i < N; i++) {
        data[i] = first + i;
    }
    return data;
}

static void queue(void *there, const void *data)
{
    int before = 0;

    CHECK(device_ops()->use(0, &before) == RPT_OK);
    CHECK(device_ops()->copy(NULL, there, data, N * sizeof(double)) == RPT_OK);
    device_ops()->use(before, &before);
}

/* What the program has put into the default stream is before a save, and before
 * a restore, although nobody has waited for it. */
static void save_what_is_queued(struct world *w)
{
    rpt_checkpoint_t *c = open_task(w, "task");
    double *old = numbers(0), *new = numbers(5), *back = numbers(0);
    void *there = device_give(0, old, N * sizeof *old);
    uint64_t found = 0;

    add_one(w, c, there);
    queue(there, new);
    WORKS(rpt_checkpoint_save_async(c, 1));
    device_write(0, there, old, N * sizeof *old);
    WORKS(rpt_checkpoint_wait(c));
    queue(there, old);
    WORKS(rpt_checkpoint_restore(c, &found));
    device_read(0, back, there, N * sizeof *back);
    CHECK(memcmp(back, new, N * sizeof *back) == 0);
    rpt_checkpoint_close(c);
    device_release(0, there);
    free(old);
    free(new);
    free(back);
}

static void the_default_stream_comes_first(void)
{
    on_all(1, NULL, save_what_is_queued);
}

/* ---- the thread's device ---- */

static void keep_device(struct world *w)
{
    int wanted = device_ops()->n_devices() - 1, before = 0;
    struct twins t;
    rpt_checkpoint_t *c = open_task(w, "task");

    twins_make(&t, w, false);
    twins_add(&t, c);
    fill(&t, 1);
    CHECK(device_ops()->use(wanted, &before) == RPT_OK);
    WORKS(rpt_checkpoint_save(c, 1));
    check_restored(&t, c, 1);
    rpt_checkpoint_close(c);
    CHECK(device_ops()->use(before, &before) == RPT_OK);
    CHECK(before == wanted);
    twins_free(&t);
}

static void the_device_of_the_thread_stays(void)
{
    on_all(1, NULL, keep_device);
}

const struct rpt_test on_devices_tests[] = {
    RPT_TEST(arrays_on_devices_come_back),
    RPT_TEST(so_they_do_between_nodes),
    RPT_TEST(so_they_do_from_rows_that_are_not_gathered),
    RPT_TEST(so_they_do_compressed),
    RPT_TEST(so_they_do_when_files_are_used_again),
    RPT_TEST(so_they_do_with_the_collective_engine),
    RPT_TEST(arrays_move_between_host_and_devices),
    RPT_TEST(values_may_be_on_a_device),
    RPT_TEST(the_default_stream_comes_first),
    RPT_TEST(the_device_of_the_thread_stays),
    RPT_TEST_END,
};
