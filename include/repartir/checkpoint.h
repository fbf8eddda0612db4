/*
 * repartir/checkpoint.h - the state of a program, saved and restored
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_CHECKPOINT_H
#define REPARTIR_CHECKPOINT_H

#include <repartir/base.h>
#include <repartir/group.h>
#include <repartir/options.h>
#include <repartir/types.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_checkpoint Checkpoints
 *
 * A program says once what its state is, and then in its loop
 *
 *     rpt_checkpoint_restore(c, &iteration);       RPT_END: start from nothing
 *     for (; iteration < n; iteration++) {
 *         ...
 *         rpt_checkpoint_due(c, iteration + 1, &due);
 *         if (due)
 *             rpt_checkpoint_save(c, iteration + 1);
 *         if (due & RPT_DUE_STOP)
 *             break;
 *     }
 *
 * A checkpoint is a folder DIRECTORY/TASK/it-ITERATION-ID with an HDF5 file,
 * its checksums and a manifest.  It appears in one step when everything is on
 * the disk, and is never changed afterwards; a program that is killed at any
 * moment finds the last one that was whole.
 *
 * What holds for every function below:
 *
 *  - "collective" means: over the group that the checkpoints were opened with,
 *    in the same order on all ranks; it may be mixed with other calls of that
 *    group, since checkpoints have a group of their own;
 *  - a failure on one rank is returned on all ranks, with its text; the
 *    checkpoints that are there are never harmed by it, and the program may go
 *    on and try again;
 *  - one thread of a rank at a time.
 *
 * \since 0.1
 *
 * \{
 */

/** The checkpoints of one task in a directory. */
typedef struct rpt_checkpoint rpt_checkpoint_t;

/** Most dimensions of an array. */
#define RPT_CHECKPOINT_DIMS 8

/** Open the checkpoints of a task.
 *
 * Collective over \a group.  Blocking.  Makes DIRECTORY and DIRECTORY/TASK when
 * they are missing.  Release with rpt_checkpoint_close().
 *
 * Nobody else may have the same task open for writing meanwhile.  What a killed
 * job left unfinished is completed when all its data are on the disk, and
 * removed otherwise; what cannot be read stays, with a warning.
 *
 * \param group       stays the caller's, and must outlive the checkpoints
 * \param directory   the same on all ranks, reached by all of them
 * \param task        a name of up to 100 letters, digits, '.', '_', '-' and
 *                    '+', not beginning with '.', and not HALT
 * \param options     those of `io.checkpoint`; NULL: of the context.  Stays
 *                    the caller's.
 * \retval RPT_ERR_BUSY      another job writes checkpoints of this task
 * \retval RPT_ERR_IO        the directory cannot be made, or not be used by
 *                           some rank
 * \retval RPT_ERR_INVALID   a bad name, a bad option; the task's folder in it
 *                           is a link, or others may write to it; everybody
 *                           may write to the directory, and it has no sticky
 *                           bit
 * \retval RPT_ERR_MISMATCH  ranks gave different names, or other options: all
 *                           of `io.checkpoint` are the same on all ranks, also
 *                           `local_dir`; but `abort`, `check_s` and `checker`
 * \retval RPT_ERR_UNSUPPORTED  options that do not go together, such as
 *                           `io.checkpoint.engine=collective` with compression
 * \retval RPT_ERR_SYSTEM    a rank cannot start the thread that writes, or may
 *                           open no more files
 * \retval RPT_ERR_PEER, RPT_ERR_TIMEOUT, RPT_ERR_NOMEM, RPT_ERR_STATE
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_open(rpt_group_t *group,
                                         const char *directory,
                                         const char *task,
                                         const rpt_options_t *options,
                                         rpt_checkpoint_t **checkpoint_out);

/** Release.  Collective.  Blocking: a save that is under way is finished, or
 * given up within some times `io.checkpoint.deadline_s`.  NULL is ignored.
 *
 * A job that does not come here counts as one that failed: for the mean time
 * between failures, and against the checkpoint that it had restored.  So a
 * program that finds its state useless ends without it. */
RPT_API void rpt_checkpoint_close(rpt_checkpoint_t *checkpoint);

/** \} */

