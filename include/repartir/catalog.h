/*
 * repartir/catalog.h - look at checkpoints, and remove some, without a job
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_CATALOG_H
#define REPARTIR_CATALOG_H

#include <repartir/base.h>
#include <repartir/checkpoint.h>
#include <repartir/options.h>
#include <repartir/types.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_catalog Catalogs of checkpoints
 *
 * What is in a directory of checkpoints, at one moment.  Saves that are on the
 * nodes only (`io.checkpoint.local_dir`) are not seen.
 *
 * What holds for every function below:
 *
 *  - not collective, no context and no MPI; blocking, as files are;
 *  - it works while a job writes there, and does not disturb it.  What the job
 *    removes meanwhile gives #RPT_ERR_NOT_FOUND, with the text "is gone";
 *  - nothing is written but by the functions that say so;
 *  - no link below the directory is followed, and nothing is opened that is no
 *    regular file;
 *  - who may open no more files gets #RPT_ERR_SYSTEM, besides what each
 *    function says; of the checkpoints that tells nothing;
 *  - one thread at a time for each catalog and each checkpoint that is open.
 *
 * \since 0.1
 *
 * \{
 */

/** What a directory of checkpoints had when it was opened. */
typedef struct rpt_catalog rpt_catalog_t;

/** What a folder of a checkpoint is. */
typedef enum rpt_stored_state {
    RPT_STORED_COMMITTED = 0,  /**< its manifest is right                    */
    RPT_STORED_DAMAGED = 1,    /**< committed, but its manifest is damaged   */
    RPT_STORED_UNREADABLE = 2, /**< committed, but cannot be used: a newer
                                 format, no permission, a fault of the disk,
                                 a folder of somebody else, or that others
                                 may write                                   */
    RPT_STORED_BAD = 3,        /**< a job has put it aside (.bad-ID)         */
    RPT_STORED_TMP = 4         /**< it is being written, or a job was killed
                                 while it wrote it (.tmp-ID)                 */
} rpt_stored_state_t;

/** Number of states. */
#define RPT_N_STORED_STATES 5

/** "committed", "damaged-manifest", "unreadable", "bad", "tmp"; never NULL. */
RPT_API const char *rpt_stored_state_name(rpt_stored_state_t state);

/** A task of a directory. */
typedef struct {
    size_t size;      /**< size of this struct, set by the library           */
    const char *name; /**< of the task                                       */
    uint64_t n_by_state[RPT_N_STORED_STATES]; /**< its folders               */
    uint64_t bytes; /**< of the files in them                                */
    int is_open;    /**< 1 while a job writes its checkpoints                */
    const char *host; /**< of the job that had it open last, "" when unknown */
    int pid;          /**< of that job's rank 0, 0 when unknown              */
} rpt_catalog_task_t;

/** A folder of a checkpoint.  What its manifest does not say is 0 or "". */
typedef struct {
    size_t size;         /**< size of this struct, set by the library        */
    const char *task;    /**< of which it is                                 */
    const char *name;    /**< of the folder                                  */
    uint64_t id;         /**< drawn when it was saved                        */
    uint64_t iteration;  /**< how far the program was                        */
    double time_s;       /**< when the save began, since 1970                */
    int n_ranks;         /**< that saved it                                  */
    const char *engine;  /**< option `io.checkpoint.engine`                  */
    const char *host;    /**< of rank 0                                      */
    const char *library; /**< version that wrote it                          */
    uint64_t bytes;      /**< of its files, those of the program too; of a
                           compressed one, on the disk                       */
    uint64_t n_datasets; /**< in it                                          */
    uint64_t n_files;    /**< that the program wrote itself, see
                           rpt_checkpoint_route(); 0 until it is committed   */
    rpt_stored_state_t state; /**< whether it counts                         */
    const char *why;          /**< it is damaged or unreadable; else ""      */
} rpt_catalog_entry_t;

