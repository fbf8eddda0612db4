/*
 * allreduce.c - all-reduce on a simulated network: ours, and SMPI's
 *
 *     smpirun ... allreduce SELECTOR [ours] BYTES...
 *
 * For each size: the schedule of each of our algorithms, played by MPI_Isend
 * and MPI_Irecv of SMPI (play.c), and MPI_Allreduce as SMPI's selector of that
 * name does it.  All ranks start at the same simulated moment; the time is that
 * of the last one.  Sums and copies take no time, for either.  Small results
 * are compared with the sum.
 *
 * Which of ours is selected is what their own costs say for this network, whose
 * latency and bandwidth are measured by a ping-pong first.  What
 * says more than TOO_SLOW times the least is not played, and what has so many
 * messages that their simulation takes minutes only when it is selected.
 *
 * Rank 0 prints a JSON line a point.
 */
#include "play.h"

#include "collectives/algorithm/algorithm.h"

#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SEGMENT_BYTES = 128 * 1024, /* as coll.segment_bytes is by default     */
    CHECKED_BYTES = 16 * 1024,  /* longer vectors share their memory       */
    TOO_SLOW = 6,               /* times the least cost: not played        */
    TOO_MANY = 100000,          /* messages of all: played if selected     */
    PING_BYTES = 16 << 20
};

struct bench {
    int rank, size;
    const char *selector;
    struct rpt_model model; /* between the farthest hosts          */
    double near_s;          /* a message between hosts of one leaf */
    float *in, *out;
    size_t count;
};

static void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* ---- time ---- */

