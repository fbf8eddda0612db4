/*
 * gang.c - tasks that run on several ranks at once, with their own communicator
 *
 *   mpicc gang.c $(pkg-config --cflags --libs repartir) -o gang
 *   mpirun -n 4 ./gang
 *
 * Each task takes two ranks (one, when there is but one) and adds up their
 * contributions with MPI.  Shows: gangs, rpt_call_mpi_comm(), and that the
 * output of a gang is that of its rank 0.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include <stdio.h>
#include <string.h>

enum { N_GANGS = 8 };

/* Runs on every rank of the gang. */
static int add_up(rpt_call_t *call, void *user)
{
    size_t bytes;
    const int *number = rpt_call_input(call, &bytes);
    int mine = *number + rpt_group_rank(rpt_call_group(call)), sum = 0;
    MPI_Comm comm;

    (void)user;
    if (rpt_call_mpi_comm(call, &comm) != RPT_OK) {
        rpt_call_set_message(call, rpt_last_error_text());
        return 1;
    }
    if (MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, comm) != MPI_SUCCESS) {
        return 2;
    }
    return rpt_call_set_output(call, &sum, sizeof sum) == RPT_OK ? 0 : 3;
}

/* The sum of one gang; -1 when it failed. */
static int sum_of(rpt_future_t *future)
{
    const rpt_result_t *result;
    int sum = -1;

    if (rpt_future_wait(future, -1) == RPT_OK &&
        rpt_future_result(future, &result) == RPT_OK &&
        result->output_bytes == sizeof sum) {
        memcpy(&sum, result->output, sizeof sum);
    }
    return sum;
}

static rpt_status_t drive(rpt_pool_t *pool, int n_ranks, int *n_wrong_out)
{
    rpt_future_t *futures[N_GANGS] = { NULL };
    rpt_task_t *task = NULL;
    rpt_status_t status = rpt_task_create(&task);

    if (status == RPT_OK) {
        status = rpt_task_set_gang(task, n_ranks);
    }
    for (int i = 0; status == RPT_OK && i < N_GANGS; i++) {
        status = rpt_task_set_function(task, "add_up", &i, sizeof i);
        if (status == RPT_OK) {
            status = rpt_pool_submit(pool, task, &futures[i]);
        }
    }
    for (int i = 0; status == RPT_OK && i < N_GANGS; i++) {
        int sum = sum_of(futures[i]);

        printf("gang %d of %d ranks: sum %d\n", i, n_ranks, sum);
        *n_wrong_out += sum != n_ranks * i + n_ranks * (n_ranks - 1) / 2;
    }
    for (int i = 0; i < N_GANGS; i++) {
        rpt_future_destroy(futures[i]);
    }
    rpt_task_destroy(task);
    return status;
}

static rpt_status_t work(rpt_context_t *context, int *n_wrong_out)
{
    int n_ranks = rpt_context_size(context) >= 2 ? 2 : 1;
    rpt_pool_t *pool = NULL;
    rpt_status_t status = rpt_pool_create(context, NULL, &pool);

    if (status == RPT_OK) {
        status = rpt_pool_register(pool, "add_up", add_up, NULL);
    }
    if (status == RPT_OK && rpt_context_rank(context) == 0) {
        rpt_status_t driven = drive(pool, n_ranks, n_wrong_out);

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
    int given, n_wrong = 0;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &given);
    status = rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context);
    if (status == RPT_OK) {
        status = work(context, &n_wrong);
    }
    if (status < 0) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
    }
    rpt_context_destroy(context);
    MPI_Finalize();
    return status < 0 || n_wrong > 0;
}
