/*
 * allreduce.c - a sum over all ranks, blocking, and under a computation
 *
 *     mpirun -n 4 ./allreduce [elements]
 *
 * Each rank adds a vector to those of the others; then does so ten times more
 * with a plan, while it computes something else.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include <stdio.h>
#include <stdlib.h>

static void must(rpt_status_t status)
{
    if (status < RPT_OK) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static double compute(void)
{
    double x = 0;

    for (int i = 0; i < 100000; i++) {
        x += 1.0 / (1 + i);
    }
    return x;
}

static void add_under_a_computation(rpt_group_t *group, double *data, size_t n)
{
    rpt_coll_t sum = { .kind = RPT_COLL_ALLREDUCE,
                       .in = RPT_IN_PLACE,
                       .out = data,
                       .count = n,
                       .type = RPT_TYPE_F64,
                       .op = RPT_OP_AVERAGE };
    rpt_plan_t *plan;
    char *text;
    double x = 0;

    must(rpt_plan_create(group, &sum, &plan));
    for (int i = 0; i < 10; i++) {
        must(rpt_plan_start(plan));
        x += compute();
        must(rpt_plan_wait(plan));
    }
    must(rpt_plan_explain(plan, &text));
    if (rpt_group_rank(group) == 0) {
        printf("meanwhile %.3f; average %g\n%s", x, data[n - 1], text);
    }
    free(text);
    rpt_plan_destroy(plan);
}

int main(int argc, char *argv[])
{
    rpt_context_t *context;
    rpt_group_t *group;
    size_t n;
    double *data;

    MPI_Init(&argc, &argv);
    n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
    must(rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context));
    group = rpt_group_world(context);
    data = malloc((n + 1) * sizeof *data);
    if (n == 0 || data == NULL) {
        fprintf(stderr, "allreduce: %zu elements\n", n);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    for (size_t i = 0; i < n; i++) {
        data[i] = rpt_group_rank(group) + 1;
    }
    must(rpt_allreduce(group, RPT_IN_PLACE, data, n, RPT_TYPE_F64, RPT_OP_SUM));
    if (rpt_group_rank(group) == 0) {
        printf("sum of 1 to %d: %g\n", rpt_group_size(group), data[0]);
    }
    add_under_a_computation(group, data, n);
    free(data);
    rpt_context_destroy(context);
    MPI_Finalize();
    return 0;
}
