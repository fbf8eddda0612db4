/*
 * no_memory.c - memory ends while checkpoints are written and read, at each
 * allocation in turn
 *
 * Something is done again and again, and of what a rank allocates for it the
 * first fails, then the second, and so on, until it is done without one
 * failing; then the same with what the threads behind the rank allocate.  Each
 * time before RPT_ERR_NOMEM is told on that rank, nothing is given, and the
 * next start finds the checkpoint before, or the new one, whole.
 *
 * What is not released then, and what is used that is not there, sanitizers
 * find.
 */
#include "allocations.h"
#include "faults_tables.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 10000, MOST_RANKS = 2, BLOB = 3000 };

/* A rank, its state, and what it was told. */
struct job {
    rpt_group_t *group;
    const char *folder;
    rpt_checkpoint_t *c;
    int rank, size;
    uint64_t values[N]; /* of all; its own part is saved */
    uint64_t time;
    bool is_packed_right;
    uint64_t iteration; /* that is saved, or was restored */
};

/* What is done, by all ranks. */
struct work {
    const char *name;
    bool begins_open; /* before memory ends                       */
    bool restores;    /* that, too                                */
    bool saves;       /* what was there before may be there still */
    rpt_status_t (*fn)(struct job *j);
};

static const struct work *work;
static const char *folder;
/* The next start finds what was told as committed last, or a later one. */
static uint64_t told, tried;
static int lacking; /* the rank whose memory ends, -1: none */
static unsigned first_to_fail, left_over;
static bool is_behind;
static unsigned n_peers; /* told RPT_ERR_PEER */
static rpt_status_t statuses[MOST_RANKS];
static char texts[MOST_RANKS][2000];

/* ---- the state ---- */

static uint64_t value_of(uint64_t iteration, uint64_t i)
{
    return iteration * 1000003 + i * i % 251;
}

static void fill(struct job *j, uint64_t iteration)
{
    for (uint64_t i = 0; i < N; i++) {
        j->values[i] = value_of(iteration, i);
    }
    j->time = iteration;
    j->iteration = iteration;
}

static rpt_status_t measure(void *user, uint64_t *bytes_out)
{
    (void)user;
    *bytes_out = BLOB;
    return RPT_OK;
}

static rpt_status_t pack(void *user, void *bytes, uint64_t n_bytes)
{
    const struct job *j = user;

    memset(bytes, (int)(j->iteration % 100), (size_t)n_bytes);
    return RPT_OK;
}

static rpt_status_t unpack(void *user, const void *bytes, uint64_t n_bytes,
                           int from, int n_from)
{
    struct job *j = user;
    const unsigned char *b = bytes;

    j->is_packed_right = n_bytes == BLOB && from == j->rank &&
                         n_from == j->size;
    for (uint64_t i = 0; i < n_bytes; i++) {
        j->is_packed_right = j->is_packed_right && b[i] == b[0];
    }
    j->is_packed_right = j->is_packed_right && b[0] == j->time % 100;
    return RPT_OK;
}

static rpt_status_t describe(struct job *j)
{
    uint64_t begin = (uint64_t)(N * j->rank / j->size);
    rpt_checkpoint_array_t a = {
        .size = sizeof a,
        .name = "values",
        .type = RPT_TYPE_U64,
        .n_dims = 1,
        .dims = { N },
        .start = { begin },
        .count = { (uint64_t)(N * (j->rank + 1) / j->size) - begin },
        .data = j->values + begin
    };
    rpt_checkpoint_blob_t b = { .size = sizeof b,
                                .name = "packed",
                                .measure = measure,
                                .pack = pack,
                                .unpack = unpack,
                                .user = j };
    rpt_status_t status = rpt_checkpoint_add_array(j->c, &a);

    if (status == RPT_OK) {
        status = rpt_checkpoint_add_value(j->c, "time", RPT_TYPE_U64, 1,
                                          &j->time);
    }
    if (status == RPT_OK) {
        status = rpt_checkpoint_add_blob(j->c, &b);
    }
    if (status == RPT_OK) {
        status = rpt_checkpoint_set_text(j->c, "values", "units", "m");
    }
    if (status == RPT_OK) {
        status = rpt_checkpoint_set_attribute(j->c, NULL, "step", RPT_TYPE_U64,
                                              1, &j->time);
    }
    return status;
}

