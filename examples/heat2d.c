/*
 * heat2d.c - heat spreads over a plate; may be interrupted at any moment
 *
 *   mpicc heat2d.c $(pkg-config --cflags --libs repartir) -o heat2d
 *   mpirun -n 4 ./heat2d --dir run --out field.h5 --picture field.png
 *
 * Kill it, and type the same line again, with another number of ranks if you
 * like: it goes on from its newest checkpoint, in the folder `run`.  The field
 * in the end is the same in every bit, whatever happened in between.  After
 * USR1, TERM, or `touch run/HALT` it saves and ends with 75: start me again.
 *
 * The plate is a square of n times n cells, each rank has a block of it with a
 * frame of one cell around, where the borders of its neighbours are copied to;
 * outside of the plate it is cold, 0.  In each step a cell comes nearer to the
 * mean of its four neighbours:
 *
 *   new = u + 1/8 ((north + south) + (west + east) - 4 u)
 *
 * Why the bits are the same: no cell's sum depends on where blocks begin, and
 * 1/8 and 4 are powers of two, so that nothing is rounded but the additions,
 * even by a compiler that makes one instruction of a product and a sum.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include "png.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { REPORT = 100 };    /* steps from one line about the change to the next */
enum { SIDE_MAX = 512 };  /* pixels of the picture                            */
enum { N_MAX = 1 << 20 }; /* cells along a side                               */

struct settings {
    long n, steps, every, step_ms, kill_at;
    const char *dir, *engine, *out, *picture;
    int is_async;
};

/* This rank's block: count[0] rows of count[1] cells, and the frame. */
struct block {
    MPI_Comm grid;
    MPI_Datatype column; /* one cell of each row */
    int north, south, west, east;
    uint64_t n, start[2], count[2];
    double *u, *next; /* each (count[0] + 2) * (count[1] + 2) cells */
};

/* A failure of the library is returned on all ranks; each one knows why. */
static void must(rpt_status_t status)
{
    if (status < RPT_OK) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "heat2d: %s: %s\n", what, why);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* ---- the plate ---- */

/* Parts of n cells as equal as can be; with more parts than cells the last
 * ones are empty. */
static void cut(uint64_t n, int n_parts, int part, uint64_t *start,
                uint64_t *count)
{
    uint64_t parts = (uint64_t)n_parts, i = (uint64_t)part;
    uint64_t least = n / parts, more = n % parts;

    *count = least + (i < more);
    *start = least * i + (i < more ? i : more);
}

static size_t width(const struct block *b)
{
    return (size_t)b->count[1] + 2;
}

/* An empty block talks to nobody; neither does one with a neighbour that is
 * empty, or beyond the edge. */
static void find_neighbours(struct block *b)
{
    MPI_Cart_shift(b->grid, 0, 1, &b->north, &b->south);
    MPI_Cart_shift(b->grid, 1, 1, &b->west, &b->east);
    if (b->count[0] == 0 || b->count[1] == 0) {
        b->north = b->south = b->west = b->east = MPI_PROC_NULL;
    }
    if (b->start[0] + b->count[0] == b->n) {
        b->south = MPI_PROC_NULL;
    }
    if (b->start[1] + b->count[1] == b->n) {
        b->east = MPI_PROC_NULL;
    }
}

/* Two discs are hot at the beginning; in whole numbers, so that all compilers
 * have the same. */
static double first(uint64_t n, uint64_t y, uint64_t x)
{
    const int64_t size = (int64_t)n, y8 = (int64_t)y * 8, x8 = (int64_t)x * 8;
    const int64_t y_a = y8 - 3 * size, x_a = x8 - 3 * size;
    const int64_t y_b = y8 - 5 * size, x_b = x8 - 6 * size;

    return y_a * y_a + x_a * x_a < 4 * size * size ? 1.0
           : y_b * y_b + x_b * x_b < size * size   ? 0.75
                                                   : 0.0;
}

static void block_create(struct block *b, uint64_t n)
{
    int size, rank, dims[2] = { 0, 0 }, periods[2] = { 0, 0 }, at[2];
    size_t cells;

    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Dims_create(size, 2, dims);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &b->grid);
    MPI_Comm_rank(b->grid, &rank);
    MPI_Cart_coords(b->grid, rank, 2, at);
    b->n = n;
    for (int d = 0; d < 2; d++) {
        cut(n, dims[d], at[d], &b->start[d], &b->count[d]);
    }
    find_neighbours(b);
    MPI_Type_vector((int)b->count[0], 1, (int)width(b), MPI_DOUBLE, &b->column);
    MPI_Type_commit(&b->column);
    cells = ((size_t)b->count[0] + 2) * width(b);
    b->u = calloc(cells, sizeof *b->u);
    b->next = calloc(cells, sizeof *b->next);
    if (b->u == NULL || b->next == NULL) {
        give_up("the plate", "out of memory");
    }
    for (size_t y = 0; y < b->count[0]; y++) {
        for (size_t x = 0; x < b->count[1]; x++) {
            b->u[(y + 1) * width(b) + x + 1] = first(n, b->start[0] + y,
                                                     b->start[1] + x);
        }
    }
}