/** Look into a directory of checkpoints.
 *
 * Reads names, manifests and locks, no data.  Release with
 * rpt_catalog_close().
 *
 * \param path  DIRECTORY, DIRECTORY/TASK, or DIRECTORY/TASK/CHECKPOINT: then
 *              the catalog has only that task, or that checkpoint.
 *              CHECKPOINT is the name of its folder, or what else
 *              rpt_catalog_find() takes
 * \retval RPT_ERR_NOT_FOUND  there is no such directory, or checkpoint
 * \retval RPT_ERR_INVALID, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_catalog_open(const char *path,
                                      rpt_catalog_t **catalog_out);

/** Release.  What it has given becomes invalid.  NULL is ignored. */
RPT_API void rpt_catalog_close(rpt_catalog_t *catalog);

/** The directory with the tasks, whatever was given; belongs to the catalog,
 * NULL for NULL. */
RPT_API const char *rpt_catalog_directory(const rpt_catalog_t *catalog);

/** The name of the one checkpoint that the path named; belongs to the catalog,
 * NULL when it named a directory or a task. */
RPT_API const char *rpt_catalog_checkpoint(const rpt_catalog_t *catalog);

/** The i-th task, by name.
 *
 * \param task_out  [out] belongs to the catalog
 * \retval RPT_END  there are only \a index tasks
 * \retval RPT_ERR_INVALID
 * \since 0.1
 */
RPT_API rpt_status_t rpt_catalog_task(const rpt_catalog_t *catalog,
                                      size_t index,
                                      const rpt_catalog_task_t **task_out);

/** The i-th checkpoint: task by task, in each the newest first; folders that do
 * not count stand after those that do.
 *
 * \param entry_out  [out] belongs to the catalog
 * \retval RPT_END  there are only \a index checkpoints
 * \retval RPT_ERR_INVALID
 * \since 0.1
 */
RPT_API rpt_status_t rpt_catalog_entry(const rpt_catalog_t *catalog,
                                       size_t index,
                                       const rpt_catalog_entry_t **entry_out);

/** Find a checkpoint.
 *
 * \param task   its task; NULL when the catalog has only one
 * \param which  name of its folder, id, iteration (the newest of that one), or
 *               "newest" (that counts); NULL: the newest
 * \param entry_out  [out] belongs to the catalog
 * \retval RPT_ERR_NOT_FOUND  no such task, no such checkpoint, or none at all
 * \retval RPT_ERR_INVALID    there are several tasks, and none was named
 * \since 0.1
 */
RPT_API rpt_status_t rpt_catalog_find(const rpt_catalog_t *catalog,
                                      const char *task, const char *which,
                                      const rpt_catalog_entry_t **entry_out);

/** Where a checkpoint is.
 *
 * Its folder is DIRECTORY/TASK/NAME, and has the file `state.h5` with arrays,
 * values and blobs, and under `files` what the program wrote itself
 * (rpt_checkpoint_route()).  Nothing of it is read now: a manifest that is
 * right makes it count, and rpt_stored_verify() proves its data.  Whoever opens
 * its files later may find that the job has removed it meanwhile, also the
 * newest one, when as many were saved since as the job keeps.
 *
 * \param task   its task; NULL when the catalog has only one
 * \param which  as for rpt_catalog_find(); NULL: the newest
 * \param path_out  [out] absolute; release with free()
 * \retval RPT_ERR_NOT_FOUND  no such task, no such checkpoint, or none at all
 * \retval RPT_ERR_INVALID    there are several tasks, and none was named
 * \retval RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_catalog_path(const rpt_catalog_t *catalog,
                                      const char *task, const char *which,
                                      char **path_out);

/** Something that happened to a task's checkpoints. */
typedef struct {
    char event[16];     /**< "open", "close", "commit", "failure", "verify",
                           "restore", "aside"; "history": what older ones,
                           which are there no more, say together             */
    double time_s;      /**< since 1970                                      */
    uint64_t id;        /**< of the checkpoint, 0: of none                   */
    uint64_t iteration; /**< of the checkpoint                               */
    double seconds;     /**< it took                                         */
    int64_t pid;        /**< of rank 0                                       */
} rpt_catalog_event_t;

