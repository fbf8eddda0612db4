/*
 * reducer.c - gradients of many layers, averaged while the next are computed
 *
 *     mpirun -n 4 ./reducer [layers]
 *
 * A model of some layers of different size goes backward, last layer first; a
 * layer is marked as soon as its gradient is there.  They travel as bf16.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include <stdio.h>
#include <stdlib.h>

enum { N_STEPS = 5 };

static void must(rpt_status_t status)
{
    if (status < RPT_OK) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

/* Layers in the order in which they get ready. */
static rpt_reducer_array_t *make_layers(size_t n)
{
    rpt_reducer_array_t *layers = malloc((n + 1) * sizeof *layers);

    for (size_t i = 0; layers != NULL && i < n; i++) {
        layers[i].count = 1000 * (1 + i % 7 * (i % 7));
        layers[i].data = malloc(layers[i].count * sizeof(float));
        if (layers[i].data == NULL) {
            return NULL;
        }
    }
    return layers;
}

static void go_backward(rpt_reducer_t *reducer,
                        const rpt_reducer_array_t *layers, size_t n, int rank)
{
    for (size_t i = 0; i < n; i++) {
        float *gradient = layers[i].data;

        for (size_t k = 0; k < layers[i].count; k++) {
            gradient[k] = (float)(rank + 1);
        }
        must(rpt_reducer_ready(reducer, i));
    }
    must(rpt_reducer_wait(reducer));
}

int main(int argc, char *argv[])
{
    rpt_reducer_config_t config = { .type = RPT_TYPE_F32,
                                    .op = RPT_OP_AVERAGE,
                                    .wire = RPT_WIRE_BF16,
                                    .bucket_bytes = 64 * 1024 };
    rpt_reducer_array_t *layers;
    rpt_reducer_t *reducer;
    rpt_context_t *context;
    rpt_group_t *group;
    char *text;
    size_t n;

    MPI_Init(&argc, &argv);
    n = argc > 1 ? strtoull(argv[1], NULL, 10) : 20;
    must(rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context));
    group = rpt_group_world(context);
    layers = make_layers(n);
    if (n == 0 || layers == NULL) {
        fprintf(stderr, "reducer: %zu layers\n", n);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    must(rpt_reducer_create(group, &config, layers, n, &reducer));
    for (int step = 0; step < N_STEPS; step++) {
        go_backward(reducer, layers, n, rpt_group_rank(group));
    }
    must(rpt_reducer_explain(reducer, &text));
    if (rpt_group_rank(group) == 0) {
        printf("average of 1 to %d: %g\n%s", rpt_group_size(group),
               (double)*(const float *)layers[n - 1].data, text);
    }
    free(text);
    rpt_reducer_destroy(reducer);
    for (size_t i = 0; i < n; i++) {
        free(layers[i].data);
    }
    free(layers);
    rpt_context_destroy(context);
    MPI_Finalize();
    return 0;
}
