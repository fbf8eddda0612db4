/*
 * choice.c - which checkpoint of a task is restored: the candidates in order
 */
#include "io/checkpoint/choice.h"

#include "base/error.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

rpt_status_t rpt__choice_begin(const struct rpt_dir *dir,
                               const rpt_options_t *options,
                               struct rpt_choice *choice_out)
{
    struct rpt_choice choice = { .dir = dir };
    rpt_status_t status = rpt__find_all(dir, &choice.found, &choice.n);

    choice.doubted = choice.n;
    choice.tries = rpt__option_integer(options, RPT_OPT_IO_CHECKPOINT_TRIES);
    if (status == RPT_OK) {
        status = rpt__history_read(dir, true, &choice.history);
    }
    if (status != RPT_OK) {
        free(choice.found);
        return status;
    }
    *choice_out = choice;
    return RPT_OK;
}

void rpt__choice_end(struct rpt_choice *choice)
{
    free(choice->found);
}

/* It was restored again and again, and nothing came of it. */
static bool leads_nowhere(const struct rpt_choice *choice,
                          const struct rpt_found *found)
{
    return choice->tries > 0 && choice->history.last_restored == found->id &&
           (int64_t)choice->history.n_restores >= choice->tries;
}

const struct rpt_found *rpt__choice_next(struct rpt_choice *choice)
{
    while (choice->next < choice->n) {
        const struct rpt_found *found = &choice->found[choice->next++];

        if (!leads_nowhere(choice, found)) {
            return found;
        }
        choice->doubted = choice->next - 1;
    }
    if (choice->doubted < choice->n) {
        const struct rpt_found *found = &choice->found[choice->doubted];

        choice->doubted = choice->n;
        return found;
    }
    return NULL;
}

/* Whether it could be. */
static bool put_aside(const struct rpt_choice *choice,
                      const struct rpt_found *found, const char *why)
{
    const struct rpt_dir *dir = choice->dir;
    bool is_done = rpt__put_aside(dir, found->name, found->id) == RPT_OK;

    rpt__log(RPT_LOG_WARN, "checkpoint %s/%s is put aside as .bad-%016llx: %s",
             dir->path, found->name, (unsigned long long)found->id, why);
    if (!is_done) {
        rpt__log(RPT_LOG_WARN, "%s/%s could not be renamed: %s", dir->path,
                 found->name, rpt_last_error()->why);
    }
    rpt__event_add(dir, "aside", found->id, found->iteration, 0);
    return is_done;
}

void rpt__choice_pass(struct rpt_choice *choice, const struct rpt_found *found,
                      rpt_status_t status)
{
    const rpt_error_t *error = rpt_last_error();
    char why[512];

    snprintf(why, sizeof why, "%s (%s)", error->what, error->why);
    if (status == RPT_ERR_CORRUPT) {
        choice->n_bad += !put_aside(choice, found, why);
        return;
    }
    choice->n_unread++;
    rpt__log(RPT_LOG_WARN, "checkpoint %s/%s cannot be used: %s",
             choice->dir->path, found->name, why);
}

void rpt__choice_verified(const struct rpt_choice *choice,
                          const struct rpt_found *found)
{
    rpt__event_add(choice->dir, "verify", found->id, found->iteration, 0);
}

/* Only now, when another one was restored, is the one in doubt no use. */
void rpt__choice_take(struct rpt_choice *choice, const struct rpt_found *found)
{
    rpt__event_add(choice->dir, "restore", found->id, found->iteration, 0);
    if (choice->doubted < choice->n) {
        put_aside(choice, &choice->found[choice->doubted],
                  "it was restored several times, and no newer "
                  "one was committed since");
    }
}

/* Those that earlier jobs have put aside: to begin from nothing although there
 * was something is for a person to decide. */
static unsigned count_aside(const struct rpt_dir *dir)
{
    struct rpt_dir_names names = { NULL, 0 };
    unsigned n = 0;

    if (rpt__dir_list(dir, &names) == RPT_OK) {
        for (size_t i = 0; i < names.n; i++) {
            n += strncmp(names.list[i], ".bad-", 5) == 0;
        }
    }
    rpt__dir_names_free(&names);
    return n;
}

rpt_status_t rpt__choice_none(const struct rpt_choice *choice)
{
    unsigned n_bad = choice->n_bad + count_aside(choice->dir);

    if (n_bad + choice->n_unread == 0) {
        return RPT_END;
    }
    rpt__fail(RPT_ERR_CORRUPT, "no checkpoint in %s can be restored",
              choice->dir->path);
    rpt__fail_why("%u are damaged, %u cannot be used", n_bad, choice->n_unread);
    rpt__fail_hint("%s", n_bad > 0 ? "the warnings say why; move the folders "
                                     ".bad-* away to start from the beginning"
                                   : "the warnings say why");
    return RPT_ERR_CORRUPT;
}
