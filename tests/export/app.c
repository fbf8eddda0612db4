/*
 * app.c - a job that saves noise, or exports it: for tests/export/faults
 *
 *     mpirun -n N app save DIR
 *     mpirun -n N app export DIR OUT [replace]
 *
 * Prints a line for each rank; its last error on rank 0.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1 << 19 }; /* doubles of a rank */

static rpt_status_t save(rpt_context_t *context, const char *directory)
{
    uint64_t rank = (uint64_t)rpt_context_rank(context),
             size = (uint64_t)rpt_context_size(context), x = rank + 1;
    double *noise = malloc(N * sizeof *noise);
    rpt_checkpoint_array_t a = { .size = sizeof a,
                                 .name = "noise",
                                 .type = RPT_TYPE_F64,
                                 .n_dims = 1,
                                 .dims = { N * size },
                                 .start = { N * rank },
                                 .count = { N },
                                 .data = noise };
    rpt_checkpoint_t *c = NULL;
    rpt_status_t status;

    for (int i = 0; i < N; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        noise[i] = (double)x;
    }
    status = rpt_checkpoint_open(rpt_group_world(context), directory, "t", NULL,
                                 &c);
    if (status == RPT_OK) {
        status = rpt_checkpoint_add_array(c, &a);
    }
    if (status == RPT_OK) {
        status = rpt_checkpoint_save(c, 1);
    }
    rpt_checkpoint_close(c);
    free(noise);
    return status;
}

int main(int argc, char *argv[])
{
    rpt_export_config_t config = { .size = sizeof config,
                                   .group_rows = 1 << 16 };
    rpt_context_t *context = NULL;
    rpt_status_t status;
    int level;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    status = rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context);
    if (status == RPT_OK && argc >= 3 && strcmp(argv[1], "save") == 0) {
        status = save(context, argv[2]);
    } else if (status == RPT_OK && argc >= 4) {
        config.output = argv[3];
        config.flags = argc > 4 ? RPT_EXPORT_REPLACE : 0;
        status = rpt_checkpoint_export(rpt_group_world(context), argv[2], "t",
                                       &config, NULL);
    }
    printf("status %s\n", rpt_status_name(status));
    if (status < 0 && rpt_context_rank(context) == 0) {
        printf("%s\n", rpt_last_error_text());
    }
    rpt_context_destroy(context);
    MPI_Finalize();
    return status == RPT_OK ? 0 : 1;
}
