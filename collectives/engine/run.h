/*
 * run.h - one start of a schedule, and the engine that takes its steps
 *
 *   begin --> advance, advance, ... --> over
 *
 * Whoever has time advances it: the caller's thread that waits for flags, or
 * the loop (comm/engine.h).  advance() never blocks.
 */
#ifndef RPT_COLLECTIVES_ENGINE_RUN_H
#define RPT_COLLECTIVES_ENGINE_RUN_H

#include "collectives/engine/combine.h"
#include "collectives/engine/team.h"
#include "collectives/schedule.h"

#include <pthread.h>

struct rpt_lane_state {
    size_t next;       /* step of the lane                          */
    size_t n_received; /* bytes of the message that it waits for    */
    uint32_t n_sends;  /* that it has begun                         */
};

/* A message that is not all with the transport. */
struct rpt_send {
    const char *data;
    size_t bytes;
    size_t n_sent;
    int dest; /* in the group */
    uint32_t lane;
    uint32_t index; /* in its lane */
    uint64_t mark;  /* of its end, see rpt__comm_mark() */
};

/* A run that was started, and could not be finished at once, is LAZY: it waits
 * for its owner to come back, who TAKES it.  When the owner does not come soon
 * the loop queues it. */
enum rpt_run_state {
    RPT_RUN_IDLE,
    RPT_RUN_LAZY,
    RPT_RUN_TAKEN,
    RPT_RUN_QUEUED,
    RPT_RUN_OVER
};

/* What a run with buffers that are not the host's does besides (device/). */
struct rpt_run_ops {
    /* Before the first step, and behind the last one.  RPT_PENDING: call it
     * again; the loop does so soon. */
    rpt_status_t (*enter)(struct rpt_run *run);
    rpt_status_t (*leave)(struct rpt_run *run);
    /* NULL: steps are taken in memory of the host.  Else COPY and REDUCE are
     * its own, and before a flag is raised it is asked whether they are done.
     */
    rpt_status_t (*step)(struct rpt_run *run, const struct rpt_step *step);
    /* The run ends with a failure. */
    void (*abort)(struct rpt_run *run);
};

/* The moments of a long wait; INFINITY: never. */
struct rpt_late {
    double began_s, tell_s, notice_s, warn_s, deadline_s;
};

/* How long its owner has waited or asked for it. */
struct rpt_patience {
    double piece_s; /* to the look after the next one; 0: it has not asked */
    double look_s;  /* the next one */
    double asked_s; /* when it asked last */
    struct rpt_late late;
};

/* When it looks whether all that are near have begun the run before (follow.c).
 * NOT: who ends this run knows it anyway. */
enum rpt_follows { RPT_FOLLOWS_NOT, RPT_FOLLOWS_FIRST, RPT_FOLLOWS_LAST };

struct rpt_run {
    STAILQ_ENTRY(rpt_run) link; /* in the team's queue */
    struct rpt_team *team;
    const struct rpt_schedule *usual;
    const struct rpt_schedule *pulling;  /* where all buffers can be read, or
                                           NULL                            */
    const struct rpt_schedule *fetching; /* where the kernel reads them, or
                                            NULL                           */
    bool meets;                          /* the ranks of the node, at first */
    bool must_pull;                      /* the usual one is forbidden      */
    bool input_is_read;                  /* by other ranks, when it pulls */
    bool output_is_read;
    uint32_t n_values; /* that flags rise by in a start, at most */
    const struct rpt_combine *combine;
    size_t element_bytes;
    struct rpt_signature signature;
    const char *name; /* of the operation */
    char *input;      /* as in struct rpt_place */
    char *output;
    char *scratch;
    size_t divided_count; /* elements of the output that are an average */
    bool needs_lock;      /* there are messages, or ops */
    enum rpt_ahead lets_ahead;
    size_t n_checks; /* lanes in front, in which all ranks compare their calls;
                        most starts pass them over */
    const struct rpt_run_ops *ops; /* NULL: buffers are the host's */
    bool is_short;                 /* its stage fits into a short block */
    size_t stage_bytes;            /* of the usual schedule                */
    bool stage_stays;              /* it does not move                     */
    size_t stage_offset;           /* of the stage in a block, in this start */
    int role;                      /* which paces                          */
    int pace;                      /* of calls of this size; negative: none */
    bool only_writes;              /* it waits for no rank                  */
    enum rpt_follows follows;
    size_t piece_count;            /* elements of an input that is fetched */
    size_t piece_bytes;            /* from one piece to the next           */
    char *pieces;                  /* of all inputs, or NULL               */
    bool is_straight;              /* one lane, and only flags to wait for */
    rpt_stream_fn stream;
    size_t output_bytes; /* that this rank writes, about */
    /* Of a queued one that is over: whether nobody wants it; then it has been
     * released. */
    bool (*is_gone)(struct rpt_run *run);

