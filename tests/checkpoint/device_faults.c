/*
 * device_faults.c - how many copies it takes, calls of CUDA that fail, what is
 * given back: by the doubles of tests/fakes
 */
#include "device_fields.h"
#include "device_tables.h"

#include "fake.h"

#include <stdlib.h>
#include <string.h>

/* ---- how many ---- */

struct shape {
    int n_dims;
    uint64_t rows;      /* of a rank, in the slowest dimension  */
    uint64_t others[4]; /* the other dimensions                 */
    uint64_t ghosts;
    unsigned long n_copies; /* of a rank, in a save or restore */
};

/* Up to three dimensions are one copy, whatever lies around the block. */
static const struct shape shapes[] = {
    { 1, 5000, { 0 }, 0, 1 },
    { 1, 5000, { 0 }, 3, 1 },
    { 2, 40, { 50 }, 0, 1 },
    { 2, 40, { 50 }, 1, 1 },
    { 3, 20, { 30, 40 }, 0, 1 },
    { 3, 20, { 30, 40 }, 2, 1 },
    { 4, 3, { 5, 30, 40 }, 1, 3 },
    { 5, 3, { 5, 4, 30, 7 }, 1, 15 },
    /* 16 MB and more: pieces, when it comes back */
    { 1, 1 << 21, { 0 }, 0, 4 },
    { 2, 2, { 1 << 20 }, 1, 4 },
};

static void *give_block(const struct world *w, const struct shape *shape,
                        rpt_checkpoint_array_t *a)
{
    uint64_t bytes = 8;
    void *data, *there;

    *a = (rpt_checkpoint_array_t){ .size = sizeof *a,
                                   .name = "a",
                                   .type = RPT_TYPE_F64,
                                   .n_dims = shape->n_dims };
    for (int d = 0; d < a->n_dims; d++) {
        a->count[d] = d == 0 ? shape->rows : shape->others[d - 1];
        a->dims[d] = a->count[d] * (d == 0 ? (uint64_t)w->size : 1);
        a->memory_dims[d] = a->count[d] + 2 * shape->ghosts;
        a->memory_start[d] = shape->ghosts;
        bytes *= a->memory_dims[d];
    }
    a->start[0] = shape->rows * (uint64_t)w->rank;
    data = calloc(1, (size_t)bytes);
    there = device_give(0, data, (size_t)bytes);
    free(data);
    return there;
}

/* Between two meetings: so many copies of each rank of this process. */
static void check_copies(struct world *w, unsigned long before,
                         unsigned long least, unsigned long most)
{
    unsigned long n;

    meet(w);
    n = (fake_n_copies() - before) / (over_mpi ? 1 : (unsigned long)w->size);
    CHECK(n >= least && n <= most);
    meet(w);
}

static void count_copies(struct world *w, const struct shape *shape)
{
    rpt_checkpoint_t *c = NULL;
    rpt_checkpoint_array_t a;
    unsigned long before;
    uint64_t found = 0;

    a.data = give_block(w, shape, &a);
    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    WORKS(rpt_checkpoint_add_array(c, &a));
    meet(w);
    before = fake_n_copies();
    meet(w);
    WORKS(rpt_checkpoint_save(c, 1));
    /* Pieces are for what comes back. */
    check_copies(w, before, 1, shape->rows > 1000 ? 1 : shape->n_copies);
    before = fake_n_copies();
    meet(w);
    WORKS(rpt_checkpoint_restore(c, &found));
    check_copies(w, before, shape->n_copies, shape->n_copies);
    rpt_checkpoint_close(c);
    device_release(0, a.data);
}

static void count_all(struct world *w)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        count_copies(w, &shapes[i]);
        if (w->rank == 0) {
            scratch_remove(path_of(w, "task", NULL));
        }
        meet(w);
    }
}

static void blocks_are_copied_by_a_few_calls(void)
{
    on_all(1, NULL, count_all);
}

/* ---- failures ---- */

struct fault {
    const char *name;
    int n;
    rpt_status_t save, restore; /* what calls give then          */
    const char *save_text, *restore_text;
};

static const struct fault faults[] = {
    { "cudaMemcpyAsync", 1, RPT_ERR_SYSTEM, RPT_ERR_SYSTEM, "cannot be copied",
      "cannot be copied" },
    { "cudaMemcpyAsync", 2, RPT_ERR_SYSTEM, RPT_ERR_SYSTEM, "cudaMemcpyAsync",
      "cudaMemcpyAsync" },
    { "cudaMemcpy3DAsync", 1, RPT_ERR_SYSTEM, RPT_ERR_SYSTEM,
      "cannot be copied", "cannot be copied" },
    { "cudaStreamSynchronize", 1, RPT_ERR_SYSTEM, RPT_ERR_SYSTEM,
      "did not end well", "did not end well" },
    /* The memory of the save before does. */
    { "cudaMallocHost", 1, RPT_OK, RPT_ERR_NOMEM, "", "no memory of the host" },
};

static void set_fault(struct world *w, const struct fault *fault)
{
    meet(w);
    if (w->rank == w->size - 1) {
        fake_fail(fault->name, fault->n);
    }
    meet(w);
}

