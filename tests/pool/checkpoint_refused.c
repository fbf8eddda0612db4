/*
 * checkpoint_refused.c - what calls about the checkpoints of a task refuse: of
 * a task without them, of a gang, of another attempt, out of order
 */
#include "saving.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { N_DONE = 0, TEN = 10 };

/* ---- a state of eight bytes, or one that makes trouble ---- */

struct value {
    uint64_t value;
    rpt_status_t measured, packed, unpacked;
};

static rpt_status_t measure(void *user, uint64_t *bytes_out)
{
    *bytes_out = sizeof(uint64_t);
    return ((const struct value *)user)->measured;
}

static rpt_status_t pack(void *user, void *bytes, uint64_t n_bytes)
{
    memcpy(bytes, user, (size_t)n_bytes);
    return ((const struct value *)user)->packed;
}

static rpt_status_t unpack(void *user, const void *bytes, uint64_t n_bytes)
{
    if (CHECK(n_bytes == sizeof(uint64_t))) {
        memcpy(user, bytes, (size_t)n_bytes);
    }
    return ((const struct value *)user)->unpacked;
}

static rpt_status_t set(rpt_call_t *call, struct value *value)
{
    return rpt_call_set_checkpoint(call, measure, pack, unpack, value);
}

static rpt_status_t restore(rpt_call_t *call)
{
    uint64_t iteration;
    const void *data;
    size_t bytes;

    return rpt_call_checkpoint_restore(call, &iteration, &data, &bytes);
}

static bool says(const char *words)
{
    return strstr(rpt_last_error_text(), words) != NULL;
}

/* ---- none was asked for ---- */

/* Its one function serves both. */
static int without(rpt_call_t *call, void *user)
{
    struct value value = { .value = 7 };
    rpt_checkpoint_t *checkpoint = NULL;

    (void)user;
    CHECK(set(call, &value) == RPT_OK && value.value == 7);
    CHECK(restore(call) == RPT_END);
    CHECK(rpt_call_checkpoint_iteration(call) == 0);
    CHECK(rpt_call_checkpoint_due(call) == 0);
    CHECK(rpt_call_checkpoint(call, 1) == RPT_OK);
    CHECK_ERROR(RPT_ERR_STATE, rpt_call_checkpoint_save(call, 1, "a", 1));
    CHECK(says("not asked for"));
    CHECK_ERROR(RPT_ERR_STATE, rpt_call_checkpoint_open(call, &checkpoint));
    CHECK(says("not asked for") && checkpoint == NULL);
    count_up(N_DONE);
    return 0;
}

/* ---- one that is no gang ---- */

static void bad_arguments(rpt_call_t *call, struct value *value)
{
    uint64_t iteration = 0;
    rpt_checkpoint_t *checkpoint = NULL;
    const void *data;
    size_t bytes;

    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_call_set_checkpoint(NULL, measure, pack, unpack, value));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_call_set_checkpoint(call, NULL, pack, unpack, value));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_call_set_checkpoint(call, measure, NULL, unpack, value));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_call_set_checkpoint(call, measure, pack, NULL, value));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_call_checkpoint(NULL, 1));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_call_checkpoint_save(NULL, 1, "a", 1));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_call_checkpoint_save(call, 1, NULL, 1));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_call_checkpoint_restore(NULL, &iteration, &data, &bytes));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_call_checkpoint_restore(call, NULL, &data, &bytes));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_call_checkpoint_restore(call, &iteration, NULL, &bytes));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_call_checkpoint_restore(call, &iteration, &data, NULL));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_call_checkpoint_open(NULL, &checkpoint));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_call_checkpoint_open(call, NULL));
    CHECK(rpt_call_checkpoint_due(NULL) == 0);
    CHECK(rpt_call_checkpoint_iteration(NULL) == 0);
}

/* Iterations do not go back; the same one may be saved again. */
static void go_back(rpt_call_t *call)
{
    CHECK(rpt_call_checkpoint(call, 20) == RPT_OK);
    CHECK_ERROR(RPT_ERR_EXISTS, rpt_call_checkpoint(call, 19));
    CHECK(says("iteration 20 already"));
    CHECK_ERROR(RPT_ERR_EXISTS, rpt_call_checkpoint_save(call, 10, "a", 1));
    CHECK(rpt_call_checkpoint(call, 20) == RPT_OK);
    CHECK(rpt_call_checkpoint_save(call, 20, "12345678", 8) == RPT_OK);
}

