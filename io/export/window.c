/*
 * window.c - elements of a dataset in their order, also where it is in chunks
 *
 * A dataset in one piece is read where it lies.  Of one in chunks some rows of
 * these are expanded together, of which the elements follow each other, and
 * kept until others are asked for: so each chunk is expanded once when a rank
 * goes through its part.  A window for each dataset, of some MiB.
 */
#include "io/export/export_priv.h"

#include "base/error.h"
#include "io/checkpoint/load.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW_BYTES = 8 << 20, MOST_BYTES = 64 << 20 };

struct rpt_export_window {
    const struct rpt_dataset *set;
    uint64_t first, n; /* elements that it has */
    char *data;
    size_t bytes;
};

void rpt__export_windows_free(struct rpt_export *e)
{
    for (size_t i = 0; i < e->n_windows; i++) {
        free(e->windows[i].data);
    }
    free(e->windows);
    e->windows = NULL;
    e->n_windows = 0;
}

static struct rpt_export_window *window_of(struct rpt_export *e,
                                           const struct rpt_dataset *set)
{
    struct rpt_export_window *list;

    for (size_t i = 0; i < e->n_windows; i++) {
        if (e->windows[i].set == set) {
            return &e->windows[i];
        }
    }
    list = realloc(e->windows, (e->n_windows + 1) * sizeof *list);
    if (list == NULL) {
        return NULL;
    }
    e->windows = list;
    list[e->n_windows] = (struct rpt_export_window){ .set = set };
    return &list[e->n_windows++];
}

/* The box with this element: rows of chunks along one dimension, whole ones of
 * all faster dimensions. */
static struct rpt_box box_with(const struct rpt_dataset *set, uint64_t element,
                               uint64_t *first_out)
{
    const uint64_t *chunk = set->slots->chunk;
    struct rpt_box box = { { 0 }, { 0 } };
    uint64_t row = set->bytes, rest = element, rows, left;
    uint64_t type_bytes = rpt_type_bytes(set->type);
    int d = -1;

    do {
        d++;
        row /= set->dims[d];
        box.start[d] = rest / (row / type_bytes);
        box.count[d] = 1;
        rest %= row / type_bytes;
    } while (d < set->n_dims - 1 && row > MOST_BYTES / chunk[d]);
    rows = row * chunk[d] < WINDOW_BYTES ? WINDOW_BYTES / (row * chunk[d]) : 1;
    rest += box.start[d] % chunk[d] * (row / type_bytes);
    box.start[d] -= box.start[d] % chunk[d];
    left = set->dims[d] - box.start[d];
    box.count[d] = rows * chunk[d] < left ? rows * chunk[d] : left;
    for (d++; d < set->n_dims; d++) {
        box.count[d] = set->dims[d];
    }
    *first_out = element - rest;
    return box;
}

static rpt_status_t move_to(const struct rpt_export *e,
                            struct rpt_export_window *w, uint64_t element)
{
    struct rpt_box box = box_with(w->set, element, &w->first);
    struct rpt_box_memory memory = { NULL, box };
    size_t bytes;
    char *data;

    w->n = 0;
    bytes = (size_t)rpt__box_volume(&box, w->set->n_dims) *
            rpt_type_bytes(w->set->type);
    if (bytes > w->bytes) {
        data = realloc(w->data, bytes);
        if (data == NULL) {
            return rpt__fail_nomem(bytes);
        }
        w->data = data;
        w->bytes = bytes;
    }
    memory.data = w->data;
    w->n = rpt__box_volume(&box, w->set->n_dims);
    return rpt__load_box(&e->opened.dir, e->state_fd, w->set, &box, &memory);
}

static rpt_status_t read_chunks(struct rpt_export *e,
                                const struct rpt_dataset *set, uint64_t first,
                                uint64_t n, char *data)
{
    struct rpt_export_window *w = window_of(e, set);
    size_t type_bytes = rpt_type_bytes(set->type);
    rpt_status_t status = w != NULL ? RPT_OK : rpt__fail_nomem(sizeof *w);

    while (n > 0 && status == RPT_OK) {
        uint64_t skip, some;

        if (first < w->first || first - w->first >= w->n) {
            status = move_to(e, w, first);
        }
        if (status != RPT_OK) {
            w->n = 0;
            return status;
        }
        skip = first - w->first;
        some = w->n - skip < n ? w->n - skip : n;
        memcpy(data, w->data + skip * type_bytes, (size_t)some * type_bytes);
        data += some * type_bytes;
        first += some;
        n -= some;
    }
    return status;
}

/* Its elements follow each other in the file: a dataset of one dimension. */
rpt_status_t rpt__export_read(struct rpt_export *e,
                              const struct rpt_dataset *set, uint64_t first,
                              uint64_t n, void *data)
{
    struct rpt_dataset flat = *set;
    struct rpt_box box = { { first }, { n } };
    struct rpt_box_memory memory = { data, box };

    if (set->slots != NULL) {
        return read_chunks(e, set, first, n, data);
    }
    flat.n_dims = 1;
    flat.dims[0] = rpt__export_elements(set);
    return rpt__load_box(&e->opened.dir, e->state_fd, &flat, &box, &memory);
}
