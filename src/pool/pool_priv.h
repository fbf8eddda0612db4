/*
 * pool_priv.h - the parts of a pool, for the files of this folder
 *
 * The road of a task:
 *
 *   submit.c   job made, journalled, named (names.c), queued (queue.c)
 *   owner.c    given to the ranks that ask: GIVE; told to idle ones: NUDGE
 *   worker.c   item queued, slots taken (slots.c), started
 *   programs.c / functions.c / gang.c   it runs
 *   worker.c   RESULT
 *   finish.c   retry, or result made, journalled (resume.c), delivered
 *
 * A job is what its owner (the rank that submitted it) knows of a task; an item
 * is what the rank that runs it knows.  Everything is guarded by the engine's
 * lock; only functions of users run without it.
 */
#ifndef RPT_POOL_POOL_PRIV_H
#define RPT_POOL_POOL_PRIV_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/table.h"
#include "comm/comm.h"
#include "journal/journal.h"
#include "pool/exec/keeper.h"
#include "pool/pool.h"
#include "pool/spec.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

enum { RPT_N_PRIORITIES = 3 };

/* ---- what a rank can hand out, or has free ---- */

struct rpt_caps {
    int32_t slots;
    int32_t units[RPT_MAX_NEEDS]; /* by index in pool->resources */
    uint64_t memory_mib;
};

/* ---- how an attempt ended ---- */

struct rpt_end {
    rpt_outcome_t outcome;
    int exit_code;
    int signal;
    int attempts;
    int rank;         /* in the context */
    const char *host; /* NULL: that of rank */
    bool by_shutdown; /* ended because the pool stops: not a result */
    double start_time;
    double duration_s;
    uint64_t max_rss_kib;
    const char *message;
    const void *output, *stdout_data, *stderr_data;
    size_t output_bytes, stdout_bytes, stderr_bytes;
    uint64_t stdout_dropped, stderr_dropped;
    uint64_t checkpoints;  /* that it committed                      */
    uint64_t restored;     /* iteration that it began with           */
    double wasted_s;       /* since the last one, when it failed     */
    bool resumed;
};

void rpt__attempt_pack(struct rpt_buf *buf, const struct rpt_end *end);
/* Pointers lead into the bytes that are read; false when they are damaged. */
bool rpt__attempt_unpack(struct rpt_reader *reader, struct rpt_end *end_out);

/* A result with everything it points to, in one piece of memory. */
struct rpt_box {
    STAILQ_ENTRY(rpt_box) link; /* among what is to be delivered */
    int n_users;
    int stream; /* 0: result; else output of that stream, in stdout_data */
    rpt_result_t result;
};

struct rpt_box *rpt__box_make(const char *id, const struct rpt_end *end);
void rpt__box_release(struct rpt_box *box);

/* ---- owner ---- */

enum rpt_job_state {
    RPT_JOB_WAITING,  /* for tasks it depends on    */
    RPT_JOB_READY,    /* in a queue                 */
    RPT_JOB_RETRY,    /* until its back-off is over */
    RPT_JOB_GIVEN,    /* some rank has it           */
    RPT_JOB_HOPELESS, /* in owner.hopeless: to be skipped */
    RPT_JOB_GHOST     /* ended, but in lists of names it waits for */
};

struct rpt_saved; /* saving_priv.h */
struct rpt_watch;
struct rpt_remover;
struct rpt_name; /* an id: the job, or how it ended; who waits for it */

struct rpt_job {
    TAILQ_ENTRY(rpt_job) link;
    struct rpt_class *class_;
    struct rpt_name *name; /* NULL: it has only a number */
    struct rpt_future *future;
    struct rpt_digest key; /* in the journal */
    uint64_t number;       /* from 1, on this rank */
    double due_s;          /* of a retry: earliest moment */
    uint32_t index;        /* in owner.jobs */
    uint32_t n_waits;      /* tasks it still waits for */
    int32_t retries;       /* left */
    int32_t attempts;
    int32_t rank; /* that has it, or had it last; -1 */
    uint8_t state;
    uint8_t started;
    uint8_t cancelled;
    uint8_t was_lost;
    uint8_t doomed;         /* what it needs had failed when it was submitted */
    uint8_t in_retry_ready; /* which list it is in, when ready */
    uint8_t n_passed; /* times it was passed over because it did not fit */
    uint64_t checkpoints; /* of all its attempts in this job, ... */
    double wasted_s;
    struct rpt_gang_job *gang;
    uint32_t spec_bytes;
    struct rpt_spec spec[]; /* aligned; spec_bytes in all */
};

