/*
 * programs.c - external programs as tasks, run by the keeper process
 *
 * The keeper is started with the first program.  When it goes away (somebody
 * killed it), what it ran is lost, and the next program starts a new one.
 *
 * Short programs are staged: while one runs, the next ones of its slot are in
 * the keeper already, each starts the moment the one before it has ended, and
 * this rank hears of several ends at once.  A staged item has no slot of its
 * own until then.  When what it waits for takes longer than expected, all that
 * are staged are taken back.
 */
#include "pool/pool_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/options.h"
#include "pool/saving_priv.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_output(void *user, uint64_t key, int stream, const void *data,
                      size_t bytes)
{
    rpt__worker_output(user, (struct rpt_item *)(uintptr_t)key, stream, data,
                       bytes);
}

static rpt_outcome_t outcome_of(const struct rpt_program_end *end)
{
    if (end->error != 0 && !end->killed) { /* else before it could start */
        return RPT_OUTCOME_FAILED;
    }
    if (end->timed_out) {
        return RPT_OUTCOME_TIMEOUT;
    }
    if (end->killed) {
        return RPT_OUTCOME_CANCELLED;
    }
    if (end->signal != 0) {
        return RPT_OUTCOME_SIGNALED;
    }
    return end->exit_code == 0 ? RPT_OUTCOME_OK : RPT_OUTCOME_FAILED;
}

static void leave_staged(struct rpt_pool *pool, struct rpt_item *item)
{
    TAILQ_REMOVE(&pool->worker.staged, item, link);
    pool->worker.n_staged--;
}

static void unstage(struct rpt_pool *pool, struct rpt_item *item)
{
    leave_staged(pool, item);
    item->behind->next_staged = item->next_staged;
    if (item->next_staged != NULL) {
        item->next_staged->behind = item->behind;
    }
    item->behind = item->next_staged = NULL;
}

/* The keeper gave a staged one back: it may run elsewhere, or was cancelled. */
static void on_recalled(struct rpt_pool *pool, struct rpt_item *item)
{
    unstage(pool, item);
    item->recalled = false;
    rpt__worker_return(pool, item);
}

/* The one before it has ended: it runs, in that one's slot. */
static void promote(struct rpt_pool *pool, struct rpt_item *ended)
{
    struct rpt_item *item = ended->next_staged;

    if (item != NULL) {
        leave_staged(pool, item);
        item->behind = ended->next_staged = NULL;
        rpt__slots_pass(ended, item);
        rpt__worker_runs(pool, item);
        if (item->next_staged != NULL) {
            item->next_staged->received_s = item->start_s;
        }
        if (item->cancelled) {
            rpt__keeper_kill(pool->worker.keeper, (uint64_t)(uintptr_t)item);
        }
    }
}

/* Errors of what a process may have so much of at a time. */
static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == EAGAIN ||
           error == ENOMEM;
}

void rpt__program_postpone(struct rpt_pool *pool, struct rpt_item *item,
                           const char *message)
{
    struct rpt_worker *w = &pool->worker;

    rpt__worker_postpone(pool, item);
    if (!w->told_retired) {
        w->told_retired = true;
        rpt__log(RPT_LOG_WARN,
                 "%s; rank %d goes on with fewer than its %d slots (ulimit -n "
                 "and -u say how many files and processes there may be)",
                 message, rpt__comm_rank(pool->comm), w->total.slots);
    }
    if (pool->ending.stopping) {
        rpt__worker_give_back(pool, false);
    }
}

