/*
 * ckpt_victim.c - a job that saves its state, to be killed, stopped and starved
 *
 *     mpirun -n N ckpt_victim DIR LOG [WORD ...]
 *     ckpt_victim DIR LOG threads=N [WORD ...]    ranks as threads, no MPI
 *
 * Its state is arrays in one and two dimensions, a value and a blob; each
 * number is a formula of the iteration.  It restores, compares every number
 * with the formula of the iteration that it was told, and saves the next ones.
 * Rank R appends to LOG.R, a line a write, so that it is there after a kill:
 *
 *     left NAME            rank 0, after the opening: .tmp-, .old- or .spare-
 *     restored N | none    and it is just that
 *     wrong N WHAT         and it is not
 *     saving N, then saved N, or failed N STATUS: TEXT
 *     cannot CALL STATUS: TEXT
 *     end
 *
 * Words: saves=N of them (3); retry=N times each (0); async; gaps (one more
 * array, whose rows have gaps of a few bytes between the ranks); limit=BYTES
 * (RLIMIT_FSIZE) and files=N (descriptors that are left) of the process from
 * the first save to its end; pause (waits for a line on the standard input of
 * rank 0 before the first save); funneled (MPI_THREAD_FUNNELED, else MULTIPLE).
 *
 * Exit code: 0; 1 something is wrong; 2 a save failed, as often as was tried;
 * 3 it could not open or restore.
 */
#include <repartir.h>
#include <repartir/checkpoint.h>
#include <repartir/mpi.h>

#include <dirent.h>
#include <fcntl.h>
#include <mpi.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    LINE = 4099,  /* elements of the array in one dimension */
    ROWS = 30,    /* of that in two, ...                    */
    COLUMNS = 12, /* ... for each rank                      */
    GHOST = 1,    /* around a rank's block                  */
    GAP = 3,      /* elements between two ranks             */
    TABLE = 5,    /* elements of the value                  */
    BLOB = 700,   /* bytes, and some more                   */
    WIDE = COLUMNS + 2 * GHOST,
    TALL = ROWS + 2 * GHOST
};

static struct {
    const char *folder, *log;
    int saves, retry, threads;
    bool async, has_gaps, pauses, is_funneled;
    long long limit, files;
} wanted = { .folder = "", .log = "log", .saves = 3, .limit = -1, .files = -1 };

/* A rank. */
struct rank {
    int log, rank, size;
    /* the state */
    uint64_t from, n; /* of the line */
    double line[LINE];
    float field[TALL * WIDE];
    double gaps[ROWS * COLUMNS];
    int64_t table[TABLE];
    unsigned char blob[BLOB + 16];
    uint64_t blob_bytes, iteration;
    const char *wrong; /* what did not come back */
};
static _Thread_local struct rank *v;

/* ---- what it says ---- */

static void say(const char *format, ...)
{
    char text[4096];
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(text, sizeof text - 1, format, list);
    va_end(list);
    n = n < (int)sizeof text - 1 ? n : (int)sizeof text - 2;
    text[n++] = '\n';
    if (write(v->log, text, (size_t)n) != n) {
        _exit(9);
    }
}

static void say_error(const char *what, rpt_status_t status)
{
    const rpt_error_t *error = rpt_last_error();

    say("%s %s: %s (%s)", what, rpt_status_name(status), error->what,
        error->why);
}

/* ---- the formula ---- */

enum item { LINE_ITEM = 1, FIELD_ITEM, GAPS_ITEM, TABLE_ITEM, BLOB_ITEM };

/* Below 2^24, so that a float has it. */
static uint64_t number(enum item item, uint64_t at, uint64_t iteration)
{
    uint64_t x = (uint64_t)item * 0x9e3779b97f4a7c15U + at;

    x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9U + iteration;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return (x ^ (x >> 31)) & 0xffffff;
}

static uint64_t columns_of_all(int each)
{
    return (uint64_t)(each * v->size);
}

/* Every second save has another shape. */
static uint64_t blob_bytes(uint64_t iteration)
{
    return (uint64_t)(BLOB - 5 * v->rank % 50) + iteration / 2 % 7;
}

/* Calls fn for each element: where it is kept, and what it should be. */
static void each_line(uint64_t iteration, void (*fn)(double *, uint64_t))
{
    for (uint64_t i = 0; i < v->n; i++) {
        fn(&v->line[i], number(LINE_ITEM, v->from + i, iteration));
    }
}