/**
 * \defgroup rpt_state_items What the state is
 *
 * Not collective, and return at once; but all ranks describe the same items.
 * What does not fit together is found by the next save or restore.  A name
 * that is given again replaces what it stood for, so that a block may move.
 *
 * Names are paths of HDF5, in UTF-8, of up to 255 bytes: "temperature",
 * "flow/u".  Names that begin with "repartir/" are the library's.  Names are
 * copied; data stay the caller's, and are read during a save and written during
 * a restore.
 *
 * Data of arrays and values may be in the memory of GPUs (CUDA), of one or
 * several of them: what memory it is shows at each save and restore.  These
 * copy in a stream of their own, behind what the default stream of that GPU
 * has at the call; work in streams that do not wait for that one
 * (cudaStreamNonBlocking) must be over when the call is made.  The copies are
 * over when it returns.  It needs librepartir-gpu (`device.use`).
 *
 * \since 0.1
 *
 * \{
 */

/** This rank's part of an array that is spread over the ranks.  Row-major: the
 * last dimension is the one that runs fastest. */
typedef struct rpt_checkpoint_array {
    size_t size;      /**< sizeof(rpt_checkpoint_array_t), set by the caller  */
    const char *name; /**< as a path of HDF5                                  */
    rpt_type_t type;  /**< of an element                                      */
    int n_dims; /**< 1 … #RPT_CHECKPOINT_DIMS                           */
    /** extent of the whole array; the same on all ranks */
    uint64_t dims[RPT_CHECKPOINT_DIMS];
    /** where this rank's block begins in it */
    uint64_t start[RPT_CHECKPOINT_DIMS];
    /** extent of the block; one may be 0: this rank has nothing.  Blocks of
     * ranks must not overlap; what none has is 0 in the file (a hole, that
     * takes no memory and no room, but time when it is restored) */
    uint64_t count[RPT_CHECKPOINT_DIMS];
    /** extent of the memory at data, with ghost cells; all 0: as count */
    uint64_t memory_dims[RPT_CHECKPOINT_DIMS];
    /** where the block begins in that memory */
    uint64_t memory_start[RPT_CHECKPOINT_DIMS];
    /** memory_dims elements, of the host or of a GPU; may be NULL for an empty
     * block */
    void *data;
} rpt_checkpoint_array_t;

/** Add a block of an array.
 *
 * \retval RPT_ERR_INVALID  the block does not lie in the array, or not in the
 *                          memory; a bad name, type or size, or more
 *                          elements than there are numbers
 * \retval RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_add_array(
    rpt_checkpoint_t *checkpoint, const rpt_checkpoint_array_t *array);

/** Add what is the same on all ranks, such as a time or a table.
 *
 * Saved by rank 0, restored on all ranks.  \a count may be 0.  \a data is of
 * the host or of a GPU.
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_add_value(rpt_checkpoint_t *checkpoint,
                                              const char *name, rpt_type_t type,
                                              size_t count, void *data);

/** How bytes that ranks packed come back to another number of ranks. */
typedef enum rpt_blob_policy {
    /** each rank gets its own; another number of ranks is an error */
    RPT_BLOB_SAME_RANKS = 0,
    /** those of M ranks are dealt out in order over the N that restore: some
     * get several, some none */
    RPT_BLOB_SPREAD = 1,
    /** every rank gets all of them, in order */
    RPT_BLOB_ALL = 2
} rpt_blob_policy_t;

/** Bytes that this rank packs and unpacks itself. */
typedef struct rpt_checkpoint_blob {
    size_t size;      /**< sizeof(rpt_checkpoint_blob_t), set by the caller */
    const char *name; /**< as a path of HDF5, of up to 239 bytes            */
    /** Tells how many bytes pack() will write.  Called once at each save.  A
     * status other than 0 fails the save on all ranks; one above 0, of this and
     * the next two, as RPT_ERR_INVALID. */
    rpt_status_t (*measure)(void *user, uint64_t *bytes_out);
    /** Writes them.  A status other than 0 fails the save on all ranks. */
    rpt_status_t (*pack)(void *user, void *bytes, uint64_t n_bytes);
    /** Gets what rank \a from of \a n_from ranks packed.  A status other than
     * 0 fails the restore on all ranks. */
    rpt_status_t (*unpack)(void *user, const void *bytes, uint64_t n_bytes,
                           int from, int n_from);
    void *user;               /**< handed to them as it is  */
    rpt_blob_policy_t policy; /**< who gets what            */
} rpt_checkpoint_blob_t;

