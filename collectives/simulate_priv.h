/*
 * simulate_priv.h - the inside of the simulator
 *
 *   symbol.c    values
 *   memory.c    ranges of symbols, and who may touch them when
 *   flag.c      flags, and what ranks know
 *   simulate.c  ranks, lanes, messages
 */
#ifndef RPT_COLLECTIVES_SIMULATE_PRIV_H
#define RPT_COLLECTIVES_SIMULATE_PRIV_H

#include "collectives/simulate.h"

#include <sys/queue.h>

/* ---- symbol.c ---- */

struct rpt_symbol rpt__symbol_leaf(int rank, size_t position);
struct rpt_symbol rpt__symbol_combine(struct rpt_symbol left,
                                      struct rpt_symbol right);

/* ---- memory.c ---- */

struct rpt_memory {
    struct rpt_symbol *symbols;
    size_t n;
    /* What others may touch; NULL: they may not. */
    uint32_t *written; /* epoch of the writer, by element       */
    int *writer;       /* rank, by element                      */
    uint32_t *read;    /* epoch of each rank, by element x rank */
};

/* A range that was sent and may not be written. */
struct rpt_sent {
    STAILQ_ENTRY(rpt_sent) link;
    enum rpt_place_kind kind;
    size_t offset;
    size_t count;
    size_t lane;
    uint32_t number; /* of the lane */
    int dest;
    bool taken; /* received */
    bool done;  /* the sender knows */
    uint32_t round;
    uint32_t *clock; /* of the sender, or NULL */
    struct rpt_symbol symbols[];
};
STAILQ_HEAD(rpt_sent_list, rpt_sent);

struct rpt_sim_lane {
    size_t next; /* step of the lane */
    uint32_t round;
};

/* When a flag was raised, and what its rank knew then. */
struct rpt_raise {
    uint64_t value;
    uint32_t *clock;
};

struct rpt_sim_rank {
    struct rpt_memory input, output, scratch, stage[2];
    struct rpt_memory head[2]; /* what lies beside the flag: one element */
    uint64_t free_at[2]; /* flags at this value: nobody reads the stage   */
    uint64_t seen_all;   /* all flags of the node were seen at this value */
    bool meets;          /* in this run                               */
    uint32_t n_values;   /* that flags rise by in it                  */
    uint64_t base;       /* all flags of the node when it began, or had met */
    uint64_t end;        /* ... when it is over                             */
    int turn;            /* which stage                                     */
    uint64_t flag;
    bool has_raised; /* it, in this run */
    struct rpt_raise *raises;
    size_t n_raises;
    uint64_t *seen;  /* flag of each rank, as far as it was seen     */
    uint32_t *clock; /* epoch of each rank, as far as this one knows */
    bool begun;      /* its stage is free                            */
    bool has_met;
    int n_met;                 /* all ranks below it have come */
    struct rpt_sent_list sent; /* of this run */
    struct rpt_sim_lane *lanes;
    size_t n_over; /* lanes that are over: these are the first ones       */
    const struct rpt_schedule *schedule;
    struct rpt_tally tally;
};

struct rpt_simulation {
    int n_ranks;
    int *node;
    struct rpt_sim_rank *ranks;
    bool in_place;
    bool meets;      /* before any run */
    bool has_stages; /* clocks are kept */
};

rpt_status_t rpt__memory_resize(struct rpt_memory *memory, size_t n,
                                int n_readers);
void rpt__memory_free(struct rpt_memory *memory);

/* The range, which `rank` is about to read or write; NULL: it may not, and the
 * last error says why. */
const struct rpt_symbol *rpt__memory_read(struct rpt_simulation *sim, int rank,
                                          struct rpt_place place, size_t count);
struct rpt_symbol *rpt__memory_write(struct rpt_simulation *sim, int rank,
                                     struct rpt_place place, size_t count);

/* What lies beside a flag (the call, and where the buffers are) is read with it
 * and whenever a buffer is; it is written when the flag is raised for the first
 * time in a run. */
void rpt__memory_read_head(struct rpt_simulation *sim, int rank, int owner);
rpt_status_t rpt__memory_write_head(struct rpt_simulation *sim, int rank);

/* Others may touch it who know that its owner has come. */
void rpt__memory_open(struct rpt_simulation *sim, int rank,
                      struct rpt_memory *memory);
/* A buffer is the caller's again: nobody may still touch it. */
rpt_status_t rpt__memory_release(const struct rpt_simulation *sim, int rank,
                                 const struct rpt_memory *memory);

/* ---- flag.c ---- */

/* From now on ranks remember what they know of each other. */
rpt_status_t rpt__clock_keep(struct rpt_simulation *sim);
/* A copy for the others, NULL: no memory; behind it a new epoch begins. */
uint32_t *rpt__clock_tell(struct rpt_simulation *sim, int rank);
/* NULL: nothing was told. */
void rpt__clock_hear(struct rpt_simulation *sim, int rank,
                     const uint32_t *told);

rpt_status_t rpt__flag_raise(struct rpt_simulation *sim, int rank,
                             uint64_t value);
/* RPT_PENDING: the flag is not that high. */
rpt_status_t rpt__flag_wait(struct rpt_simulation *sim, int rank,
                            const struct rpt_step *step);
/* Whether the rank knows of the flags of others what its schedule promises. */
rpt_status_t rpt__flag_check_seen(struct rpt_simulation *sim, int rank);
/* Of all that a rank has raised its last value says as much. */
void rpt__flag_forget(struct rpt_sim_rank *rank);
/* RPT_PENDING: its stage is not free, or not all have come that must meet. */
rpt_status_t rpt__flag_begin(struct rpt_simulation *sim, int rank, bool *moved);

#endif /* RPT_COLLECTIVES_SIMULATE_PRIV_H */
