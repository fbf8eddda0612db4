/*
 * gone.c - a rank has destroyed its group, and another still calls
 *
 * Who waits for two seconds tells the rank that it waits for (late.c).  One
 * that has destroyed the group, or does it then, and had ended fewer calls than
 * that, will never come: it says so, and the group fails on all others.
 *
 * Only groups that had a call are known, and the last RPT_N_GONE of them.  A
 * rank answers while somebody drives its context; one without a context does
 * not.
 *
 * Cost: nothing but a line in a list when a group is destroyed.
 */
#include "collectives/engine/run.h"

#include "base/error.h"

#include <string.h>

/* The answer. */
struct gone {
    uint64_t number; /* of the group                        */
    uint64_t n_runs; /* that the sender has ended           */
    int32_t rank;    /* of the sender, in the group         */
    int32_t unused;
};

void rpt__gone_note(struct rpt_colls *colls, const struct rpt_team *team)
{
    struct rpt_gone *gone = &colls->gone[colls->n_gone % RPT_N_GONE];
    const struct rpt_run *left = STAILQ_FIRST(&team->queue);

    colls->n_gone++;
    gone->number = rpt__group_number(team->group);
    gone->n_runs = left != NULL ? left->seq : atomic_load(&team->n_runs);
    gone->rank = team->rank;
    if (rpt__group_is_failed(team->group)) {
        gone->n_runs = UINT64_MAX; /* the others know more than that */
    }
}

static const struct rpt_gone *find(const struct rpt_colls *colls,
                                   uint64_t number)
{
    unsigned i = 0;

    while (i < RPT_N_GONE && i < colls->n_gone &&
           colls->gone[i].number != number) {
        i++;
    }
    return i < RPT_N_GONE && i < colls->n_gone ? &colls->gone[i] : NULL;
}

bool rpt__gone_has(const struct rpt_colls *colls, uint64_t number)
{
    return find(colls, number) != NULL;
}

void rpt__gone_answer(struct rpt_colls *colls, int source, uint64_t number,
                      uint64_t seq)
{
    const struct rpt_gone *gone = find(colls, number);

    if (gone != NULL && gone->n_runs <= seq) {
        const struct gone answer = { number, gone->n_runs, gone->rank, 0 };

        rpt__comm_send(colls->comm, source, RPT_TAG_GONE, &answer,
                       sizeof answer);
    }
}

/* As the last error.  Nobody has made the group of a reducer himself. */
static void say_gone(const struct rpt_group *group, const struct gone *gone)
{
    const struct rpt_team *team = rpt__group_attached(group);
    bool of_reducer = team != NULL && team->of_reducer;
    const char *noun = of_reducer ? "reducer" : "group";
    int rank = rpt__group_rank(group);

    rpt__fail(RPT_ERR_MISMATCH,
              "rank %d has destroyed its %s, and rank %d waits for it in one "
              "more %s (ranks of a group of %d)",
              gone->rank, noun, rank, of_reducer ? "round" : "call",
              rpt__group_size(group));
    if (of_reducer) {
        rpt__fail_why("all ranks of a reducer make the same rounds, and rank "
                      "%d ended without this one",
                      gone->rank);
        rpt__fail_hint("let all end the same rounds by rpt_reducer_wait() "
                       "before one calls rpt_reducer_destroy()");
    } else {
        rpt__fail_why("all ranks of a group make the same calls, and rank %d "
                      "ended after %llu of them",
                      gone->rank, (unsigned long long)gone->n_runs);
        rpt__fail_hint("let all make the same calls before one calls "
                       "rpt_group_destroy()");
    }
}

static void answer_came(void *user, int source, const void *data, size_t bytes)
{
    struct rpt_colls *colls = user;
    struct rpt_group *group;
    struct gone gone;

    if (bytes != sizeof gone) {
        return;
    }
    memcpy(&gone, data, sizeof gone);
    group = rpt__group_find(colls->comm, gone.number);
    if (group == NULL || rpt__group_is_failed(group) ||
        rpt__group_world_rank(group, gone.rank) != source) {
        return;
    }
    say_gone(group, &gone);
    rpt__group_spoil(group, RPT_ERR_MISMATCH, gone.n_runs);
    rpt__engine_tell(rpt__comm_engine(colls->comm));
}

rpt_status_t rpt__gone_listen(struct rpt_colls *colls)
{
    return rpt__comm_handle(colls->comm, RPT_TAG_GONE, answer_came, colls);
}