static void on_ended(void *user, uint64_t key,
                     const struct rpt_program_end *program)
{
    struct rpt_item *item = (struct rpt_item *)(uintptr_t)key;
    char message[64] = "";
    struct rpt_end end = {
        .outcome = outcome_of(program),
        .exit_code = program->exit_code,
        .signal = program->signal,
        .start_time = program->start_time,
        .duration_s = program->duration_s,
        .max_rss_kib = program->max_rss_kib,
        .message = message,
        .stdout_data = program->stdout_data,
        .stdout_bytes = program->stdout_bytes,
        .stderr_data = program->stderr_data,
        .stderr_bytes = program->stderr_bytes,
        .stdout_dropped = program->stdout_dropped,
        .stderr_dropped = program->stderr_dropped,
    };

    if (item->state == RPT_ITEM_STAGED) {
        on_recalled(user, item);
        return;
    }
    promote(user, item);
    if (is_shortage(program->error) && !item->cancelled &&
        item->pool->worker.n_running > 1) {
        if (item->saved != NULL) {
            rpt__watch_postpone(item, program->message);
        } else {
            rpt__program_postpone(user, item, program->message);
        }
        return;
    }
    if (program->error != 0) {
        end.message = program->message;
    } else if (end.outcome == RPT_OUTCOME_TIMEOUT) {
        snprintf(message, sizeof message, "ended after its time limit of %g s",
                 item->spec->timeout_s);
    } else if (end.outcome == RPT_OUTCOME_CANCELLED) {
        end.message = "cancelled while it ran";
    } else if (program->signal != 0) {
        snprintf(message, sizeof message, "killed by signal %d (%s)",
                 program->signal, strsignal(program->signal));
    } else if (program->exit_code != 0) {
        snprintf(message, sizeof message, "exit code %d", program->exit_code);
    }
    if (item->saved != NULL) {
        rpt__watch_ended(item, &end); /* its last checkpoint, if it wrote one */
    } else {
        rpt__worker_finish(user, item, &end);
    }
}

static void on_died(void *user)
{
    struct rpt_pool *pool = user;
    struct rpt_item *item, *next;

    rpt__log(RPT_LOG_WARN, "the keeper process of this rank was killed; its "
                           "programs are started again");
    /* The last one first, so that they are in order at the queue's front. */
    while ((item = TAILQ_LAST(&pool->worker.staged, rpt_item_list)) != NULL) {
        on_recalled(pool, item);
    }
    for (item = TAILQ_FIRST(&pool->worker.running); item != NULL; item = next) {
        next = TAILQ_NEXT(item, link);
        if (item->kind == RPT_KIND_PROGRAM &&
            (item->saved == NULL || rpt__watch_runs(item))) {
            struct rpt_end end = {
                .outcome = RPT_OUTCOME_LOST,
                .exit_code = -1,
                .start_time = item->start_time,
                .message = "the keeper process that ran it was killed",
            };

            if (item->saved != NULL) {
                rpt__watch_ended(item, &end);
            } else {
                rpt__worker_finish(pool, item, &end);
            }
        }
    }
    pool->worker.keeper_died = true;
}

static rpt_status_t need_keeper(struct rpt_pool *pool)
{
    static const struct rpt_keeper_events events = { on_output, on_ended,
                                                     on_died };
    size_t offset;
    int fd;

    if (pool->worker.keeper != NULL) {
        return RPT_OK;
    }
    fd = rpt__comm_bell_fd(pool->comm, &offset);
    return rpt__keeper_start(pool->keeper_path, fd, offset, pool->capture_bytes,
                             pool->grace_s, &events, pool,
                             &pool->worker.keeper);
}

int rpt__programs_poll(struct rpt_pool *pool)
{
    int n;

    if (pool->worker.keeper == NULL) {
        return 0;
    }
    n = rpt__keeper_poll(pool->worker.keeper);
    if (pool->worker.keeper_died) {
        pool->worker.keeper_died = false;
        rpt__keeper_stop(pool->worker.keeper);
        pool->worker.keeper = NULL;
        n++;
    }
    return n;
}

void rpt__programs_stop(struct rpt_pool *pool)
{
    rpt__keeper_stop(pool->worker.keeper);
    pool->worker.keeper = NULL;
}

