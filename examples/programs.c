/*
 * programs.c - external programs as tasks, from C
 *
 *   mpicc programs.c $(pkg-config --cflags --libs repartir) -o programs
 *   mpirun -n 2 ./programs /usr/include/[a-e]*.h
 *
 * Counts the lines of every file with wc, then shouts about the end with a task
 * that depends on all of them.  Shows: programs, captured output, a timeout,
 * retries, dependencies, results in order of ending.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include <stdio.h>

static rpt_status_t submit_count(rpt_pool_t *pool, rpt_task_t *last,
                                 const char *path, int number)
{
    const char *const argv[] = { "wc", "-l", path, NULL };
    rpt_future_t *future;
    rpt_task_t *task = NULL;
    rpt_status_t status = rpt_task_create(&task);
    char id[32];

    snprintf(id, sizeof id, "count-%d", number);
    if (status == RPT_OK) {
        status = rpt_task_set_program(task, argv);
    }
    if (status == RPT_OK) {
        status = rpt_task_set_id(task, id);
    }
    if (status == RPT_OK) {
        status = rpt_task_set_timeout(task, 10);
    }
    if (status == RPT_OK) {
        status = rpt_task_set_retries(task, 1);
    }
    if (status == RPT_OK) {
        status = rpt_pool_submit(pool, task, &future);
    }
    if (status == RPT_OK) {
        status = rpt_task_add_dependency(last, id);
    }
    rpt_task_destroy(task);
    return status;
}

/* Prints what ends until nothing more comes. */
static rpt_status_t print_results(rpt_pool_t *pool, int *n_failed_out)
{
    rpt_status_t status;
    rpt_future_t *future;

    while ((status = rpt_pool_next(pool, -1, &future)) == RPT_OK) {
        const rpt_result_t *r;

        status = rpt_future_result(future, &r);
        if (status != RPT_OK) {
            return status;
        }
        if (r->outcome == RPT_OUTCOME_OK) {
            fwrite(r->stdout_data, 1, r->stdout_bytes, stdout);
        } else {
            printf("%s: %s after %d attempts on rank %d: %s\n", r->id,
                   rpt_outcome_name(r->outcome), r->attempts, r->rank,
                   r->message);
            *n_failed_out += 1;
        }
        rpt_future_destroy(future);
    }
    return status == RPT_END ? RPT_OK : status;
}

static rpt_status_t drive(rpt_pool_t *pool, int n_paths, char *paths[],
                          int *n_failed_out)
{
    rpt_future_t *future;
    rpt_task_t *last = NULL;
    rpt_status_t status = rpt_task_create(&last);

    for (int i = 0; status == RPT_OK && i < n_paths; i++) {
        status = submit_count(pool, last, paths[i], i);
    }
    if (status == RPT_OK) {
        status = rpt_task_set_shell(last, "echo all counted | tr a-z A-Z");
    }
    if (status == RPT_OK) {
        status = rpt_pool_submit(pool, last, &future);
    }
    rpt_task_destroy(last);
    return status == RPT_OK ? print_results(pool, n_failed_out) : status;
}

int main(int argc, char *argv[])
{
    rpt_context_t *context = NULL;
    rpt_pool_t *pool = NULL;
    rpt_status_t status;
    int given, n_failed = 0;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &given);
    status = rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context);
    if (status == RPT_OK) {
        status = rpt_pool_create(context, NULL, &pool);
    }
    if (status == RPT_OK && rpt_context_rank(context) == 0) {
        rpt_status_t driven = drive(pool, argc - 1, argv + 1, &n_failed);

        status = rpt_pool_shutdown(pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL);
        status = driven != RPT_OK ? driven : status;
    } else if (status == RPT_OK) {
        status = rpt_pool_serve(pool);
    }
    if (status < 0) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
    }
    rpt_pool_destroy(pool);
    rpt_context_destroy(context);
    MPI_Finalize();
    return status < 0 || n_failed > 0;
}