TAILQ_HEAD(rpt_job_list, rpt_job);

/* Jobs with the same needs: one queue a priority. */
struct rpt_class {
    struct rpt_class *next;
    TAILQ_ENTRY(rpt_class) link[RPT_N_PRIORITIES]; /* in owner.waiting */
    bool listed[RPT_N_PRIORITIES];
    struct rpt_caps needs;
    bool is_gang;
    bool plain; /* one slot and nothing else: may be fetched ahead */
    struct rpt_job_list ready[RPT_N_PRIORITIES];
    uint64_t n_ready;
};

TAILQ_HEAD(rpt_class_list, rpt_class);

struct rpt_owner {
    struct rpt_job **jobs; /* by index; NULL: free */
    uint32_t n_jobs, capacity;
    uint32_t *free_index;
    uint32_t n_free;
    struct rpt_class *classes; /* all, newest first */
    struct rpt_class *last_class;
    struct rpt_table class_of; /* digest of needs -> class */
    /* Classes with ready jobs, the one with the oldest first. */
    struct rpt_class_list waiting[RPT_N_PRIORITIES];
    struct rpt_table names;
    struct rpt_job_list retrying;    /* back-off not over, by due_s    */
    struct rpt_job_list retry_ready; /* over; another rank first       */
    struct rpt_job_list hopeless;    /* what they need did not succeed */
    uint64_t n_ready;                /* in classes and retry_ready     */
    uint32_t n_picks;                /* for the lower priorities' turn */
    int *untold;                     /* ring of members: not told since
                                        they last got nothing from us   */
    int untold_head, n_untold;
    bool *told;
    uint64_t *starved_at; /* n_added when the member last got nothing though
                             there was something, else 0 */
    uint64_t n_added;     /* jobs that ever became ready */
    int n_nudged;         /* nudges without an answer */
    struct rpt_ask *idle; /* by member: what it asked for when it got nothing,
                             want 0: it is not known to be idle; or NULL */
    uint64_t numbered;    /* the last number that was given … */
    uint64_t first_plain, last_plain; /* … to tasks without id; 0: none */
    bool has_number_ids;  /* some task's id looks like a number of ours */
    /* numbers of rpt_pool_stats() */
    uint64_t submitted, running, ended, resumed, retried;
    uint64_t by_outcome[RPT_N_OUTCOMES];
    uint64_t dropped;
    uint64_t checkpoints, restored;
    double wasted_s;
};

/* ---- worker ---- */

enum rpt_item_state {
    RPT_ITEM_QUEUED,
    RPT_ITEM_STAGED, /* in the keeper, until the program before it has ended */
    RPT_ITEM_RUNNING,
    RPT_ITEM_ENDED
};

struct rpt_call {
    struct rpt_item *item;
    struct rpt_buf output;
    char *message;
    _Atomic int cancelled;
    _Atomic int hurry; /* the pool stops: a checkpoint is due */
};

struct rpt_item {
    TAILQ_ENTRY(rpt_item) link;        /* queued, running, finished, unused */
    TAILQ_ENTRY(rpt_item) thread_link; /* to_threads, to_waiting */
    struct rpt_pool *pool;
    int owner;       /* rank in the context */
    uint32_t token;  /* index of the job there */
    uint64_t number; /* of the job there */
    int32_t attempt;
    uint8_t state;
    uint8_t kind;
    bool announced; /* the owner knows that it runs */
    bool cancelled;
    bool timed_out;
    bool by_shutdown;
    bool ran;
    bool recalled; /* a staged one: the keeper was asked for it */
    bool reusable; /* has room for a small spec; kept when free */
    bool holds;    /* its slots and units */
    const struct rpt_spec *spec;
    size_t spec_bytes;
    struct rpt_job *job; /* when this rank is the owner */
    double received_s;
    double start_s;    /* rpt__now_s() */
    double start_time; /* seconds since 1970 */
    double duration_s;
    int slot;       /* the first one it has, -1 */
    int *unit_list; /* all its slots, then the units of each need in
                             order; NULL for one slot and no needs */
    int exit_code;
    struct rpt_item *next_staged; /* takes its slot when it ends */
    struct rpt_item *behind;      /* a staged one: the one before it */
    struct rpt_function *function;
    struct rpt_gang_run *gang;
    struct rpt_saved *saved; /* NULL: it has no checkpoints */
    struct rpt_call call;
    struct rpt_spec data[]; /* copy of the spec when the owner is elsewhere */
};

