/*
 * hello_local.c - C functions as tasks, on ranks that are threads: no MPI
 *
 *   cc hello_local.c $(pkg-config --cflags --libs repartir) -o hello_local
 *   ./hello_local
 *
 * Each of ten tasks squares a number; rank 0 submits and waits, the others
 * serve.  Shows: local ranks, registering a function, its input and output,
 * futures.
 */
#include <repartir.h>

#include <stdio.h>
#include <string.h>

enum { N_RANKS = 3, N_TASKS = 10 };

/* A task: reads its input, gives its output. */
static int square(rpt_call_t *call, void *user)
{
    size_t bytes;
    const int *n = rpt_call_input(call, &bytes);
    int result = *n * *n;

    (void)user;
    return rpt_call_set_output(call, &result, sizeof result) == RPT_OK ? 0 : 1;
}

static rpt_status_t drive(rpt_pool_t *pool)
{
    rpt_future_t *futures[N_TASKS] = { NULL };
    const rpt_result_t *result;
    rpt_task_t *task = NULL;
    rpt_status_t status = rpt_task_create(&task);

    for (int n = 0; status == RPT_OK && n < N_TASKS; n++) {
        status = rpt_task_set_function(task, "square", &n, sizeof n);
        if (status == RPT_OK) {
            status = rpt_pool_submit(pool, task, &futures[n]);
        }
    }
    for (int n = 0; status == RPT_OK && n < N_TASKS; n++) {
        status = rpt_future_wait(futures[n], -1);
        if (status == RPT_OK) {
            status = rpt_future_result(futures[n], &result);
        }
        if (status == RPT_OK && result->output_bytes == sizeof(int)) {
            int value;

            memcpy(&value, result->output, sizeof value);
            printf("%d squared is %d\n", n, value);
        }
    }
    for (int n = 0; n < N_TASKS; n++) {
        rpt_future_destroy(futures[n]);
    }
    rpt_task_destroy(task);
    return status;
}

/* What each rank does. */
static rpt_status_t rank_main(rpt_context_t *context, void *user)
{
    rpt_pool_t *pool = NULL;
    rpt_status_t status = rpt_pool_create(context, NULL, &pool);

    (void)user;
    if (status == RPT_OK) {
        status = rpt_pool_register(pool, "square", square, NULL);
    }
    if (status == RPT_OK && rpt_context_rank(context) == 0) {
        rpt_status_t driven = drive(pool);

        status = rpt_pool_shutdown(pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL);
        status = driven != RPT_OK ? driven : status;
    } else if (status == RPT_OK) {
        status = rpt_pool_serve(pool);
    }
    rpt_pool_destroy(pool);
    return status;
}

int main(void)
{
    rpt_status_t status = rpt_local_run(N_RANKS, NULL, rank_main, NULL);

    if (status < 0) {
        /* That of the rank that failed. */
        fprintf(stderr, "%s\n", rpt_last_error_text());
    }
    return status == RPT_OK ? 0 : 1;
}
