/*
 * world.c - the board, checks, and the pool that most tests begin with
 */
#include "world_priv.h"

#include "base/clock.h"
#include "base/futex.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIMIT_S 120.0 /* for what should take milliseconds */

struct board *board;
static int size_now;
static pthread_mutex_t check_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- tables ---- */

extern const struct pool_test functions_tests[], programs_tests[],
    outputs_tests[], order_tests[], depend_tests[], resources_tests[],
    ends_tests[], cancel_tests[], futures_tests[], submit_tests[],
    arguments_tests[], ending_tests[], spmd_tests[], groups_tests[],
    gangs_tests[], resume_tests[], directory_tests[], state_tests[],
    faults_tests[], gangs_mpi_tests[], inside_tests[], gpus_tests[],
    giving_tests[], staging_tests[], checkpoint_tests[],
    checkpoint_programs_tests[], checkpoint_bad_tests[],
    checkpoint_refused_tests[];

static const struct pool_test *const tables[] = {
    functions_tests,      programs_tests,
    outputs_tests,        order_tests,
    depend_tests,         resources_tests,
    ends_tests,           cancel_tests,
    futures_tests,        submit_tests,
    arguments_tests,      ending_tests,
    spmd_tests,           groups_tests,
    gangs_tests,          resume_tests,
    directory_tests,      state_tests,
    faults_tests,         gangs_mpi_tests,
    inside_tests,         gpus_tests,
    giving_tests,         staging_tests,
    checkpoint_tests,     checkpoint_programs_tests,
    checkpoint_bad_tests, checkpoint_refused_tests,
};

struct rpt_test *all_tests(int size)
{
    size_t n = 0;
    struct rpt_test *tests;

    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (const struct pool_test *p = tables[t]; p->least > 0; p++) {
            n++;
        }
    }
    tests = calloc(n + 1, sizeof *tests);
    n = 0;
    for (size_t t = 0; tests != NULL && t < sizeof tables / sizeof *tables;
         t++) {
        for (const struct pool_test *p = tables[t]; p->least > 0; p++) {
            if (p->least <= size) {
                tests[n++] = p->test;
            }
        }
    }
    return tests;
}

/* ---- the board ---- */

static struct board *map(int fd)
{
    void *at = fd >= 0 ? mmap(NULL, sizeof(struct board),
                              PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                       : MAP_FAILED;

    return at != MAP_FAILED ? at : NULL;
}

struct board *board_make(int *fd_out)
{
    int fd = memfd_create("rpt-board", MFD_CLOEXEC);

    *fd_out = fd;
    return fd >= 0 && ftruncate(fd, sizeof(struct board)) == 0 ? map(fd) : NULL;
}

struct board *board_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct board *made = map(fd);

    if (fd >= 0) {
        close(fd);
    }
    return made;
}

static void raise_word(_Atomic uint32_t *word)
{
    atomic_fetch_add(word, 1);
    rpt__futex_wake(word, 1000);
}

static bool word_reaches(_Atomic uint32_t *word, uint32_t least, double limit_s)
{
    double limit = rpt__now_s() + limit_s;
    uint32_t now;

    while ((now = atomic_load(word)) < least) {
        double left = limit - rpt__now_s();

        if (left <= 0) {
            return false;
        }
        rpt__futex_wait(word, now, left);
    }
    return true;
}

void gate_open(int gate)
{
    raise_word(&board->gate[gate]);
}

bool gate_pass(int gate, double limit_s)
{
    return word_reaches(&board->gate[gate], 1, limit_s);
}

void count_up(int counter)
{
    raise_word(&board->count[counter]);
}

uint32_t count_of(int counter)
{
    return atomic_load(&board->count[counter]);
}

bool count_reaches(int counter, uint32_t least, double limit_s)
{
    return word_reaches(&board->count[counter], least, limit_s);
}

bool is_young(double seconds)
{
    return rpt__now_s() < board->began_s + seconds;
}

void log_add(int32_t value)
{
    uint32_t at = atomic_fetch_add(&board->n_log, 1);

    if (at < LOG_MAX) {
        atomic_store(&board->log[at], value);
    }
}

int log_length(void)
{
    return (int)atomic_load(&board->n_log);
}

int32_t log_at(int index)
{
    return atomic_load(&board->log[index]);
}

void world_begins(int size, bool first)
{
    if (first) {
        memset((void *)board, 0, sizeof *board);
        board->began_s = rpt__now_s();
    }
    size_now = size;
}

/* ---- checks ---- */

