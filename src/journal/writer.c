/*
 * writer.c - appending, and the thread that commits
 *
 * append() copies a frame to the end of a buffer, without its checksum.  The
 * thread sleeps until there is one; journal.commit_s later, or when somebody
 * waits, it takes the buffer, leaves the empty other one, adds the checksums,
 * writes and syncs (group commit: one write and one sync for everything that
 * came in the meantime).
 *
 * Progress is counted in bytes of frames: appended ≥ wanted, appended ≥
 * durable.  A caller that waits sets wanted and sleeps until durable gets
 * there.
 *
 * The first failure is kept.  The file is cut back to what was committed, so
 * that it does not end with half a batch, and nothing is written any more.
 *
 * Cost: of append() a lock that is rarely contended, and a copy; of a commit
 * one write and one fdatasync.
 */
#include "journal/journal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/thread.h"
#include "journal/files_priv.h"
#include "journal/frame_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAITING_MAX ((uint64_t)64 << 20)
#define EARLY_BYTES ((size_t)16 << 20) /* does not wait for commit_s */

struct rpt_journal {
    pthread_mutex_t mutex;
    pthread_cond_t work; /* there is something to write */
    pthread_cond_t done; /* a batch was written, or failed */

    /* Under the mutex. */
    struct rpt_buf active;
    uint64_t sequence;
    uint64_t appended;
    uint64_t wanted;
    uint64_t durable;
    struct timespec deadline; /* of what is in the buffer */
    bool stop;

    /* Of the thread. */
    struct rpt_buf writing;
    uint64_t file_bytes; /* committed */
    pthread_t thread;

    /* Set once. */
    struct rpt_folder folder;
    char *path;
    char name[RPT_NAME_BYTES];
    int fd;
    uint64_t seed;
    double commit_s;
    bool sync;

    /* The first failure: written before `failed` is set. */
    _Atomic bool failed;
    _Atomic bool told;
    rpt_status_t status;
    char *what, *why, *hint;
};

/* ---- failure ---- */

static void keep_failure(struct rpt_journal *j)
{
    const rpt_error_t *error = rpt_last_error();

    j->status = error->status;
    j->what = strdup(error->what);
    j->why = strdup(error->why);
    j->hint = strdup(error->hint);
    atomic_store_explicit(&j->failed, true, memory_order_release);
}

/* Records the kept failure as one of the calling thread. */
static rpt_status_t tell_failure(struct rpt_journal *j)
{
    atomic_store_explicit(&j->told, true, memory_order_relaxed);
    rpt__fail(j->status, "%s", j->what != NULL ? j->what : "journal failed");
    rpt__fail_why("%s", j->why != NULL ? j->why : "");
    rpt__fail_hint("%s", j->hint != NULL ? j->hint : "");
    return j->status;
}

static bool has_failed(struct rpt_journal *j)
{
    return atomic_load_explicit(&j->failed, memory_order_acquire);
}

rpt_status_t rpt__journal_status(struct rpt_journal *journal)
{
    return has_failed(journal) ? tell_failure(journal) : RPT_OK;
}

/* ---- the committing thread ---- */

static void seal_all(struct rpt_journal *j, struct rpt_buf *batch)
{
    if (j->sync && batch->bytes > 0) {
        rpt__frame_set_number(batch->data, j->file_bytes);
    }
    for (size_t at = 0; at < batch->bytes;) {
        at += rpt__frame_seal(batch->data + at, j->seed);
    }
}

/* False after a failure, which is kept. */
static bool write_batch(struct rpt_journal *j, struct rpt_buf *batch)
{
    int error;

    seal_all(j, batch);
    error = rpt__disk_write_all(j->fd, batch->data, batch->bytes);
    if (error == 0 && j->sync && rpt__disk()->sync(j->fd) != 0) {
        error = errno;
    }
    if (error == 0) {
        j->file_bytes += batch->bytes;
        return true;
    }
    rpt__disk_fail(&j->folder, j->name, "write", error, batch->bytes);
    keep_failure(j);
    rpt__disk()->truncate(j->fd, j->file_bytes);
    return false;
}

/* Sleeps until the batch should be written. */
static void wait_for_moment(struct rpt_journal *j)
{
    int rc = 0;

    while (!j->stop && j->wanted <= j->durable &&
           j->active.bytes < EARLY_BYTES && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&j->work, &j->mutex, &j->deadline);
    }
}

/* A buffer grows to the largest batch; one that held a giant is given back. */
static void empty(struct rpt_buf *buf)
{
    if (buf->capacity > 2 * WAITING_MAX) {
        rpt__buf_free(buf);
    } else {
        rpt__buf_clear(buf);
    }
}

/* Says at the end that everything before is on the disk, for the reader that
 * finds damage there.  Not worth a sync: it is true with or without it. */
