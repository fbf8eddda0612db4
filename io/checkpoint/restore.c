/*
 * restore.c - the newest checkpoint that all ranks find whole
 *
 *   rank 0: the next candidate whose manifest and checksums are good
 *   all:    get these two as bytes; each verifies its share of the data
 *           one found damage     -> put aside, next candidate
 *           one could not read   -> left alone, next candidate
 *   all:    do the items fit? read them
 *
 * Cost: every byte is read once by one rank, and once by who needs it.
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/load.h"
#include "io/checkpoint/share.h"
#include "io/checkpoint/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char call[] = "rpt_checkpoint_restore";

/* What rank 0 knows of the candidates. */
struct choosing {
    struct rpt_found *found;
    size_t n;
    size_t next;
    size_t doubted; /* the first whose restores have led nowhere, or n */
    struct rpt_history history;
    unsigned n_bad; /* that could not be read */
};

/* ---- rank 0 ---- */

static void put_aside(struct rpt_checkpoint *c, const struct rpt_found *found,
                      const char *why)
{
    rpt__log(RPT_LOG_WARN, "checkpoint %s is put aside as .bad-%016llx: %s",
             found->name, (unsigned long long)found->id, why);
    if (rpt__put_aside(&c->dir, found->name, found->id) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "%s could not be renamed: %s", found->name,
                 rpt_last_error()->why);
    }
    rpt__event_add(&c->dir, "aside", found->id, found->iteration, 0);
}

static void pass_over(struct rpt_checkpoint *c, struct choosing *choosing,
                      const struct rpt_found *found, rpt_status_t status)
{
    const rpt_error_t *error = rpt_last_error();
    char why[512];

    snprintf(why, sizeof why, "%s (%s)", error->what, error->why);
    if (status == RPT_ERR_CORRUPT) {
        put_aside(c, found, why);
        return;
    }
    choosing->n_bad++;
    rpt__log(RPT_LOG_WARN, "checkpoint %s cannot be used: %s", found->name,
             why);
}

/* It was restored again and again, and nothing came of it. */
static bool leads_nowhere(const struct rpt_checkpoint *c,
                          const struct choosing *choosing,
                          const struct rpt_found *found)
{
    int64_t tries = rpt__option_integer(c->options,
                                        RPT_OPT_IO_CHECKPOINT_TRIES);

    return tries > 0 && choosing->history.last_restored == found->id &&
           (int64_t)choosing->history.n_restores >= tries;
}

/* The next to be looked at.  One that leads nowhere comes last: it is better
 * than none. */
static const struct rpt_found *take_next(const struct rpt_checkpoint *c,
                                         struct choosing *choosing)
{
    while (choosing->next < choosing->n) {
        const struct rpt_found *found = &choosing->found[choosing->next++];

        if (!leads_nowhere(c, choosing, found)) {
            return found;
        }
        choosing->doubted = choosing->next - 1;
    }
    if (choosing->doubted < choosing->n) {
        const struct rpt_found *found = &choosing->found[choosing->doubted];

        choosing->doubted = choosing->n;
        return found;
    }
    return NULL;
}

/* Another one was restored. */
static void put_doubted_aside(struct rpt_checkpoint *c,
                              const struct choosing *choosing)
{
    if (choosing->doubted < choosing->n) {
        put_aside(c, &choosing->found[choosing->doubted],
                  "it was restored several times, and no newer "
                  "one was committed since");
    }
}

/* The next candidate that rank 0 itself finds good; NULL: there is none.  An
 * older one is no answer to a lack of memory. */
static rpt_status_t choose(struct rpt_checkpoint *c, struct choosing *choosing,
                           struct rpt_opened *opened_out,
                           const struct rpt_found **found_out)
{
    const struct rpt_found *found;

    while ((found = take_next(c, choosing)) != NULL) {
        rpt_status_t status = rpt__opened_read(&c->dir, found->name,
                                               opened_out);

        if (status == RPT_OK || status == RPT_ERR_NOMEM) {
            *found_out = found;
            return status;
        }
        pass_over(c, choosing, found, status);
    }
    return RPT_OK;
}

/* ---- one candidate ---- */

static rpt_status_t fill(struct rpt_checkpoint *c, struct rpt_opened *opened)
{
    rpt_status_t status = rpt__talk_agree(
        c->group, call, rpt__load_check(&opened->manifest, &c->items, c->size));

    if (status == RPT_OK) {
        status = rpt__ferries_find(&c->ferries, rpt__comm_options(c->comm),
                                 &c->items);
        status = rpt__talk_agree(
            c->group, call,
            status == RPT_OK ? rpt__load(opened, &c->items, c->rank, c->size)
                             : status);
    }
    return status;
}

static bool is_about_candidate(rpt_status_t status)
{
    return status == RPT_ERR_CORRUPT || status == RPT_ERR_IO;
}

/* Collective.  RPT_PENDING: try the next one. */
static rpt_status_t try_next(struct rpt_checkpoint *c,
                             struct choosing *choosing, uint64_t *iteration_out)
{
    struct rpt_opened opened = RPT_OPENED_NONE;
    const struct rpt_found *found = NULL;
    rpt_status_t status = rpt__talk_agree(
        c->group, call,
        c->rank == 0 ? choose(c, choosing, &opened, &found) : RPT_OK);

