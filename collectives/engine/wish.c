/*
 * wish.c - how those who read want to have it stored
 *
 * Who only writes in a call (the root of a broadcast) does not see how long the
 * others take to read it, so its own time does not tell which way is faster.
 * Those who wait in calls of the kind say what they have found, in a line of
 * their own; who waits for nobody does as most of them want.
 *
 *   word of a kind:   bit p       stores as usual are faster at pace p
 *                     bit 16 + p  that was found
 *
 * A word may be old: that costs time, no more.
 */
#include "collectives/engine/run.h"

enum { FOUND_BITS = 16, WISHES_OFFSET = 128 };

_Static_assert((int)RPT_N_PACES <= FOUND_BITS, "paces have a bit each");

struct wishes {
    _Atomic uint32_t of_kind[RPT_COLL_EXSCAN + 1];
};

_Static_assert(WISHES_OFFSET >= sizeof(struct rpt_block_head) +
                                    sizeof(struct rpt_exposed),
               "wishes lie behind what else is in the head of a block");
_Static_assert(WISHES_OFFSET + sizeof(struct wishes) <= RPT_STAGE_OFFSET,
               "wishes lie before the stage");

static _Atomic uint32_t *word_of(const struct rpt_run *run, int rank)
{
    char *block = (char *)rpt__team_block(run->team, RPT_N_SHORT, rank);
    struct wishes *wishes = (struct wishes *)(void *)(block + WISHES_OFFSET);

    return &wishes->of_kind[run->role / 2];
}

void rpt__wish_tell(const struct rpt_run *run)
{
    const struct rpt_team *team = run->team;
    uint32_t usual = UINT32_C(1) << run->pace, found = usual << FOUND_BITS;
    _Atomic uint32_t *word;
    uint32_t before, after;

    if (run->only_writes || team->slice.head == NULL) {
        return;
    }
    word = word_of(run, team->rank);
    before = atomic_load_explicit(word, memory_order_relaxed);
    after = team->paces[run->role][run->pace].is_usual
                ? before | found | usual
                : (before | found) & ~usual;
    if (after != before) { /* others have the line */
        atomic_store_explicit(word, after, memory_order_relaxed);
    }
}

void rpt__wish_ask(const struct rpt_run *run)
{
    struct rpt_team *team = run->team;
    uint32_t usual = UINT32_C(1) << run->pace, found = usual << FOUND_BITS;
    int n_usual = 0, n_past = 0;

    if (!run->only_writes || team->slice.head == NULL) {
        return;
    }
    for (int i = 0; i < team->n_near; i++) {
        uint32_t word = team->near[i] == team->rank
                            ? 0
                            : atomic_load_explicit(word_of(run, team->near[i]),
                                                   memory_order_relaxed);

        n_usual += (word & found) != 0 && (word & usual) != 0;
        n_past += (word & found) != 0 && (word & usual) == 0;
    }
    if (n_usual + n_past > 0) {
        team->paces[run->role][run->pace].is_usual = n_usual > n_past;
    }
}