static void write_end_mark(struct rpt_journal *j)
{
    struct rpt_frame mark = { RPT_TYPE_MARK, 8, ++j->sequence };
    char bytes[RPT_FRAME_HEAD + 8];

    rpt__frame_put(bytes, &mark, &j->file_bytes);
    rpt__frame_seal(bytes, j->seed);
    if (rpt__disk_write_all(j->fd, bytes, sizeof bytes) != 0) {
        rpt__disk()->truncate(j->fd, j->file_bytes);
    }
}

static void *commit_batches(void *user)
{
    struct rpt_journal *j = user;
    bool good = true;

    pthread_mutex_lock(&j->mutex);
    while (good) {
        struct rpt_buf batch;

        while (!j->stop && j->active.bytes == 0) {
            pthread_cond_wait(&j->work, &j->mutex);
        }
        if (j->active.bytes == 0) {
            break;
        }
        wait_for_moment(j);
        batch = j->active;
        j->active = j->writing;
        pthread_mutex_unlock(&j->mutex);
        good = write_batch(j, &batch);
        pthread_mutex_lock(&j->mutex);
        j->durable += good ? batch.bytes : 0;
        empty(&batch);
        j->writing = batch;
        pthread_cond_broadcast(&j->done);
    }
    pthread_mutex_unlock(&j->mutex);
    if (good && j->sync && j->sequence > 0) {
        write_end_mark(j);
    }
    return NULL;
}

/* ---- opening ---- */

static rpt_status_t write_head(struct rpt_journal *j, uint64_t epoch,
                               int writer)
{
    struct {
        double wall_s;
        int64_t pid;
    } salt = { rpt__wall_s(), getpid() };
    struct rpt_file_head head = { .version = RPT_JOURNAL_VERSION,
                                  .writer = (uint32_t)writer,
                                  .epoch = epoch };
    char bytes[RPT_FILE_HEAD];
    int error;

    head.seed = rpt__hash64(&salt, sizeof salt,
                            rpt__hash64(&head, sizeof head, 0));
    rpt__file_head_pack(&head, bytes);
    error = rpt__disk_write_all(j->fd, bytes, sizeof bytes);
    /* Synced now: a damaged head is never a torn tail. */
    if (error == 0 && j->sync && rpt__disk()->sync(j->fd) != 0) {
        error = errno;
    }
    if (error != 0) {
        return rpt__disk_fail(&j->folder, j->name, "write", error,
                              sizeof bytes);
    }
    j->seed = head.seed;
    j->file_bytes = sizeof bytes;
    return j->sync ? rpt__disk_sync_dir(&j->folder) : RPT_OK;
}