static bool is_right(const struct job *j)
{
    uint64_t begin = (uint64_t)(N * j->rank / j->size);
    uint64_t end = (uint64_t)(N * (j->rank + 1) / j->size);
    bool good = j->is_packed_right && j->time == j->iteration;

    for (uint64_t i = begin; i < end; i++) {
        good = good && j->values[i] == value_of(j->iteration, i);
    }
    return good;
}

/* ---- what is done ---- */

static rpt_status_t open_it(struct job *j)
{
    return rpt_checkpoint_open(j->group, j->folder, "task", NULL, &j->c);
}

static rpt_status_t open_and_look(struct job *j)
{
    rpt_status_t status = open_it(j);

    CHECK((j->c != NULL) == (status == RPT_OK));
    return status;
}

static rpt_status_t save_it(struct job *j)
{
    return rpt_checkpoint_save(j->c, j->iteration);
}

static rpt_status_t save_behind(struct job *j)
{
    rpt_status_t status = rpt_checkpoint_save_async(j->c, j->iteration);

    return status == RPT_OK ? rpt_checkpoint_wait(j->c) : status;
}

static rpt_status_t save_files(struct job *j)
{
    rpt_status_t status = rpt_checkpoint_begin(j->c, j->iteration);
    char *path = NULL, name[32];
    FILE *file;

    snprintf(name, sizeof name, "a/b/%d", j->rank);
    if (status == RPT_OK) {
        status = rpt_checkpoint_route(j->c, name, &path);
        CHECK((path != NULL) == (status == RPT_OK));
    }
    if (path != NULL) {
        file = fopen(path, "w");
        CHECK(file != NULL && fputs("some\n", file) >= 0);
        CHECK(file != NULL && fclose(file) == 0);
        free(path);
    }
    return status == RPT_OK ? rpt_checkpoint_save(j->c, j->iteration) : status;
}

static rpt_status_t restore_it(struct job *j)
{
    const uint64_t none = UINT64_MAX;
    uint64_t found = none;
    rpt_status_t status = rpt_checkpoint_restore(j->c, &found);

    CHECK((found != none) == (status == RPT_OK));
    if (status == RPT_OK) {
        j->iteration = found;
        CHECK(is_right(j) && found >= told && found <= tried);
    }
    return status;
}

static rpt_status_t ask_for_paths(struct job *j)
{
    char *path = NULL;
    rpt_status_t status = rpt_checkpoint_restored_path(j->c, &path);

    CHECK((path != NULL) == (status == RPT_OK));
    free(path);
    path = NULL;
    if (status == RPT_OK) {
        status = rpt_checkpoint_file(j->c, "a/b/0", &path);
        CHECK((path != NULL) == (status == RPT_OK));
        free(path);
    }
    return status;
}

static rpt_status_t ask_when(struct job *j)
{
    int due = -1;
    rpt_status_t status = rpt_checkpoint_due(j->c, 5, &due);

    CHECK((due != -1) == (status == RPT_OK));
    return status;
}

/* ---- once, with one allocation that fails ---- */

static struct job *job_of(rpt_context_t *context)
{
    struct job *j = calloc(1, sizeof *j);

    CHECK(j != NULL);
    j->group = rpt_group_world(context);
    j->folder = folder;
    j->rank = rpt_context_rank(context);
    j->size = rpt_context_size(context);
    return j;
}

