/*
 * checkpoint.c - tasks that save their state, and go on from there
 *
 * A function or program adds numbers up; what is left of its work when it has
 * failed is told by how many steps were done in all.
 */
#include "saving.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE "pool.state_dir=@/state pool.retry_failed=yes "

enum { STEPS = 100, N_DONE = 0, N_SAVED = 1, N_PACKED = 2 };
static const uint64_t all_sum = 1 + 100 * 101 / 2;

/* What "add" is to do. */
struct order {
    int every;    /* save after so many steps, due or not; 0: when it is due */
    int dies_at;  /* fails after this step ...                               */
    int attempts; /* ... in so many attempts                                 */
    int only;     /* fails, too, when it began with this iteration           */
};

struct sum {
    uint64_t value;
    uint64_t step;
};

/* ---- functions ---- */

static int give(rpt_call_t *call, const struct sum *sum)
{
    CHECK(rpt_call_set_output(call, sum, sizeof *sum) == RPT_OK);
    return 0;
}

static int add(rpt_call_t *call, void *user)
{
    const struct world *w = user;
    struct order order;
    struct sum sum = { 1, 0 };
    uint64_t restored = 0;
    const void *data;
    size_t bytes;
    rpt_status_t status;

    memcpy(&order, rpt_call_input(call, NULL), sizeof order);
    status = rpt_call_checkpoint_restore(call, &restored, &data, &bytes);
    CHECK(status == RPT_OK || status == RPT_END);
    if (status == RPT_OK && CHECK(bytes == sizeof sum)) {
        memcpy(&sum, data, sizeof sum);
        CHECK(sum.step == restored);
    }
    CHECK(rpt_call_checkpoint_iteration(call) == sum.step);
    log_add(w->rank);
    if (order.only > 0 && sum.step == (uint64_t)order.only) {
        return 4;
    }
    while (sum.step < STEPS) {
        sum.value += ++sum.step;
        count_up(N_DONE);
        if (order.every > 0 && sum.step % (uint64_t)order.every == 0) {
            CHECK(rpt_call_checkpoint_save(call, sum.step, &sum, sizeof sum) ==
                  RPT_OK);
        }
        if (order.dies_at == (int)sum.step &&
            rpt_call_attempt(call) <= order.attempts) {
            return 3;
        }
    }
    return give(call, &sum);
}

static rpt_status_t measure(void *user, uint64_t *bytes_out)
{
    (void)user;
    *bytes_out = sizeof(struct sum);
    return RPT_OK;
}

static rpt_status_t pack(void *user, void *bytes, uint64_t n_bytes)
{
    count_up(N_PACKED);
    memcpy(bytes, user, (size_t)n_bytes);
    return RPT_OK;
}

static rpt_status_t unpack(void *user, const void *bytes, uint64_t n_bytes)
{
    if (n_bytes != sizeof(struct sum)) {
        return RPT_ERR_CORRUPT;
    }
    memcpy(user, bytes, (size_t)n_bytes);
    return RPT_OK;
}

/* The same with functions that pack and unpack. */
static int add_due(rpt_call_t *call, void *user)
{
    struct order order;
    struct sum sum = { 1, 0 };

    (void)user;
    memcpy(&order, rpt_call_input(call, NULL), sizeof order);
    CHECK(rpt_call_set_checkpoint(call, measure, pack, unpack, &sum) == RPT_OK);
    CHECK(rpt_call_checkpoint_iteration(call) == sum.step);
    while (sum.step < STEPS) {
        sum.value += ++sum.step;
        count_up(N_DONE);
        CHECK(rpt_call_checkpoint(call, sum.step) == RPT_OK);
        if (order.dies_at == (int)sum.step &&
            rpt_call_attempt(call) <= order.attempts) {
            return 3;
        }
    }
    return give(call, &sum);
}

/* Works until it is told to stop, then saves and says that it is not done. */
static int add_until(rpt_call_t *call, void *user)
{
    struct sum sum = { 1, 0 };

    (void)user;
    CHECK(rpt_call_set_checkpoint(call, measure, pack, unpack, &sum) == RPT_OK);
    if (sum.step > 0) {
        return give(call, &sum);
    }
    sum.step = 7;
    CHECK(rpt_call_checkpoint(call, 6) == RPT_OK); /* not due */
    CHECK(count_of(N_PACKED) == 0);
    count_up(N_DONE);
    while (!rpt_call_checkpoint_due(call) && is_young(60)) {
        usleep(1000);
    }
    CHECK(rpt_call_checkpoint(call, 7) == RPT_OK);
    CHECK(!rpt_call_checkpoint_due(call)); /* once is enough */
    return 5;
}