static uint64_t in_field(int row, int column, uint64_t iteration)
{
    return number(FIELD_ITEM,
                  (uint64_t)row * columns_of_all(COLUMNS) +
                      (uint64_t)(v->rank * COLUMNS + column),
                  iteration);
}

static float *field_at(int row, int column)
{
    return &v->field[(row + GHOST) * WIDE + column + GHOST];
}

static uint64_t in_gaps(int row, int column, uint64_t iteration)
{
    return number(GAPS_ITEM,
                  (uint64_t)row * columns_of_all(COLUMNS + GAP) +
                      (uint64_t)(v->rank * (COLUMNS + GAP) + column),
                  iteration);
}

static void set(double *to, uint64_t number)
{
    *to = (double)number;
}

static void compare(double *from, uint64_t number)
{
    if (*from < (double)number || *from > (double)number) {
        v->wrong = "line";
    }
}

static void fill(uint64_t iteration)
{
    each_line(iteration, set);
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLUMNS; c++) {
            *field_at(r, c) = (float)in_field(r, c, iteration);
            v->gaps[r * COLUMNS + c] = (double)in_gaps(r, c, iteration);
        }
    }
    for (uint64_t i = 0; i < TABLE; i++) {
        v->table[i] = (int64_t)number(TABLE_ITEM, i, iteration);
    }
    v->iteration = iteration;
}

static void spoil(void)
{
    memset(v->line, 0xa5, sizeof v->line);
    memset(v->field, 0xa5, sizeof v->field);
    memset(v->gaps, 0xa5, sizeof v->gaps);
    memset(v->table, 0xa5, sizeof v->table);
    memset(v->blob, 0xa5, sizeof v->blob);
    v->blob_bytes = 0;
}

/* Of bytes, since NaN is not equal to itself. */
static bool is(const void *from, const void *number, size_t bytes)
{
    return memcmp(from, number, bytes) == 0;
}

static void check_blob(uint64_t iteration)
{
    if (v->blob_bytes != blob_bytes(iteration)) {
        v->wrong = "blob: its length";
        return;
    }
    for (uint64_t i = 0; i < v->blob_bytes; i++) {
        if (v->blob[i] != (number(BLOB_ITEM, i, iteration) & 255)) {
            v->wrong = "blob";
        }
    }
}

/* NULL, or what is not as it should be. */
static const char *check(uint64_t iteration)
{
    v->wrong = NULL;
    each_line(iteration, compare);
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLUMNS; c++) {
            float field = (float)in_field(r, c, iteration);
            double gap = (double)in_gaps(r, c, iteration);

            if (!is(field_at(r, c), &field, sizeof field)) {
                v->wrong = "field";
            }
            if (wanted.has_gaps &&
                !is(&v->gaps[r * COLUMNS + c], &gap, sizeof gap)) {
                v->wrong = "gaps";
            }
        }
    }
    for (uint64_t i = 0; i < TABLE; i++) {
        if (v->table[i] != (int64_t)number(TABLE_ITEM, i, iteration)) {
            v->wrong = "table";
        }
    }
    check_blob(iteration);
    return v->wrong;
}

/* ---- what it saves ---- */

static rpt_status_t measure(void *user, uint64_t *bytes_out)
{
    (void)user;
    *bytes_out = blob_bytes(v->iteration);
    return RPT_OK;
}

static rpt_status_t pack(void *user, void *bytes, uint64_t n_bytes)
{
    unsigned char *to = bytes;

    (void)user;
    for (uint64_t i = 0; i < n_bytes; i++) {
        to[i] = (unsigned char)(number(BLOB_ITEM, i, v->iteration) & 255);
    }
    return RPT_OK;
}

static rpt_status_t unpack(void *user, const void *bytes, uint64_t n_bytes,
                           int from, int n_from)
{
    (void)user;
    (void)from;
    (void)n_from;
    if (n_bytes > sizeof v->blob) {
        return RPT_ERR_OVERFLOW;
    }
    memcpy(v->blob, bytes, (size_t)n_bytes);
    v->blob_bytes = n_bytes;
    return RPT_OK;
}

