/*
 * resume.c - the journal of a pool, and what an earlier job knew
 *
 * Each rank that submits writes its own file.  Records: SUBMIT (the key and id
 * of a task), START, END (with the whole result), ATTEMPT (how one ended that
 * is not the end).  A task is the same task as in an earlier job when it has
 * the same id; without id, when the same rank submits the same work for the
 * n-th time.  What ranks left behind that the new job does not have (it may
 * have fewer) is shared out: rank r takes over that of ranks r + n, r + 2n, …
 *
 * The journal is read when this rank submits its first task.
 */
#include "pool/pool_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "pool/exec/program.h"

#include <stdlib.h>
#include <string.h>

/* What is known of a key. */
struct known {
    bool has_end;
    rpt_outcome_t outcome;
    size_t bytes;
    void *end; /* packed */
    struct known *next_loose;
};

struct counter {
    uint64_t n;
    struct known *loose; /* of ranks that are no more */
};

struct rpt_resume {
    struct rpt_pool *pool;
    struct rpt_statedir *dir; /* first rank only */
    struct rpt_journal *journal;
    uint64_t epoch;
    bool loaded;
    struct rpt_table known;    /* key -> struct known */
    struct rpt_table counters; /* work -> struct counter */
    struct rpt_buf scratch;
};

bool rpt__end_replaces(rpt_outcome_t known)
{
    return known != RPT_OUTCOME_OK;
}

/* ---- opening ---- */

/* What the first rank tells the others. */
struct opened {
    rpt_status_t status;
    uint64_t epoch;
    char what[512], why[512], hint[256];
};

/* Keys of which an end was read, and which of their ends counts; and which of
 * their submissions, the last. */
struct compaction {
    struct rpt_table ends; /* key -> number of the record that counts */
    struct rpt_table submits;
    uint64_t n_read, n_kept_read;
};

static struct rpt_digest key_of(const void *data, size_t bytes)
{
    struct rpt_digest key = { 0, 0 };

    if (bytes >= sizeof key) {
        memcpy(&key, data, sizeof key);
    }
    return key;
}

static uintptr_t *chosen_of(struct rpt_table *table, struct rpt_digest key,
                            bool *is_new_out)
{
    uintptr_t *chosen = rpt__table_get(table, key);

    *is_new_out = chosen == NULL;
    if (chosen == NULL) {
        chosen = calloc(2, sizeof *chosen);
        if (chosen == NULL || rpt__table_put(table, key, chosen) != RPT_OK) {
            free(chosen);
            rpt__fail_nomem(2 * sizeof *chosen);
            return NULL;
        }
    }
    return chosen;
}

/* Attempts that led to nothing are no longer of interest to who goes on. */
static bool is_kept(uint32_t type)
{
    return type == RPT_RECORD_SUBMIT || type == RPT_RECORD_END;
}

static rpt_status_t note_record(void *user, uint64_t epoch, int writer,
                                uint32_t type, const void *data, size_t bytes)
{
    struct compaction *c = user;
    struct rpt_digest key = key_of(data, bytes);
    struct rpt_reader reader;
    struct rpt_end end = { .outcome = RPT_OUTCOME_OK };
    uintptr_t *chosen;
    bool is_new;

    (void)epoch;
    (void)writer;
    c->n_read++;
    if (bytes < sizeof key || !is_kept(type)) {
        return RPT_OK;
    }
    reader = rpt__reader((const char *)data + sizeof key, bytes - sizeof key);
    if (type == RPT_RECORD_END && !rpt__attempt_unpack(&reader, &end)) {
        return RPT_OK;
    }
    chosen = chosen_of(type == RPT_RECORD_END ? &c->ends : &c->submits, key,
                       &is_new);
    if (chosen == NULL) {
        return RPT_ERR_NOMEM;
    }
    if (is_new || type != RPT_RECORD_END ||
        rpt__end_replaces((rpt_outcome_t)chosen[1])) {
        chosen[0] = c->n_read;
        chosen[1] = end.outcome;
    }
    return RPT_OK;
}