static rpt_status_t open_gang(rpt_call_t *call, rpt_checkpoint_t **checkpoint,
                              uint64_t mine[2])
{
    int rank = rpt_group_rank(rpt_call_group(call));
    int size = rpt_group_size(rpt_call_group(call));
    rpt_status_t status = rpt_call_checkpoint_open(call, checkpoint);
    rpt_checkpoint_array_t array = {
        .size = sizeof array,
        .name = "sums",
        .type = RPT_TYPE_U64,
        .n_dims = 1,
        .dims = { 2 * (uint64_t)size },
        .start = { 2 * (uint64_t)rank },
        .count = { 2 },
        .data = mine,
    };

    return status == RPT_OK ? rpt_checkpoint_add_array(*checkpoint, &array)
                            : status;
}

/* Each rank adds its own numbers up; rank 0 of the gang dies. */
static int add_together(rpt_call_t *call, void *user)
{
    int rank = rpt_group_rank(rpt_call_group(call));
    rpt_checkpoint_t *checkpoint = NULL;
    struct order order;
    struct sum sum = { 1, 0 };
    uint64_t mine[2] = { 1, 0 }, restored = 0;
    rpt_status_t status;

    (void)user;
    memcpy(&order, rpt_call_input(call, NULL), sizeof order);
    CHECK(rpt_call_checkpoint_save(call, 1, mine, 8) == RPT_ERR_STATE);
    CHECK(rpt_call_checkpoint_due(call) == 0);
    if (!CHECK(open_gang(call, &checkpoint, mine) == RPT_OK)) {
        return 9;
    }
    status = rpt_checkpoint_restore(checkpoint, &restored);
    CHECK(status == RPT_OK || status == RPT_END);
    CHECK(rpt_call_checkpoint_iteration(call) == restored);
    CHECK(mine[1] == restored);
    while (mine[1] < STEPS) {
        mine[0] += ++mine[1] + (uint64_t)rank;
        count_up(N_DONE);
        if (mine[1] % 10 == 0) {
            CHECK(rpt_checkpoint_save(checkpoint, mine[1]) == RPT_OK);
        }
        if ((int)mine[1] == order.dies_at &&
            rpt_call_attempt(call) <= order.attempts) {
            break;
        }
    }
    rpt_checkpoint_close(checkpoint);
    sum.value = mine[0];
    return mine[1] == STEPS ? give(call, &sum) : rank == 0 ? 3 : 0;
}

static void set_up(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "add", add, w) == RPT_OK);
    CHECK(rpt_pool_register(w->pool, "add_due", add_due, w) == RPT_OK);
    CHECK(rpt_pool_register(w->pool, "add_until", add_until, w) == RPT_OK);
    CHECK(rpt_pool_register(w->pool, "together", add_together, w) == RPT_OK);
}

static rpt_task_t *saver(const char *function, struct order order,
                         double interval_s, int retries)
{
    rpt_task_t *task = task_new(function, &order, sizeof order);

    CHECK(rpt_task_set_checkpoint(task, interval_s) == RPT_OK);
    CHECK(rpt_task_set_retries(task, retries) == RPT_OK);
    return task;
}

/* Not done in a batch: ends well, with the right sum. */
static const rpt_result_t *right_sum(rpt_future_t *future)
{
    const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);

    if (result != NULL && CHECK(result->output_bytes == sizeof(struct sum))) {
        struct sum sum;

        memcpy(&sum, result->output, sizeof sum);
        CHECK(sum.value == all_sum);
    }
    return result;
}

/* ---- a function goes on ---- */

