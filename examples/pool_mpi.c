/*
 * pool_mpi.c - a pool inside your own communicator, one rank drives
 *
 *   mpicc pool_mpi.c $(pkg-config --cflags --libs repartir) -lm -o pool_mpi
 *   mpirun -n 4 ./pool_mpi
 *
 * Pi is the area under 4 / (1 + x * x) from 0 to 1; each task integrates one
 * strip of it.  Shows: a context over a communicator of yours, driver mode,
 * batch submission, results in order of ending.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_STRIPS = 200, N_STEPS = 10000 };

static int strip(rpt_call_t *call, void *user)
{
    size_t bytes;
    const int *number = rpt_call_input(call, &bytes);
    const double step = 1.0 / ((double)N_STRIPS * N_STEPS);
    double sum = 0;

    (void)user;
    for (int i = 0; i < N_STEPS; i++) {
        double x = ((double)*number * N_STEPS + i + 0.5) * step;

        sum += 4 / (1 + x * x) * step;
    }
    return rpt_call_set_output(call, &sum, sizeof sum) == RPT_OK ? 0 : 1;
}

/* Called for each task that ended. */
static void add(const rpt_result_t *result, void *user)
{
    double sum;

    if (result->outcome == RPT_OUTCOME_OK &&
        result->output_bytes == sizeof sum) {
        memcpy(&sum, result->output, sizeof sum);
        *(double *)user += sum;
    }
}

static rpt_status_t drive(rpt_pool_t *pool, double *pi_out)
{
    rpt_task_t *tasks[N_STRIPS] = { NULL };
    rpt_status_t status = rpt_pool_on_result(pool, add, pi_out);

    for (int i = 0; status == RPT_OK && i < N_STRIPS; i++) {
        status = rpt_task_create(&tasks[i]);
        if (status == RPT_OK) {
            status = rpt_task_set_function(tasks[i], "strip", &i, sizeof i);
        }
    }
    if (status == RPT_OK) {
        status = rpt_pool_submit_batch(pool, (const rpt_task_t *const *)tasks,
                                       N_STRIPS, NULL);
    }
    if (status == RPT_OK) {
        status = rpt_pool_wait(pool, -1);
    }
    for (int i = 0; i < N_STRIPS; i++) {
        rpt_task_destroy(tasks[i]);
    }
    return status;
}

static rpt_status_t work(rpt_context_t *context, double *pi_out)
{
    rpt_pool_t *pool = NULL;
    rpt_status_t status = rpt_pool_create(context, NULL, &pool);

    if (status == RPT_OK) {
        status = rpt_pool_register(pool, "strip", strip, NULL);
    }
    if (status == RPT_OK && rpt_context_rank(context) == 0) {
        rpt_status_t driven = drive(pool, pi_out);

        status = rpt_pool_shutdown(pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL);
        status = driven != RPT_OK ? driven : status;
    } else if (status == RPT_OK) {
        status = rpt_pool_serve(pool);
    }
    rpt_pool_destroy(pool);
    return status;
}

int main(int argc, char *argv[])
{
    rpt_context_t *context = NULL;
    rpt_status_t status;
    MPI_Comm mine;
    double pi = 0;
    int given, rank, failed;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &given);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    /* Any communicator will do. */
    MPI_Comm_split(MPI_COMM_WORLD, 0, rank, &mine);

    status = rpt_context_create_mpi(mine, NULL, &context);
    if (status == RPT_OK) {
        status = work(context, &pi);
    }
    if (status < 0) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
    }
    failed = status < 0 || (rank == 0 && fabs(pi - 3.14159265358979) > 1e-9);
    if (rank == 0) {
        printf("pi is %.10f, from %d tasks\n", pi, N_STRIPS);
    }
    rpt_context_destroy(context);
    MPI_Comm_free(&mine);
    MPI_Finalize();
    return failed;
}