static bool keep_record(void *user, uint64_t epoch, int writer, uint32_t type,
                        const void *data, size_t bytes)
{
    struct compaction *c = user;
    const uintptr_t *chosen;

    (void)epoch;
    (void)writer;
    c->n_kept_read++;
    if (bytes < sizeof(struct rpt_digest) || !is_kept(type)) {
        return false;
    }
    chosen = rpt__table_get(type == RPT_RECORD_END ? &c->ends : &c->submits,
                            key_of(data, bytes));
    return chosen != NULL && chosen[0] == c->n_kept_read;
}

static rpt_status_t compact(struct rpt_pool *pool, uint64_t epoch)
{
    const rpt_options_t *options = rpt__comm_options(pool->comm);
    struct compaction c = { RPT_TABLE_EMPTY, RPT_TABLE_EMPTY, 0, 0 };
    rpt_status_t status;

    if (rpt__journal_bytes(pool->state_dir, epoch) <
        rpt__option_size(options, RPT_OPT_JOURNAL_COMPACT_BYTES)) {
        return RPT_OK;
    }
    status = rpt__journal_replay(pool->state_dir, epoch, note_record, &c);
    if (status == RPT_OK) {
        status = rpt__journal_compact(pool->state_dir, epoch, keep_record, &c);
    }
    rpt__table_free(&c.ends, free);
    rpt__table_free(&c.submits, free);
    return status;
}

static rpt_status_t open_directory(struct rpt_resume *resume,
                                   struct opened *opened)
{
    struct rpt_pool *pool = resume->pool;
    rpt_status_t status = rpt__statedir_open(pool->state_dir, pool->n,
                                             &resume->dir, &opened->epoch);
    const rpt_error_t *error;

    if (status == RPT_OK) {
        status = compact(pool, opened->epoch);
    }
    if (status != RPT_OK) {
        error = rpt_last_error();
        strncpy(opened->what, error->what, sizeof opened->what - 1);
        strncpy(opened->why, error->why, sizeof opened->why - 1);
        strncpy(opened->hint, error->hint, sizeof opened->hint - 1);
    }
    opened->status = status;
    return status;
}

rpt_status_t rpt__resume_open(struct rpt_pool *pool, struct rpt_group *group)
{
    struct rpt_resume *resume = calloc(1, sizeof *resume);
    struct opened mine, *all = calloc((size_t)pool->n, sizeof *all);
    rpt_status_t status = RPT_OK;

    memset(&mine, 0, sizeof mine);
    if (resume == NULL || all == NULL) {
        free(resume);
        free(all);
        return rpt__fail_nomem((size_t)pool->n * sizeof *all);
    }
    resume->pool = pool;
    pool->resume = resume;
    if (pool->me == 0) {
        open_directory(resume, &mine);
    }
    status = rpt__group_exchange(group, "rpt_pool_create", &mine, sizeof mine,
                                 all);
    if (status == RPT_OK && all[0].status != RPT_OK) {
        rpt_error_t error = { sizeof error,
                              all[0].status,
                              pool->ranks[0],
                              rpt__comm_size(pool->comm),
                              rpt__map_host_of(rpt__comm_map(pool->comm),
                                               pool->ranks[0]),
                              all[0].what,
                              all[0].why,
                              all[0].hint };

        rpt__fail_remote(&error);
        status = all[0].status;
    }
    resume->epoch = all[0].epoch;
    free(all);
    return status;
}

static void free_known(void *value)
{
    struct known *known = value;

    free(known->end);
    free(known);
}