TAILQ_HEAD(rpt_item_list, rpt_item);

struct rpt_function {
    struct rpt_function *next;
    char *name;
    uint64_t hash;
    rpt_task_fn fn;
    void *user;
    double mean_s; /* smoothed duration */
    uint64_t n_runs;
};

/* Short functions that the leader runs in one go, without the lock.  Others
 * may take away what it has not begun, under the lock: those from `next` on. */
enum { RPT_BATCH = 64 };
struct rpt_batch {
    struct rpt_item *items[RPT_BATCH];
    int n;          /* 0: none under way */
    int end;        /* behind the last that was not taken away */
    int n_finished; /* of those that ran */
    double began_s;
    _Atomic int next; /* to be begun */
};

struct rpt_worker {
    struct rpt_caps total, free;
    uint8_t *slot_used;
    uint8_t *unit_used[RPT_MAX_NEEDS];
    int first_unit[RPT_MAX_NEEDS]; /* number of its first unit: those of the
                                      ranks of a host are numbered through */
    int *cpus; /* this rank's share of the node */
    int n_cpus;
    struct rpt_item_list queued[RPT_N_PRIORITIES];
    struct rpt_item_list running;
    struct rpt_item_list staged;
    uint64_t n_staged;
    struct rpt_item_list finished; /* by threads; to be reported */
    struct rpt_item_list unused;   /* kept for the next small task */
    int n_unused;
    uint64_t n_queued, n_running;
    uint64_t n_held; /* of the queued: those that need more than a slot */
    int *known;      /* members that said they have work, nearest first */
    bool *parked;    /* by member: nothing of it fits what is free now */
    int n_known, n_parked;
    int asking;       /* member that was asked and has not answered, -1 */
    bool freed;       /* something became free since then */
    bool owes_answer; /* a nudge came that was not answered yet */
    double mean_s;    /* smoothed duration of all tasks run here */
    int n_retired;    /* slots for which the system has no room  */
    bool told_retired;
    int n_unannounced;
    struct rpt_keeper *keeper;
    bool keeper_died;
    struct rpt_function *functions;
    struct rpt_batch batch;
    pthread_cond_t work;             /* threads wait here */
    struct rpt_item_list to_threads; /* functions to be run by threads */
    struct rpt_item_list to_waiting; /* gangs to be run by the waiting thread */
    TAILQ_HEAD(, rpt_watch) watches; /* programs with checkpoints */
    pthread_t *threads;
    int n_threads, n_idle_threads, n_coming_threads, n_to_threads;
    bool stop_threads;
    struct rpt_buf *out; /* by member: results for it */
    int *out_dirty;      /* members with something in out */
    int n_dirty;
    uint64_t ran;
    double busy_s;
};

/* ---- gangs ---- */

struct rpt_gangs; /* gang.c */

/* ---- the end of a pool ---- */

struct rpt_ending {
    int n_inside; /* serve, drain, shutdown calls of this rank */
    bool wanted;  /* root: waves are to be run */
    bool in_wave;
    uint32_t wave;
    int n_replies;    /* of children in this wave */
    uint64_t submits; /* sum of the children's and, when sent, ours */
    bool have_last;
    uint64_t last_submits;
    uint64_t n_done;    /* times that all was found to have ended */
    bool told_failure;  /* this rank has told all that it failed */
    bool wave_failed;   /* so has one below, as this wave says */
    bool await_failure; /* so has one, as the last wave said: it will come */
    bool stopping;      /* nothing starts any more */
    double kill_at_s;   /* then what runs is ended */
    bool shutting;      /* this rank is inside shutdown */
    bool wave_closing;  /* so is one below, as this wave says */
    bool closing;       /* so was one, when all was found to have ended */
    bool shut;          /* this rank has called shutdown */
    bool closed;        /* shut down: no more submissions */
};