/* All leave at the same moment; gives it. */
static double meet(void)
{
    double now = MPI_Wtime(), last, left;
    struct timespec pause;

    MPI_Allreduce(&now, &last, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    last += 0.01; /* longer than that all-reduce takes */
    left = last - MPI_Wtime();
    if (left < 0) {
        die("the ranks cannot start together");
    }
    pause.tv_sec = (time_t)left;
    pause.tv_nsec = (long)(1e9 * (left - (double)pause.tv_sec));
    nanosleep(&pause, NULL);
    return last;
}

/* Since then, on the last rank. */
static double elapsed(double began)
{
    double mine = MPI_Wtime() - began, all;

    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return all;
}

/* Seconds from rank 0 to another one. */
static double ping(struct bench *b, int peer, int bytes)
{
    char *buffer = SMPI_SHARED_MALLOC((size_t)bytes);
    double began = meet();

    if (b->rank == 0) {
        MPI_Send(buffer, bytes, MPI_CHAR, peer, 0, MPI_COMM_WORLD);
        MPI_Recv(buffer, bytes, MPI_CHAR, peer, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    } else if (b->rank == peer) {
        MPI_Recv(buffer, bytes, MPI_CHAR, 0, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
        MPI_Send(buffer, bytes, MPI_CHAR, 0, 0, MPI_COMM_WORLD);
    }
    began = elapsed(began) / 2;
    SMPI_SHARED_FREE(buffer);
    return began;
}

static void measure_network(struct bench *b)
{
    double least = ping(b, b->size - 1, 1);
    double most = ping(b, b->size - 1, PING_BYTES);

    b->near_s = ping(b, 1, 1);
    b->model = (struct rpt_model){
        .message_s = least,
        .byte_s = (most - least) / (PING_BYTES - 1),
    };
}

/* ---- results ---- */

static void print(const struct bench *b, const char *who, double seconds,
                  double predicted_s, int is_selected)
{
    if (b->rank == 0) {
        printf("{\"ranks\":%d,\"bytes\":%zu,\"who\":\"%s\",\"us\":%.3f,"
               "\"predicted_us\":%.3f,\"selected\":%s,\"alpha_us\":%.4f,"
               "\"near_us\":%.4f,\"beta_ns\":%.6f}\n",
               b->size, b->count * sizeof *b->in, who, seconds * 1e6,
               predicted_s * 1e6, is_selected ? "true" : "false",
               b->model.message_s * 1e6, b->near_s * 1e6,
               b->model.byte_s * 1e9);
        fflush(stdout);
    }
}

static int is_checked(const struct bench *b)
{
    return b->count * sizeof *b->in <= CHECKED_BYTES;
}

static float *buffer_of(const struct bench *b, size_t count)
{
    size_t bytes = (count + 1) * sizeof(float);
    float *buffer = is_checked(b) ? malloc(bytes) : SMPI_SHARED_MALLOC(bytes);

    if (buffer == NULL) {
        die("no memory");
    }
    return buffer;
}

static void release(const struct bench *b, float *buffer)
{
    if (is_checked(b)) {
        free(buffer);
    } else {
        SMPI_SHARED_FREE(buffer);
    }
}

/* Whole numbers, so that every order gives the same sum. */
static void fill(struct bench *b)
{
    for (size_t i = 0; is_checked(b) && i < b->count; i++) {
        b->in[i] = (float)(b->rank + (int)(i % 7));
        b->out[i] = -1;
    }
}

static void check(const struct bench *b, const char *who)
{
    for (size_t i = 0; is_checked(b) && i < b->count; i++) {
        if (b->out[i] !=
            (float)(b->size * (b->size - 1) / 2 + b->size * (int)(i % 7))) {
            fprintf(stderr, "%s: element %zu of rank %d is wrong\n", who, i,
                    b->rank);
            die("wrong result");
        }
    }
}

/* ---- ours ---- */

static struct rpt_case case_of(const struct bench *b)
{
    return (struct rpt_case){
        .rank = b->rank,
        .n_ranks = b->size,
        .count = b->count,
        .segment = SEGMENT_BYTES / sizeof *b->in,
        .commutative = true,
        .model = &b->model,
        .element_bytes = sizeof *b->in,
    };
}

/* Of all ranks, roughly. */
static int count_messages(const struct bench *b,
                          const struct rpt_schedule *schedule)
{
    int mine = 0, most;

    for (size_t i = 0; i < schedule->n_steps; i++) {
        mine += schedule->steps[i].kind == RPT_STEP_SEND;
    }
    MPI_Allreduce(&mine, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return most * b->size;
}

/* Seconds; 0 when it has too many messages. */
static double play(struct bench *b, const struct rpt_algorithm *algorithm,
                   int is_selected)
{
    struct rpt_schedule schedule = { .window = 1 };
    struct rpt_case c = case_of(b);
    struct play play = { &schedule,          b->in,         b->out, NULL,
                         is_checked(b) != 0, MPI_COMM_WORLD };
    struct play_state *state;
    double began, seconds;

    algorithm->build(&c, &schedule);
    if (schedule.status != RPT_OK) {
        die("a schedule cannot be built");
    }
    if (count_messages(b, &schedule) > TOO_MANY && !is_selected) {
        rpt__schedule_free(&schedule);
        return 0;
    }
    play.scratch = buffer_of(b, schedule.scratch_count);
    fill(b);
    state = play_prepare(&play);
    began = meet();
    play_run(&play, state);
    seconds = elapsed(began);
    check(b, algorithm->name);
    play_release(state);
    release(b, play.scratch);
    rpt__schedule_free(&schedule);
    return seconds;
}

static double cost_of(const struct bench *b,
                      const struct rpt_algorithm *algorithm)
{
    struct rpt_case c = case_of(b);

    return algorithm->applies(&c)
               ? algorithm->cost(&c, &b->model, sizeof *b->in)
               : INFINITY;
}

static void play_all(struct bench *b)
{
    const struct rpt_algorithm *const *all = rpt__allreduce_table;
    const struct rpt_algorithm *best = all[0];

    for (int i = 0; all[i] != NULL; i++) {
        if (cost_of(b, all[i]) < cost_of(b, best)) {
            best = all[i];
        }
    }
    for (int i = 0; all[i] != NULL; i++) {
        double cost = cost_of(b, all[i]), seconds = 0;

        if (cost <= TOO_SLOW * cost_of(b, best)) {
            seconds = play(b, all[i], all[i] == best);
        }
        if (seconds > 0) {
            print(b, all[i]->name, seconds, cost, all[i] == best);
        }
    }
}

/* ---- SMPI's ---- */

static void play_smpi(struct bench *b)
{
    char who[64];
    double began;

    fill(b);
    began = meet();
    MPI_Allreduce(b->in, b->out, (int)b->count, MPI_FLOAT, MPI_SUM,
                  MPI_COMM_WORLD);
    began = elapsed(began);
    check(b, b->selector);
    snprintf(who, sizeof who, "smpi:%s", b->selector);
    print(b, who, began, 0, 0);
}

int main(int argc, char *argv[])
{
    struct bench b = { .selector = argc > 1 ? argv[1] : "" };
    int with_ours;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &b.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &b.size);
    with_ours = argc > 2 && strcmp(argv[2], "ours") == 0;
    measure_network(&b);
    for (int i = 2 + with_ours; i < argc; i++) {
        b.count = strtoul(argv[i], NULL, 10) / sizeof *b.in;
        b.in = buffer_of(&b, b.count);
        b.out = buffer_of(&b, b.count);
        if (with_ours) {
            play_all(&b);
        }
        play_smpi(&b);
        release(&b, b.in);
        release(&b, b.out);
    }
    MPI_Finalize();
    return 0;
}