/** What has happened to a task's checkpoints, in that order.
 *
 * Reads the file now.
 *
 * \param task        NULL when the catalog has only one
 * \param events_out  [out] release with free(); NULL when there are none
 * \retval RPT_ERR_NOT_FOUND  no such task
 * \retval RPT_ERR_CORRUPT    the file is longer than such a file can be
 * \retval RPT_ERR_INVALID, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_catalog_events(const rpt_catalog_t *catalog,
                                        const char *task,
                                        rpt_catalog_event_t **events_out,
                                        size_t *n_out);

/** How often a task should save. */
typedef struct {
    size_t size;         /**< size of this struct, set by the library        */
    double interval_s;   /**< between checkpoints; 0: cost is not known      */
    double cost_s;       /**< median of the last 16 saves, from the call to
                           the commit; 0: there was none                     */
    double mtbf_s;       /**< mean time between failures: that of all jobs by
                           those that did not close, 10 min or more; a day
                           when none failed                                  */
    uint64_t n_commits;  /**< saves that were committed                      */
    uint64_t n_failures; /**< jobs that did not close; not one that runs     */
    double run_s;        /**< of all jobs                                    */
} rpt_catalog_interval_t;

/** How often a task should save: Daly's interval from what has happened so far.
 *
 * A save in the background costs the program less than the time it takes; so
 * the interval is an upper bound for these.  See rpt_checkpoint_interval().
 *
 * \param task  NULL when the catalog has only one
 * \retval RPT_ERR_NOT_FOUND, RPT_ERR_CORRUPT, RPT_ERR_INVALID, RPT_ERR_IO,
 *         RPT_ERR_NOMEM: as rpt_catalog_events()
 * \since 0.1
 */
RPT_API rpt_status_t rpt_catalog_interval(const rpt_catalog_t *catalog,
                                          const char *task,
                                          rpt_catalog_interval_t *interval_out);

/** \} */

/**
 * \defgroup rpt_catalog_write Removing checkpoints
 *
 * These change the directory.  They may do so while a job writes there: what is
 * committed is first renamed, as the job does it, so that it is whole or does
 * not count; and nothing is taken that the job is about to commit.  They look
 * at the folders as they are now.
 *
 * \since 0.1
 *
 * \{
 */

/** Flags of the functions that remove. */
enum {
    RPT_CATALOG_DRY_RUN = 1, /**< remove nothing, tell what would go         */
    RPT_CATALOG_DAMAGED = 2, /**< what is damaged or was put aside goes too;
                               for rpt_catalog_prune() also
                               #RPT_CATALOG_VERIFY                           */
    RPT_CATALOG_FORCE = 4,   /**< the newest may go                          */
    RPT_CATALOG_VERIFY = 8   /**< only if the newest has all its checksums   */
};

/** Is told of each checkpoint that went, or would go; the entry is valid during
 * the call. */
typedef void (*rpt_catalog_fn)(void *user, const rpt_catalog_entry_t *entry);