    if (status != RPT_OK) {
        return status;
    }
    status = rpt__opened_share(c->group, call, &c->dir,
                               found != NULL ? found->name : NULL, &opened);
    if (status != RPT_END) {
        /* Who could not get it is heard here; the text of damage is on rank
         * 0. */
        status = rpt__verify_together(c->group, call, &opened, status);
        if (is_about_candidate(status)) {
            if (c->rank == 0) {
                pass_over(c, choosing, found, status);
            }
            status = RPT_PENDING;
        } else if (status == RPT_OK) {
            if (c->rank == 0) {
                rpt__event_add(&c->dir, "verify", found->id, found->iteration,
                               0);
                c->verified = found->id;
            }
            *iteration_out = opened.manifest.iteration;
            status = fill(c, &opened);
        }
    }
    if (status == RPT_OK && c->rank == 0) {
        rpt__event_add(&c->dir, "restore", found->id, found->iteration, 0);
        put_doubted_aside(c, choosing);
    }
    if (status == RPT_OK) {
        rpt__folder_name(opened.manifest.iteration, opened.manifest.id,
                         c->restored);
        rpt__manifest_free(&c->restored_manifest);
        c->restored_manifest = opened.manifest;
        opened.manifest = (struct rpt_manifest){ .id = 0 };
    }
    rpt__opened_free(&opened);
    return status;
}

/* ---- all of it ---- */

static rpt_status_t list(struct rpt_checkpoint *c, struct choosing *choosing)
{
    rpt_status_t status = RPT_OK;

    if (c->rank == 0) {
        status = rpt__find_all(&c->dir, &choosing->found, &choosing->n);
        choosing->doubted = choosing->n;
        if (status == RPT_OK) {
            status = rpt__history_read(&c->dir, true, &choosing->history);
        }
    }
    return rpt__talk_agree(c->group, call, status);
}

static rpt_status_t compare_items(struct rpt_checkpoint *c)
{
    uint64_t mine = rpt__items_hash(&c->items);
    uint64_t *all = calloc((size_t)c->size, sizeof *all);
    rpt_status_t status = all != NULL ? RPT_OK : rpt__fail_nomem(8);

    status = rpt__talk_agree(c->group, call, status);
    if (status == RPT_OK) {
        status = rpt__talk_all(c->group, call, &mine, sizeof mine, all);
    }
    for (int r = 0; status == RPT_OK && r < c->size; r++) {
        if (all[r] != all[0]) {
            rpt__fail(RPT_ERR_MISMATCH,
                      "ranks 0 and %d restore different "
                      "items",
                      r);
            rpt__fail_hint("add the same items in the same order, with the "
                           "same types and extents, on all ranks");
            status = RPT_ERR_MISMATCH;
        }
    }
    free(all);
    return status;
}

/* Those that earlier jobs have put aside: to begin from nothing although there
 * was something is for a person to decide. */
static unsigned count_aside(const struct rpt_checkpoint *c)
{
    struct rpt_dir_names names = { NULL, 0 };
    unsigned n = 0;

    if (rpt__dir_list(&c->dir, &names) == RPT_OK) {
        for (size_t i = 0; i < names.n; i++) {
            n += strncmp(names.list[i], ".bad-", 5) == 0;
        }
    }
    rpt__dir_names_free(&names);
    return n;
}

/* Collective: nothing was found; was there something? */
static rpt_status_t none_left(struct rpt_checkpoint *c,
                              struct choosing *choosing)
{
    rpt_status_t status = RPT_OK;

    if (c->rank == 0) {
        choosing->n_bad += count_aside(c);
    }
    if (c->rank == 0 && choosing->n_bad > 0) {
        rpt__fail(RPT_ERR_CORRUPT, "no checkpoint in %s can be restored",
                  c->dir.path);
        rpt__fail_why("%u are damaged or cannot be read", choosing->n_bad);
        rpt__fail_hint("the warnings say why; move the folders .bad-* away to "
                       "start from the beginning");
        status = RPT_ERR_CORRUPT;
    }
    status = rpt__talk_agree(c->group, call, status);
    return status == RPT_OK ? RPT_END : status;
}

rpt_status_t rpt__checkpoint_restore(struct rpt_checkpoint *c,
                                     uint64_t *iteration_out)
{
    struct choosing choosing = { .n = 0 };
    uint64_t iteration = 0;
    rpt_status_t status;

    rpt__checkpoint_abandon(c);
    rpt__engine_lock(c->engine);
    status = rpt__save_settle(c);
    rpt__engine_unlock(c->engine);
    if (status == RPT_OK) {
        status = compare_items(c);
    }
    if (status == RPT_OK) {
        status = rpt__level_recover(c);
    }
    if (status == RPT_OK) {
        status = list(c, &choosing);
    }
    if (status == RPT_OK) {
        do {
            status = try_next(c, &choosing, &iteration);
        } while (status == RPT_PENDING);
    }
    if (status == RPT_END) {
        status = none_left(c, &choosing);
    }
    free(choosing.found);
    if (status == RPT_OK) {
        rpt__level_restored(c, c->restored_manifest.id);
        c->newest = iteration;
        c->has_newest = true;
        c->timing.last_iteration = iteration;
        c->timing.last_s = rpt__now_s();
        rpt__engine_lock(c->engine);
        if (c->tell != NULL) {
            c->tell(c->tell_user, RPT_CHECKPOINT_RESTORED, iteration);
        }
        rpt__engine_unlock(c->engine);
        *iteration_out = iteration;
    }
    return status;
}

rpt_status_t rpt__checkpoint_restored_path(const struct rpt_checkpoint *c,
                                           char **path_out)
{
    char *path;

    if (c->restored[0] == '\0') {
        rpt__fail(RPT_ERR_STATE, "nothing was restored");
        rpt__fail_hint("call rpt_checkpoint_restore() first");
        return RPT_ERR_STATE;
    }
    if (asprintf(&path, "%s/%s", c->dir.path, c->restored) < 0) {
        return rpt__fail_nomem(strlen(c->dir.path));
    }
    *path_out = path;
    return RPT_OK;
}
