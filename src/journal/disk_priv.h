/*
 * disk_priv.h - the few file operations that the journal needs
 *
 * They stand behind one table, so that a test can put in a disk that is full,
 * breaks, or dies at the n-th operation.  Everything happens relative to an
 * open directory; names are short and need no memory.
 */
#ifndef RPT_JOURNAL_DISK_PRIV_H
#define RPT_JOURNAL_DISK_PRIV_H

#include "base/buf.h"

#include <repartir/base.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* As the system calls: -1 and errno on failure. */
struct rpt_disk_ops {
    size_t size;
    const char *name;
    const char *summary;
    int (*open)(int dir, const char *name, int flags);
    ssize_t (*read)(int fd, void *data, size_t bytes, uint64_t offset);
    ssize_t (*write)(int fd, const void *data, size_t bytes);
    int (*sync)(int fd);
    int (*sync_dir)(int dir);
    int (*truncate)(int fd, uint64_t bytes);
    int (*link)(int dir, const char *from, const char *to);
    int (*rename)(int dir, const char *from, const char *to);
    int (*remove)(int dir, const char *name);
    int (*lock)(int fd);
};

extern const struct rpt_disk_ops rpt__disk_real;

/* The disk in use; tests put in their own (NULL: the real one again). */
const struct rpt_disk_ops *rpt__disk(void);
void rpt__disk_use(const struct rpt_disk_ops *ops);

/* An open directory, and what to call it in a message. */
struct rpt_folder {
    int fd;
    const char *path; /* belongs to the caller */
};

/* RPT_ERR_NOT_FOUND when there is no directory, RPT_ERR_IO. */
rpt_status_t rpt__folder_open(const char *path, struct rpt_folder *folder_out);
void rpt__folder_close(struct rpt_folder *folder);

/* Records that `name` could not be written, read, …, with advice that fits
 * `error`; needed: bytes that should have been written, 0 when none. */
rpt_status_t rpt__disk_fail(const struct rpt_folder *folder, const char *name,
                            const char *verb, int error, size_t needed);

/* Writes all, in as many parts as it takes; 0 or the errno. */
int rpt__disk_write_all(int fd, const void *data, size_t bytes);

/* fsync of the directory: names in it survive a power failure. */
rpt_status_t rpt__disk_sync_dir(const struct rpt_folder *folder);

/* Appends the file's bytes, and a 0 that is not counted.  RPT_END (nothing
 * recorded) when there is no such file. */
rpt_status_t rpt__disk_read_file(const struct rpt_folder *folder,
                                 const char *name, struct rpt_buf *out);

enum { RPT_NAME_BYTES = 256 };

/* A name for a file that is not finished: no reader looks at it, and the next
 * holder of the directory removes what a killed job left. */
void rpt__disk_aside_name(char name_out[RPT_NAME_BYTES]);
bool rpt__disk_is_aside(const char *name);
/* Whether its process was one of this host, and is gone: nobody goes on with
 * it. */
bool rpt__disk_is_abandoned(const char *name);

/* Writes and syncs a new file under an aside name. */
rpt_status_t rpt__disk_put_aside(const struct rpt_folder *folder,
                                 const void *data, size_t bytes,
                                 char name_out[RPT_NAME_BYTES]);

/* Gives an aside file its name if nobody has that name yet; of several
 * processes one gets it.  RPT_END (nothing recorded): it was taken. */
rpt_status_t rpt__disk_claim(const struct rpt_folder *folder, const char *aside,
                             const char *name);

#endif /* RPT_JOURNAL_DISK_PRIV_H */