void rpt__resume_close(struct rpt_pool *pool)
{
    struct rpt_resume *resume = pool->resume;

    if (resume == NULL) {
        return;
    }
    rpt__journal_close(resume->journal);
    rpt__table_free(&resume->known, free_known);
    rpt__table_free(&resume->counters, free);
    rpt__buf_free(&resume->scratch);
    rpt__statedir_close(resume->dir);
    free(resume);
    pool->resume = NULL;
}

/* ---- reading what earlier jobs knew ---- */

static struct known *need_known(struct rpt_resume *resume,
                                struct rpt_digest key)
{
    struct known *known = rpt__table_get(&resume->known, key);

    if (known == NULL) {
        known = calloc(1, sizeof *known);
        if (known == NULL ||
            rpt__table_put(&resume->known, key, known) != RPT_OK) {
            free(known);
            return NULL;
        }
    }
    return known;
}

static struct counter *need_counter(struct rpt_resume *resume,
                                    struct rpt_digest work)
{
    struct counter *counter = rpt__table_get(&resume->counters, work);

    if (counter == NULL) {
        counter = calloc(1, sizeof *counter);
        if (counter == NULL ||
            rpt__table_put(&resume->counters, work, counter) != RPT_OK) {
            free(counter);
            return NULL;
        }
    }
    return counter;
}

/* A submission of a rank that this job does not have: this rank takes it over
 * when it is its turn. */
static rpt_status_t read_submit(struct rpt_resume *resume, const void *data,
                                size_t bytes)
{
    struct rpt_pool *pool = resume->pool;
    struct rpt_submit_record record;
    struct known *known;
    struct counter *counter;

    if (bytes < sizeof record) {
        return RPT_OK;
    }
    memcpy(&record, data, sizeof record);
    if (record.rank < pool->n || record.rank % pool->n != pool->me) {
        return RPT_OK;
    }
    if ((record.work.high | record.work.low) == 0 ||
        rpt__table_get(&resume->known, record.key) != NULL) {
        return RPT_OK; /* has an id, or was submitted in two jobs */
    }
    known = need_known(resume, record.key);
    counter = need_counter(resume, record.work);
    if (known == NULL || counter == NULL) {
        return RPT_ERR_NOMEM;
    }
    known->next_loose = counter->loose;
    counter->loose = known;
    return RPT_OK;
}

static rpt_status_t read_end(struct rpt_resume *resume, const void *data,
                             size_t bytes)
{
    struct rpt_digest key = key_of(data, bytes);
    struct rpt_reader reader;
    struct rpt_end end;
    struct known *known;
    void *copy;

    if (bytes < sizeof key) {
        return RPT_OK;
    }
    reader = rpt__reader((const char *)data + sizeof key, bytes - sizeof key);
    known = need_known(resume, key);
    if (known == NULL) {
        return RPT_ERR_NOMEM;
    }
    if (!rpt__attempt_unpack(&reader, &end) ||
        (known->has_end && !rpt__end_replaces(known->outcome))) {
        return RPT_OK;
    }
    copy = malloc(bytes - sizeof key);
    if (copy == NULL) {
        return rpt__fail_nomem(bytes);
    }
    memcpy(copy, (const char *)data + sizeof key, bytes - sizeof key);
    free(known->end);
    known->end = copy;
    known->bytes = bytes - sizeof key;
    known->outcome = end.outcome;
    known->has_end = true;
    return RPT_OK;
}

static rpt_status_t read_record(void *user, uint64_t epoch, int writer,
                                uint32_t type, const void *data, size_t bytes)
{
    (void)epoch;
    (void)writer;
    if (type == RPT_RECORD_SUBMIT) {
        return read_submit(user, data, bytes);
    }
    return type == RPT_RECORD_END ? read_end(user, data, bytes) : RPT_OK;
}

static rpt_status_t load(struct rpt_resume *resume)
{
    struct rpt_pool *pool = resume->pool;
    rpt_status_t status = rpt__journal_open(
        pool->state_dir, resume->epoch, pool->me, rpt__comm_options(pool->comm),
        &resume->journal);

    if (status == RPT_OK) {
        status = rpt__journal_replay(pool->state_dir, resume->epoch,
                                     read_record, resume);
    }
    resume->loaded = true;
    return status;
}