struct rpt_pool {
    struct rpt_comm *comm;
    struct rpt_engine *engine;
    struct rpt_poller poller;
    int *n_pools;        /* the context's */
    uint32_t generation; /* tells messages of this pool from an older one's */
    int n;               /* members */
    int me;
    int *ranks;            /* member -> rank in the context */
    int *member_of;        /* rank in the context -> member, -1 */
    int *order;            /* the other members, nearest first */
    int *place;            /* member -> place in order */
    struct rpt_caps *caps; /* of every member, all of it */
    int total_slots;
    char resources[RPT_MAX_NEEDS][RPT_NAME_BYTES];
    int n_resources;

    double grace_s, backoff_s, prefetch_s;
    uint64_t capture_bytes;
    uint64_t queue_limit;
    bool full_is_error, pin, retry_failed;
    const char *keeper_path, *state_dir, *checkpoint_dir;
    bool checkpoint_keep;
    int checkpoint_signal; /* 0: none */
    struct rpt_remover *remover; /* NULL: nothing was to be removed yet */

    struct rpt_owner owner;
    struct rpt_worker worker;
    struct rpt_gangs *gangs;
    struct rpt_ending ending;

    struct rpt_resume *resume; /* NULL: no state directory */
    rpt_status_t failed; /* other than RPT_OK: journal or memory are gone */
    struct rpt_buf failed_text; /* what, why, hint, each with its 0 */
    int failed_rank;

    rpt_result_fn on_result;
    void *on_result_user;
    rpt_output_fn on_output;
    void *on_output_user;
    STAILQ_HEAD(rpt_box_list, rpt_box) deliver;
    TAILQ_HEAD(rpt_future_list, rpt_future) ended_futures;
    uint64_t n_futures; /* made and not given by rpt_pool_next() */
    bool delivering;      /* a callback of the user runs … */
    pthread_t deliverer;  /* … in this thread */
    bool started; /* handlers and poller are in place */
    bool begun;   /* it submits, serves or drains: its functions are known */
    struct rpt_buf scratch;
};

struct rpt_waiter {
    size_t n_missing;
};

struct rpt_future {
    TAILQ_ENTRY(rpt_future) link; /* in ended_futures */
    struct rpt_pool *pool;
    struct rpt_job *job; /* NULL: ended */
    struct rpt_box *box;
    struct rpt_waiter *waiter;
    bool listed; /* in ended_futures */
    bool given;  /* by rpt_pool_next() */
};

/* Every message of a pool begins with this. */
struct rpt_pool_head {
    uint32_t generation;
    uint32_t what; /* kind within its tag, or a count */
};

/* ASK: what a rank has free, and how many tasks it wants; 0: none now. */
struct rpt_ask {
    struct rpt_pool_head head;
    uint32_t want;
    uint32_t answers_nudge;
    uint32_t how; /* enum rpt_take */
    uint32_t unused;
    struct rpt_caps free;
};

struct rpt_give {
    struct rpt_pool_head head;
    uint32_t more; /* there is more, also when none of it fits */
    uint32_t unused;
};

/* GIVE: after struct rpt_give so many (head.what) of these, each followed by
 * its spec, padded to a multiple of 8 bytes. */
struct rpt_given {
    uint32_t token;
    int32_t attempt;
    uint64_t number;
    uint64_t spec_bytes;
};

/* RESULT: any number of reports, each a kind (u8), a token (u32), and for
 * output a blob, for an end what rpt__attempt_pack() writes. */
enum rpt_report {
    RPT_REPORT_START,
    RPT_REPORT_STDOUT,
    RPT_REPORT_STDERR,
    RPT_REPORT_END
};

static inline uint64_t rpt__owner_unfinished(const struct rpt_pool *pool)
{
    return pool->owner.submitted - pool->owner.ended;
}

/* pool.c */
/* Something of the pool failed for good: the last error is kept, all calls give
 * it from now on. */
void rpt__pool_broken(struct rpt_pool *pool, rpt_status_t status);
void rpt__pool_on_fail(void *pool, int source, const void *data, size_t bytes);
/* The status above, with its error as this thread's last. */
rpt_status_t rpt__pool_fail(struct rpt_pool *pool);
rpt_status_t rpt__pool_send(struct rpt_pool *pool, int member, enum rpt_tag tag,
                            const void *data, size_t bytes);
/* Waits as rpt__engine_wait() does, and delivers results meanwhile. */
rpt_status_t rpt__pool_wait_for(struct rpt_pool *pool, rpt_done_fn done,
                                void *arg, double timeout_s);