/* ---- what a program finds in its environment ---- */

enum { MAX_ENV = RPT_MAX_NEEDS + 16, ENV_BYTES = 4096 + 2 * PATH_MAX };

struct env {
    const char *entry[MAX_ENV];
    int n;
    char text[ENV_BYTES];
    size_t used;
};

static void set(struct env *env, const char *format, ...) RPT_PRINTF(2, 3);

static void set(struct env *env, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(env->text + env->used, ENV_BYTES - env->used, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < ENV_BYTES - env->used && env->n < MAX_ENV - 1) {
        env->entry[env->n++] = env->text + env->used;
        env->used += (size_t)n + 1;
    }
}

static void list_units(char list[512], const int *units, int n)
{
    size_t used = 0;

    list[0] = '\0';
    for (int i = 0; i < n && used < 500; i++) {
        int more = snprintf(list + used, 512 - used, "%s%d", i > 0 ? "," : "",
                            units[i]);

        used += more > 0 ? (size_t)more : 0;
    }
}

/* The n-th entry of a list with commas, as far as the next one. */
static const char *entry_of(const char *list, int n)
{
    for (; n > 0 && list != NULL; n--) {
        list = strchr(list, ',');
        list = list != NULL ? list + 1 : NULL;
    }
    return list;
}

/* Where this rank itself may use only some GPUs, unit 0 is the first of these:
 * a list for the whole host is shared by its ranks, one of this rank's own
 * units only is not. */
static void set_gpus(struct rpt_pool *pool, const int *units, int n,
                     struct env *env)
{
    const char *visible = rpt__environment("CUDA_VISIBLE_DEVICES");
    int index = 0, first = 0;
    char list[512];
    size_t used = 0;

    list_units(list, units, n);
    while (index < pool->n_resources &&
           strcmp(pool->resources[index], "gpu") != 0) {
        index++;
    }
    first = pool->worker.first_unit[index];
    if (visible != NULL) {
        bool for_host = entry_of(visible,
                                 first + pool->worker.total.units[index] - 1) !=
                        NULL;

        list[0] = '\0';
        for (int i = 0; i < n; i++) {
            const char *entry = entry_of(visible, for_host ? units[i]
                                                           : units[i] - first);
            int length = entry != NULL ? (int)strcspn(entry, ",") : 0;
            int more = length > 0
                           ? snprintf(list + used, sizeof list - used, "%s%.*s",
                                      used > 0 ? "," : "", length, entry)
                           : 0;

            used += more > 0 && (size_t)more < sizeof list - used ? (size_t)more
                                                                  : 0;
        }
    }
    set(env, "CUDA_VISIBLE_DEVICES=%s", list);
    set(env, "CUDA_DEVICE_ORDER=PCI_BUS_ID");
}

static void set_resources(struct rpt_pool *pool, const struct rpt_item *item,
                          struct env *env)
{
    const struct rpt_need *need = rpt__spec_needs(item->spec);
    const int *list = item->unit_list;

    for (int i = 0; i < item->spec->n_needs; i++) {
        const char *name = pool->resources[need[i].resource];
        char upper[RPT_NAME_BYTES], units[512];

        list += i == 0 ? item->spec->slots : need[i - 1].units;
        for (size_t c = 0; c <= strlen(name); c++) {
            upper[c] = (char)toupper((unsigned char)name[c]);
        }
        list_units(units, list, need[i].units);
        set(env, "RPT_RESOURCE_%s=%s", upper, units);
        if (strcmp(name, "gpu") == 0) {
            set_gpus(pool, list, need[i].units, env);
        }
    }
}

static void set_all(struct rpt_pool *pool, const struct rpt_item *item,
                    struct env *env)
{
    const char *id = (const char *)item->spec + item->spec_bytes -
                     item->spec->n_id;