/* ---- writing ---- */

static void append(struct rpt_pool *pool, enum rpt_record type,
                   const void *data, size_t bytes)
{
    rpt_status_t status;

    if (pool->resume->journal == NULL || pool->failed != RPT_OK) {
        return;
    }
    status = rpt__journal_append(pool->resume->journal, (uint32_t)type, data,
                                 bytes);
    if (status != RPT_OK) {
        rpt__pool_broken(pool, status);
    }
}

static void append_scratch(struct rpt_pool *pool, enum rpt_record type)
{
    const struct rpt_buf *buf = &pool->resume->scratch;

    if (buf->failed) {
        rpt__pool_broken(pool, rpt__buf_status(buf));
        return;
    }
    append(pool, type, buf->data, buf->bytes);
}

/* What a program is, without what becomes of its output: a job may be resumed
 * with another --output. */
static void add_program(struct rpt_buf *buf, const char *body, size_t bytes)
{
    struct rpt_reader reader = rpt__reader(body, bytes);
    struct rpt_program program;

    if (rpt__program_unpack(&reader, &program) != RPT_OK) {
        rpt__buf_add(buf, body, bytes);
        return;
    }
    program.output = RPT_OUTPUT_CAPTURE;
    program.stdout_path = program.stderr_path = NULL;
    rpt__program_pack(buf, &program);
    rpt__program_free(&program);
}

static struct rpt_digest digest_of_work(struct rpt_resume *resume,
                                        const struct rpt_job *job)
{
    struct rpt_buf *buf = &resume->scratch;
    const struct rpt_spec *spec = job->spec;
    const char *body = rpt__spec_body(spec);
    size_t bytes = (size_t)((const char *)spec + job->spec_bytes - spec->n_id -
                            body);

    rpt__buf_clear(buf);
    rpt__buf_u8(buf, spec->kind);
    rpt__buf_u64(buf, spec->function);
    rpt__buf_u32(buf, (uint32_t)spec->n_ranks);
    if (spec->kind == RPT_KIND_PROGRAM) {
        add_program(buf, body, bytes);
    } else {
        rpt__buf_add(buf, body, bytes);
    }
    return rpt__digest(buf->data, buf->bytes);
}

static struct rpt_digest digest_of_id(const char *id)
{
    struct rpt_digest key = rpt__digest(id, strlen(id));

    key.high ^= 0x9e3779b97f4a7c15u; /* apart from digests of work */
    return key;
}

/* The key of a task without id, and what is known of it. */
static struct known *next_occurrence(struct rpt_resume *resume,
                                     struct rpt_job *job,
                                     struct rpt_digest work)
{
    struct counter *counter = need_counter(resume, work);
    struct {
        struct rpt_digest work;
        uint64_t rank, n;
    } name = { work, (uint64_t)resume->pool->me,
               counter != NULL ? counter->n++ : 0 };
    struct known *known;

    job->key = rpt__digest(&name, sizeof name);
    known = rpt__table_get(&resume->known, job->key);
    while ((known == NULL || !known->has_end) && counter != NULL &&
           counter->loose != NULL) {
        known = counter->loose;
        counter->loose = known->next_loose;
    }
    return known;
}

static bool counts(const struct rpt_pool *pool, const struct known *known)
{
    switch (known->outcome) {
    case RPT_OUTCOME_OK:
    case RPT_OUTCOME_CANCELLED:
        return true;
    case RPT_OUTCOME_SKIPPED:
        return false; /* found out anew from what it depends on */
    default:
        return !pool->retry_failed;
    }
}