/** Remove old checkpoints of a task by the rules that jobs have.
 *
 * Those are the options `io.checkpoint.keep…`.  The newest one whose manifest
 * is right never goes, nor the last one that a job has verified.  What cannot
 * be read is left alone; so is what is damaged, without #RPT_CATALOG_DAMAGED.
 *
 * \param task     NULL when the catalog has only one
 * \param options  NULL: values of files and environment
 * \param flags    #RPT_CATALOG_DRY_RUN, #RPT_CATALOG_DAMAGED,
 *                 #RPT_CATALOG_VERIFY: with one of the last two the newest is
 *                 read before anything goes
 * \param fn       is called for each that went, may be NULL
 * \retval RPT_ERR_NOT_FOUND  no such task
 * \retval RPT_ERR_CORRUPT    the newest is damaged: nothing was removed
 * \retval RPT_ERR_IO         one could not be removed; others are
 * \retval RPT_ERR_INVALID    the catalog is of one checkpoint only
 * \retval RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_catalog_prune(const rpt_catalog_t *catalog,
                                       const char *task,
                                       const rpt_options_t *options, int flags,
                                       rpt_catalog_fn fn, void *user);

/** Remove one checkpoint.
 *
 * \param task   NULL when the catalog has only one
 * \param which  as for rpt_catalog_find(); not NULL
 * \param flags  #RPT_CATALOG_DRY_RUN, #RPT_CATALOG_FORCE
 * \retval RPT_ERR_STATE      it is the newest one that counts, and
 *                            #RPT_CATALOG_FORCE was not given
 * \retval RPT_ERR_BUSY       it is being written
 * \retval RPT_ERR_NOT_FOUND, RPT_ERR_INVALID, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_catalog_remove(const rpt_catalog_t *catalog,
                                        const char *task, const char *which,
                                        int flags, rpt_catalog_fn fn,
                                        void *user);

/** Remove all that a task has: checkpoints, events, its folder.
 *
 * No job may have it open, and none can open it meanwhile.  Files that are not
 * ours stay, and the folder with them.
 *
 * \param task   is named in any case
 * \param flags  #RPT_CATALOG_DRY_RUN, #RPT_CATALOG_FORCE: without that one a
 *               task that has a checkpoint that counts is kept
 * \retval RPT_ERR_BUSY   a job has it open
 * \retval RPT_ERR_INVALID  the catalog is of one checkpoint only
 * \retval RPT_ERR_STATE  it has checkpoints, and #RPT_CATALOG_FORCE was not
 *                        given
 * \retval RPT_ERR_NOT_FOUND, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_catalog_remove_task(const rpt_catalog_t *catalog,
                                             const char *task, int flags,
                                             rpt_catalog_fn fn, void *user);

/** Make or remove the file HALT: programs with checkpoints in this directory
 * save and end at the next rpt_checkpoint_due(), as long as it is there.
 *
 * It may be there, or not be there, already.
 * \param on  1: make it, 0: remove it
 * \retval RPT_ERR_INVALID, RPT_ERR_IO
 * \since 0.1
 */
RPT_API rpt_status_t rpt_catalog_halt(const rpt_catalog_t *catalog, int on);

/** Whether there is a file HALT now: 1 or 0. */
RPT_API int rpt_catalog_is_halted(const rpt_catalog_t *catalog);

/** \} */

/**
 * \defgroup rpt_stored One checkpoint
 *
 * \since 0.1
 *
 * \{
 */

/** A checkpoint that is open for looking at. */
typedef struct rpt_stored rpt_stored_t;

/** What a dataset holds. */
typedef enum rpt_stored_kind {
    RPT_STORED_ARRAY = 0, /**< blocks of ranks                               */
    RPT_STORED_VALUE = 1, /**< of rank 0                                     */
    RPT_STORED_BLOB = 2   /**< bytes of all ranks, one after another         */
} rpt_stored_kind_t;

/** "array", "value", "blob"; never NULL. */
RPT_API const char *rpt_stored_kind_name(rpt_stored_kind_t kind);

/** A dataset of a checkpoint. */
typedef struct {
    size_t size;            /**< size of this struct, set by the library     */
    const char *name;       /**< as a path of HDF5                           */
    rpt_stored_kind_t kind; /**< where it comes from                         */
    rpt_type_t type;        /**< of an element                               */
    int n_dims;             /**< 0: a scalar                                 */
    uint64_t dims[RPT_CHECKPOINT_DIMS]; /**< extents; row-major              */
    uint64_t offset;                    /**< in the file                     */
    uint64_t bytes;                     /**< of all elements                 */
    uint64_t n_boxes;                   /**< parts that ranks wrote          */
    uint64_t block_bytes;               /**< that have one checksum          */
    uint64_t n_blocks;                  /**< checksums of it                 */
    uint64_t stored_bytes; /**< in the file: fewer where it is compressed     */
    uint64_t chunk[RPT_CHECKPOINT_DIMS]; /**< extents of a chunk; the first is
                              0: it is not compressed, and in one piece      */
} rpt_stored_dataset_t;