static void block_destroy(struct block *b)
{
    free(b->u);
    free(b->next);
    MPI_Type_free(&b->column);
    MPI_Comm_free(&b->grid);
}

/* The borders of the neighbours come to the frame. */
static void exchange(struct block *b)
{
    const size_t w = width(b), rows = (size_t)b->count[0];
    const int columns = (int)b->count[1];
    double *u = b->u;

    MPI_Sendrecv(u + w + 1, columns, MPI_DOUBLE, b->north, 0,
                 u + (rows + 1) * w + 1, columns, MPI_DOUBLE, b->south, 0,
                 b->grid, MPI_STATUS_IGNORE);
    MPI_Sendrecv(u + rows * w + 1, columns, MPI_DOUBLE, b->south, 1, u + 1,
                 columns, MPI_DOUBLE, b->north, 1, b->grid, MPI_STATUS_IGNORE);
    MPI_Sendrecv(u + w + 1, 1, b->column, b->west, 2, u + w + columns + 1, 1,
                 b->column, b->east, 2, b->grid, MPI_STATUS_IGNORE);
    MPI_Sendrecv(u + w + columns, 1, b->column, b->east, 3, u + w, 1, b->column,
                 b->west, 3, b->grid, MPI_STATUS_IGNORE);
}

/* One step; returns the largest change of a cell of this rank. */
static double advance(struct block *b)
{
    const size_t w = width(b);
    double largest = 0, *old = b->u;

    exchange(b);
    for (size_t y = 1; y <= b->count[0]; y++) {
        for (size_t x = 1; x <= b->count[1]; x++) {
            const double *u = old + y * w + x;
            const double change = 0.125 * (((u[-(ptrdiff_t)w] + u[w]) +
                                            (u[-1] + u[1])) -
                                           4.0 * u[0]);

            b->next[y * w + x] = u[0] + change;
            largest = change > largest    ? change
                      : -change > largest ? -change
                                          : largest;
        }
    }
    b->u = b->next;
    b->next = old;
    return largest;
}

/* ---- checkpoints ---- */

/* What the state is.  The field changes its place in each step, so this is
 * said again before each save. */
static void describe(rpt_checkpoint_t *checkpoint, struct block *b,
                     double *residual)
{
    rpt_checkpoint_array_t field = {
        .size = sizeof field,
        .name = "temperature",
        .type = RPT_TYPE_F64,
        .n_dims = 2,
        .dims = { b->n, b->n },
        .start = { b->start[0], b->start[1] },
        .count = { b->count[0], b->count[1] },
        .memory_dims = { b->count[0] + 2, b->count[1] + 2 },
        .memory_start = { 1, 1 },
        .data = b->u,
    };

    must(rpt_checkpoint_add_array(checkpoint, &field));
    must(rpt_checkpoint_add_value(checkpoint, "residual", RPT_TYPE_F64, 1,
                                  residual));
}

static void set_options(const struct settings *s, rpt_options_t *options)
{
    char every[32];

    snprintf(every, sizeof every, "%ld", s->every);
    must(rpt_options_set(options, "io.checkpoint.every", every));
    must(rpt_options_set(options, "io.checkpoint.signals", "USR1,TERM"));
    if (s->engine != NULL) {
        must(rpt_options_set(options, "io.checkpoint.engine", s->engine));
    }
}

/* One that cannot be written is no reason to stop: those before are whole.
 * Unless the program ends after it. */
static void save(rpt_checkpoint_t *checkpoint, uint64_t step, int is_async,
                 int is_last)
{
    rpt_status_t status = RPT_OK;

    if (is_async && !is_last) {
        /* How the one before went; normally it is over since long. */
        status = rpt_checkpoint_wait(checkpoint);
        if (status < RPT_OK) {
            fprintf(stderr, "%s\n", rpt_last_error_text());
        }
        status = rpt_checkpoint_save_async(checkpoint, step);
    } else {
        status = rpt_checkpoint_save(checkpoint, step);
    }
    if (is_last) {
        must(status);
    } else if (status < RPT_OK) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
    }
}

/* ---- the loop ---- */

struct run {
    const struct settings *settings;
    rpt_group_t *group;
    rpt_checkpoint_t *checkpoint;
    struct block block;
    double residual; /* largest change of a cell in the step last reported */
};