bool check_here(bool good, const char *condition, const char *file, int line)
{
    char text[512];

    if (!good) {
        snprintf(text, sizeof text, "%s [of %d ranks]", condition, size_now);
    }
    pthread_mutex_lock(&check_lock);
    CU_assertImplementation(good, (unsigned)line, good ? condition : text, file,
                            "", CU_FALSE);
    pthread_mutex_unlock(&check_lock);
    return good;
}

bool check_error(rpt_status_t wanted, rpt_status_t got, const char *call,
                 const char *file, int line)
{
    const rpt_error_t *error = rpt_last_error();
    char text[512];

    snprintf(text, sizeof text, "%s gave %s, not %s", call,
             rpt_status_name(got), rpt_status_name(wanted));
    if (!check_here(got == wanted, text, file, line) || wanted >= 0) {
        return got == wanted;
    }
    snprintf(text, sizeof text, "%s left no record of its failure", call);
    return check_here(error->status == wanted && error->what[0] != '\0', text,
                      file, line);
}

/* ---- files ---- */

static int remove_entry(const char *path, const struct stat *stat, int kind,
                        struct FTW *at)
{
    (void)stat;
    (void)kind;
    (void)at;
    return remove(path);
}

const char *scratch_folder(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&lock);
    if (board->folder[0] == '\0') {
        char path[] = "/tmp/rpt-pool.XXXXXX";

        CHECK(mkdtemp(path) != NULL);
        memcpy(board->folder, path, sizeof path);
    }
    pthread_mutex_unlock(&lock);
    return board->folder;
}