static rpt_status_t add_arrays(rpt_checkpoint_t *c)
{
    rpt_checkpoint_array_t line = { .size = sizeof line,
                                    .name = "line",
                                    .type = RPT_TYPE_F64,
                                    .n_dims = 1,
                                    .dims = { LINE },
                                    .start = { v->from },
                                    .count = { v->n },
                                    .data = v->line };
    rpt_checkpoint_array_t field = { .size = sizeof field,
                                     .name = "a/field",
                                     .type = RPT_TYPE_F32,
                                     .n_dims = 2,
                                     .dims = { ROWS, columns_of_all(COLUMNS) },
                                     .start = { 0,
                                                (uint64_t)(v->rank * COLUMNS) },
                                     .count = { ROWS, COLUMNS },
                                     .memory_dims = { TALL, WIDE },
                                     .memory_start = { GHOST, GHOST },
                                     .data = v->field };
    rpt_checkpoint_array_t gaps = {
        .size = sizeof gaps,
        .name = "a/gaps",
        .type = RPT_TYPE_F64,
        .n_dims = 2,
        .dims = { ROWS, columns_of_all(COLUMNS + GAP) },
        .start = { 0, (uint64_t)(v->rank * (COLUMNS + GAP)) },
        .count = { ROWS, COLUMNS },
        .data = v->gaps
    };
    rpt_status_t status = rpt_checkpoint_add_array(c, &line);

    if (status == RPT_OK) {
        status = rpt_checkpoint_add_array(c, &field);
    }
    if (status == RPT_OK && wanted.has_gaps) {
        status = rpt_checkpoint_add_array(c, &gaps);
    }
    return status;
}

static rpt_status_t add(rpt_checkpoint_t *c)
{
    rpt_checkpoint_blob_t blob = { .size = sizeof blob,
                                   .name = "blob",
                                   .measure = measure,
                                   .pack = pack,
                                   .unpack = unpack };
    rpt_status_t status = add_arrays(c);

    if (status == RPT_OK) {
        status = rpt_checkpoint_add_value(c, "table", RPT_TYPE_I64, TABLE,
                                          v->table);
    }
    return status == RPT_OK ? rpt_checkpoint_add_blob(c, &blob) : status;
}

/* ---- the steps ---- */

/* A limit of the process, until it is given back. */
static struct rlimit before;

/* Sets the one that is wanted; was may be NULL. */
static void set_limit(const struct rlimit *now, struct rlimit *was)
{
    if (wanted.limit >= 0) {
        prlimit(0, RLIMIT_FSIZE, now, was);
    } else {
        prlimit(0, RLIMIT_NOFILE, now, was);
    }
}

static void limit(bool on)
{
    struct rlimit less;

    if (wanted.limit < 0 && wanted.files < 0) {
        return;
    }
    if (!on) {
        set_limit(&before, NULL);
        return;
    }
    set_limit(NULL, &before);
    less = before;
    less.rlim_cur = (rlim_t)wanted.limit;
    if (wanted.limit < 0) {
        int next = dup(v->log);

        less.rlim_cur = (rlim_t)(next + wanted.files);
        close(next);
    }
    set_limit(&less, NULL);
}

static rpt_status_t save(rpt_checkpoint_t *c, uint64_t iteration)
{
    rpt_status_t status;

    if (!wanted.async) {
        return rpt_checkpoint_save(c, iteration);
    }
    status = rpt_checkpoint_save_async(c, iteration);
    if (status == RPT_OK) {
        fill(iteration + 1); /* the program goes on */
        status = rpt_checkpoint_wait(c);
        fill(iteration);
    }
    return status;
}

static bool save_all(rpt_checkpoint_t *c, uint64_t iteration)
{
    bool all = true;

    for (int i = 1; i <= wanted.saves; i++) {
        int tries = 0;
        char text[64];
        rpt_status_t status;

        iteration++;
        fill(iteration);
        do {
            say("saving %llu", (unsigned long long)iteration);
            limit(i == 1 && tries == 0);
            status = save(c, iteration);
            limit(false);
            snprintf(text, sizeof text, "failed %llu",
                     (unsigned long long)iteration);
            if (status != RPT_OK) {
                say_error(text, status);
            } else {
                say("saved %llu", (unsigned long long)iteration);
            }
        } while (status != RPT_OK && tries++ < wanted.retry);
        all = all && status == RPT_OK;
    }
    return all;
}