/* The id of a task that was given none: its number, on other ranks than 0
 * "rank:number". */
/* The number that an id stands for if no task has it as its id; 0: none. */
uint64_t rpt__id_number(int rank, const char *id);
void rpt__number_id(int rank, uint64_t number, char buffer[32]);
const char *rpt__job_id(const struct rpt_pool *pool, const struct rpt_job *job,
                        char buffer[32]);

/* caps.c */
bool rpt__caps_fit(const struct rpt_caps *needs, const struct rpt_caps *free);
void rpt__caps_take(struct rpt_caps *free, const struct rpt_caps *needs);
void rpt__caps_give(struct rpt_caps *free, const struct rpt_caps *needs);
void rpt__caps_of_spec(const struct rpt_spec *spec, struct rpt_caps *needs);
rpt_status_t rpt__caps_own(struct rpt_pool *pool, struct rpt_caps *caps_out,
                           char resources[RPT_MAX_NEEDS][RPT_NAME_BYTES],
                           int *n_resources_out);

/* slots.c */
rpt_status_t rpt__slots_create(struct rpt_pool *pool);
void rpt__slots_destroy(struct rpt_pool *pool);
bool rpt__slots_take(struct rpt_pool *pool, struct rpt_item *item);
void rpt__slots_give(struct rpt_pool *pool, struct rpt_item *item);
/* Takes a free slot out of use, and puts all of these back to use. */
void rpt__slots_retire(struct rpt_pool *pool);
void rpt__slots_restore(struct rpt_pool *pool);
/* Hands the one slot of an item to another, which has none. */
void rpt__slots_pass(struct rpt_item *from, struct rpt_item *to);
/* Cpus of an item's slots, or (not pin) all of this rank's, near its devices.
 * cpus_out: at least worker.n_cpus. */
int rpt__slots_cpus(struct rpt_pool *pool, const struct rpt_item *item,
                    bool pin, int cpus_out[]);

/* queue.c */
void rpt__queue_create(struct rpt_pool *pool);
struct rpt_class *rpt__queue_class(struct rpt_pool *pool,
                                   const struct rpt_spec *spec);
void rpt__queue_add(struct rpt_pool *pool, struct rpt_job *job);
void rpt__queue_add_front(struct rpt_pool *pool, struct rpt_job *job);
void rpt__queue_remove(struct rpt_pool *pool, struct rpt_job *job);
/* The job that a member with so much free shall have next, or NULL. */
enum rpt_take {
    RPT_TAKE_ANY, /* also one that does not fit, but was passed over often */
    RPT_TAKE_FITTING, /* the member keeps something for such a one already */
    RPT_TAKE_AHEAD /* a plain one, for when a slot becomes free             */
};
struct rpt_job *rpt__queue_take(struct rpt_pool *pool, int member,
                                const struct rpt_caps *free, enum rpt_take how);
void rpt__queue_retry(struct rpt_pool *pool, struct rpt_job *job);
int rpt__queue_timers(struct rpt_pool *pool, double now);
double rpt__queue_next_s(const struct rpt_pool *pool);
void rpt__queue_free(struct rpt_pool *pool);

/* names.c: a task without id is known by a number, which is no other's id */
bool rpt__number_was_given(const struct rpt_pool *pool, const char *id);
uint64_t rpt__names_number(struct rpt_pool *pool, bool has_id);
rpt_status_t rpt__names_add(struct rpt_pool *pool, const char *id,
                            struct rpt_name **name_out);
void rpt__names_forget(struct rpt_pool *pool, struct rpt_name *name);
struct rpt_name *rpt__names_find(struct rpt_pool *pool, const char *id);
void rpt__name_set_job(struct rpt_name *name, struct rpt_job *job);
struct rpt_job *rpt__name_job(const struct rpt_name *name);
const char *rpt__name_text(const struct rpt_name *name);
/* job waits for name unless that has ended; *hopeless_out: it ended badly. */
rpt_status_t rpt__name_wait(struct rpt_name *name, struct rpt_job *job,
                            bool *hopeless_out);
/* The task of this name ended: lets others start, or skips them. */
void rpt__name_ended(struct rpt_pool *pool, struct rpt_name *name,
                     rpt_outcome_t outcome);
