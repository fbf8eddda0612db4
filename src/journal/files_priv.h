/*
 * files_priv.h - which files a state directory has, and how much of each counts
 */
#ifndef RPT_JOURNAL_FILES_PRIV_H
#define RPT_JOURNAL_FILES_PRIV_H

#include "journal/disk_priv.h"

struct rpt_journal_file {
    uint64_t epoch; /* 0: the compacted file, always writer 0 */
    int writer;
    uint64_t limit;    /* bytes from here on came too late       */
    uint64_t named_in; /* the last epoch file that mentioned it  */
};

struct rpt_files {
    struct rpt_journal_file *files; /* by epoch, then by writer */
    size_t n_files;
    uint64_t *epochs; /* numbers of the epoch files, ascending */
    size_t n_epochs;
    uint64_t covers; /* files of epochs before it stand in the compacted file */
};

#define RPT_FILES_EMPTY                                                        \
    {                                                                          \
        NULL, 0, NULL, 0, 0                                                    \
    }

/* Reads names, epoch files and the compacted file's head; files_out starts
 * empty, and is released in any case.  RPT_ERR_IO, RPT_ERR_NOMEM,
 * RPT_ERR_CORRUPT, RPT_ERR_VERSION. */
rpt_status_t rpt__files_load(const struct rpt_folder *folder,
                             struct rpt_files *files_out);
void rpt__files_free(struct rpt_files *files);

/* Removes what the compacted file stands for.  For the holder. */
void rpt__files_sweep(const struct rpt_folder *folder,
                      const struct rpt_files *files);

/* Removes files that were left half-written: by a process of this host that is
 * gone, or by any age_s ago. */
void rpt__files_sweep_aside(const struct rpt_folder *folder, double age_s);

void rpt__journal_name(char name_out[RPT_NAME_BYTES], uint64_t epoch,
                       int writer);
void rpt__epoch_name(char name_out[RPT_NAME_BYTES], uint64_t epoch);

/* ---- epoch files ---- */

/* What an epoch file says about its job. */
struct rpt_epoch {
    char host[128];
    int pid;
    int n_ranks;
    double start_s; /* since 1970 */
};

/* How long an older journal file was when the job began. */
typedef void (*rpt_epoch_file_fn)(void *user, uint64_t epoch, int writer,
                                  uint64_t bytes);

/* Reads the text of an epoch file; it ends with a 0 at text[bytes], and is
 * changed.  RPT_ERR_CORRUPT, RPT_ERR_VERSION; `name` is for the message.  fn
 * may be NULL. */
rpt_status_t rpt__epoch_parse(const char *name, char *text, size_t bytes,
                              struct rpt_epoch *epoch_out, rpt_epoch_file_fn fn,
                              void *user);

/* Reads an epoch file.  RPT_END (nothing recorded): it is gone. */
rpt_status_t rpt__epoch_read(const struct rpt_folder *folder, uint64_t epoch,
                             struct rpt_epoch *epoch_out, rpt_epoch_file_fn fn,
                             void *user);

/* Takes the next epoch of a directory. */
rpt_status_t rpt__epoch_take(const struct rpt_folder *folder,
                             const struct rpt_epoch *self, uint64_t *epoch_out);

#endif /* RPT_JOURNAL_FILES_PRIV_H */