static void pass_time(const struct settings *s)
{
    struct timespec time = { s->step_ms / 1000, s->step_ms % 1000 * 1000000 };

    if (s->step_ms > 0) {
        nanosleep(&time, NULL);
    }
}

/* A maximum does not depend on the order, so all runs print the same. */
static void report(struct run *r, uint64_t step, double largest)
{
    must(rpt_allreduce(r->group, &largest, &r->residual, 1, RPT_TYPE_F64,
                       RPT_OP_MAX));
    if (rpt_group_rank(r->group) == 0) {
        printf("step %llu: largest change %.17g\n", (unsigned long long)step,
               r->residual);
        fflush(stdout);
    }
}

/* Goes on from a checkpoint, if there is one; returns its step. */
static uint64_t restore(struct run *r)
{
    uint64_t step = 0;
    rpt_status_t status;

    describe(r->checkpoint, &r->block, &r->residual);
    must(rpt_checkpoint_set_text(r->checkpoint, "temperature", "units", "K"));
    status = rpt_checkpoint_restore(r->checkpoint, &step);
    must(status);
    if (step > (uint64_t)r->settings->steps) {
        give_up(r->settings->dir, "it has a checkpoint of more steps");
    }
    if (rpt_group_rank(r->group) == 0) {
        if (status == RPT_END) {
            fprintf(stderr, "heat2d: starts from the beginning\n");
        } else {
            fprintf(stderr, "heat2d: goes on after step %llu\n",
                    (unsigned long long)step);
        }
    }
    return step;
}

/* Returns the step that was reached: all of them, or the program should stop
 * and is to be started again. */
static uint64_t loop(struct run *r)
{
    const struct settings *s = r->settings;
    const uint64_t steps = (uint64_t)s->steps;
    uint64_t step = restore(r);
    int due = RPT_DUE_NO;

    while (step < steps && (due & RPT_DUE_STOP) == 0) {
        double largest = advance(&r->block);

        step++;
        pass_time(s);
        if (step % REPORT == 0 || step == steps) {
            report(r, step, largest);
        }
        if (step == (uint64_t)s->kill_at &&
            rpt_group_rank(r->group) == rpt_group_size(r->group) - 1) {
            kill(getpid(), SIGKILL);
        }
        must(rpt_checkpoint_due(r->checkpoint, step, &due));
        if (due != RPT_DUE_NO || step == steps) {
            describe(r->checkpoint, &r->block, &r->residual);
            save(r->checkpoint, step, s->is_async,
                 step == steps || (due & RPT_DUE_STOP) != 0);
        }
    }
    return step;
}

/* ---- the result ---- */

static void copy(const char *from, const char *to)
{
    static char bytes[1 << 20];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t n;

    if (in == NULL || out == NULL) {
        give_up(in == NULL ? from : to, strerror(errno));
    }
    while ((n = fread(bytes, 1, sizeof bytes, in)) > 0) {
        fwrite(bytes, 1, n, out);
    }
    if (ferror(in) || ferror(out) || fclose(out) != 0) {
        give_up(to, strerror(errno));
    }
    fclose(in);
}

/* The last checkpoint is an HDF5 file with all that we want to show; its folder
 * is the last one by name. */
static void write_out(const struct settings *s)
{
    char path[4096], newest[256] = "";
    struct dirent *entry;
    DIR *folder;

    snprintf(path, sizeof path, "%s/heat", s->dir);
    folder = opendir(path);
    if (folder == NULL) {
        give_up(path, strerror(errno));
    }
    while ((entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, "it-", 3) == 0 &&
            strcmp(entry->d_name, newest) > 0) {
            snprintf(newest, sizeof newest, "%s", entry->d_name);
        }
    }
    closedir(folder);
    snprintf(path, sizeof path, "%s/heat/%s/state.h5", s->dir, newest);
    copy(path, s->out);
}

/* Each rank colours the pixels of its block; they are 0 on all others. */
static void write_picture(struct run *r)
{
    static unsigned char pixels[SIDE_MAX * SIDE_MAX];
    const struct block *b = &r->block;
    const uint64_t side = b->n < SIDE_MAX ? b->n : SIDE_MAX;

    for (uint64_t i = 0; i < side * side; i++) {
        /* The row and column in the block; huge numbers before it. */
        const uint64_t y = i / side * b->n / side - b->start[0];
        const uint64_t x = i % side * b->n / side - b->start[1];

        if (y < b->count[0] && x < b->count[1]) {
            pixels[i] = (unsigned char)(255 * b->u[(y + 1) * width(b) + x + 1]);
        }
    }
    must(rpt_allreduce(r->group, RPT_IN_PLACE, pixels, side * side, RPT_TYPE_U8,
                       RPT_OP_MAX));
    if (rpt_group_rank(r->group) == 0 &&
        png_write(r->settings->picture, pixels, (unsigned)side) != 0) {
        give_up(r->settings->picture, strerror(errno));
    }
}