void world_ends(void)
{
    if (board->folder[0] != '\0') {
        nftw(board->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
}

const char *scratch_path(const char *name)
{
    static _Thread_local char paths[4][TEXT_BYTES + 256];
    static _Thread_local int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", scratch_folder(), name);
    return path;
}

void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (CHECK(file != NULL)) {
        CHECK(fputs(text, file) >= 0);
        CHECK(fclose(file) == 0);
    }
}

bool process_ends(long pid)
{
    double limit = rpt__now_s() + 10;
    _Atomic uint32_t never = 0;

    while (kill((pid_t)pid, 0) == 0 && rpt__now_s() < limit) {
        rpt__futex_wait(&never, 0, 1e-3);
    }
    return kill((pid_t)pid, 0) != 0;
}

char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t n = 0, room = 1 << 16;
    char *text = file != NULL ? malloc(room + 1) : NULL;

    if (text != NULL) {
        n = fread(text, 1, room, file);
        text[n] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

/* ---- pools ---- */

rpt_options_t *options_with(const char *settings)
{
    rpt_options_t *options = NULL;
    char *copy = strdup(settings != NULL ? settings : ""), *rest = copy;
    char *word;

    CHECK(rpt_options_create(&options) == RPT_OK);
    while (copy != NULL && (word = strtok_r(rest, " ", &rest)) != NULL) {
        char *value = strchr(word, '='), path[2 * TEXT_BYTES];

        *value++ = '\0';
        if (value[0] == '@') {
            snprintf(path, sizeof path, "%s%s", scratch_folder(), value + 1);
            value = path;
        }
        CHECK(rpt_options_set(options, word, value) == RPT_OK);
    }
    free(copy);
    return options;
}

rpt_status_t pool_open(struct world *world, rpt_group_t *group)
{
    rpt_status_t status = rpt_pool_create(world->context, group, &world->pool);

    if (status == RPT_OK) {
        register_all(world, world->pool);
    }
    return status;
}

void meet(struct world *world)
{
    CHECK(rpt_group_barrier(rpt_group_world(world->context)) == RPT_OK);
}

/* What the ranks of a world do; the same for all of them. */
static struct {
    int driver;
    world_fn setup, fn;
} scene;

static void play_scene(struct world *world)
{
    if (!CHECK(pool_open(world, NULL) == RPT_OK)) {
        return;
    }
    if (scene.setup != NULL) {
        scene.setup(world);
    }
    if (world->rank == scene.driver) {
        scene.fn(world);
        for (int i = 0; i < N_GATES; i++) {
            gate_open(i);
        }
        if (!world->closed) {
            CHECK(rpt_pool_shutdown(world->pool, RPT_SHUTDOWN_GRACEFUL, 0,
                                    NULL) == RPT_OK);
        }
    } else {
        CHECK(rpt_pool_serve(world->pool) == RPT_OK);
    }
    rpt_pool_destroy(world->pool);
}

void job(struct world *world, int n, world_fn fn)
{
    rpt_group_t *group = NULL;

    CHECK(rpt_group_split(rpt_group_world(world->context),
                          world->rank < n ? 0 : RPT_COLOR_NONE, 0,
                          &group) == RPT_OK);
    if (group != NULL && CHECK(pool_open(world, group) == RPT_OK)) {
        if (world->rank == 0) {
            world->closed = false;
            fn(world);
            if (!world->closed) {
                CHECK(rpt_pool_shutdown(world->pool, RPT_SHUTDOWN_GRACEFUL, 0,
                                        NULL) == RPT_OK);
            }
        } else {
            CHECK(rpt_pool_serve(world->pool) == RPT_OK);
        }
        rpt_pool_destroy(world->pool);
    }
    rpt_group_destroy(group);
    meet(world);
}

static void play(int driver, world_fn setup, world_fn fn)
{
    scene.driver = driver;
    scene.setup = setup;
    scene.fn = fn;
}

void drive(int least, int most, const char *settings, world_fn fn)
{
    play(0, NULL, fn);
    on_all(least, most, settings, play_scene);
}

void drive_from(int driver, int least, int most, const char *settings,
                world_fn fn)
{
    play(driver, NULL, fn);
    on_all(least, most, settings, play_scene);
}

void drive_with(world_fn setup, int least, int most, const char *settings,
                world_fn fn)
{
    play(0, setup, fn);
    on_all(least, most, settings, play_scene);
}

bool wait_count(rpt_pool_t *pool, int counter, uint32_t least)
{
    double limit = rpt__now_s() + LIMIT_S;

    while (count_of(counter) < least && rpt__now_s() < limit) {
        rpt_pool_wait(pool, 0);
        count_reaches(counter, least, 1e-3);
    }
    return CHECK(count_of(counter) >= least);
}

void wait_log(rpt_pool_t *pool, int least)
{
    double limit = rpt__now_s() + LIMIT_S;

    while (log_length() < least && rpt__now_s() < limit) {
        rpt_pool_wait(pool, 1e-3);
    }
    CHECK(log_length() >= least);
}

void wait_all(rpt_pool_t *pool)
{
    CHECK(rpt_pool_wait(pool, LIMIT_S) == RPT_OK);
}

void wait_all_but(rpt_pool_t *pool, uint64_t n)
{
    double limit = rpt__now_s() + LIMIT_S;
    rpt_pool_stats_t stats;

    do {
        rpt_pool_wait(pool, 1e-3);
        stats = stats_of(pool);
    } while (stats.submitted - stats.ended > n && rpt__now_s() < limit);
    CHECK(stats.submitted - stats.ended == n);
}

void wait_running(rpt_pool_t *pool, uint64_t n)
{
    double limit = rpt__now_s() + LIMIT_S;

    while (stats_of(pool).running != n && rpt__now_s() < limit) {
        rpt_pool_wait(pool, 1e-3);
    }
    CHECK(stats_of(pool).running == n);
}

rpt_pool_stats_t stats_of(rpt_pool_t *pool)
{
    rpt_pool_stats_t stats;

    memset(&stats, 0, sizeof stats);
    stats.size = sizeof stats;
    CHECK(rpt_pool_stats(pool, &stats) == RPT_OK);
    return stats;
}

const rpt_result_t *ended(rpt_future_t *future, rpt_outcome_t outcome)
{
    const rpt_result_t *result = NULL;

    if (!CHECK(future != NULL) ||
        !CHECK(rpt_future_wait(future, LIMIT_S) == RPT_OK) ||
        !CHECK(rpt_future_result(future, &result) == RPT_OK)) {
        return NULL;
    }
    if (result->outcome != outcome) {
        printf("  task %s: %s, \"%s\"\n", result->id,
               rpt_outcome_name(result->outcome), result->message);
    }
    CHECK(result->size == sizeof *result);
    CHECK(result->outcome == outcome);
    return result;
}

void ends(rpt_future_t *future, rpt_outcome_t outcome)
{
    ended(future, outcome);
    rpt_future_destroy(future);
}

static bool is_text(const void *data, size_t bytes, const char *text)
{
    bool same = bytes == strlen(text) && memcmp(data, text, bytes) == 0;

    if (!same) {
        printf("  output \"%.*s\", not \"%s\"\n", (int)bytes,
               (const char *)data, text);
    }
    return same;
}

bool stdout_is(const rpt_result_t *result, const char *text)
{
    return result != NULL &&
           is_text(result->stdout_data, result->stdout_bytes, text);
}

bool stderr_is(const rpt_result_t *result, const char *text)
{
    return result != NULL &&
           is_text(result->stderr_data, result->stderr_bytes, text);
}