/** A part that a rank wrote. */
typedef struct {
    size_t size;     /**< size of this struct, set by the library             */
    size_t dataset;  /**< index; SIZE_MAX: bytes of the file that belong to no
                       dataset, in one dimension                             */
    int writer_rank; /**< who wrote it                                       */
    int n_dims;      /**< as many as are set below, at least one             */
    uint64_t start[RPT_CHECKPOINT_DIMS]; /**< its first element              */
    uint64_t count[RPT_CHECKPOINT_DIMS]; /**< its extents                    */
    uint64_t bytes;                      /**< of its elements                */
    uint64_t n_blocks;                   /**< checksums of it                */
} rpt_stored_box_t;

/** Open a checkpoint.
 *
 * Reads its manifest and its checksums, and proves them.  The catalog may be
 * closed before it.  Release with rpt_stored_close().
 *
 * \param entry  of this catalog; committed, or put aside
 * \retval RPT_ERR_CORRUPT    manifest or checksums are damaged
 * \retval RPT_ERR_VERSION    a newer librepartir wrote it
 * \retval RPT_ERR_STATE      it is not committed
 * \retval RPT_ERR_NOT_FOUND  it is gone
 * \retval RPT_ERR_INVALID, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_stored_open(const rpt_catalog_t *catalog,
                                     const rpt_catalog_entry_t *entry,
                                     rpt_stored_t **stored_out);

/** Release.  NULL is ignored. */
RPT_API void rpt_stored_close(rpt_stored_t *stored);

/** The i-th dataset, in the order of the file; the first ones are the library's
 * own: their names begin with "repartir/".
 *
 * \param dataset_out  [out] belongs to the checkpoint
 * \retval RPT_END  there are only \a index datasets
 * \retval RPT_ERR_INVALID
 * \since 0.1
 */
RPT_API rpt_status_t
rpt_stored_dataset(const rpt_stored_t *stored, size_t index,
                   const rpt_stored_dataset_t **dataset_out);

/** The i-th part that was written.
 *
 * \param box_out  [out] belongs to the checkpoint
 * \retval RPT_END  there are only \a index parts
 * \retval RPT_ERR_INVALID
 * \since 0.1
 */
RPT_API rpt_status_t rpt_stored_box(const rpt_stored_t *stored, size_t index,
                                    const rpt_stored_box_t **box_out);

/** A file that the program wrote itself. */
typedef struct {
    size_t size;      /**< size of this struct, set by the library           */
    const char *name; /**< that was given to rpt_checkpoint_route(): it is
                        below `files` in the folder of the checkpoint        */
    int writer_rank;  /**< who wrote it                                      */
    uint64_t bytes;   /**< of it                                             */
    const char *xxh3; /**< XXH3-128 of its bytes, 32 hexadecimal digits      */
} rpt_stored_file_t;

/** The i-th file that the program wrote itself.
 *
 * \param file_out  [out] belongs to the checkpoint
 * \retval RPT_END  there are only \a index files
 * \retval RPT_ERR_INVALID
 * \since 0.1
 */
RPT_API rpt_status_t rpt_stored_file(const rpt_stored_t *stored, size_t index,
                                     const rpt_stored_file_t **file_out);

/** Read a part of a dataset.
 *
 * The elements come as they are in the file, in the order of bytes of this
 * machine.  They are not proven: see rpt_stored_verify().
 *
 * \param name   of the dataset
 * \param start  first element, for each of its dimensions; NULL: 0
 * \param count  extents; NULL: up to the end.  Both are not looked at for a
 *               scalar.
 * \param data   [out] row-major, without gaps
 * \param bytes  of \a data; what is needed, or more
 * \retval RPT_ERR_NOT_FOUND  there is no such dataset; the checkpoint is gone
 * \retval RPT_ERR_INVALID    the part does not lie in it
 * \retval RPT_ERR_OVERFLOW   \a bytes are too few
 * \retval RPT_ERR_CORRUPT    the file has not its length
 * \retval RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_stored_read(rpt_stored_t *stored, const char *name,
                                     const uint64_t start[],
                                     const uint64_t count[], void *data,
                                     size_t bytes);

/** What rpt_stored_verify() looks at; a sum. */
enum {
    RPT_VERIFY_CHECKSUMS = 1, /**< every byte, by checksums                  */
    RPT_VERIFY_HDF5 = 2       /**< that HDF5 opens the file                  */
};