/* Takes back what jobs without a number yet wait for. */
void rpt__names_unwait(struct rpt_pool *pool, const rpt_task_t *const tasks[],
                       size_t n);
void rpt__names_free(struct rpt_pool *pool);

/* submit.c */
void rpt__job_release(struct rpt_pool *pool, struct rpt_job *job);

/* owner.c */
void rpt__owner_on_ask(void *pool, int source, const void *data, size_t bytes);
void rpt__owner_on_back(void *pool, int source, const void *data, size_t bytes);
void rpt__owner_on_result(void *pool, int source, const void *data,
                          size_t bytes);
void rpt__owner_nudge(struct rpt_pool *pool);
/* A job comes back as it was before it was given. */
void rpt__job_unstart(struct rpt_pool *pool, struct rpt_job *job);
void rpt__owner_started(struct rpt_pool *pool, struct rpt_job *job);
rpt_status_t rpt__owner_create(struct rpt_pool *pool);
/* Everything that no rank has is dropped, because the pool stops. */
void rpt__owner_drop(struct rpt_pool *pool);
/* Skips the hopeless; here, not where they are found, so that a chain of a
 * million costs no stack. */
int rpt__owner_skip(struct rpt_pool *pool);

/* finish.c */
/* An attempt ended: retries the job, or ends it. */
void rpt__job_attempt_ended(struct rpt_pool *pool, struct rpt_job *job,
                            const struct rpt_end *end);
/* Ends a job for good; it is gone afterwards. */
void rpt__job_end(struct rpt_pool *pool, struct rpt_job *job,
                  const struct rpt_end *end);
void rpt__job_end_without_run(struct rpt_pool *pool, struct rpt_job *job,
                              rpt_outcome_t outcome, const char *message);
rpt_status_t rpt__job_cancel(struct rpt_pool *pool, struct rpt_job *job);
void rpt__job_output(struct rpt_pool *pool, struct rpt_job *job, int stream,
                     const void *data, size_t bytes);

/* worker.c */
rpt_status_t rpt__worker_create(struct rpt_pool *pool);
void rpt__worker_destroy(struct rpt_pool *pool);
void rpt__worker_on_nudge(void *pool, int source, const void *data,
                          size_t bytes);
void rpt__worker_on_give(void *pool, int source, const void *data,
                         size_t bytes);
void rpt__worker_on_cancel(void *pool, int source, const void *data,
                           size_t bytes);
int rpt__worker_dispatch(struct rpt_pool *pool);
/* Something became free: owners of which nothing fitted are asked again. */
void rpt__worker_unpark(struct rpt_pool *pool);
void rpt__worker_ask(struct rpt_pool *pool);
void rpt__worker_flush(struct rpt_pool *pool);
/* Reports an item that ran (or could not) and frees it. */
void rpt__worker_finish(struct rpt_pool *pool, struct rpt_item *item,
                        struct rpt_end *end);
/* A running item did not start: it is in the queue again. */
void rpt__worker_unstart(struct rpt_pool *pool, struct rpt_item *item);
/* A running item did not start, for want of something that others here hold:
 * it waits until one of them has ended, and the rank has a slot less. */
void rpt__worker_postpone(struct rpt_pool *pool, struct rpt_item *item);
void rpt__worker_output(struct rpt_pool *pool, struct rpt_item *item,
                        int stream, const void *data, size_t bytes);
void rpt__worker_cancel(struct rpt_pool *pool, struct rpt_item *item,
                        bool by_shutdown);
struct rpt_item *rpt__worker_find(struct rpt_pool *pool, int owner,
                                  uint32_t token);
struct rpt_item *rpt__item_make(struct rpt_pool *pool, int owner,
                                const struct rpt_spec *spec, size_t bytes,
                                bool copy);
void rpt__item_release(struct rpt_pool *pool, struct rpt_item *item);
void rpt__worker_give_back(struct rpt_pool *pool, bool only_plain);
/* A job of this rank as an item in its queue; NULL: there is none that fits.
 * Gangs that come up are requested. */
struct rpt_item *rpt__worker_take(struct rpt_pool *pool,
                                  const struct rpt_caps *free,
                                  enum rpt_take how);