static rpt_status_t make_file(struct rpt_journal *j, uint64_t epoch, int writer)
{
    rpt_status_t status;

    rpt__journal_name(j->name, epoch, writer);
    j->fd = rpt__disk()->open(j->folder.fd, j->name,
                              O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
    if (j->fd < 0 && errno == EEXIST) {
        return rpt__fail(RPT_ERR_EXISTS,
                         "rank %d has its journal %s/%s open already", writer,
                         j->path, j->name);
    }
    if (j->fd < 0) {
        return rpt__disk_fail(&j->folder, j->name, "create", errno,
                              RPT_FILE_HEAD);
    }
    status = write_head(j, epoch, writer);
    if (status != RPT_OK) {
        close(j->fd);
        rpt__disk()->remove(j->folder.fd, j->name);
    }
    return status;
}

static rpt_status_t start_thread(struct rpt_journal *j)
{
    int error;

    pthread_mutex_init(&j->mutex, NULL);
    rpt__cond_init(&j->work);
    rpt__cond_init(&j->done);
    error = rpt__thread_start(&j->thread, commit_batches, j);
    if (error != 0) {
        pthread_cond_destroy(&j->done);
        pthread_cond_destroy(&j->work);
        pthread_mutex_destroy(&j->mutex);
        return rpt__fail_errno(RPT_ERR_SYSTEM, error,
                               "cannot start the journal's thread");
    }
    return RPT_OK;
}

rpt_status_t rpt__journal_open(const char *path, uint64_t epoch, int writer,
                               const rpt_options_t *options,
                               struct rpt_journal **journal_out)
{
    struct rpt_journal *j = calloc(1, sizeof *j);
    rpt_status_t status;

    if (j == NULL || (j->path = strdup(path)) == NULL) {
        free(j);
        return rpt__fail_nomem(sizeof *j + strlen(path));
    }
    j->commit_s = rpt__option_seconds(options, RPT_OPT_JOURNAL_COMMIT_S);
    j->sync = rpt__option_switch(options, RPT_OPT_JOURNAL_SYNC);
    status = rpt__folder_open(j->path, &j->folder);
    if (status != RPT_OK) {
        goto free_journal;
    }
    status = make_file(j, epoch, writer);
    if (status != RPT_OK) {
        goto close_folder;
    }
    status = start_thread(j);
    if (status != RPT_OK) {
        goto remove_file;
    }
    *journal_out = j;
    return RPT_OK;

remove_file:
    close(j->fd);
    rpt__disk()->remove(j->folder.fd, j->name);
close_folder:
    rpt__folder_close(&j->folder);
free_journal:
    free(j->path);
    free(j);
    return status;
}

/* ---- appending ---- */

/* Puts the frame into the buffer, a MARK before it if it is the batch's first;
 * false when memory runs out. */
static bool put(struct rpt_journal *j, uint32_t type, const void *data,
                size_t bytes)
{
    struct rpt_frame frame = { type, (uint32_t)bytes, 0 };
    size_t mark_bytes = j->sync && j->active.bytes == 0 ? rpt__frame_bytes(8)
                                                        : 0;
    size_t all_bytes = mark_bytes + rpt__frame_bytes(bytes);
    char *end = rpt__buf_reserve(&j->active, all_bytes);

    if (end == NULL) {
        j->active.failed = false;
        return false;
    }
    if (mark_bytes > 0) {
        struct rpt_frame mark = { RPT_TYPE_MARK, 8, ++j->sequence };

        /* The number is filled in when the batch is written. */
        rpt__frame_put(end, &mark, &(uint64_t){ 0 });
    }
    frame.sequence = ++j->sequence;
    rpt__frame_put(end + mark_bytes, &frame, data);
    j->active.bytes += all_bytes;
    j->appended += all_bytes;
    return true;
}

/* Under the mutex. */
static void wait_until(struct rpt_journal *j, uint64_t target)
{
    if (target > j->wanted) {
        j->wanted = target;
    }
    while (!has_failed(j) && j->durable < target) {
        pthread_cond_signal(&j->work);
        pthread_cond_wait(&j->done, &j->mutex);
    }
}

static rpt_status_t append(struct rpt_journal *j, uint32_t type,
                           const void *data, size_t bytes)
{
    bool first, early;

    while (!has_failed(j) && j->appended - j->durable > WAITING_MAX) {
        wait_until(j, j->appended - WAITING_MAX);
    }
    if (has_failed(j)) {
        return RPT_ERR_IO;
    }
    first = j->active.bytes == 0;
    early = j->active.bytes >= EARLY_BYTES;
    if (!put(j, type, data, bytes)) {
        return RPT_ERR_NOMEM;
    }
    if (first) {
        j->deadline = rpt__deadline_after(j->commit_s);
    }
    if (j->commit_s <= 0) {
        wait_until(j, j->appended);
    } else if (first || early != (j->active.bytes >= EARLY_BYTES)) {
        pthread_cond_signal(&j->work);
    }
    return RPT_OK;
}

rpt_status_t rpt__journal_append(struct rpt_journal *journal, uint32_t type,
                                 const void *data, size_t bytes)
{
    rpt_status_t status;

    if (type >= RPT_TYPE_OWN) {
        return rpt__fail(RPT_ERR_INVALID,
                         "record types from 0x%x on are the journal's own",
                         RPT_TYPE_OWN);
    }
    if (bytes > RPT_PAYLOAD_MAX) {
        rpt__fail(RPT_ERR_OVERFLOW,
                  "a journal record of %zu bytes is larger than 1 GiB", bytes);
        rpt__fail_hint("keep large data in files, and their names in the "
                       "record");
        return RPT_ERR_OVERFLOW;
    }
    pthread_mutex_lock(&journal->mutex);
    status = append(journal, type, data, bytes);
    pthread_mutex_unlock(&journal->mutex);
    if (status == RPT_ERR_NOMEM) {
        return rpt__fail_nomem(bytes);
    }
    return rpt__journal_status(journal);
}

rpt_status_t rpt__journal_commit(struct rpt_journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    wait_until(journal, journal->appended);
    pthread_mutex_unlock(&journal->mutex);
    return rpt__journal_status(journal);
}

void rpt__journal_close(struct rpt_journal *journal)
{
    if (journal == NULL) {
        return;
    }
    pthread_mutex_lock(&journal->mutex);
    journal->stop = true;
    pthread_cond_signal(&journal->work);
    pthread_mutex_unlock(&journal->mutex);
    pthread_join(journal->thread, NULL);
    if (has_failed(journal) && !journal->told) {
        /* Closing cannot fail, but the loss must not go unsaid. */
        rpt__log(RPT_LOG_ERROR, "%s: %s", journal->what, journal->why);
    }
    pthread_cond_destroy(&journal->done);
    pthread_cond_destroy(&journal->work);
    pthread_mutex_destroy(&journal->mutex);
    close(journal->fd);
    rpt__folder_close(&journal->folder);
    rpt__buf_free(&journal->active);
    rpt__buf_free(&journal->writing);
    free(journal->what);
    free(journal->why);
    free(journal->hint);
    free(journal->path);
    free(journal);
}