static void die_at_57(struct world *w)
{
    rpt_future_t *future = submit_as(
        w->pool, saver("add", (struct order){ 10, 57, 1, 0 }, 1000, 1), "a");
    const rpt_result_t *result = right_sum(future);
    rpt_pool_stats_t stats = stats_of(w->pool);

    CHECK(count_of(N_DONE) == 57 + 50);
    if (result != NULL) {
        CHECK(result->attempts == 2 && result->resumed_iteration == 50);
        CHECK(result->checkpoints == 10);
        CHECK(result->wasted_s > 0 && result->wasted_s < 60);
        CHECK(fabs(stats.wasted_s - result->wasted_s) < 1e-9);
    }
    CHECK(stats.checkpoints == 10 && stats.restored == 1);
    if (w->size > 1 && CHECK(log_length() == 2)) {
        CHECK(log_at(0) != log_at(1));
    }
    rpt_future_destroy(future);
}

static void
a_function_that_failed_goes_on_elsewhere_at_its_last_checkpoint(void)
{
    drive_with(set_up, 1, 4, DIRECTORY, die_at_57);
}

static void die_and_pack(struct world *w)
{
    rpt_future_t *future = submit_as(
        w->pool, saver("add_due", (struct order){ 0, 57, 1, 0 }, 1e-9, 1), "a");
    const rpt_result_t *result = right_sum(future);

    CHECK(result == NULL || result->resumed_iteration == 57);
    CHECK(count_of(N_DONE) == 100 && count_of(N_PACKED) == 100);
    rpt_future_destroy(future);
}

static void functions_pack_and_unpack_the_state(void)
{
    drive_with(set_up, 1, 3, DIRECTORY, die_and_pack);
}

/* An interval that is never over: nothing is saved, all is done again. */
static void die_without(struct world *w)
{
    struct order order = { 0, 57, 1, 0 };
    rpt_future_t *plain = submit(w->pool, saver("add_due", order, 0, 1));
    const rpt_result_t *result = right_sum(plain);

    CHECK(count_of(N_DONE) == 157);
    CHECK(result == NULL ||
          (result->checkpoints == 0 && result->resumed_iteration == 0 &&
           result->wasted_s > 0));
    rpt_future_destroy(plain);
    plain = submit(w->pool, saver("add_due", order, 1000, 1));
    right_sum(plain);
    CHECK(count_of(N_DONE) == 314 && count_of(N_PACKED) == 0);
    rpt_future_destroy(plain);
}

static void what_was_not_saved_is_done_again(void)
{
    drive_with(set_up, 1, 2, DIRECTORY, die_without);
}

/* The same work with and without: 50 ms a step of ten. */
static int slow(rpt_call_t *call, void *user)
{
    uint64_t step = rpt_call_checkpoint_iteration(call);

    (void)user;
    while (step < 10) {
        usleep(20000);
        step++;
        if (rpt_call_checkpoint_due(call)) {
            CHECK(rpt_call_checkpoint_save(call, step, &step, sizeof step) ==
                  RPT_OK);
        }
        if (step == 9 && rpt_call_attempt(call) == 1) {
            return 3;
        }
    }
    return 0;
}

static void set_up_slow(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "slow", slow, w) == RPT_OK);
}

static double wasted(struct world *w, double interval_s)
{
    rpt_future_t *future = submit(
        w->pool, saver("slow", (struct order){ 0 }, interval_s, 1));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);
    double wasted_s = result != NULL ? result->wasted_s : -1;

    rpt_future_destroy(future);
    return wasted_s;
}

static void compare_waste(struct world *w)
{
    double without_s = wasted(w, 0), with_s = wasted(w, 0.001);

    CHECK(without_s >= 9 * 0.02);
    CHECK(with_s >= 0 && with_s < without_s / 2);
}

static void less_work_is_wasted(void)
{
    drive_with(set_up_slow, 1, 1, DIRECTORY, compare_waste);
}

/* ---- the next job ---- */

static void fail_for_good(struct world *w)
{
    rpt_future_t *future = submit_as(
        w->pool, saver("add", (struct order){ 10, 57, 9, 0 }, 1000, 0), "a");

    ends(future, RPT_OUTCOME_FAILED);
}

static void go_on(struct world *w)
{
    rpt_future_t *future = submit_as(
        w->pool, saver("add", (struct order){ 10, 0, 0, 0 }, 1000, 0), "a");
    const rpt_result_t *result = right_sum(future);

    CHECK(result == NULL || (result->resumed_iteration == 50 &&
                             result->checkpoints == 5 && !result->resumed));
    rpt_future_destroy(future);
}