    env->n = 0;
    env->used = 0;
    if (item->spec->n_id > 0 && item->spec->n_id < 1024) {
        set(env, "RPT_TASK_ID=%.*s", (int)item->spec->n_id, id);
    } else {
        char number[32];

        rpt__number_id(item->owner, item->number, number);
        set(env, "RPT_TASK_ID=%s", number);
    }
    set(env, "RPT_TASK_ATTEMPT=%d", (int)item->attempt);
    set(env, "RPT_TASK_RANK=%d", rpt__comm_rank(pool->comm));
    set(env, "RPT_TASK_SLOT=%d", item->slot + 1);
    set_resources(pool, item, env);
    if (item->saved != NULL) {
        set(env, "RPT_CHECKPOINT_DIR=%s", item->saved->scratch);
        set(env, "RPT_CHECKPOINT_ITERATION=%llu",
            (unsigned long long)item->saved->iteration);
        if (item->saved->files != NULL) {
            set(env, "RPT_CHECKPOINT_RESTORE=%s", item->saved->files);
        }
    }
    env->entry[env->n] = NULL;
}

/* ---- the kind ---- */

/* RPT_ERR_STATE: the keeper was killed just now. */
static void could_not_start(struct rpt_pool *pool, struct rpt_item *item,
                            rpt_status_t status)
{
    struct rpt_end end = {
        .outcome = status == RPT_ERR_STATE ? RPT_OUTCOME_LOST
                                           : RPT_OUTCOME_FAILED,
        .exit_code = -1,
        .start_time = item->start_time,
        .message = rpt_last_error()->what,
    };

    rpt__worker_finish(pool, item, &end);
}

/* After NULL: at once; else it is expected to be short. */
static rpt_status_t run(struct rpt_pool *pool, struct rpt_item *item,
                        const struct rpt_item *after)
{
    struct env env;
    int cpus[pool->worker.n_cpus + 1];
    const char *body = rpt__spec_body(item->spec);
    struct rpt_run request = {
        .key = (uint64_t)(uintptr_t)item,
        .after = (uint64_t)(uintptr_t)after,
        .program = body,
        .program_bytes = (size_t)((const char *)item->spec + item->spec_bytes -
                                  item->spec->n_id - body),
        .env = env.entry,
        .cpus = cpus,
        .memory_bytes = item->spec->memory_mib << 20,
        .timeout_s = item->spec->timeout_s,
    };
    rpt_status_t status = need_keeper(pool);

    if (status != RPT_OK) {
        return status;
    }
    /* Of short ones the system knows better which core is free. */
    request.n_cpus = rpt__slots_cpus(pool, item, pool->pin && after == NULL,
                                     cpus);
    set_all(pool, item, &env);
    return rpt__keeper_run(pool->worker.keeper, &request);
}

rpt_status_t rpt__program_run(struct rpt_pool *pool, struct rpt_item *item)
{
    return run(pool, item, NULL);
}

static void start(struct rpt_pool *pool, struct rpt_item *item)
{
    rpt_status_t status;

    if (item->saved != NULL) {
        rpt__watch_start(pool, item);
        return;
    }
    status = run(pool, item, NULL);
    if (status != RPT_OK) {
        could_not_start(pool, item, status);
    }
}

static void cancel(struct rpt_pool *pool, struct rpt_item *item)
{
    if (pool->worker.keeper == NULL) {
        return;
    }
    if (item->state == RPT_ITEM_STAGED) {
        rpt__keeper_recall(pool->worker.keeper, (uint64_t)(uintptr_t)item);
    } else {
        rpt__keeper_kill(pool->worker.keeper, (uint64_t)(uintptr_t)item);
    }
}

/* ---- staging ---- */

int rpt__programs_depth(const struct rpt_pool *pool)
{
    double mean_s = pool->worker.mean_s;

    if (mean_s <= 0 || mean_s > RPT_STAGE_S) {
        return 0;
    }
    return RPT_STAGE_S / mean_s < RPT_STAGE_DEPTH ? (int)(RPT_STAGE_S / mean_s)
                                                  : RPT_STAGE_DEPTH;
}

