/*
 * report.c - what was handled and what was not; settings; the end of a program
 *
 * RPT_PMPI_REPORT=1 prints a line for each function that was called, at
 * MPI_Finalize; RPT_PMPI_STRICT=1 ends the program at the first call that would
 * pass through.  Rank 0's environment decides for all.
 */
#include "collectives/pmpi/shim.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HANDLED, PASSED, BYTES, N_COUNTERS };
enum { REPORT, STRICT, N_SETTINGS };

/* Each function in each form, with counts of int and of MPI_Count. */
enum { N_NARROW = RPT_PMPI_N_FORMS * RPT_PMPI_N, N_WRAPPED = 2 * N_NARROW };

static atomic_uint_fast64_t counters[N_WRAPPED][N_COUNTERS];
static int settings[N_SETTINGS];

static const char *const names[] = {
#define NAME(name, function, text) text,
    RPT_PMPI_LIST(NAME)
#undef NAME
};

static int index_of(const struct rpt_pmpi_call *call)
{
    return (call->is_large ? N_NARROW : 0) + (int)call->form * RPT_PMPI_N +
           (int)call->function;
}

/* Of a function in one of its forms: "MPI_Iallreduce". */
static const char *name_of(int wrapped, char name[], size_t bytes)
{
    int form = wrapped % N_NARROW / RPT_PMPI_N;
    const char *text = names[wrapped % RPT_PMPI_N];
    const char *end = wrapped < N_NARROW ? "" : "_c";

    if (form == RPT_PMPI_STARTED) {
        snprintf(name, bytes, "MPI_I%s%s", text, end);
    } else {
        snprintf(name, bytes, "MPI_%c%s%s%s", text[0] - 'a' + 'A', text + 1,
                 form == RPT_PMPI_PERSISTENT ? "_init" : "", end);
    }
    return name;
}

static int is_set(const char *variable)
{
    const char *value = getenv(variable);

    return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

void rpt__pmpi_settings_read(void)
{
    settings[REPORT] = is_set("RPT_PMPI_REPORT");
    settings[STRICT] = is_set("RPT_PMPI_STRICT");
    PMPI_Bcast(settings, N_SETTINGS, MPI_INT, 0, MPI_COMM_WORLD);
}

static void add(const struct rpt_pmpi_call *call, int what, uint64_t n)
{
    atomic_fetch_add_explicit(&counters[index_of(call)][what], n,
                              memory_order_relaxed);
}

void rpt__pmpi_count_handled(const struct rpt_pmpi_call *call)
{
    add(call, HANDLED, 1);
    add(call, BYTES, call->bytes);
}

/* MPICH's launcher passes on nothing any more when it hears of an end, so what
 * was printed gets there first. */
static void end_program(void)
{
    const struct timespec moment = { .tv_nsec = 200 * 1000 * 1000 };

    nanosleep(&moment, NULL);
    PMPI_Abort(MPI_COMM_WORLD, 1);
}

void rpt__pmpi_count_passed(const struct rpt_pmpi_call *call, const char *why)
{
    char name[64];

    add(call, PASSED, 1);
    if (settings[STRICT] && why != NULL) {
        fprintf(stderr,
                "librepartir-pmpi: %s would pass through: %s; this ends the "
                "program because of RPT_PMPI_STRICT\n",
                name_of(index_of(call), name, sizeof name), why);
        end_program();
    }
}

void rpt__pmpi_report(void)
{
    enum { N = N_WRAPPED * N_COUNTERS };
    uint64_t own[N], sums[N] = { 0 };
    int rank = 0;

    if (!settings[REPORT]) {
        return;
    }
    for (int i = 0; i < N; i++) {
        own[i] = atomic_load(&counters[i / N_COUNTERS][i % N_COUNTERS]);
    }
    PMPI_Reduce(own, sums, N, MPI_UINT64_T, MPI_SUM, 0, MPI_COMM_WORLD);
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int i = 0; rank == 0 && i < N_WRAPPED; i++) {
        const uint64_t *sum = &sums[i * N_COUNTERS];
        char name[64];

        if (sum[HANDLED] + sum[PASSED] > 0) {
            fprintf(stderr,
                    "librepartir-pmpi: %s: %" PRIu64 " handled, %" PRIu64
                    " passed through, %" PRIu64 " bytes\n",
                    name_of(i, name, sizeof name), sum[HANDLED], sum[PASSED],
                    sum[BYTES]);
        }
    }
}

_Noreturn void rpt__pmpi_die(const char *why)
{
    fprintf(stderr, "librepartir-pmpi: the program ends: %s\n", why);
    end_program();
    abort();
}
