/*
 * look.c - looks into the checkpoints of heat2d, while it runs or after it
 *
 *   mpicc look.c $(pkg-config --cflags --libs repartir) -o look
 *   ./look run
 *
 * Where the newest one is, a row of its field, and an answer of SQL about all
 * checkpoints.  No MPI is started and nothing is written; a job beside it is
 * not disturbed.
 */
#include <repartir.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(rpt_status_t status)
{
    if (status < RPT_OK) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
        exit(1);
    }
}

static const rpt_stored_dataset_t *find(const rpt_stored_t *stored,
                                        const char *name)
{
    const rpt_stored_dataset_t *dataset;

    for (size_t i = 0; rpt_stored_dataset(stored, i, &dataset) == RPT_OK; i++) {
        if (strcmp(dataset->name, name) == 0) {
            return dataset;
        }
    }
    fprintf(stderr, "look: there is no %s\n", name);
    exit(1);
}

/* Reads the row in the middle of the field, and returns its number. */
static uint64_t read_row(rpt_stored_t *stored)
{
    const rpt_stored_dataset_t *field = find(stored, "temperature");
    const uint64_t start[2] = { field->dims[0] / 2, 0 };
    const uint64_t count[2] = { 1, field->dims[1] };
    double *values = calloc(field->dims[1], sizeof *values), largest = 0;

    must(rpt_stored_read(stored, field->name, start, count, values,
                         field->dims[1] * sizeof *values));
    for (uint64_t x = 0; x < field->dims[1]; x++) {
        largest = values[x] > largest ? values[x] : largest;
    }
    printf("row %d: at most %.17g\n", (int)start[0], largest);
    free(values);
    return start[0];
}

/* The newest one; its data are proven before they are read. */
static uint64_t look_at_newest(const char *directory)
{
    const rpt_catalog_entry_t *newest;
    rpt_catalog_t *catalog;
    rpt_stored_t *stored;
    uint64_t row;
    char *path;

    must(rpt_catalog_open(directory, &catalog));
    must(rpt_catalog_path(catalog, "heat", NULL, &path));
    must(rpt_catalog_find(catalog, "heat", NULL, &newest));
    printf("%s, saved by %d ranks\n", path, newest->n_ranks);
    must(rpt_stored_open(catalog, newest, &stored));
    must(rpt_stored_verify(stored, RPT_VERIFY_CHECKSUMS, NULL));
    row = read_row(stored);
    rpt_stored_close(stored);
    rpt_catalog_close(catalog);
    free(path);
    return row;
}

/* The largest of that row in each checkpoint that is there. */
static void ask(const char *directory, uint64_t row)
{
    rpt_view_t *view;
    rpt_query_t *query;
    rpt_value_t iteration, largest;
    rpt_status_t status;

    must(rpt_view_open(&directory, 1, NULL, &view));
    must(rpt_query_open(view,
                        "SELECT iteration, max(value) FROM checkpoints c, "
                        "array('temperature', c.id) WHERE i0 = ? "
                        "AND c.state = 'committed' "
                        "GROUP BY iteration ORDER BY iteration",
                        &query));
    must(rpt_query_bind_i64(query, 1, (int64_t)row));
    while ((status = rpt_query_step(query)) == RPT_OK) {
        must(rpt_query_value(query, 0, &iteration));
        must(rpt_query_value(query, 1, &largest));
        printf("iteration %d: %.17g\n", (int)iteration.i64, largest.f64);
    }
    must(status);
    rpt_query_close(query);
    rpt_view_close(view);
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: look DIRECTORY\n");
        return 64;
    }
    ask(argv[1], look_at_newest(argv[1]));
    return 0;
}
