/*
 * test_exec_mpi.c - an MPI program as a task of an MPI program
 *
 * Run under mpirun it is the job; called with "task" it is the task, which
 * must find itself alone in a world of its own.
 */
#include "client.h"

#include "harness.h"
#include "over_mpi.h"

#include <mpi.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Also without a launcher: MPI libraries keep memory to the end. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static struct client client;
static char self[4096];

static void an_mpi_program_as_a_task_is_alone(void)
{
    const struct ended *job;

    CU_ASSERT_EQUAL_FATAL(client_open(&client, 65536, 1), RPT_OK);
    job = client_run(&client, &(struct job){ .argv = { self, "task" },
                                             .run = { .timeout_s = 40 } });
    CU_ASSERT_EQUAL(job->end.exit_code, 0);
    CU_ASSERT_STRING_EQUAL(job->out, "rank 0 of 1, sum 1\n");
    if (job->end.exit_code != 0) {
        printf("%s%s", job->message, job->err);
    }
    client_close(&client);
}

static const struct rpt_test tests[] = {
    RPT_TEST(an_mpi_program_as_a_task_is_alone),
    RPT_TEST_END,
};

static void be_the_task(int rank, int size)
{
    int one = 1, sum = 0;

    MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    printf("rank %d of %d, sum %d\n", rank, size, sum);
}

int main(int argc, char *argv[])
{
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    int rank, size, code = 0;

    if (n < 0) {
        return 1;
    }
    MPI_Init(&argc, &argv);
    rpt_test_over_mpi(&rank, &size);
    if (argc > 1 && strcmp(argv[1], "task") == 0) {
        be_the_task(rank, size);
    } else {
        code = rpt_test_main("exec mpi", tests, 60, argc, argv);
    }
    MPI_Finalize();
    return code;
}