static void clear_fault(struct world *w)
{
    meet(w);
    fake_fail(NULL, 0);
    meet(w);
}

static void fill(struct twins *t, int seed)
{
    state_fill(&t->state, seed);
    twins_write(t);
}

static void check_state(struct world *w, struct twins *t, rpt_checkpoint_t *c,
                        uint64_t iteration)
{
    uint64_t found = 0;

    meet(w);
    state_spoil(&t->state);
    twins_write(t);
    t->state.seed = (int)iteration;
    WORKS(rpt_checkpoint_restore(c, &found));
    CHECK(found == iteration);
    twins_read(t);
    CHECK(state_is(&t->state, (int)iteration));
    meet(w);
}

/* A save fails on all ranks, and leaves what was there; so does a restore. */
static void fail_once(struct world *w, struct twins *t, rpt_checkpoint_t *c,
                      const struct fault *fault, uint64_t iteration)
{
    uint64_t found = 0;

    fill(t, (int)iteration);
    WORKS(rpt_checkpoint_save(c, iteration));
    fill(t, (int)iteration + 1);
    set_fault(w, fault);
    if (fault->save == RPT_OK) {
        WORKS(rpt_checkpoint_save(c, ++iteration));
    } else {
        FAILS(fault->save, fault->save_text,
              rpt_checkpoint_save(c, iteration + 1));
    }
    clear_fault(w);
    CHECK(count_names(w, "task", ".tmp-") == 0);
    check_state(w, t, c, iteration);
    set_fault(w, fault);
    FAILS(fault->restore, fault->restore_text,
          rpt_checkpoint_restore(c, &found));
    clear_fault(w);
    check_state(w, t, c, iteration);
}

static void fail_everywhere(struct world *w)
{
    struct twins t;
    rpt_checkpoint_t *c = NULL;

    twins_make(&t, w, false);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
        twins_add(&t, c);
        fail_once(w, &t, c, &faults[i], 10 * (i + 1));
        rpt_checkpoint_close(c);
    }
    twins_free(&t);
}

static void a_call_that_fails_leaves_the_checkpoint_before(void)
{
    on_all(1, NULL, fail_everywhere);
    on_all(2, "topo.virtual_nodes=2", fail_everywhere);
}

/* No stream: the first save has none yet. */
static void fail_to_begin(struct world *w)
{
    static const struct fault fault = { .name = "cudaStreamCreateWithFlags",
                                        .n = 1 };
    struct twins t;
    rpt_checkpoint_t *c = NULL;

    twins_make(&t, w, false);
    fill(&t, 1);
    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    twins_add(&t, c);
    set_fault(w, &fault);
    FAILS(RPT_ERR_SYSTEM, "no stream can be made", rpt_checkpoint_save(c, 1));
    clear_fault(w);
    WORKS(rpt_checkpoint_save(c, 1));
    check_state(w, &t, c, 1);
    rpt_checkpoint_close(c);
    twins_free(&t);
}

/* Nothing is pinned yet; other memory does. */
static void save_without_pinned(struct world *w)
{
    static const struct fault fault = { .name = "cudaMallocHost", .n = 1 };
    struct twins t;
    rpt_checkpoint_t *c = NULL;

    twins_make(&t, w, false);
    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    twins_add(&t, c);
    for (int i = 1; i <= 2; i++) {
        fill(&t, i);
        set_fault(w, &fault);
        WORKS(rpt_checkpoint_save(c, (uint64_t)i));
        clear_fault(w);
        check_state(w, &t, c, (uint64_t)i);
    }
    rpt_checkpoint_close(c);
    twins_free(&t);
}

static void memory_that_is_not_pinned_does(void)
{
    on_all(1, NULL, save_without_pinned);
}

static void a_device_without_a_stream_is_told_to_all(void)
{
    on_all(1, NULL, fail_to_begin);
}

/* ---- what is taken is given back ---- */

static struct fake_live live_before;

static void leave_nothing(struct world *w)
{
    struct twins t;
    rpt_checkpoint_t *c = NULL;
    struct fake_live live;

    meet(w);
    live_before = fake_live();
    meet(w);
    twins_make(&t, w, false);
    fill(&t, 1);
    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    twins_add(&t, c);
    WORKS(rpt_checkpoint_save(c, 1));
    check_state(w, &t, c, 1);
    live = fake_live();
    /* Streams are on three devices, and the copy is in pinned memory. */
    CHECK(live.streams > live_before.streams);
    CHECK(live.host_memory > live_before.host_memory);
    meet(w);
    rpt_checkpoint_close(c);
    twins_free(&t);
    meet(w);
    live = fake_live();
    CHECK(memcmp(&live, &live_before, sizeof live) == 0);
    meet(w);
}

static void nothing_is_kept_after_closing(void)
{
    on_all(1, NULL, leave_nothing);
}

const struct rpt_test device_faults_tests[] = {
    RPT_TEST(blocks_are_copied_by_a_few_calls),
    RPT_TEST(a_call_that_fails_leaves_the_checkpoint_before),
    RPT_TEST(a_device_without_a_stream_is_told_to_all),
    RPT_TEST(memory_that_is_not_pinned_does),
    RPT_TEST(nothing_is_kept_after_closing),
    RPT_TEST_END,
};