/* Here is the place for what else should be made of the field, such as a table
 * of it in columns for other tools. */
static void write_results(struct run *r)
{
    if (r->settings->out != NULL && rpt_group_rank(r->group) == 0) {
        write_out(r->settings);
    }
    if (r->settings->picture != NULL) {
        write_picture(r);
    }
}

/* ---- the command line ---- */

static const char usage[] =
    "usage: heat2d --dir DIR [OPTION...]\n"
    "Heat spreads over a plate of N times N cells.  Goes on from the newest\n"
    "checkpoint in DIR; saves and ends with 75 after USR1, TERM, or when "
    "there\n"
    "is a file DIR/HALT: start it again then.\n"
    "  --n N            cells along a side (512)\n"
    "  --steps N        steps in all (1000)\n"
    "  --every N        steps from one checkpoint to the next (100)\n"
    "  --dir DIR        where the checkpoints are\n"
    "  --async          write them while the computation goes on\n"
    "  --engine NAME    how: direct or collective\n"
    "  --out FILE       the field in the end, as HDF5\n"
    "  --picture FILE   the same as a picture, PNG\n"
    "  --step-ms N      wait in each step, as a longer computation would\n"
    "  --kill-at STEP   the last rank dies in this step, to try what happens\n"
    "More about checkpoints can be set as for any program, for example\n"
    "RPT_IO_CHECKPOINT_BEFORE_END_S=120: see `man repartir.conf`.\n";

static void bad_usage(void)
{
    fputs(usage, stderr);
    exit(64);
}

static long number(const char *text, long least, long most)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least ||
        value > most) {
        fprintf(stderr, "heat2d: %s is not a number from %ld to %ld\n", text,
                least, most);
        exit(64);
    }
    return value;
}

static void read_arguments(int argc, char *argv[], struct settings *s)
{
    static const struct option options[] = {
        { "n", 1, NULL, 'n' },       { "steps", 1, NULL, 's' },
        { "every", 1, NULL, 'e' },   { "dir", 1, NULL, 'd' },
        { "async", 0, NULL, 'a' },   { "engine", 1, NULL, 'g' },
        { "out", 1, NULL, 'o' },     { "picture", 1, NULL, 'p' },
        { "step-ms", 1, NULL, 'm' }, { "kill-at", 1, NULL, 'k' },
        { "help", 0, NULL, 'h' },    { NULL, 0, NULL, 0 }
    };
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        /* clang-format off */
        switch (c) {
        case 'n': s->n = number(optarg, 1, N_MAX); break;
        case 's': s->steps = number(optarg, 1, 1L << 40); break;
        case 'e': s->every = number(optarg, 1, 1L << 40); break;
        case 'd': s->dir = optarg; break;
        case 'a': s->is_async = 1; break;
        case 'g': s->engine = optarg; break;
        case 'o': s->out = optarg; break;
        case 'p': s->picture = optarg; break;
        case 'm': s->step_ms = number(optarg, 0, 1000000); break;
        case 'k': s->kill_at = number(optarg, 1, 1L << 40); break;
        case 'h': fputs(usage, stdout); exit(0);
        default: bad_usage();
        }
        /* clang-format on */
    }
    if (optind != argc || s->dir == NULL) {
        bad_usage();
    }
}

int main(int argc, char *argv[])
{
    struct settings s = { .n = 512, .steps = 1000, .every = 100 };
    struct run r = { .settings = &s };
    rpt_options_t *options;
    rpt_context_t *context;
    uint64_t step, steps;
    int given;

    read_arguments(argc, argv, &s);
    steps = (uint64_t)s.steps;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &given);
    must(rpt_options_create(&options));
    set_options(&s, options);
    must(rpt_context_create_mpi(MPI_COMM_WORLD, options, &context));
    rpt_options_destroy(options);
    r.group = rpt_group_world(context);
    must(rpt_checkpoint_open(r.group, s.dir, "heat", NULL, &r.checkpoint));
    block_create(&r.block, (uint64_t)s.n);

    step = loop(&r);
    if (step >= steps) {
        write_results(&r);
    } else if (rpt_group_rank(r.group) == 0) {
        fprintf(stderr, "heat2d: stops after step %llu; start it again\n",
                (unsigned long long)step);
    }
    rpt_checkpoint_close(r.checkpoint);
    block_destroy(&r.block);
    rpt_context_destroy(context);
    MPI_Finalize();
    return step >= steps ? 0 : RPT_EXIT_AGAIN;
}