static void two_jobs(struct world *w)
{
    next_job(w, set_up, fail_for_good);
    CHECK(entries("saved", "") == 1 && entries("saved/a", "it-") == 3);
    next_job(w, set_up, go_on);
    CHECK(count_of(N_DONE) == 107);
    CHECK(entries("saved", "") == 0);
}

static void the_next_job_goes_on_and_nothing_is_left(void)
{
    on_all(1, 3, DIRECTORY STATE, two_jobs);
}

static void two_jobs_without_state(struct world *w)
{
    next_job(w, set_up, fail_for_good);
    next_job(w, set_up, go_on);
    CHECK(count_of(N_DONE) == 107);
}

static void a_job_without_journal_goes_on_too(void)
{
    on_all(1, 2, DIRECTORY, two_jobs_without_state);
}

static void kept(struct world *w)
{
    next_job(w, set_up, fail_for_good);
    next_job(w, set_up, go_on);
    CHECK(entries("saved/a", "it-") >= 3);
    CHECK(entries("saved/a", ".") == 0 && entries("saved/a", "scratch") == 0);
}

static void they_are_kept_when_asked_for(void)
{
    on_all(1, 2, DIRECTORY "pool.checkpoint_keep=yes", kept);
}

/* A folder is named after the task, whatever its id is. */
static void fail_two(struct world *w)
{
    static const char *const ids[] = { "a/b c", "a_b_c", ".a", "a:1" };

    for (int i = 0; i < 4; i++) {
        ends(submit_as(w->pool,
                       saver("add", (struct order){ 10, 57, 9, 0 }, 1000, 0),
                       ids[i]),
             RPT_OUTCOME_FAILED);
    }
    ends(submit(w->pool, saver("add", (struct order){ 20, 57, 9, 0 }, 1000, 0)),
         RPT_OUTCOME_FAILED);
}

static void names(struct world *w)
{
    next_job(w, set_up, fail_two);
    CHECK(entries("saved", "") == 5 && entries("saved", ".") == 0);
    CHECK(entries("saved/a_b_c", "it-") == 3);
    next_job(w, set_up, fail_two);
    CHECK(entries("saved", "") == 5);
    /* The first job did 57 steps of each; the second one 7, or 17. */
    CHECK(count_of(N_DONE) == 5 * 57 + 4 * 7 + 17);
}

static void every_id_has_a_folder_of_its_own(void)
{
    on_all(1, 1, DIRECTORY, names);
}

/* ---- damage ---- */

static void damage(const char *task)
{
    char path[2 * TEXT_BYTES], newest[300] = "";
    DIR *folder;
    struct dirent *entry;
    FILE *file;

    snprintf(path, sizeof path, "saved/%s", task);
    folder = opendir(scratch_path(path));
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, "it-", 3) == 0 &&
            strcmp(entry->d_name, newest) > 0) {
            snprintf(newest, sizeof newest, "%s", entry->d_name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    snprintf(path, sizeof path, "saved/%s/%s/files/state", task, newest);
    file = fopen(scratch_path(path), "r+");
    if (CHECK(file != NULL)) {
        fputc('x', file);
        fclose(file);
    }
}

static void go_on_at_40(struct world *w)
{
    rpt_future_t *future = submit_as(
        w->pool, saver("add", (struct order){ 10, 0, 0, 0 }, 1000, 0), "a");
    const rpt_result_t *result = right_sum(future);

    CHECK(result == NULL || result->resumed_iteration == 40);
    rpt_future_destroy(future);
}

static void damaged(struct world *w)
{
    next_job(w, set_up, fail_for_good);
    if (w->rank == 0) {
        damage("a");
    }
    next_job(w, set_up, go_on_at_40);
    CHECK(entries("saved", "") == 0);
}

static void one_that_is_damaged_is_passed_over(void)
{
    on_all(1, 2, DIRECTORY "log.level=0", damaged);
}

/* It dies whenever it begins with 50; with 40 it does not. */
static void never_from_50(struct world *w)
{
    rpt_future_t *future = submit_as(
        w->pool, saver("add", (struct order){ 10, 57, 1, 50 }, 1000, 5), "a");
    const rpt_result_t *result = right_sum(future);

    CHECK(result == NULL ||
          (result->attempts == 4 && result->resumed_iteration == 40));
    rpt_future_destroy(future);
}

static void one_that_leads_nowhere_is_passed_over(void)
{
    drive_with(set_up, 1, 2, DIRECTORY "io.checkpoint.tries=2 log.level=0",
               never_from_50);
}

/* ---- told to stop ---- */

static void cancel_it(struct world *w)
{
    struct order none = { 0 };
    rpt_future_t *future = submit_as(w->pool, saver("add_until", none, 1000, 0),
                                     "a");

    CHECK(wait_count(w->pool, N_DONE, 1));
    CHECK(rpt_future_cancel(future) == RPT_OK);
    ends(future, RPT_OUTCOME_CANCELLED);
    CHECK(count_of(N_PACKED) == 1);
}

static void stop_it(struct world *w)
{
    struct order none = { 0 };

    submit_quietly(w->pool, saver("add_until", none, 1000, 0));
    CHECK(wait_count(w->pool, N_DONE, 1));
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_DRAIN, 60, NULL) == RPT_OK);
    w->closed = true;
    CHECK(count_of(N_PACKED) == 1);
}