    /* Of this start. */
    struct rpt_trial trial;
    _Atomic int state; /* enum rpt_run_state */
    rpt_status_t status;
    pthread_t
        ended_by; /* of a queued one that is over: its last error says why */
    const struct rpt_schedule *schedule; /* the usual one at first */
    bool begun;                          /* its block is free */
    bool has_met;
    bool by_kernel;          /* others' buffers are read */
    bool entered;            /* as ops say        */
    bool taken;              /* are all steps     */
    double asked_s;          /* since then its ops say: not yet; 0: it waits for
                       something else */
    struct rpt_step meeting; /* the rank that it waits for */
    bool has_raised;         /* its flag          */
    struct rpt_trace before; /* the run before it, if both have flags */
    int awaited; /* the rank that is not seen in that; -1: none */
    int turn;
    uint64_t flag;  /* where flags stood; after a meeting, stood then */
    uint64_t end;   /* no flag is above it in this start */
    uint64_t seq;   /* of the run in its group */
    size_t n_over;  /* lanes that are over: these are the first ones */
    size_t n_lanes; /* room for the lanes of both schedules */
    struct rpt_lane_state *lanes;
    struct rpt_send *sends; /* room for all of the schedule */
    size_t n_sends;
    size_t first_send;              /* all before it are out */
    const struct rpt_step *waiting; /* what it saw last; NULL: its block */
    uint64_t n_taken;               /* steps, ever */
    bool is_here; /* it runs without the lock, in rpt__run_here() */
    struct rpt_patience patience;
    char token; /* of messages that are one */
};

/* Whether the next start of this run begins with its checks: a rank may have
 * ended the run before it, as it may end this one, before all had begun. */
static inline bool rpt__run_will_check(const struct rpt_run *run)
{
    enum rpt_ahead before = run->team->ahead;

    return run->n_checks > 0 &&
           (run->lets_ahead == RPT_AHEAD_BY_FLAGS
                ? before == RPT_AHEAD_BY_MESSAGES
                : before != RPT_AHEAD_NOT);
}

/* Whether it is to be queued in any case. */
static inline bool rpt__run_needs_lock(const struct rpt_run *run)
{
    return run->needs_lock || rpt__run_will_check(run);
}

/* Takes the next number of the team and starts at the first step.  It is to be
 * noted before the next one begins, and before this rank waits. */
void rpt__run_begin(struct rpt_run *run);
/* For the next run's signature, and for rpt__team_past(). */
void rpt__run_note(const struct rpt_run *run);
/* Notes a straight one, and takes its steps as far as it goes with so many
 * further looks at each flag. */
rpt_status_t rpt__run_go_straight(struct rpt_run *run, int n_more_looks);
/* As far as it goes.  RPT_PENDING: not over.  Under the lock if it needs that.
 */
rpt_status_t rpt__run_advance(struct rpt_run *run);
/* Whether nobody reads its block any more, and what it follows has come. */
bool rpt__run_is_free(struct rpt_run *run);
/* The same, where others are half a round of blocks beyond the readers of this
 * one.  Looking there again and again does not slow them down, since the lines
 * with their next flags stay theirs; but who follows waits for such a line. */
bool rpt__run_has_room(struct rpt_run *run);
/* Where a place is in memory. */
char *rpt__run_place(const struct rpt_run *run, struct rpt_place place);
/* Where a message goes to, or comes from, by a step that has that place. */
static inline char *rpt__run_message(struct rpt_run *run,
                                     const struct rpt_step *step,
                                     struct rpt_place place)
{
    return step->is_token ? &run->token : rpt__run_place(run, place);
}
void rpt__run_raise(struct rpt_run *run, uint32_t value);
rpt_status_t rpt__run_wait_flag(struct rpt_run *run,
                                const struct rpt_step *step);
