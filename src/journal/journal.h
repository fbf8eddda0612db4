/*
 * journal.h - a state directory, and checksummed append-only files in it
 *
 * The journal knows no task: a record is a type and some bytes.
 *
 *   DIR/lock                    held (OFD lock) while a job uses the directory
 *   DIR/epoch-00000003          made by one job only: the third; says who, and
 *                               how long each older journal file was by then
 *   DIR/e00000003-r00000.rptj   what rank 0 of the third job wrote
 *   DIR/e00000000-r00000.rptj   older jobs, compacted
 *   DIR/requests/00000001       left by `repartir submit` and `cancel`
 *
 * Frames: length, type, sequence number, XXH3 checksum, bytes.  Writers append
 * to memory; a thread writes and syncs every journal.commit_s (group commit).
 * Readers stop at the first frame that is torn; what an old job wrote after the
 * next one had begun is ignored (its length was noted then).
 */
#ifndef RPT_JOURNAL_JOURNAL_H
#define RPT_JOURNAL_JOURNAL_H

#include "base/buf.h"
#include "base/options.h"

#include <repartir/base.h>

#include <stdbool.h>
#include <stdint.h>

/* ---- the directory: one holder, usually rank 0 ---- */

struct rpt_statedir;

/* Makes the directory when it is missing, locks it, takes the next epoch.
 * RPT_ERR_BUSY names the host and pid of the holder; RPT_ERR_IO; and
 * RPT_ERR_CORRUPT, RPT_ERR_VERSION for the epoch files that are there. */
rpt_status_t rpt__statedir_open(const char *path, int n_ranks,
                                struct rpt_statedir **dir_out,
                                uint64_t *epoch_out);
/* Gives the lock back.  NULL is ignored. */
void rpt__statedir_close(struct rpt_statedir *dir);

/* ---- reading ---- */

/* What is known about a state directory besides its records. */
struct rpt_statedir_info {
    bool running;   /* a job holds the lock            */
    uint64_t epoch; /* of the last job, 0: none so far */
    int n_ranks;    /* of the last job                 */
    int pid;        /* of its rank 0                   */
    char host[128]; /* of its rank 0                   */
};

/* RPT_ERR_NOT_FOUND: no directory, or none that a job ever used. */
rpt_status_t rpt__statedir_info(const char *path,
                                struct rpt_statedir_info *info_out);

/* One record; data is valid during the call.  Another status than RPT_OK ends
 * the replay and is passed on. */
typedef rpt_status_t (*rpt_replay_fn)(void *user, uint64_t epoch, int writer,
                                      uint32_t type, const void *data,
                                      size_t bytes);

/* Reads the records of all jobs before `epoch` (UINT64_MAX: all), oldest epoch
 * first, writers in order of rank, records in the order in which they were
 * written.  A torn tail ends a file silently, and a last commit of which only
 * parts reached the disk with a warning; RPT_ERR_CORRUPT, naming file and
 * offset, when bytes are damaged that were safe on the disk; RPT_ERR_VERSION
 * for a newer format; RPT_ERR_NOT_FOUND without a directory; RPT_ERR_BUSY when
 * a new job compacted it meanwhile (read it again).  Read only; any process,
 * at any time. */
rpt_status_t rpt__journal_replay(const char *path, uint64_t epoch,
                                 rpt_replay_fn fn, void *user);

/* ---- writing: one file a rank ---- */

struct rpt_journal;

/* Opens this rank's file of the epoch and starts the committing thread.
 * Options journal.commit_s, journal.sync.  RPT_ERR_NOT_FOUND (no directory),
 * RPT_ERR_EXISTS (this rank has its file already), RPT_ERR_IO. */
rpt_status_t rpt__journal_open(const char *path, uint64_t epoch, int writer,
                               const rpt_options_t *options,
                               struct rpt_journal **journal_out);

/* Adds a record.  Any thread.  Returns at once, except while more than 64 MiB
 * wait to be written; with journal.commit_s=0 when the record is on the disk.
 * After a failed write (disk full) every call returns that failure, RPT_ERR_IO.
 * Types from 0xffffff00 on are the journal's own (RPT_ERR_INVALID); at most
 * 1 GiB (RPT_ERR_OVERFLOW). */
rpt_status_t rpt__journal_append(struct rpt_journal *journal, uint32_t type,
                                 const void *data, size_t bytes);

/* Waits until everything appended so far is on the disk. */
rpt_status_t rpt__journal_commit(struct rpt_journal *journal);

/* RPT_OK, or the failure of the committing thread.  Never waits. */
rpt_status_t rpt__journal_status(struct rpt_journal *journal);

/* Commits, closes.  NULL is ignored. */
void rpt__journal_close(struct rpt_journal *journal);

/* Rewrites the files of all jobs before `epoch` as one file that belongs to
 * epoch 0, keeping the records for which keep() is true in their order, and
 * removes the old ones; a crash at any moment loses nothing.  For the holder of
 * the lock, before anything is written in `epoch`. */
typedef bool (*rpt_keep_fn)(void *user, uint64_t epoch, int writer,
                            uint32_t type, const void *data, size_t bytes);
rpt_status_t rpt__journal_compact(const char *path, uint64_t epoch,
                                  rpt_keep_fn keep, void *user);
/* Bytes of all journal files before `epoch`. */
uint64_t rpt__journal_bytes(const char *path, uint64_t epoch);

/* ---- requests to a running job ---- */

/* Leaves a request for the job of an epoch: written aside, synced, linked;
 * numbered in order.  A kind is 1 to 31 small letters.  RPT_ERR_NOT_FOUND
 * without a directory, RPT_ERR_STATE when that job has closed its requests. */
rpt_status_t rpt__statedir_request(const char *path, const char *kind,
                                   const void *text, size_t bytes,
                                   uint64_t epoch);
/* From now on the job of this epoch takes no more requests; the mark is itself
 * the request `number`.  RPT_END: there is another one of that number. */
#define RPT_REQUEST_CLOSE "close"
rpt_status_t rpt__statedir_close_requests(const char *path, uint64_t number,
                                          uint64_t epoch);
/* Reads request number `number` (from 1).  RPT_END: there is none yet.
 * text_out ends with 0 and is released with free(), kind_out too. */
rpt_status_t rpt__statedir_read_request(const char *path, uint64_t number,
                                        char **kind_out, char **text_out,
                                        size_t *bytes_out);

#endif /* RPT_JOURNAL_JOURNAL_H */
