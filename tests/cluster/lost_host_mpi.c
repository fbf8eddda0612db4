/*
 * lost_host_mpi.c - a stream of collectives, in which a host is lost; run by
 * tests/cluster/check
 *
 *     mpirun -n N lost_host_mpi FOLDER HOST COUNT
 *
 * Rank 0 writes a line into FOLDER/begun when the stream runs: then the script
 * cuts the host off.  Each other rank that is left writes what it saw into
 * FOLDER/rank.N, a line a check, and waits for its end: after such a loss MPI
 * cannot be finalized.  coll.deadline_s and comm.internal_deadline_s come from
 * the environment.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_S = 100, BEFORE = 30, SLACK_S = 5 };

static int rank, size;
static FILE *report;

static void check(bool is_good, const char *what)
{
    fprintf(report, "%s rank %d: %s\n", is_good ? "ok  " : "FAIL", rank, what);
}

static double now_s(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static FILE *open_file(const char *folder, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

/* The script reads the other end of it. */
static void tell_begun(const char *folder)
{
    FILE *begun = open_file(folder, "begun");

    fprintf(begun, "begun\n");
    fclose(begun);
}

/* Calls until one fails; its status, and how long it took. */
static rpt_status_t stream(rpt_group_t *group, size_t count, const char *folder,
                           double *took_s)
{
    float *in = calloc(count, sizeof *in), *out = calloc(count, sizeof *out);
    rpt_status_t status = RPT_OK;
    bool is_right = in != NULL && out != NULL;

    for (int i = 0; is_right && status == RPT_OK; i++) {
        double began_s = now_s();

        if (rank == 0 && i == BEFORE) {
            tell_begun(folder);
        }
        for (size_t k = 0; k < count; k++) {
            in[k] = (float)(i % 100);
        }
        status = rpt_allreduce(group, in, out, count, RPT_TYPE_F32, RPT_OP_SUM);
        *took_s = now_s() - began_s;
        is_right = status != RPT_OK || (out[0] == in[0] * (float)size &&
                                        out[count - 1] == in[0] * (float)size);
    }
    check(is_right, "what was reported as done is right");
    free(in);
    free(out);
    return status;
}

/* The error names this host, and none of the others. */
static bool names_only(const char *text, const char *host)
{
    char others[16];
    bool is_named = false;

    for (int i = 0; i < 10; i++) {
        snprintf(others, sizeof others, "on n%d", i);
        if (strstr(text, others) != NULL) {
            if (strcmp(others + 3, host) != 0) {
                return false;
            }
            is_named = true;
        }
    }
    return is_named;
}

static double seconds_of(const char *variable)
{
    const char *text = getenv(variable);

    return text != NULL ? strtod(text, NULL) : 0;
}

static void lose(rpt_context_t *context, char *argv[])
{
    rpt_group_t *group = rpt_group_world(context);
    double took_s = 0, began_s;
    rpt_status_t status = stream(group, strtoul(argv[3], NULL, 10), argv[1],
                                 &took_s);

    fprintf(report, "     after %.1f s: %s\n", took_s, rpt_last_error()->what);
    check(status == RPT_ERR_TIMEOUT, "the call ends with RPT_ERR_TIMEOUT");
    check(took_s < seconds_of("RPT_COLL_DEADLINE_S") + SLACK_S, "in time");
    check(names_only(rpt_last_error()->what, argv[2]),
          "the host that was lost is named, and no other");
    began_s = now_s();
    check(rpt_barrier(group) == RPT_ERR_STATE,
          "the group is of no further use, and says so");
    check(now_s() - began_s < 1, "at once");
    began_s = now_s();
    rpt_context_destroy(context);
    check(now_s() - began_s <
              seconds_of("RPT_COMM_INTERNAL_DEADLINE_S") + SLACK_S,
          "the context goes in time");
}

int main(int argc, char *argv[])
{
    rpt_context_t *context = NULL;
    char name[32];

    alarm(LIMIT_S);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (argc != 4 ||
        rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context) != RPT_OK) {
        fprintf(stderr, "%s\n",
                argc != 4 ? "FOLDER HOST COUNT" : rpt_last_error_text());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    snprintf(name, sizeof name, "rank.%d", rank);
    report = open_file(argv[1], name);
    lose(context, argv);
    fprintf(report, "end\n");
    fclose(report);
    for (;;) {
        pause();
    }
}
