/*
 * fixture.h - scratch directories, records as text, and a disk that fails
 */
#ifndef RPT_TESTS_JOURNAL_FIXTURE_H
#define RPT_TESTS_JOURNAL_FIXTURE_H

#include "base/buf.h"
#include "journal/disk_priv.h"
#include "journal/frame_priv.h"
#include "journal/journal.h"

#include "base/error.h"

#include "harness.h"

#include <stdatomic.h>

/* ---- directories and files ---- */

/* An empty directory; remove with scratch_remove(), which frees the name. */
char *scratch_make(void);
void scratch_remove(char *path);

/* DIR/NAME, in one of a few static buffers. */
const char *in_dir(const char *dir, const char *name);
bool exists(const char *dir, const char *name);
int count_names(const char *dir, const char *prefix);
int count_fds(void);

/* Whole files; reading fails the test when there is none. */
struct rpt_buf file_read(const char *dir, const char *name);
void file_write(const char *dir, const char *name, const void *data,
                size_t bytes);

/* ---- journals ---- */

/* Options with this commit interval, and journal.sync=yes. */
rpt_options_t *options_with(const char *commit_s);

/* Opens with a commit interval of a minute: only commit() commits. */
struct rpt_journal *journal_make(const char *dir, uint64_t epoch, int writer);
/* Appends text as a record of type 7. */
rpt_status_t say(struct rpt_journal *journal, const char *text);

/* Takes the next epoch and gives the directory back. */
uint64_t pass_epoch(const char *dir);

/* All records before `epoch` as "1.0:first 1.0:second 2.3:third"; type 7 only.
 * Another status than RPT_OK is put in front: "RPT_ERR_IO 1.0:first". */
const char *replay_text(const char *dir, uint64_t epoch);

/* ---- a disk with faults ---- */

struct faults {
    _Atomic long fail_at; /* this operation, from 1; 0: none        */
    int error;            /* fails with it; 0: the process dies there */
    _Atomic long space;   /* bytes that can still be written; -1: no limit */
    _Atomic int sync_error;
    _Atomic int read_error;
    int lock_error;
    int link_error; /* the link fails                         */
    bool link_lost; /* the link is made, its answer lost      */
    size_t chunk;   /* most bytes a write takes, 0: all       */
    void (*on_write)(size_t bytes);
    void (*on_sync)(void);

    _Atomic long n_ops; /* operations so far that change the disk */
    _Atomic long n_syncs;
    _Atomic long n_written; /* bytes */
};
extern struct faults faults;

/* Puts the faulty disk in, without faults. */
void faults_begin(void);
void faults_end(void);

#endif /* RPT_TESTS_JOURNAL_FIXTURE_H */