static void look_for_leftovers(void)
{
    char path[4096];
    DIR *dir;
    struct dirent *entry;

    snprintf(path, sizeof path, "%s/victim", wanted.folder);
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, ".tmp-", 5) == 0 ||
            strncmp(entry->d_name, ".old-", 5) == 0 ||
            strncmp(entry->d_name, ".spare-", 7) == 0) {
            say("left %s", entry->d_name);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

/* The exit code so far. */
static int begin(rpt_context_t *context, rpt_checkpoint_t **c_out,
                 uint64_t *iteration_out)
{
    rpt_status_t status = rpt_checkpoint_open(
        rpt_group_world(context), wanted.folder, "victim", NULL, c_out);
    const char *wrong;

    if (status != RPT_OK) {
        say_error("cannot open", status);
        return 3;
    }
    if (v->rank == 0) {
        look_for_leftovers();
    }
    status = add(*c_out);
    if (status == RPT_OK) {
        spoil();
        status = rpt_checkpoint_restore(*c_out, iteration_out);
    }
    if (status == RPT_END) {
        say("restored none");
        return 0;
    }
    if (status != RPT_OK) {
        say_error("cannot restore", status);
        return 3;
    }
    wrong = check(*iteration_out);
    if (wrong != NULL) {
        say("wrong %llu %s", (unsigned long long)*iteration_out, wrong);
        return 1;
    }
    say("restored %llu", (unsigned long long)*iteration_out);
    return 0;
}

static int live(rpt_context_t *context)
{
    rpt_checkpoint_t *c = NULL;
    uint64_t iteration = 0;
    char path[4096];
    int code;

    v = calloc(1, sizeof *v);
    if (v == NULL) {
        return 3;
    }
    v->rank = rpt_context_rank(context);
    v->size = rpt_context_size(context);
    snprintf(path, sizeof path, "%s.%d", wanted.log, v->rank);
    v->log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    v->from = (uint64_t)(LINE * v->rank / v->size);
    v->n = (uint64_t)(LINE * (v->rank + 1) / v->size) - v->from;
    code = begin(context, &c, &iteration);
    if (wanted.pauses && v->rank == 0) {
        getchar(); /* the others wait in the save */
    }
    if (code == 0 && !save_all(c, iteration)) {
        code = 2;
    }
    rpt_checkpoint_close(c);
    return code;
}

/* ---- the start ---- */

static long long value(const char *word, const char *name, long long other)
{
    size_t n = strlen(name);

    return strncmp(word, name, n) == 0 && word[n] == '=' ? atoll(word + n + 1)
                                                         : other;
}

static void take_word(const char *word)
{
    wanted.saves = (int)value(word, "saves", wanted.saves);
    wanted.retry = (int)value(word, "retry", wanted.retry);
    wanted.limit = value(word, "limit", wanted.limit);
    wanted.files = value(word, "files", wanted.files);
    wanted.threads = (int)value(word, "threads", wanted.threads);
    wanted.async |= strcmp(word, "async") == 0;
    wanted.has_gaps |= strcmp(word, "gaps") == 0;
    wanted.is_funneled |= strcmp(word, "funneled") == 0;
    wanted.pauses |= strcmp(word, "pause") == 0;
}

/* MPI libraries keep some memory to the end. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static _Atomic int worst;

static rpt_status_t run_rank(rpt_context_t *context, void *user)
{
    int code = live(context);

    (void)user;
    if (code > worst) {
        worst = code;
    }
    say("end");
    free(v);
    return RPT_OK;
}

static int run_over_mpi(int *argc, char ***argv)
{
    rpt_context_t *context = NULL;
    int level, code = 3;

    MPI_Init_thread(
        argc, argv,
        wanted.is_funneled ? MPI_THREAD_FUNNELED : MPI_THREAD_MULTIPLE, &level);
    if (rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context) == RPT_OK) {
        code = live(context);
        rpt_context_destroy(context);
    }
    MPI_Finalize();
    if (v != NULL) {
        say("end");
        free(v);
    }
    return code;
}

int main(int argc, char *argv[])
{
    wanted.folder = argc > 1 ? argv[1] : "";
    wanted.log = argc > 2 ? argv[2] : "log";
    for (int i = 3; i < argc; i++) {
        take_word(argv[i]);
    }
    if (wanted.threads == 0) {
        return run_over_mpi(&argc, &argv);
    }
    if (rpt_local_run(wanted.threads, NULL, run_rank, NULL) != RPT_OK) {
        return 3;
    }
    return worst;
}
