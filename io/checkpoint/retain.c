/*
 * retain.c - which checkpoints may go when a new one is committed, and how
 *
 * One that goes is renamed first, and the name is synced: so there is never a
 * part of it under the name of a checkpoint.
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which ---- */

struct rpt_retention rpt__retention_of(const rpt_options_t *options)
{
    return (struct rpt_retention){
        .keep = (uint64_t)rpt__option_integer(options,
                                              RPT_OPT_IO_CHECKPOINT_KEEP),
        .every = (uint64_t)rpt__option_integer(
            options, RPT_OPT_IO_CHECKPOINT_KEEP_EVERY),
        .age_s = rpt__option_seconds(options, RPT_OPT_IO_CHECKPOINT_KEEP_AGE_S),
        .bytes = rpt__option_size(options, RPT_OPT_IO_CHECKPOINT_KEEP_BYTES),
    };
}

void rpt__retention_choose(const struct rpt_retention *rules,
                           const struct rpt_found found[], size_t n,
                           double now_s, bool goes_out[])
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bool is_kept_by_number = i < rules->keep ||
                                 (rules->every > 0 &&
                                  found[i].iteration % rules->every == 0);
        bool is_too_old = rules->age_s > 0 &&
                          now_s - found[i].time_s > rules->age_s;
        bool is_too_much = rules->bytes > 0 &&
                           bytes + found[i].bytes > rules->bytes;

        goes_out[i] = i > 0 && found[i].id != rules->verified &&
                      found[i].id != rules->committed &&
                      (!is_kept_by_number || is_too_old || is_too_much);
        /* What is older than one that is too much goes, too. */
        if (!goes_out[i] || is_too_much) {
            bytes += found[i].bytes;
        }
    }
}

/* ---- how ---- */

static rpt_status_t rename_to(const struct rpt_dir *task, const char *name,
                              const char *start, uint64_t id,
                              char new_name[RPT_FOLDER_NAME_BYTES])
{
    char text[RPT_ID_BYTES];

    rpt__id_text(id, text);
    snprintf(new_name, RPT_FOLDER_NAME_BYTES, "%s%s", start, text);
    return rpt__dir_rename(task, name, new_name);
}

rpt_status_t rpt__retire(const struct rpt_dir *task, const char *name)
{
    char old[RPT_FOLDER_NAME_BYTES];
    uint64_t iteration = 0, id = 0;
    rpt_status_t status;

    if (!rpt__folder_parse(name, &iteration, &id)) {
        return rpt__dir_remove(task, name);
    }
    status = rename_to(task, name, ".old-", id, old);
    if (status != RPT_OK && rpt__dir_lacks(task, name)) {
        status = RPT_OK; /* whoever took it removes it; we help */
    }
    if (status == RPT_OK) {
        status = rpt__dir_sync(task);
    }
    return status == RPT_OK ? rpt__dir_remove(task, old) : status;
}

/* Without a sync: one that gets its name back is found damaged once more. */
rpt_status_t rpt__put_aside(const struct rpt_dir *task, const char *name,
                            uint64_t id)
{
    char bad[RPT_FOLDER_NAME_BYTES];

    return rename_to(task, name, ".bad-", id, bad);
}

/* .spare- and scratch- are a job's. */
static bool is_old(const char *name, bool is_locked)
{
    return strncmp(name, ".old-", 5) == 0 ||
           (is_locked &&
            (strncmp(name, RPT_SPARE, strlen(RPT_SPARE)) == 0 ||
             strncmp(name, RPT_SCRATCH, strlen(RPT_SCRATCH)) == 0));
}

rpt_status_t rpt__clear_old(const struct rpt_dir *task, bool is_locked)
{
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_list(task, &names), one;
    bool is_synced = false;

    for (size_t i = 0; i < names.n; i++) {
        if (!is_old(names.list[i], is_locked)) {
            continue;
        }
        /* Who renamed it may have been killed before the sync. */
        one = is_synced ? RPT_OK : rpt__dir_sync(task);
        is_synced = true;
        if (one == RPT_OK) {
            one = rpt__dir_remove(task, names.list[i]);
        }
        status = one != RPT_OK ? one : status;
    }
    rpt__dir_names_free(&names);
    return status;
}

/* What does not count is not kept by a number, nor removed: a person may. */
static size_t drop_damaged(struct rpt_found found[], size_t n)
{
    size_t n_good = 0;

    for (size_t i = 0; i < n; i++) {
        if (found[i].counts) {
            found[n_good++] = found[i];
        }
    }
    return n_good;
}

/* It stays, to be recycled. */
static rpt_status_t spare(const struct rpt_dir *task,
                          struct rpt_retention *rules,
                          const struct rpt_found *found)
{
    char name[RPT_FOLDER_NAME_BYTES];
    rpt_status_t status = rename_to(task, found->name, RPT_SPARE, found->id,
                                    name);

    if (status != RPT_OK && rpt__dir_lacks(task, found->name)) {
        return RPT_OK; /* somebody else has removed it */
    }
    if (status == RPT_OK) {
        status = rpt__dir_sync(task);
    }
    rules->spare = status == RPT_OK ? found->id : 0;
    return status;
}

rpt_status_t rpt__retain(const struct rpt_dir *task,
                         struct rpt_retention *rules)
{
    struct rpt_found *found = NULL;
    size_t n = 0, n_left = 0;
    bool *goes_out;
    rpt_status_t status = rpt__find_all(task, &found, &n);

    if (status != RPT_OK) {
        return status;
    }
    n = drop_damaged(found, n);
    goes_out = calloc(n + 1, sizeof *goes_out);
    if (goes_out == NULL) {
        status = rpt__fail_nomem(n);
    } else {
        rpt__retention_choose(rules, found, n, rpt__wall_s(), goes_out);
    }
    for (size_t i = 0; i < n && status == RPT_OK; i++) {
        n_left += goes_out[i];
    }
    for (size_t i = n; i > 0 && status == RPT_OK; i--) {
        if (goes_out[i - 1] && (--n_left > 0 || !rules->spares)) {
            status = rpt__retire(task, found[i - 1].name);
        } else if (goes_out[i - 1]) {
            status = spare(task, rules, &found[i - 1]);
        }
    }
    free(goes_out);
    free(found);
    return status;
}
