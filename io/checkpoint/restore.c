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
#include "io/checkpoint/choice.h"

#include "base/clock.h"
#include "base/error.h"
#include "io/checkpoint/load.h"
#include "io/checkpoint/share.h"
#include "io/checkpoint/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char call[] = "rpt_checkpoint_restore";

/* ---- rank 0 ---- */

/* The next candidate that rank 0 itself finds good; NULL: there is none. */
static rpt_status_t choose(struct rpt_checkpoint *c, struct rpt_choice *choice,
                           const struct rpt_found **found_out,
                           struct rpt_opened *opened_out)
{
    const struct rpt_found *found;

    while ((found = rpt__choice_next(choice)) != NULL) {
        rpt_status_t status = rpt__opened_read(&c->dir, found->name,
                                               opened_out);

        if (status == RPT_OK) {
            break;
        }
        if (!rpt__choice_passes(status)) {
            return status;
        }
        rpt__choice_pass(choice, found, status);
    }
    *found_out = found;
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
                             struct rpt_choice *choice, uint64_t *iteration_out)
{
    struct rpt_opened opened = RPT_OPENED_NONE;
    const struct rpt_found *found = NULL;
    rpt_status_t status = RPT_OK;

    if (c->rank == 0) {
        status = choose(c, choice, &found, &opened);
    }
    status = rpt__talk_agree(c->group, call, status);
    if (status != RPT_OK) {
        rpt__opened_free(&opened);
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
                rpt__choice_pass(choice, found, status);
            }
            status = RPT_PENDING;
        } else if (status == RPT_OK) {
            if (c->rank == 0) {
                rpt__choice_verified(choice, found);
                c->verified = found->id;
            }
            *iteration_out = opened.manifest.iteration;
            status = fill(c, &opened);
        }
    }
    if (status == RPT_OK && c->rank == 0) {
        rpt__choice_take(choice, found);
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

static rpt_status_t list(struct rpt_checkpoint *c, struct rpt_choice *choice)
{
    rpt_status_t status = RPT_OK;

    if (c->rank == 0) {
        status = rpt__choice_begin(&c->dir, c->options, choice);
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

/* Collective: nothing was found; was there something? */
static rpt_status_t none_left(struct rpt_checkpoint *c,
                              const struct rpt_choice *choice)
{
    rpt_status_t status = c->rank == 0 ? rpt__choice_none(choice) : RPT_END;

    status = rpt__talk_agree(c->group, call, status);
    return status == RPT_OK ? RPT_END : status;
}

static rpt_status_t restore(struct rpt_checkpoint *c, uint64_t *iteration_out)
{
    struct rpt_choice choice = { .n = 0 };
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
        status = list(c, &choice);
    }
    if (status == RPT_OK) {
        do {
            status = try_next(c, &choice, &iteration);
        } while (status == RPT_PENDING);
    }
    if (status == RPT_END) {
        status = none_left(c, &choice);
    }
    rpt__choice_end(&choice);
    if (status == RPT_OK) {
        rpt__level_restored(c, c->restored_manifest.id);
        c->newest = iteration;
        c->has_newest = true;
        c->timing.last_iteration = iteration;
        c->timing.last_s = rpt__now_s();
        rpt__engine_lock(c->engine);
        if (c->tell != NULL) {
            c->tell(c->tell_user, RPT_CHECKPOINT_RESTORED, iteration,
                    rpt__now_s());
        }
        rpt__engine_unlock(c->engine);
        *iteration_out = iteration;
    }
    return status;
}

/* It may write, too: what is on the nodes only. */
rpt_status_t rpt__checkpoint_restore(struct rpt_checkpoint *c,
                                     uint64_t *iteration_out)
{
    sigset_t before;
    rpt_status_t status;

    rpt__dir_begin(&before);
    status = restore(c, iteration_out);
    rpt__dir_end(&before);
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