static void a_cancelled_function_may_save_first(void)
{
    drive_with(set_up, 1, 2, DIRECTORY, cancel_it);
}

static void functions_may_save_when_the_pool_stops(void)
{
    drive_with(set_up, 1, 2, DIRECTORY, stop_it);
}

/* ---- who may ---- */

/* Another one has it, and gives it up after a while. */
static void wait_for_lock(struct world *w)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    struct order order = { 10, 0, 0, 0 };
    int fd = open(scratch_path("saved/a/lock"), O_RDWR);
    rpt_future_t *a, *b;

    CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
    a = submit_as(w->pool, saver("add", order, 1000, 0), "a");
    b = submit_as(w->pool, saver("add", order, 1000, 0), "b");
    right_sum(b); /* others are not held up */
    rpt_future_destroy(b);
    CHECK(rpt_future_wait(a, 0.3) == RPT_PENDING);
    CHECK(log_length() == 2); /* of the first job, and of b */
    close(fd);
    right_sum(a);
    CHECK(count_of(N_DONE) == 107 + STEPS);
    rpt_future_destroy(a);
}

static void lock(struct world *w)
{
    next_job(w, set_up, fail_for_good);
    next_job(w, set_up, wait_for_lock);
    CHECK(entries("saved", "") == 0);
}

static void an_attempt_waits_for_who_still_has_the_folder(void)
{
    on_all(1, 2, DIRECTORY "pool.slots=2", lock);
}

static void ask_without_directory(struct world *w)
{
    struct order none = { 0 };
    rpt_future_t *future = NULL;
    rpt_task_t *task = saver("add", none, 60, 0);

    CHECK_ERROR(RPT_ERR_INVALID, rpt_pool_submit(w->pool, task, &future));
    CHECK(strstr(rpt_last_error()->why, "pool.checkpoint_dir") != NULL);
    CHECK_ERROR(RPT_ERR_INVALID, rpt_pool_check(w->pool, task));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_task_set_checkpoint(task, -1));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_task_set_checkpoint(task, (double)NAN));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_task_set_checkpoint(task, (double)INFINITY));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_task_set_checkpoint(NULL, 1));
    CHECK(rpt_task_set_checkpoint(task, 0) == RPT_OK);
    CHECK(rpt_pool_check(w->pool, task) == RPT_OK);
    rpt_task_destroy(task);
}

static void there_must_be_a_directory_and_a_good_interval(void)
{
    drive_with(set_up, 1, 2, NULL, ask_without_directory);
}

static void bad_signal(struct world *w)
{
    CHECK(pool_open(w, NULL) == RPT_ERR_PARSE);
    w->pool = NULL;
}

static void the_signal_must_be_one_that_is_known(void)
{
    on_all(1, 2, "pool.checkpoint_signal=KILL", bad_signal);
}

/* ---- gangs ---- */