static void arm(int rank)
{
    rpt_test_is_in_front = true;
    if (rank == lacking && is_behind) {
        atomic_store(&rpt_test_fails_behind, first_to_fail);
    } else if (rank == lacking) {
        rpt_test_fails_in = first_to_fail;
    }
}

static void disarm(int rank)
{
    if (rank == lacking) {
        left_over = is_behind ? atomic_exchange(&rpt_test_fails_behind, 0)
                              : rpt_test_fails_in;
        rpt_test_fails_in = 0;
    }
}

static rpt_status_t attempt(rpt_context_t *context, void *user)
{
    struct job *j = job_of(context);

    (void)user;
    if (work->begins_open) {
        WORKS(open_it(j));
        if (work->fn != describe) {
            WORKS(describe(j));
        }
    }
    if (work->restores) {
        WORKS(restore_it(j));
    }
    fill(j, tried);
    /* One that opens and fails may end the group in which the other waits. */
    CHECK(rpt_group_barrier(j->group) == RPT_OK || !work->begins_open);
    arm(j->rank);
    statuses[j->rank] = work->fn(j);
    if (statuses[j->rank] < 0) {
        const rpt_error_t *error = rpt_last_error();

        CHECK(error->status == statuses[j->rank]);
        CHECK(error->what[0] != '\0');
        snprintf(texts[j->rank], sizeof texts[0], "%s", rpt_last_error_text());
    }
    disarm(j->rank);
    rpt_checkpoint_close(j->c);
    free(j);
    return RPT_OK;
}

/* ---- the next start ---- */

static rpt_status_t start(rpt_context_t *context, void *user)
{
    struct job *j = job_of(context);

    (void)user;
    WORKS(open_it(j));
    WORKS(describe(j));
    fill(j, 0);
    WORKS(restore_it(j));
    CHECK(rpt_group_barrier(j->group) == RPT_OK);
    if (j->rank == 0) {
        told = j->iteration;
    }
    rpt_checkpoint_close(j->c);
    free(j);
    return RPT_OK;
}

static void start_again(int n_ranks, const rpt_options_t *options)
{
    char line[300];

    CHECK(rpt_local_run(n_ranks, options, start, NULL) == RPT_OK);
    snprintf(line, sizeof line, "! ls -A %s/task | grep '^\\.[a-z]*-'", folder);
    CHECK(system(line) == 0);
}

/* ---- all of it ---- */

/* Who could not even say that it has no memory is missed, or comes too late. */
static bool is_possible(int n_ranks, rpt_status_t status)
{
    return status == RPT_OK || status == RPT_ERR_NOMEM ||
           (n_ranks > 1 &&
            (status == RPT_ERR_PEER || status == RPT_ERR_TIMEOUT ||
             status == RPT_ERR_STATE));
}

static void judge(int n_ranks)
{
    bool failed = false;

    for (int r = 0; r < n_ranks; r++) {
        rpt_status_t status = statuses[r];

        if (!CHECK(is_possible(n_ranks, status))) {
            printf("   %s, allocation %u of rank %d%s: rank %d: %s\n",
                   work->name, first_to_fail, lacking,
                   is_behind ? ", behind" : "", r, texts[r]);
        }
        failed |= status != RPT_OK;
        n_peers += status == RPT_ERR_PEER;
        if (status == RPT_OK && work->saves) {
            told = tried;
        }
    }
    CHECK(!failed || left_over == 0);
}

/* They would be more to read each time. */
static void forget_events(void)
{
    char path[300];

    snprintf(path, sizeof path, "%s/task/events.jsonl", folder);
    (void)unlink(path);
}

/* Manifests are many small allocations. */
static unsigned step_of(int n_ranks)
{
    unsigned begin = n_ranks == 1 ? 60 : 6;

    if (getenv("RPT_TEST_LONG") != NULL) {
        return 1;
    }
    return first_to_fail < begin ? 1 : n_ranks == 1 ? 11 : 7;
}