/* A failure leaves those before; what is above 0 is a failure, too. */
static void fail_to_pack(rpt_call_t *call, struct value *value)
{
    static const rpt_status_t bad[] = { RPT_ERR_SYSTEM, RPT_END };

    for (int i = 0; i < 2; i++) {
        value->measured = bad[i];
        CHECK(rpt_call_checkpoint(call, 30) == bad[i]);
        CHECK(says("not measured"));
        value->measured = RPT_OK;
        value->packed = bad[i];
        CHECK(rpt_call_checkpoint(call, 30) == bad[i]);
        CHECK(says("not packed"));
        value->packed = RPT_OK;
        value->unpacked = bad[i];
        /* Only what was there at the start is unpacked. */
        CHECK(set(call, value) ==
              (rpt_call_checkpoint_iteration(call) == 0 ? RPT_OK : bad[i]));
        value->unpacked = RPT_OK;
    }
}

static int alone(rpt_call_t *call, void *user)
{
    struct value value = { .value = 7 };
    rpt_checkpoint_t *checkpoint = NULL;
    bool begins = rpt_call_attempt(call) == 1;

    (void)user;
    bad_arguments(call, &value);
    CHECK_ERROR(RPT_ERR_STATE, rpt_call_checkpoint_open(call, &checkpoint));
    CHECK(says("no gang") && checkpoint == NULL);
    CHECK_ERROR(RPT_ERR_STATE, rpt_call_checkpoint(call, 20));
    CHECK(says("what is the state"));
    CHECK(restore(call) == (begins ? RPT_END : RPT_OK));
    CHECK(rpt_call_checkpoint_iteration(call) == (begins ? 0 : 20));
    CHECK(set(call, &value) == RPT_OK);
    go_back(call);
    fail_to_pack(call, &value);
    count_up(N_DONE);
    return begins ? 3 : 0;
}

/* ---- a gang ---- */

static int together(rpt_call_t *call, void *user)
{
    struct value value = { .value = 7 };
    rpt_checkpoint_t *checkpoint = NULL, *again = NULL;

    (void)user;
    CHECK_ERROR(RPT_ERR_STATE, set(call, &value));
    CHECK(says("it is a gang"));
    CHECK_ERROR(RPT_ERR_STATE, restore(call));
    CHECK_ERROR(RPT_ERR_STATE, rpt_call_checkpoint_save(call, 1, "a", 1));
    CHECK(rpt_call_checkpoint(call, 1) == RPT_OK); /* is never due */
    for (int i = 0; i < 2; i++) {
        CHECK(rpt_call_checkpoint_open(call, &checkpoint) == RPT_OK);
        CHECK_ERROR(RPT_ERR_STATE, rpt_call_checkpoint_open(call, &again));
        CHECK(says("it is open") && again == NULL);
        rpt_checkpoint_close(checkpoint);
    }
    count_up(N_DONE);
    return 0;
}

/* ---- another one has them ---- */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The first call waits; what comes later in this attempt does not. */
static int wait_long(rpt_call_t *call, void *user)
{
    const char *which = rpt_call_input(call, NULL);
    struct value value = { .value = 7 };
    rpt_checkpoint_t *checkpoint = NULL;
    double began = now();

    (void)user;
    switch (*which) {
    case 's':
        CHECK_ERROR(RPT_ERR_BUSY, set(call, &value));
        break;
    case 'r':
        CHECK_ERROR(RPT_ERR_BUSY, restore(call));
        break;
    case 'w':
        CHECK_ERROR(RPT_ERR_BUSY, rpt_call_checkpoint_save(call, 1, "a", 1));
        break;
    default:
        CHECK_ERROR(RPT_ERR_BUSY, rpt_call_checkpoint_open(call, &checkpoint));
        CHECK(checkpoint == NULL);
    }
    CHECK(now() - began >= TEN);
    if (*which != 'o') {
        CHECK_ERROR(RPT_ERR_BUSY, set(call, &value));
        CHECK_ERROR(RPT_ERR_BUSY, restore(call));
        CHECK_ERROR(RPT_ERR_BUSY, rpt_call_checkpoint_save(call, 1, "a", 1));
        CHECK_ERROR(RPT_ERR_BUSY, rpt_call_checkpoint(call, 1));
    }
    CHECK(value.value == 7);
    count_up(N_DONE);
    return 0;
}

