/*
 * found.c - the committed checkpoints of a task, from the names of folders
 *
 * Whether one counts is seen from its manifest alone; whether it is whole is
 * seen when it is verified.  Cost: each manifest is read, once.
 */
#include "io/checkpoint/commit.h"

#include "base/error.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_unread(rpt_status_t status)
{
    return status == RPT_ERR_IO || rpt__found_blames_reader(status);
}

static void look_at(const struct rpt_dir *task, struct rpt_found *found)
{
    struct rpt_dir dir;
    struct rpt_manifest m;
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_open(task, found->name, &dir);
    bool has_holes = false;

    if (status != RPT_OK) {
        found->is_unread = is_unread(status);
        return;
    }
    status = rpt__manifest_load(&dir, false, &m);
    found->is_unread = is_unread(status);
    if (status == RPT_OK) {
        has_holes = rpt__manifest_has_slots(&m);
        found->time_s = m.time_s;
        found->counts = m.id == found->id && m.iteration == found->iteration &&
                        rpt__dir_check(&dir, rpt__dir_owner(task)) == RPT_OK;
        for (size_t i = 0; i < m.n_files; i++) {
            found->bytes += m.files[i].bytes;
        }
        rpt__manifest_free(&m);
    }
    if (rpt__dir_list(&dir, &names) == RPT_OK) {
        for (size_t i = 0; i < names.n; i++) {
            found->bytes += rpt__file_room(&dir, names.list[i], has_holes);
        }
        rpt__dir_names_free(&names);
    }
    rpt__dir_close(&dir);
}

static int newest_first(const void *a, const void *b)
{
    const struct rpt_found *x = a, *y = b;

    if (x->iteration != y->iteration) {
        return x->iteration > y->iteration ? -1 : 1;
    }
    if (x->time_s > y->time_s || x->time_s < y->time_s) {
        return x->time_s > y->time_s ? -1 : 1;
    }
    return (x->id < y->id) - (x->id > y->id);
}

rpt_status_t rpt__find_all(const struct rpt_dir *task,
                           struct rpt_found **found_out, size_t *n_out)
{
    struct rpt_dir_names names = { NULL, 0 };
    struct rpt_found *found;
    rpt_status_t status = rpt__dir_list(task, &names);
    size_t n = 0;

    if (status != RPT_OK) {
        return status;
    }
    found = calloc(names.n + 1, sizeof *found);
    if (found == NULL) {
        status = rpt__fail_nomem((names.n + 1) * sizeof *found);
        rpt__dir_names_free(&names);
        return status;
    }
    for (size_t i = 0; i < names.n; i++) {
        if (rpt__folder_parse(names.list[i], &found[n].iteration,
                              &found[n].id)) {
            snprintf(found[n].name, sizeof found[n].name, "%s", names.list[i]);
            look_at(task, &found[n]);
            n++;
        }
    }
    rpt__dir_names_free(&names);
    qsort(found, n, sizeof *found, newest_first);
    *found_out = found;
    *n_out = n;
    return RPT_OK;
}