/* The item to start next, left at the head of its queue; NULL: none. */
struct rpt_item *rpt__worker_next(struct rpt_pool *pool);
/* Starts an item that is queued and has its slots. */
void rpt__worker_start(struct rpt_pool *pool, struct rpt_item *item);
/* The same for one that was staged and has its slot. */
void rpt__worker_runs(struct rpt_pool *pool, struct rpt_item *item);
/* An item that was taken but not started may run elsewhere. */
void rpt__worker_return(struct rpt_pool *pool, struct rpt_item *item);
bool rpt__item_is_plain(const struct rpt_item *item);
void rpt__worker_unqueue(struct rpt_pool *pool, struct rpt_item *item);
void rpt__worker_requeue(struct rpt_pool *pool, struct rpt_item *item);
int rpt__worker_timers(struct rpt_pool *pool, double now);
double rpt__worker_next_s(const struct rpt_pool *pool);
/* A job of this rank as an item of this rank. */
struct rpt_item *rpt__worker_adopt(struct rpt_pool *pool, struct rpt_job *job);

/* A kind of task: how one is started and told to end. */
struct rpt_kind_ops {
    size_t size;
    const char *name;
    const char *summary;
    void (*start)(struct rpt_pool *pool, struct rpt_item *item);
    void (*cancel)(struct rpt_pool *pool, struct rpt_item *item);
};
extern const struct rpt_kind_ops *const rpt__kind_table[RPT_N_KINDS];
extern const struct rpt_kind_ops rpt__kind_program;
extern const struct rpt_kind_ops rpt__kind_function;
extern const struct rpt_kind_ops rpt__kind_gang;

/* functions.c */
struct rpt_function *rpt__function_find(struct rpt_pool *pool, uint64_t hash);
bool rpt__function_is_short(const struct rpt_function *function);
/* Whether the leader may run it itself, now. */
bool rpt__functions_inline(struct rpt_pool *pool, struct rpt_item *item);
int rpt__functions_run_inline(struct rpt_pool *pool);
/* The leader is busy with a function: what waits behind that is put back into
 * the queue, what has ended is reported. */
int rpt__functions_rescue(struct rpt_pool *pool);
int rpt__functions_collect(struct rpt_pool *pool);
void rpt__functions_to_thread(struct rpt_pool *pool, struct rpt_item *item);
void rpt__functions_stop(struct rpt_pool *pool);
/* Runs gangs that only the waiting thread may run.  Called from a wait. */
void rpt__functions_run_waiting(struct rpt_pool *pool);

/* saving.c, and saving_priv.h */
/* Reads option pool.checkpoint_signal. */
rpt_status_t rpt__saving_signal(struct rpt_pool *pool);
/* Of an item that asks for checkpoints. */
rpt_status_t rpt__saving_make(struct rpt_item *item);
void rpt__saving_free(struct rpt_item *item);
/* Its function has returned; without the lock. */
void rpt__saving_end(struct rpt_item *item);
/* The pool stops: what runs shall save what it has. */
void rpt__saving_hurry(struct rpt_pool *pool);
/* Fills in what checkpoints an attempt had, and what was wasted. */
void rpt__saving_count(const struct rpt_item *item, struct rpt_end *end);

/* watch.c: programs with checkpoints */
void rpt__watch_start(struct rpt_pool *pool, struct rpt_item *item);
/* Its program has ended (end is copied), or was not started. */
void rpt__watch_ended(struct rpt_item *item, const struct rpt_end *end);
/* Instead: it is to start again when others here have ended. */
void rpt__watch_postpone(struct rpt_item *item, const char *message);
/* Whether the keeper has its program. */
bool rpt__watch_runs(const struct rpt_item *item);
int rpt__watches_poll(struct rpt_pool *pool);
double rpt__watches_next_s(const struct rpt_pool *pool);
void rpt__watches_stop(struct rpt_pool *pool);

/* remover.c: a task has succeeded, its checkpoints go */
void rpt__remover_add(struct rpt_pool *pool, const struct rpt_job *job);
/* Waits until they are gone. */
void rpt__remover_stop(struct rpt_pool *pool);

/* programs.c */
/* Starts the program of an item that has a slot. */
rpt_status_t rpt__program_run(struct rpt_pool *pool, struct rpt_item *item);
void rpt__program_postpone(struct rpt_pool *pool, struct rpt_item *item,
                           const char *message);
/* Tasks that take no longer are sent ahead of their slots: so many a slot as
 * take this long, at most RPT_STAGE_DEPTH. */