/** Add bytes that this rank packs itself.
 *
 * The functions are called inside rpt_checkpoint_save(), _save_async() and
 * _restore(), by the calling thread, and must not call this library.
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_add_blob(rpt_checkpoint_t *checkpoint,
                                             const rpt_checkpoint_blob_t *blob);

/** Set an attribute in the HDF5 file; of rank 0, copied.
 *
 * For what does not change from one save to the next, such as units or the
 * parameters of a run.  A name, of up to 255 bytes, that is set again replaces
 * the value, of up to 60000 bytes.
 *
 * \param item   the array, value or blob that it belongs to, NULL: the file
 * \param count  elements, 1 or more
 * \retval RPT_ERR_INVALID    a bad name, type or length
 * \retval RPT_ERR_NOT_FOUND  there is no such item: add it first
 * \retval RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_set_attribute(rpt_checkpoint_t *checkpoint,
                                                  const char *item,
                                                  const char *name,
                                                  rpt_type_t type, size_t count,
                                                  const void *value);

/** Set a text, in UTF-8, as an attribute: see rpt_checkpoint_set_attribute(),
 * which also says when it ends with one of these.
 * \retval RPT_ERR_INVALID, RPT_ERR_NOT_FOUND, RPT_ERR_NOMEM
 */
RPT_API rpt_status_t rpt_checkpoint_set_text(rpt_checkpoint_t *checkpoint,
                                             const char *item, const char *name,
                                             const char *text);

/** \} */

/**
 * \defgroup rpt_checkpoint_loop In the loop
 *
 * \since 0.1
 *
 * \{
 */

/** Why a checkpoint is due; several may hold at once. */
typedef enum rpt_due {
    RPT_DUE_NO = 0,
    RPT_DUE_ITERATIONS = 1, /**< a multiple of `io.checkpoint.every` is past  */
    RPT_DUE_SECONDS = 2,    /**< `io.checkpoint.interval_s` are over          */
    RPT_DUE_DALY = 4,       /**< Daly's interval is over, or it is the first  */
    RPT_DUE_SIGNAL = 8,     /**< a signal of `io.checkpoint.signals` came     */
    RPT_DUE_END = 16,       /**< the allocation ends soon                     */
    RPT_DUE_HALT = 32       /**< there is a file HALT in the directory        */
} rpt_due_t;

/** Those reasons after which the program should save and end, with
 * #RPT_EXIT_AGAIN. */
#define RPT_DUE_STOP (RPT_DUE_SIGNAL | RPT_DUE_END | RPT_DUE_HALT)

/** Exit code of a program that saved its state and wants to be started again
 * (EX_TEMPFAIL of sysexits.h). */
#define RPT_EXIT_AGAIN 75