/** Verify a checkpoint.
 *
 * Checksums first: all bytes are read.  Only when they are right HDF5 opens the
 * file, in a process of its own with limits of memory and time, since a file
 * can be made to crash HDF5: it must have just the datasets that the manifest
 * names, and nothing that leads to other files or needs plug-ins.
 *
 * \param what     a sum of #RPT_VERIFY_CHECKSUMS, #RPT_VERIFY_HDF5
 * \param options  `io.checkpoint.check_s`, `io.checkpoint.checker`,
 *                 `io.hdf5.library`; NULL: values of files and environment
 * \retval RPT_ERR_CORRUPT      it is damaged, or no file of a checkpoint
 * \retval RPT_ERR_NOT_FOUND    it is gone
 * \retval RPT_ERR_UNSUPPORTED  repartir-checker or librepartir-hdf5 are missing
 * \retval RPT_ERR_INVALID, RPT_ERR_IO, RPT_ERR_NOMEM, RPT_ERR_SYSTEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_stored_verify(rpt_stored_t *stored, int what,
                                       const rpt_options_t *options);

/** How a dataset differs. */
typedef enum rpt_difference_kind {
    RPT_DIFFERENCE_NONE = 0,   /**< all elements are the same                */
    RPT_DIFFERENCE_VALUES = 1, /**< some are not                             */
    RPT_DIFFERENCE_SHAPE = 2,  /**< another kind, type or extent             */
    RPT_DIFFERENCE_FIRST = 3,  /**< only the first has it                    */
    RPT_DIFFERENCE_SECOND = 4  /**< only the second has it                   */
} rpt_difference_kind_t;

/** "same", "values", "shape", "only-first", "only-second"; never NULL. */
RPT_API const char *rpt_difference_kind_name(rpt_difference_kind_t kind);

/** How a dataset of two checkpoints differs, or a file of the program. */
typedef struct {
    const char *name;           /**< of the dataset, or "files/NAME" of a
                                     file; belongs to a checkpoint           */
    rpt_difference_kind_t kind; /**< the first that holds                    */
    uint64_t n_elements;        /**< that were compared                      */
    uint64_t n_different;       /**< of them                                 */
    uint64_t first_different;   /**< row-major index of the first one        */
    double most; /**< greatest difference of numbers; 0 for other types; NAN
                    where one is NaN or infinite and the other is not        */
    int is_file; /**< 1: of a file no elements are counted                   */
} rpt_difference_t;

/** Compare two checkpoints, dataset by dataset, and file by file.
 *
 * Files that the program wrote itself are the same when their lengths and
 * checksums are; they are not read, see rpt_stored_verify().
 *
 * Two numbers x and y are the same when their bytes are, when both are NaN, or
 * when |x - y| <= absolute + relative * max(|x|, |y|); the parts of complex
 * numbers one by one, other types by their bytes.
 *
 * \param absolute, relative  >= 0
 * \param differences_out  [out] of all datasets, in the order of the first
 *                         checkpoint, then those that only the second has;
 *                         then of files in the same way;
 *                         release with free() before the checkpoints
 * \retval RPT_ERR_INVALID, RPT_ERR_CORRUPT, RPT_ERR_NOT_FOUND, RPT_ERR_IO,
 *         RPT_ERR_NOMEM: as rpt_stored_read()
 * \since 0.1
 */
RPT_API rpt_status_t rpt_stored_diff(rpt_stored_t *first, rpt_stored_t *second,
                                     double absolute, double relative,
                                     rpt_difference_t **differences_out,
                                     size_t *n_out);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_CATALOG_H */