#define RPT_STAGE_S 5e-3
enum { RPT_STAGE_DEPTH = 4 };
/* That number; 0: tasks take longer, or it is not known how long. */
int rpt__programs_depth(const struct rpt_pool *pool);
int rpt__programs_poll(struct rpt_pool *pool);
int rpt__programs_stage(struct rpt_pool *pool);
/* Takes back what is staged. */
void rpt__programs_recall(struct rpt_pool *pool);
void rpt__programs_stop(struct rpt_pool *pool);

/* gang.c */
rpt_status_t rpt__gangs_create(struct rpt_pool *pool);
void rpt__gangs_destroy(struct rpt_pool *pool);
void rpt__gangs_on_message(void *pool, int source, const void *data,
                           size_t bytes);
void rpt__gang_request(struct rpt_pool *pool, struct rpt_job *job);
/* The job was cancelled or dropped before it ran, or a member ended it. */
void rpt__gang_forget(struct rpt_pool *pool, struct rpt_job *job);
bool rpt__gang_member_ended(struct rpt_pool *pool, struct rpt_job *job,
                            int member, struct rpt_end *end);
/* Whether its ranks run it (else it waits for them). */
bool rpt__gang_runs(const struct rpt_job *job);
/* Enough requests of this rank are under way. */
bool rpt__gangs_full(const struct rpt_pool *pool);
struct rpt_item *rpt__gangs_next_waiting(struct rpt_pool *pool);
void rpt__gang_cancel(struct rpt_pool *pool, struct rpt_job *job);
/* Reservations come before ordinary tasks: true while one waits for slots. */
bool rpt__gangs_reserve(struct rpt_pool *pool);
bool rpt__gangs_waiting(const struct rpt_pool *pool);
void rpt__gang_run_end(struct rpt_pool *pool, struct rpt_item *item);
/* Without the lock, in the thread that runs the item. */
void rpt__gang_prepare(struct rpt_item *item);
struct rpt_group *rpt__gang_group(const struct rpt_item *item);

/* resume.c, the records of which state.c and attempts.c read too */
enum rpt_record {
    RPT_RECORD_SUBMIT = 1,
    RPT_RECORD_START,
    RPT_RECORD_END,    /* of the task: the key, then struct rpt_end, packed */
    RPT_RECORD_ATTEMPT /* the same, of an attempt that was not the end of it */
};
struct rpt_submit_record { /* then the id, as packed text */
    struct rpt_digest key, work;
    int32_t rank; /* that submitted; compaction forgets the writer */
    int32_t unused;
};
struct rpt_start_record { /* then the host, as packed text */
    struct rpt_digest key;
    double time;
    int32_t rank, attempt;
};
/* Whether a later end of the same task replaces one already known. */
bool rpt__end_replaces(rpt_outcome_t known);

rpt_status_t rpt__resume_open(struct rpt_pool *pool, struct rpt_group *group);
void rpt__resume_close(struct rpt_pool *pool);
/* The key of a job, and what an earlier job knows of it: true when it has a
 * result that counts, in *end_out (valid until resume is closed). */
rpt_status_t rpt__resume_submit(struct rpt_pool *pool, struct rpt_job *job,
                                const char *id, bool *known_out,
                                struct rpt_end *end_out);
void rpt__resume_started(struct rpt_pool *pool, const struct rpt_job *job);
void rpt__resume_ended(struct rpt_pool *pool, const struct rpt_job *job,
                       const struct rpt_end *end);
/* An attempt that is tried again, or was ended because the pool stops. */
void rpt__resume_attempted(struct rpt_pool *pool, const struct rpt_job *job,
                           const struct rpt_end *end);
/* Waits until all that was written is on the disk. */
void rpt__resume_commit(struct rpt_pool *pool);
/* Without the lock, by another thread: waits until all that was written so far
 * is on the disk; false: it cannot be. */
bool rpt__resume_wait(const struct rpt_pool *pool);
/* Notices that the journal failed. */
void rpt__resume_check(struct rpt_pool *pool);

/* ending.c */
void rpt__ending_on_message(void *pool, int source, const void *data,
                            size_t bytes);
int rpt__ending_poll(struct rpt_pool *pool);
/* Stops all ranks; each drops what nobody runs. */
void rpt__ending_stop_all(struct rpt_pool *pool, rpt_shutdown_t how,
                          double grace_s);

#endif /* RPT_POOL_POOL_PRIV_H */