/** Ask whether a checkpoint is due.
 *
 * Collective.  Blocking; some microseconds.  Rank 0 decides, all ranks get the
 * same answer.  The reasons are looked at one by one: see the options of
 * `io.checkpoint`.
 *
 * \param iteration  how far the program is: that of the save that would follow
 * \param due_out    [out] a sum of #rpt_due_t
 * \retval RPT_ERR_MISMATCH  ranks gave different iterations
 * \retval RPT_ERR_TIMEOUT   a rank did not come within `coll.deadline_s`
 * \retval RPT_ERR_INVALID, RPT_ERR_STATE, RPT_ERR_PEER, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_due(rpt_checkpoint_t *checkpoint,
                                        uint64_t iteration, int *due_out);

/** Save the state.
 *
 * Collective.  Blocking, until it is committed: on the disks of all nodes, and
 * under its name.  With `io.checkpoint.local_dir` most of them stay on the
 * nodes; a restore finds those, too.  Older ones are removed in the background
 * then, before the next save writes, as the options `io.checkpoint.keep…` say.
 * A save that is under way is finished first.
 *
 * With `io.checkpoint.engine=collective` all ranks are inside of MPI-IO
 * together, which has no deadline: when it has not come back from one step for
 * `io.checkpoint.deadline_s`, the job is ended by MPI_Abort, after a message
 * that says which ranks are missed: at once by a rank that sees which, else
 * some seconds later (3, and 10 for each rank of the host that goes before).
 * `io.checkpoint.abort=no`: it is said, and the call waits.
 *
 * \param iteration  how far the program is; the highest one is restored.  Up
 *                   to 2^63 - 1
 * \retval RPT_ERR_IO        some rank could not write; the error says which.
 *                           The checkpoints before are intact.
 * \retval RPT_ERR_MISMATCH  ranks described different items or gave different
 *                           iterations
 * \retval RPT_ERR_INVALID   blocks of ranks overlap; another iteration was
 *                           begun; NULL
 * \retval RPT_ERR_OVERFLOW  an iteration above 2^63 - 1; or more than a
 *                           checkpoint holds: of items or files, or of blocks
 *                           with a checksum each.  Several tasks hold more.
 * \retval RPT_ERR_EXISTS    there is a committed one of a higher iteration; two
 *                           ranks wrote the same file
 * \retval RPT_ERR_TIMEOUT   a rank did not come, or did not finish its part,
 *                           within `io.checkpoint.deadline_s`
 * \retval RPT_ERR_UNSUPPORTED  librepartir-hdf5 cannot be opened, or the engine
 *                           cannot be used here
 * \retval RPT_ERR_SYSTEM    some rank could not copy from its GPU, start a
 *                           thread, or open one more file; rank 0 got no random
 *                           numbers, or cannot read the structure that HDF5 has
 *                           made
 * \retval RPT_ERR_NOT_FOUND  a file that was routed is not there; or
 *                           device.use=yes, and librepartir-gpu cannot be used
 * \retval RPT_ERR_NOMEM, RPT_ERR_PEER, RPT_ERR_STATE, or what a function of a
 *         blob returned
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_save(rpt_checkpoint_t *checkpoint,
                                         uint64_t iteration);

/** Begin to save the state.
 *
 * Collective.  Returns when the state is copied: the program may change it at
 * once.  A thread of each rank writes; the checkpoint is committed in the
 * background (rpt_context_progresses()), or else in the next calls of this
 * library.  How it went is told by rpt_checkpoint_test() or _wait().  One that
 * is under way is finished first.
 *
 * With `io.checkpoint.engine=collective` the data are written in this call,
 * since MPI-IO needs all ranks and their main threads: only what comes then,
 * reading back, sync and commit, is left to the thread.
 *
 * Statuses are those of rpt_checkpoint_save(); what is found later is told by
 * rpt_checkpoint_wait().
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_save_async(rpt_checkpoint_t *checkpoint,
                                               uint64_t iteration);

/** Whether the save that was begun last is over.
 *
 * Not collective.  Returns at once.
 * \retval RPT_OK       it is committed, or there was none
 * \retval RPT_PENDING  it is under way
 * \return otherwise why it failed; told once, by this or by
 *         rpt_checkpoint_wait()
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_test(rpt_checkpoint_t *checkpoint);

/** Wait until the save that was begun last is committed.
 *
 * Not collective: but it ends only when all ranks drive the library now and
 * then, or have a thread that does.
 * \return as rpt_checkpoint_test(), but never #RPT_PENDING
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_wait(rpt_checkpoint_t *checkpoint);

/** Restore the newest state that is whole.
 *
 * Collective.  Blocking.  The newest checkpoint, by iteration and time, whose
 * every byte all ranks have found to be what was written.  One that is damaged
 * is put aside as .bad-ID, and the one before is used; so is one that was
 * restored `io.checkpoint.tries` times by jobs that neither committed one more
 * nor closed, unless there is no other.  One that some rank cannot read, such
 * as for a fault of the disk or for lack of permission, is passed over with a
 * warning, and stays where it is.  So the state may be older than the newest
 * one: \a iteration_out says which it is.
 *
 * The number of ranks and the blocks may differ from those that saved; the
 * items must be there, with the same types and extents of the whole arrays.
 * There may be more in the file.
 *
 * \param iteration_out  [out] what was given to the save
 * \retval RPT_END            there is none: start from the beginning
 * \retval RPT_ERR_NOT_FOUND  an item is not in the newest good one; or
 *                            device.use=yes, and librepartir-gpu cannot be used
 * \retval RPT_ERR_MISMATCH   ranks described different items, or an item has
 *                            another type or extent than in the file
 * \retval RPT_ERR_CORRUPT    there are some, but none is whole and can be read;
 *                            also when all were put aside before
 * \retval RPT_ERR_VERSION    a newer librepartir wrote the newest one
 * \retval RPT_ERR_UNSUPPORTED  a blob asks for as many ranks as saved it
 * \retval RPT_ERR_SYSTEM     some rank could not copy to its GPU, or may open
 *                            no more files: that says nothing of checkpoints
 * \retval RPT_ERR_INVALID, RPT_ERR_IO, RPT_ERR_NOMEM, RPT_ERR_TIMEOUT,
 *         RPT_ERR_PEER, RPT_ERR_STATE, or what a function of a blob returned.
 *         Items may have been written to then.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_restore(rpt_checkpoint_t *checkpoint,
                                            uint64_t *iteration_out);

/** Where the checkpoint is that was restored last.
 *
 * Not collective.  Returns at once.  Its folder has the file `state.h5`, and
 * under `files` what the program wrote itself; all of it was right when it was
 * restored.  It may be read until the next save, which may remove it.  For the
 * newest one, without a job, see rpt_catalog_path().
 *
 * \param path_out  [out] beginning as the directory was given; release with
 *                  free()
 * \retval RPT_ERR_STATE  nothing was restored
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_restored_path(
    const rpt_checkpoint_t *checkpoint, char **path_out);

/** \} */