rpt_status_t rpt__resume_submit(struct rpt_pool *pool, struct rpt_job *job,
                                const char *id, bool *known_out,
                                struct rpt_end *end_out)
{
    struct rpt_resume *resume = pool->resume;
    struct rpt_submit_record record = { { 0, 0 }, { 0, 0 }, pool->me, 0 };
    struct known *known;
    struct rpt_buf *buf = &resume->scratch;

    *known_out = false;
    if (!resume->loaded) {
        rpt_status_t status = load(resume);

        if (status != RPT_OK) {
            rpt__pool_broken(pool, status);
            return status;
        }
    }
    if (job->name != NULL) {
        job->key = digest_of_id(id);
        known = rpt__table_get(&resume->known, job->key);
    } else {
        record.work = digest_of_work(resume, job);
        known = next_occurrence(resume, job, record.work);
    }
    if (known != NULL && known->has_end && counts(pool, known)) {
        struct rpt_reader reader = rpt__reader(known->end, known->bytes);

        *known_out = rpt__attempt_unpack(&reader, end_out);
        end_out->resumed = true;
    }
    record.key = job->key;
    rpt__buf_clear(buf);
    rpt__buf_add(buf, &record, sizeof record);
    rpt__buf_str(buf, id);
    append(pool, RPT_RECORD_SUBMIT, buf->data, buf->bytes);
    return pool->failed;
}

static const char *host_of(const struct rpt_pool *pool, int rank)
{
    return rpt__map_host_of(rpt__comm_map(pool->comm), rank);
}

void rpt__resume_started(struct rpt_pool *pool, const struct rpt_job *job)
{
    struct rpt_start_record record = { job->key, rpt__wall_s(), job->rank,
                                       job->attempts };
    struct rpt_buf *buf = &pool->resume->scratch;

    rpt__buf_clear(buf);
    rpt__buf_add(buf, &record, sizeof record);
    rpt__buf_str(buf, host_of(pool, job->rank));
    append_scratch(pool, RPT_RECORD_START);
}

static void append_end(struct rpt_pool *pool, enum rpt_record type,
                       const struct rpt_job *job, const struct rpt_end *end)
{
    struct rpt_buf *buf = &pool->resume->scratch;
    struct rpt_end full = *end;

    if (full.host == NULL && full.rank >= 0) {
        full.host = host_of(pool, full.rank);
    }
    rpt__buf_clear(buf);
    rpt__buf_add(buf, &job->key, sizeof job->key);
    rpt__attempt_pack(buf, &full);
    append_scratch(pool, type);
}

void rpt__resume_ended(struct rpt_pool *pool, const struct rpt_job *job,
                       const struct rpt_end *end)
{
    append_end(pool, RPT_RECORD_END, job, end);
}

void rpt__resume_attempted(struct rpt_pool *pool, const struct rpt_job *job,
                           const struct rpt_end *end)
{
    struct rpt_end bare = *end;

    /* What it printed is nobody's result. */
    bare.message = "";
    bare.output_bytes = bare.stdout_bytes = bare.stderr_bytes = 0;
    bare.stdout_dropped = bare.stderr_dropped = 0;
    append_end(pool, RPT_RECORD_ATTEMPT, job, &bare);
}

void rpt__resume_commit(struct rpt_pool *pool)
{
    if (pool->resume->journal != NULL && pool->failed == RPT_OK) {
        rpt_status_t status = rpt__journal_commit(pool->resume->journal);

        if (status != RPT_OK) {
            rpt__pool_broken(pool, status);
        }
    }
}

bool rpt__resume_wait(const struct rpt_pool *pool)
{
    return pool->resume == NULL || pool->resume->journal == NULL ||
           rpt__journal_commit(pool->resume->journal) == RPT_OK;
}

void rpt__resume_check(struct rpt_pool *pool)
{
    if (pool->resume->journal != NULL && pool->failed == RPT_OK) {
        rpt_status_t status = rpt__journal_status(pool->resume->journal);

        if (status != RPT_OK) {
            rpt__pool_broken(pool, status);
        }
    }
}