/* The next item, when it is a plain program; from the own queue only while
 * that has enough for all ranks. */
static struct rpt_item *next_program(struct rpt_pool *pool)
{
    struct rpt_item *item = NULL;

    if (pool->worker.n_queued == 0 &&
        pool->owner.n_ready > (uint64_t)pool->total_slots) {
        struct rpt_caps none;

        memset(&none, 0, sizeof none);
        item = rpt__worker_take(pool, &none, RPT_TAKE_AHEAD);
    }
    for (int p = 0; item == NULL && p < RPT_N_PRIORITIES; p++) {
        item = TAILQ_FIRST(&pool->worker.queued[p]);
    }
    return item != NULL && item->kind == RPT_KIND_PROGRAM &&
                   item->saved == NULL && rpt__item_is_plain(item)
               ? item
               : NULL;
}

static bool may_stage(const struct rpt_pool *pool)
{
    const struct rpt_worker *w = &pool->worker;

    return w->keeper != NULL && w->free.slots <= 0 && w->n_held == 0 &&
           !pool->ending.stopping && pool->failed == RPT_OK &&
           !rpt__gangs_waiting(pool);
}

/* The last one staged behind `item`; NULL when there are `most`, or when it may
 * be gone from the keeper: what comes after that would start at once. */
static struct rpt_item *end_of(struct rpt_item *item, int most)
{
    while (item->next_staged != NULL && most > 0) {
        item = item->next_staged;
        most--;
    }
    return most > 0 && !item->recalled && !item->cancelled ? item : NULL;
}

static bool stage_behind(struct rpt_pool *pool, struct rpt_item *before)
{
    struct rpt_worker *w = &pool->worker;
    struct rpt_item *item = next_program(pool);

    if (item == NULL) {
        return false;
    }
    rpt__worker_unqueue(pool, item);
    item->slot = before->slot;
    if (run(pool, item, before) != RPT_OK) {
        item->slot = -1;
        rpt__worker_requeue(pool, item);
        return false;
    }
    item->state = RPT_ITEM_STAGED;
    item->received_s = rpt__now_s();
    item->behind = before;
    before->next_staged = item;
    TAILQ_INSERT_TAIL(&w->staged, item, link);
    w->n_staged++;
    return true;
}

/* One round a slot: those that come first shall start first. */
int rpt__programs_stage(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;
    struct rpt_item *item, *before;
    int depth = may_stage(pool) ? rpt__programs_depth(pool) : 0;
    int n = 0;

    for (int d = 1; d <= depth && w->n_staged < w->n_running * (uint64_t)depth;
         d++) {
        TAILQ_FOREACH (item, &w->running, link) {
            if (item->kind != RPT_KIND_PROGRAM || item->cancelled ||
                item->saved != NULL || !rpt__item_is_plain(item)) {
                continue;
            }
            before = end_of(item, d);
            if (before != NULL && !stage_behind(pool, before)) {
                return n;
            }
            n += before != NULL;
        }
    }
    return n;
}

void rpt__programs_recall(struct rpt_pool *pool)
{
    struct rpt_item *item;

    /* The last one first, so that they are in order at the queue's front. */
    TAILQ_FOREACH_REVERSE(item, &pool->worker.staged, rpt_item_list, link)
    {
        if (!item->recalled && pool->worker.keeper != NULL) {
            item->recalled = true;
            rpt__keeper_recall(pool->worker.keeper, (uint64_t)(uintptr_t)item);
        }
    }
}

const struct rpt_kind_ops rpt__kind_program = {
    .size = sizeof(struct rpt_kind_ops),
    .name = "program",
    .summary = "an external program, run by the keeper process of the rank",
    .start = start,
    .cancel = cancel,
};