/* How often it failed. */
static unsigned in_turn(int n_ranks, int rank, bool behind)
{
    rpt_options_t *options = options_with(
        "io.checkpoint.tries=0 io.checkpoint.sync=no "
        "io.checkpoint.deadline_s=1 comm.internal_deadline_s=3 "
        "coll.deadline_s=3");
    unsigned n_failed = 0;

    /* To look at this machine takes longer than to save. */
    WORKS(rpt_options_set(options, "topo.synthetic", "core:4 pu:1"));
    lacking = rank;
    is_behind = behind;
    left_over = 0;
    for (first_to_fail = 1; left_over == 0; first_to_fail += step_of(n_ranks)) {
        for (int r = 0; r < n_ranks; r++) {
            statuses[r] = RPT_ERR_INTERNAL;
        }
        tried += work->saves;
        forget_events();
        CHECK(rpt_local_run(n_ranks, options, attempt, NULL) == RPT_OK);
        judge(n_ranks);
        n_failed += statuses[rank] != RPT_OK;
        if (work->saves && n_failed % 8 == 0) {
            start_again(n_ranks, options);
        }
    }
    start_again(n_ranks, options);
    rpt_options_destroy(options);
    return n_failed;
}

static const struct work works[] = {
    { "open", false, false, false, open_and_look },
    { "describe", true, false, false, describe },
    { "save", true, false, true, save_it },
    { "save in the background", true, false, true, save_behind },
    { "files", true, false, true, save_files },
    { "due", true, false, false, ask_when },
    { "restore", true, false, false, restore_it },
    { "paths", true, true, false, ask_for_paths },
};
enum { N_WORKS = sizeof works / sizeof *works };

static void first_save(int n_ranks)
{
    static const struct work first = { "first", true, false, true, save_files };

    folder = scratch_make();
    work = &first;
    lacking = -1;
    told = tried = 1;
    CHECK(rpt_local_run(n_ranks, NULL, attempt, NULL) == RPT_OK);
}

static void begin(int n_ranks)
{
    rpt_log_set_level(RPT_LOG_ERROR);
    json_set_alloc_funcs(rpt_test_json_malloc, rpt_test_json_free);
    first_save(n_ranks);
}

static void end(void)
{
    scratch_remove(folder);
    rpt_log_set_level(RPT_LOG_WARN);
}

static void without_memory_calls_are_done_or_fail(void)
{
    begin(1);
    for (size_t i = 0; i < N_WORKS; i++) {
        work = &works[i];
        CHECK(in_turn(1, 0, false) > 0);
    }
    end();
}

static void without_memory_behind_a_save_it_fails(void)
{
    begin(1);
    for (size_t i = 0; i < N_WORKS; i++) {
        work = &works[i];
        if (work->saves) {
            CHECK(in_turn(1, 0, true) > 0);
        }
    }
    end();
}

/* A collective call, and nothing else.  Not that of due(): an all-reduce does
 * not ask whether all have memory for it. */
static bool is_together(void)
{
    return work->fn == open_and_look || work->fn == save_it ||
           work->fn == restore_it;
}

/* It cannot always say so; then the others miss it. */
static void a_rank_without_memory_keeps_nobody_for_long(void)
{
    if (rpt_test_is_short()) {
        rpt_test_skip("this is a short run, and ranks wait for each other");
        return;
    }
    begin(2);
    n_peers = 0;
    for (size_t i = 0; i < N_WORKS; i++) {
        work = &works[i];
        for (int rank = 0; rank < 2 && is_together(); rank++) {
            CHECK(in_turn(2, rank, false) > 0);
        }
    }
    CHECK(n_peers > 5);
    end();
}

const struct rpt_test no_memory_tests[] = {
    RPT_TEST(without_memory_calls_are_done_or_fail),
    RPT_TEST(without_memory_behind_a_save_it_fails),
    RPT_TEST(a_rank_without_memory_keeps_nobody_for_long),
    RPT_TEST_END,
};
