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

enum { HANDLED, PASSED, BYTES, N_COUNTERS };
enum { REPORT, STRICT, N_SETTINGS };

static atomic_uint_fast64_t counters[RPT_PMPI_N][N_COUNTERS];
static int settings[N_SETTINGS];

static const char *const names[] = {
#define NAME(name, text) text,
    RPT_PMPI_LIST(NAME)
#undef NAME
};

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

static void add(enum rpt_pmpi_function which, int what, uint64_t n)
{
    atomic_fetch_add_explicit(&counters[which][what], n, memory_order_relaxed);
}

void rpt__pmpi_count_handled(enum rpt_pmpi_function which, size_t bytes)
{
    add(which, HANDLED, 1);
    add(which, BYTES, bytes);
}

void rpt__pmpi_count_passed(enum rpt_pmpi_function which, const char *why)
{
    add(which, PASSED, 1);
    if (settings[STRICT] && why != NULL) {
        fprintf(stderr,
                "librepartir-pmpi: %s would pass through: %s; this ends the "
                "program because of RPT_PMPI_STRICT\n",
                names[which], why);
        PMPI_Abort(MPI_COMM_WORLD, 1);
    }
}

void rpt__pmpi_report(void)
{
    enum { N = RPT_PMPI_N * N_COUNTERS };
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
    for (int i = 0; rank == 0 && i < RPT_PMPI_N; i++) {
        const uint64_t *sum = &sums[i * N_COUNTERS];

        if (sum[HANDLED] + sum[PASSED] > 0) {
            fprintf(stderr,
                    "librepartir-pmpi: %s: %" PRIu64 " handled, %" PRIu64
                    " passed through, %" PRIu64 " bytes\n",
                    names[i], sum[HANDLED], sum[PASSED], sum[BYTES]);
        }
    }
}

_Noreturn void rpt__pmpi_die(const char *why)
{
    fprintf(stderr, "librepartir-pmpi: the program ends: %s\n", why);
    PMPI_Abort(MPI_COMM_WORLD, 1);
    abort();
}