/**
 * \defgroup rpt_checkpoint_files Files of the program
 *
 * A program that writes its state itself, in whatever format, does so where it
 * is told, and has that checked, committed, kept and found again:
 *
 *     rpt_checkpoint_begin(c, iteration);
 *     rpt_checkpoint_route(c, "mine/rank3.dat", &path);
 *     ... writes and closes that file ...
 *     rpt_checkpoint_save(c, iteration);
 *
 * Items and files may be used together.
 *
 * \since 0.1
 *
 * \{
 */

/** Begin a checkpoint, so that files can be written into it.
 *
 * Collective.  Blocking: a save that is under way is finished first.  Ends with
 * rpt_checkpoint_save() or _save_async() of the same iteration; with
 * rpt_checkpoint_restore() or _close() it comes to nothing.  When that save
 * fails, its files are gone: begin again and write them again, or the save is
 * #RPT_ERR_STATE.
 *
 * \retval RPT_ERR_EXISTS    there is a committed one of a higher iteration
 * \retval RPT_ERR_OVERFLOW  an iteration above 2^63 - 1
 * \retval RPT_ERR_INVALID   another iteration was begun; NULL
 * \retval RPT_ERR_SYSTEM    rank 0 got no random numbers
 * \retval RPT_ERR_MISMATCH, RPT_ERR_IO, RPT_ERR_TIMEOUT, RPT_ERR_PEER,
 *         RPT_ERR_STATE, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_begin(rpt_checkpoint_t *checkpoint,
                                          uint64_t iteration);

/** Where this rank writes a file of the checkpoint that was begun.
 *
 * Not collective.  Returns at once.  Folders above the file are made.  The file
 * must be there and closed when the save is called; then it is read once for
 * its checksum and synced, in the background.  Each name is of one rank.
 *
 * \param name      a relative path in UTF-8 of up to 255 bytes, such as
 *                  "mesh/part3"
 * \param path_out  [out] release with free()
 * \retval RPT_ERR_STATE    none was begun
 * \retval RPT_ERR_INVALID, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_route(rpt_checkpoint_t *checkpoint,
                                          const char *name, char **path_out);

/** Where a file of the checkpoint that was restored last is.
 *
 * Not collective.  Returns at once.  Any rank, whoever wrote it; its checksum
 * was right when it was restored.  It may be read until the next save, which
 * may remove the checkpoint.
 *
 * \param path_out  [out] release with free()
 * \retval RPT_ERR_NOT_FOUND  it has no such file
 * \retval RPT_ERR_STATE      nothing was restored
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_file(rpt_checkpoint_t *checkpoint,
                                         const char *name, char **path_out);

/** \} */

/**
 * \defgroup rpt_checkpoint_cost What it costs
 *
 * \since 0.1
 *
 * \{
 */

/** What saving has cost so far, on this rank. */
typedef struct {
    size_t size;      /**< size of this struct, set by the library          */
    uint64_t n_saves; /**< committed                                        */
    uint64_t
        n_failures;   /**< begun, but not committed                         */
    uint64_t bytes;   /**< written by this rank, in all saves; compressed   */
    double blocked_s; /**< in which the calls of the last save did not return */
    double write_s;   /**< in which the thread wrote and synced, last save  */
    double hash_s;    /**< of that, in checksums                            */
    double total_s;   /**< to the commit from the call, or from the end of the
                         save before, last save                             */
    double interval_s; /**< Daly's interval, 0: not known yet                */
    double pack_s;     /**< of write_s, in compression                       */
    uint64_t n_local;  /**< of n_saves: those that stayed on the nodes       */
} rpt_checkpoint_stats_t;

/** What saving has cost so far.  Not collective.
 * \retval RPT_ERR_INVALID  NULL
 */
RPT_API rpt_status_t rpt_checkpoint_stats(const rpt_checkpoint_t *checkpoint,
                                          rpt_checkpoint_stats_t *stats_out);

/** The interval between checkpoints at which the least time is lost.
 *
 * Daly's higher-order formula (2006, doi:10.1016/j.future.2004.11.016).  Not
 * collective.  From the end of one checkpoint to the begin of the next.
 *
 * \param cost_s  seconds that one checkpoint takes, > 0
 * \param mtbf_s  mean time between failures, > 0
 * \return seconds; mtbf_s where a checkpoint costs two of these or more; 0 for
 *         bad arguments
 * \since 0.1
 */
RPT_API double rpt_checkpoint_interval(double cost_s, double mtbf_s);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_CHECKPOINT_H */