static void gang(struct world *w)
{
    rpt_task_t *task = saver("together", (struct order){ 0, 57, 1, 0 }, 1000,
                             1);
    rpt_future_t *future;
    const rpt_result_t *result;

    CHECK(rpt_task_set_gang(task, w->size) == RPT_OK);
    future = submit_as(w->pool, task, "gang");
    result = right_sum(future);
    CHECK(count_of(N_DONE) == 107 * (uint32_t)w->size);
    CHECK(result == NULL ||
          (result->attempts == 2 && result->resumed_iteration == 50 &&
           result->checkpoints == 10));
    rpt_future_destroy(future);
}

static void gangs(struct world *w)
{
    next_job(w, set_up, gang);
    CHECK(entries("saved", "") == 0);
}

struct holder {
    int fd;
    uint32_t n_done; /* by those who should wait */
};

static void *let_go(void *user)
{
    static const struct timespec while_ = { 0, 700000000 };
    struct holder *holder = user;

    nanosleep(&while_, NULL);
    holder->n_done = count_of(N_DONE);
    close(holder->fd);
    return NULL;
}

/* Another one has them, and gives them up after a while.  This thread may be
 * one of those that wait. */
static void gang_waits(struct world *w)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    rpt_task_t *task = saver("together", (struct order){ 0 }, 1000, 0);
    struct holder holder = { -1, 1 };
    rpt_future_t *future;
    pthread_t thread;

    (void)mkdir(scratch_path("saved"), 0755);
    CHECK(mkdir(scratch_path("saved/gang"), 0755) == 0);
    holder.fd = open(scratch_path("saved/gang/lock"), O_RDWR | O_CREAT, 0644);
    CHECK(holder.fd >= 0 && fcntl(holder.fd, F_OFD_SETLK, &lock) == 0);
    CHECK(rpt_task_set_gang(task, w->size) == RPT_OK);
    CHECK(pthread_create(&thread, NULL, let_go, &holder) == 0);
    future = submit_as(w->pool, task, "gang");
    right_sum(future);
    pthread_join(thread, NULL);
    CHECK(holder.n_done == 0);
    rpt_future_destroy(future);
}

static void a_gang_waits_for_who_still_has_the_folder(void)
{
    drive_with(set_up, 1, 3, DIRECTORY, gang_waits);
}

static void a_gang_goes_on_together(void)
{
    on_all(1, 4, DIRECTORY, gangs);
}

/* ---- SPMD ---- */

static void spmd(struct world *w)
{
    char id[16];

    CHECK(pool_open(w, NULL) == RPT_OK);
    set_up(w);
    snprintf(id, sizeof id, "r%d", w->rank);
    submit_quietly(w->pool,
                   saver("add", (struct order){ 10, 57, 1, 0 }, 1000, 1));
    {
        rpt_future_t *future = submit_as(
            w->pool, saver("add", (struct order){ 10, 57, 1, 0 }, 1000, 1), id);

        CHECK(rpt_pool_drain(w->pool) == RPT_OK);
        right_sum(future);
        rpt_future_destroy(future);
    }
    rpt_pool_destroy(w->pool);
    meet(w);
    CHECK(count_of(N_DONE) == 214 * (uint32_t)w->size);
    CHECK(entries("saved", "") == 0);
}

static void every_rank_may_submit_such_tasks(void)
{
    on_all(1, 4, DIRECTORY, spmd);
}

const struct pool_test checkpoint_tests[] = {
    TEST(a_function_that_failed_goes_on_elsewhere_at_its_last_checkpoint),
    TEST(functions_pack_and_unpack_the_state),
    TEST(what_was_not_saved_is_done_again),
    TEST(less_work_is_wasted),
    TEST(the_next_job_goes_on_and_nothing_is_left),
    TEST(a_job_without_journal_goes_on_too),
    TEST(they_are_kept_when_asked_for),
    TEST(every_id_has_a_folder_of_its_own),
    TEST(one_that_is_damaged_is_passed_over),
    TEST(one_that_leads_nowhere_is_passed_over),
    TEST(a_cancelled_function_may_save_first),
    TEST(functions_may_save_when_the_pool_stops),
    TEST(an_attempt_waits_for_who_still_has_the_folder),
    TEST(there_must_be_a_directory_and_a_good_interval),
    TEST(the_signal_must_be_one_that_is_known),
    TEST(a_gang_goes_on_together),
    TEST(a_gang_waits_for_who_still_has_the_folder),
    TEST(every_rank_may_submit_such_tasks),
    TEST_END,
};