/* It is over and its group goes on: notes when nobody reads its block. */
void rpt__run_leave_block(struct rpt_run *run);
/* The flag that it waits for, NULL when it waits for something else. */
const _Atomic uint64_t *rpt__run_flag(const struct rpt_run *run,
                                      uint64_t *value_out);

/* ---- follow.c ---- */

static inline bool rpt__run_follows(const struct rpt_run *run)
{
    return run->follows != RPT_FOLLOWS_NOT && run->before.is_known;
}

/* Whether a near rank is in the run before, as one that follows wants it. */
bool rpt__run_follows_on(const struct rpt_run *run, int rank);

/* The others are of a run that follows.  Whether it need not wait: before its
 * first step, or behind its last one. */
bool rpt__follow_is_near(struct rpt_run *run);
/* Before its first step; it need not wait. */
rpt_status_t rpt__follow_begin(struct rpt_run *run);
/* Behind its last one, with so many further looks; RPT_PENDING. */
rpt_status_t rpt__follow_end(struct rpt_run *run, int n_more_looks);

/* ---- meet.c ---- */

/* What a rank says there. */
struct rpt_exposed *rpt__run_exposed(const struct rpt_run *run, int rank);
/* RPT_PENDING: not all have come.  Then run->schedule is the one to take. */
rpt_status_t rpt__run_meet(struct rpt_run *run);
/* It has failed here: who comes later must not read this rank's buffers. */
void rpt__run_take_back(const struct rpt_run *run);
/* One near has done so: its failure, or RPT_ERR_PEER, on all ranks. */
rpt_status_t rpt__run_check_stayed(struct rpt_run *run);
/* It met, and must pull what others cannot read: as the last error. */
rpt_status_t rpt__run_refuse(const struct rpt_run *run);
/* Where the input or the output of a rank is; after a meeting. */
char *rpt__run_buffer_of(const struct rpt_run *run, int rank, bool output);

/* ---- wish.c; of a run that has a pace ---- */

/* Its trial is over: those who only write in such calls are told. */
void rpt__wish_tell(const struct rpt_run *run);
/* Before a trial begins: sets the pace of one that only writes. */
void rpt__wish_ask(const struct rpt_run *run);

/* ---- message.c; all under the lock ---- */

/* Messages of the context that came too early. */
struct rpt_early;
rpt_status_t rpt__early_create(struct rpt_comm *comm, struct rpt_early **out);
void rpt__early_destroy(struct rpt_early *early);
/* Forgets those of a group that is destroyed. */
void rpt__early_forget(struct rpt_early *early, uint64_t group_number);

void rpt__run_send(struct rpt_run *run, uint32_t lane,
                   const struct rpt_step *step, const void *data);
/* Hands on what the transports take. */
rpt_status_t rpt__run_pump(struct rpt_run *run);
/* Whether all that the lane has sent, but for the last ones, is out. */
bool rpt__run_is_flushed(const struct rpt_run *run, uint32_t lane,
                         uint32_t but_last);
/* Whether the transports have all of it: who is done may call the library no
 * more. */
bool rpt__run_is_out(const struct rpt_run *run);
rpt_status_t rpt__run_receive(struct rpt_run *run, uint32_t lane,
                              const struct rpt_step *step, void *to);

/* RPT_ERR_MISMATCH when a rank is seen to make another call, in this run or in
 * one that is queued before it: one that is near and has raised a flag
 * elsewhere, or one that has sent a message. */
rpt_status_t rpt__run_look_for_strays(struct rpt_run *run);

/* The signature of an early message of a rank for this run; false: there is
 * none. */
bool rpt__run_early_signature(const struct rpt_run *run, int rank,
                              struct rpt_signature *signature_out);
/* Tells a rank (-1: all) that this one is in this run; what one has told. */
void rpt__run_tell_here(struct rpt_run *run, int rank);
enum rpt_heard {
    RPT_HEARD_NOTHING,
    RPT_HEARD_BEFORE, /* since then: it waits in an earlier run */
    RPT_HEARD_HERE    /* it is in this run, or further          */
};
enum rpt_heard rpt__run_heard(const struct rpt_run *run, int rank,
                              double since_s);

/* ---- late.c ---- */

/* This rank cannot go on, and its last error says why: the group fails, on all
 * ranks.  Gives `status`. */
rpt_status_t rpt__run_fail(struct rpt_run *run, rpt_status_t status);
/* Another thread may have ended it, with this status: the last error is that
 * one's, here too. */
