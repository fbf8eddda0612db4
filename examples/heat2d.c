/*
 * heat2d.c - heat spreads over a plate; may be interrupted at any moment
 *
 *   mpicc heat2d.c $(pkg-config --cflags --libs repartir) -o heat2d
 *   mpirun -n 4 ./heat2d --dir run --out field.h5 --picture field.png
 *
 * Kill it, and type the same line again, with another number of ranks if you
 * like: it goes on from its newest checkpoint, in the folder `run`.  The field
 * in the end is the same in every bit, whatever happened in between.  After
 * `kill -USR1` of mpirun, which hands it on, or `touch run/HALT` it saves and
 * ends with 75: start me again.  TERM does so too where ranks get it and are
 * given time, as by srun; mpirun of Open MPI ends them one second after TERM,
 * and then with 1.
 *
 * plate.h has the computation, png.h the picture: here is what makes it stop
 * and go on, and what becomes of the field.  With --parquet it is written as a
 * table, too, which pandas, polars and DuckDB read.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include "plate.h"
#include "png.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define TASK "heat" /* checkpoints of it are in DIR/heat */

enum { REPORT = 100 };    /* steps from one line about the change to the next */
enum { SIDE_MAX = 512 };  /* pixels of the picture                            */
enum { N_MAX = 1 << 20 }; /* cells along a side                               */

struct settings {
    long n, steps, every, step_ms, kill_at;
    const char *dir, *engine, *out, *picture, *parquet;
    int is_async;
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
        if (is_last) {
            /* The result is made from it, so it is not to stay on the nodes. */
            status = rpt_checkpoint_begin(checkpoint, step);
        }
        if (status == RPT_OK) {
            status = rpt_checkpoint_save(checkpoint, step);
        }
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

/* The last checkpoint is an HDF5 file with all that we want to show. */
static void write_out(const struct settings *s)
{
    rpt_catalog_t *catalog;
    char *folder, path[4096];

    must(rpt_catalog_open(s->dir, &catalog));
    must(rpt_catalog_path(catalog, TASK, NULL, &folder));
    snprintf(path, sizeof path, "%s/state.h5", folder);
    copy(path, s->out);
    free(folder);
    rpt_catalog_close(catalog);
}

/* A row for each cell: i0, i1, temperature.  Each rank writes a file of the
 * folder; where librepartir was built without Parquet there is none. */
static void write_table(const struct run *r)
{
    const char *names[] = { "temperature", NULL };
    const rpt_export_config_t config = { .size = sizeof config,
                                         .output = r->settings->parquet,
                                         .names = names,
                                         .flags = RPT_EXPORT_REPLACE };
    rpt_status_t status = rpt_checkpoint_export(r->group, r->settings->dir,
                                                TASK, &config, NULL);

    if (status != RPT_ERR_UNSUPPORTED) {
        must(status);
    } else if (rpt_group_rank(r->group) == 0) {
        fprintf(stderr, "%s\nheat2d: goes on without %s\n",
                rpt_last_error_text(), r->settings->parquet);
    }
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

static void write_results(struct run *r)
{
    if (r->settings->out != NULL && rpt_group_rank(r->group) == 0) {
        write_out(r->settings);
    }
    if (r->settings->picture != NULL) {
        write_picture(r);
    }
    if (r->settings->parquet != NULL) {
        write_table(r);
    }
}

/* ---- the command line ---- */

static const char usage[] =
    "usage: heat2d --dir DIR [OPTION...]\n"
    "Heat spreads over a plate of N times N cells.  Goes on from the newest\n"
    "checkpoint in DIR; saves and ends with 75 after USR1, which mpirun hands\n"
    "on, or when there is a file DIR/HALT: start it again then.  TERM does so\n"
    "under srun; mpirun of Open MPI ends the ranks one second after it.\n"
    "  --n N            cells along a side (512)\n"
    "  --steps N        steps in all (1000)\n"
    "  --every N        steps from one checkpoint to the next (100)\n"
    "  --dir DIR        where the checkpoints are\n"
    "  --async          write them while the computation goes on\n"
    "                   (engine collective: only sync and commit)\n"
    "  --engine NAME    how: direct or collective\n"
    "  --out FILE       the field in the end, as HDF5\n"
    "  --picture FILE   the same as a picture, PNG\n"
    "  --parquet DIR    the same as a table, in a folder of Parquet files\n"
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
        { "parquet", 1, NULL, 't' }, { "step-ms", 1, NULL, 'm' },
        { "kill-at", 1, NULL, 'k' }, { "help", 0, NULL, 'h' },
        { NULL, 0, NULL, 0 }
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
        case 't': s->parquet = optarg; break;
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
    must(rpt_checkpoint_open(r.group, s.dir, TASK, NULL, &r.checkpoint));
    if (block_create(&r.block, (uint64_t)s.n) != 0) {
        give_up("the plate", "out of memory");
    }

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