static void set_up(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "without", without, w) == RPT_OK);
    CHECK(rpt_pool_register(w->pool, "alone", alone, w) == RPT_OK);
    CHECK(rpt_pool_register(w->pool, "together", together, w) == RPT_OK);
    CHECK(rpt_pool_register(w->pool, "wait_long", wait_long, w) == RPT_OK);
}

/* ---- tests ---- */

static void ask_for_none(struct world *w)
{
    rpt_task_t *gang = task_new("without", NULL, 0);

    CHECK(rpt_task_set_gang(gang, w->size) == RPT_OK);
    ends(submit(w->pool, task_new("without", NULL, 0)), RPT_OUTCOME_OK);
    ends(submit(w->pool, gang), RPT_OUTCOME_OK);
    CHECK(count_of(N_DONE) == 1 + (uint32_t)w->size);
    CHECK(entries("saved", "") <= 0);
}

static void who_did_not_ask_for_checkpoints_has_none(void)
{
    drive_with(set_up, 1, 3, DIRECTORY, ask_for_none);
}

static void twice(struct world *w)
{
    rpt_task_t *task = task_new("alone", NULL, 0);

    CHECK(rpt_task_set_checkpoint(task, 1e-9) == RPT_OK);
    CHECK(rpt_task_set_retries(task, 1) == RPT_OK);
    ends(submit(w->pool, task), RPT_OUTCOME_OK);
    CHECK(count_of(N_DONE) == 2);
}

static void a_function_saves_alone_and_never_goes_back(void)
{
    drive_with(set_up, 1, 2, DIRECTORY "log.level=0", twice);
}

static void gang(struct world *w)
{
    rpt_task_t *task = task_new("together", NULL, 0);

    CHECK(rpt_task_set_checkpoint(task, 1e-9) == RPT_OK);
    CHECK(rpt_task_set_gang(task, w->size) == RPT_OK);
    ends(submit(w->pool, task), RPT_OUTCOME_OK);
    CHECK(count_of(N_DONE) == (uint32_t)w->size);
}

static void a_gang_saves_together_and_opens_once(void)
{
    drive_with(set_up, 1, 3, DIRECTORY, gang);
}

/* All wait at the same time. */
static void hold_them(struct world *w)
{
    static const char *const whiches[] = { "s", "r", "w", "o" };
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    rpt_future_t *futures[4];
    int fds[4];

    CHECK(mkdir(scratch_path("saved"), 0755) == 0);
    for (int i = 0; i < 4; i++) {
        rpt_task_t *task = task_new("wait_long", whiches[i], 2);
        char name[32];

        snprintf(name, sizeof name, "saved/%s", whiches[i]);
        CHECK(mkdir(scratch_path(name), 0755) == 0);
        snprintf(name, sizeof name, "saved/%s/lock", whiches[i]);
        fds[i] = open(scratch_path(name), O_RDWR | O_CREAT, 0644);
        CHECK(fds[i] >= 0 && fcntl(fds[i], F_OFD_SETLK, &lock) == 0);
        CHECK(rpt_task_set_checkpoint(task, 1e-9) == RPT_OK);
        if (*whiches[i] == 'o') {
            CHECK(rpt_task_set_gang(task, 1) == RPT_OK);
        }
        futures[i] = submit_as(w->pool, task, whiches[i]);
    }
    for (int i = 0; i < 4; i++) {
        ends(futures[i], RPT_OUTCOME_OK);
        close(fds[i]);
    }
    CHECK(count_of(N_DONE) == 4);
}

static void who_finds_another_one_there_for_ten_seconds_gives_up(void)
{
    drive_with(set_up, 1, 1, DIRECTORY "pool.slots=4 log.level=0", hold_them);
}

const struct pool_test checkpoint_refused_tests[] = {
    TEST(who_did_not_ask_for_checkpoints_has_none),
    TEST(a_function_saves_alone_and_never_goes_back),
    TEST(a_gang_saves_together_and_opens_once),
    TEST(who_finds_another_one_there_for_ten_seconds_gives_up),
    TEST_END,
};