rpt_status_t rpt__run_say(const struct rpt_run *run, rpt_status_t status);
/* Whether it ends with the failure of its group. */
bool rpt__run_is_failed(const struct rpt_run *run);

/* RPT_ERR_MISMATCH, on all ranks: `rank` makes another call, or has made one
 * before. */
rpt_status_t rpt__run_mismatch(struct rpt_run *run, int rank,
                               struct rpt_signature other);

/* The same of the run before it, which is over; runs fail from that on. */
rpt_status_t rpt__run_mismatch_before(struct rpt_run *run, int rank,
                                      struct rpt_signature theirs);

/* The same of run `seq`, which is over; their next calls say so.  Under the
 * lock. */
void rpt__team_mismatch(struct rpt_team *team, uint64_t seq, int rank,
                        struct rpt_signature mine, struct rpt_signature theirs);

/* What run `seq` of a team is, as errors name it. */
void rpt__team_name_run(const void *team, uint64_t seq, char *text,
                        size_t bytes);

struct rpt_late rpt__late_from_now(const struct rpt_team *team);
double rpt__late_next_s(const struct rpt_late *late);
/* All of them come so much later. */
void rpt__late_put_off(struct rpt_late *late, double by_s);
/* One of them has come.  A failure ends the run on all ranks. */
rpt_status_t rpt__late(struct rpt_late *late, struct rpt_run *run);

/* ---- queue.c ---- */

/* A group that was destroyed, which others may not know. */
enum { RPT_N_GONE = 64 };
struct rpt_gone {
    uint64_t number;
    uint64_t n_runs; /* of this rank */
    int rank;
};

struct rpt_colls {
    struct rpt_comm *comm;
    struct rpt_early *early;
    struct rpt_poller poller;
    LIST_HEAD(, rpt_team) busy;
    LIST_HEAD(, rpt_team) teams;
    int n_here; /* runs that sleep in rpt__run_here() */
    _Atomic int is_watched; /* the loop looks for lazy runs every millisecond */
    bool fences_lightly;    /* as base/fence.h says                        */
    int n_idle_looks;       /* that found none                             */
    double next_look_s;
    struct rpt_gone gone[RPT_N_GONE];
    unsigned n_gone; /* ever */
};

/* ---- gone.c; all under the lock ---- */

/* Begins to take answers. */
rpt_status_t rpt__gone_listen(struct rpt_colls *colls);
/* The group of this team is destroyed. */
void rpt__gone_note(struct rpt_colls *colls, const struct rpt_team *team);
/* Whether that is one of them: nothing of it will be wanted. */
bool rpt__gone_has(const struct rpt_colls *colls, uint64_t number);
/* A rank waits in a run of that group: tells it if this one cannot come. */
void rpt__gone_answer(struct rpt_colls *colls, int source, uint64_t number,
                      uint64_t seq);

/* Of a context, made when there is none; under the lock. */
rpt_status_t rpt__colls_of(struct rpt_comm *comm, struct rpt_colls **colls_out);

/* Starts it, behind the others of its team.  Under the lock. */
void rpt__run_queue(struct rpt_run *run);
/* Starts it in this thread, without the lock; not while rpt__team_is_busy(). */
void rpt__run_start_here(struct rpt_run *run);
/* Goes on with one that is lazy, until it is over, or (once) as far as it goes
 * now: RPT_PENDING.  RPT_ERR_STATE: somebody else has it.  Without the lock. */
rpt_status_t rpt__run_go_on(struct rpt_run *run, bool once);
/* Queues the lazy run of a team, if there is one.  Under the lock. */
void rpt__team_queue_lazy(struct rpt_team *team);
/* Ends all that is queued: the group is destroyed.  Under the lock. */
void rpt__team_leave(struct rpt_team *team);
/* Waits until it is over; warns, and ends it at the deadline.  Under the lock.
 */
rpt_status_t rpt__run_wait(struct rpt_run *run);
/* The same, but looks once.  RPT_PENDING: not over. */
rpt_status_t rpt__run_test(struct rpt_run *run);
/* The same for who does not wait for it yet: no time counts. */
rpt_status_t rpt__run_look(struct rpt_run *run);
/* Runs it in this thread, without the lock as long as nothing takes long. */
rpt_status_t rpt__run_here(struct rpt_run *run);

#endif /* RPT_COLLECTIVES_ENGINE_RUN_H */
