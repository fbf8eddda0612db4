/*
 * disk.h - what stands between a program and its file system
 *
 * The library is put in front of a program with LD_PRELOAD and defines the
 * calls listed here.  Each of them, when it concerns a file below
 * $RPT_DISK_DIR, takes this road:
 *
 *   fds.c, names.c     the call: who is it about?
 *     places.c           the path, relative to $RPT_DISK_DIR
 *     act.c  begin       counts, looks for rules that want it (plan.c), waits,
 *                        kills, fails; or lets it be done
 *     act.c  end         a line of the trace (trace.c), the result
 *
 * Nothing here takes a lock or calls malloc() after the start, and nothing is
 * remembered of a file descriptor: its path is asked of the kernel each time,
 * so it is right after any dup, close, fclose or rename.
 *
 * It is not seen: what libc does inside (fwrite, fopen, aio_write), io_uring,
 * and bytes that go through a mapping.
 */
#ifndef RPT_TESTS_FAULT_DISK_H
#define RPT_TESTS_FAULT_DISK_H

/* Names here must be the functions themselves. */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

_Static_assert(sizeof(off_t) == 8, "each call is its own *64 variant");

/* What a call is about, for @open, @write, ... in a plan. */
enum disk_class {
    DISK_OPENS = 1,
    DISK_WRITES = 2,
    DISK_READS = 4,
    DISK_SYNCS = 8,
    DISK_NAMES = 16,
    DISK_SIZES = 32,
    DISK_OTHER = 64,
};

/* clang-format off */
#define DISK_CALLS(CALL)                                                      \
    CALL(open, OPENS) CALL(openat, OPENS) CALL(creat, OPENS)                  \
    CALL(mkstemp, OPENS) CALL(mkostemp, OPENS)                                \
    CALL(write, WRITES) CALL(pwrite, WRITES) CALL(writev, WRITES)             \
    CALL(pwritev, WRITES) CALL(pwritev2, WRITES)                              \
    CALL(copy_file_range, WRITES) CALL(sendfile, WRITES)                      \
    CALL(ioctl, WRITES)                                                       \
    CALL(read, READS) CALL(pread, READS) CALL(readv, READS)                   \
    CALL(preadv, READS) CALL(preadv2, READS)                                  \
    CALL(fsync, SYNCS) CALL(fdatasync, SYNCS)                                 \
    CALL(sync_file_range, SYNCS) CALL(syncfs, SYNCS)                          \
    CALL(ftruncate, SIZES) CALL(truncate, SIZES) CALL(fallocate, SIZES)       \
    CALL(posix_fallocate, SIZES)                                              \
    CALL(rename, NAMES) CALL(renameat, NAMES) CALL(renameat2, NAMES)          \
    CALL(link, NAMES) CALL(linkat, NAMES) CALL(symlink, NAMES)                \
    CALL(symlinkat, NAMES) CALL(unlink, NAMES) CALL(unlinkat, NAMES)          \
    CALL(remove, NAMES) CALL(rmdir, NAMES) CALL(mkdir, NAMES)                 \
    CALL(mkdirat, NAMES) CALL(mkdtemp, NAMES)                                 \
    CALL(close, OTHER) CALL(dup, OTHER) CALL(dup2, OTHER)                     \
    CALL(dup3, OTHER) CALL(fchmod, OTHER) CALL(mmap, OTHER)
/* clang-format on */

enum disk_kind {
#define DISK_KIND(name, class) DISK_##name,
    DISK_CALLS(DISK_KIND)
#undef DISK_KIND
        DISK_N_KINDS
};
_Static_assert(DISK_N_KINDS < 64, "a rule keeps a set of kinds in 64 bits");

enum {
    DISK_MAX_RULES = 32,
    DISK_BAD_PLAN = 97, /* exit code */
    DISK_FIRST_FD = 600 /* what is kept open is out of the way */
};

enum disk_death { DISK_LIVES, DISK_KILLED, DISK_ALL_KILLED };

/* One call on its way. */
struct disk_call {
    enum disk_kind kind;
    int64_t offset, bytes; /* -1: there is none */
    size_t allowed;        /* bytes that the real call may be given */
    int flags;             /* of an open, else -1 */
    int rule;              /* number of the rule that acted, from 1, or 0 */
    int error;             /* instead of the call, or after it; or 0 */
    bool is_after;         /* error and death come after the call */
    enum disk_death death;
    int saved_errno;
    int64_t begin_ns;
    char path[PATH_MAX], path2[PATH_MAX]; /* relative to the folder, or "" */
};

#pragma GCC visibility push(hidden)

extern const char *const disk_names[DISK_N_KINDS];
extern const unsigned char disk_classes[DISK_N_KINDS];

/* Set once, at the start. */
extern bool disk_is_active;
extern int disk_rank; /* -1: not in a job */

/* places.c: whether a call is about the folder.  Fills *call. */
bool disk_watch_fd(struct disk_call *call, enum disk_kind kind, int fd);
bool disk_watch_fds(struct disk_call *call, enum disk_kind kind, int from,
                    int to);
bool disk_watch_path(struct disk_call *call, enum disk_kind kind, int folder,
                     const char *path);
/* Either of two paths. */
struct disk_name {
    int folder;
    const char *path;
};
bool disk_watch_paths(struct disk_call *call, enum disk_kind kind,
                      struct disk_name from, struct disk_name to);
/* The path again, once the call has made a name of it. */
void disk_rewatch_path(struct disk_call *call, const char *path);
/* Text says why not, or is NULL. */
const char *disk_places_start(const char *folder);

/* act.c: whether the real call is to be made; if not, errno is set. */
bool disk_begin(struct disk_call *call);
int64_t disk_end(struct disk_call *call, int64_t result);
#define DISK_AROUND(call, real)                                                \
    disk_end(call, disk_begin(call) ? (int64_t)(real) : -1)
/* The next function of that name: that of libc, or of another library that
 * was put in front. */
void *disk_next(enum disk_kind kind);
#define DISK_NEXT(name) ((__typeof__(&name))disk_next(DISK_##name))
/* Ends the process, and for DISK_ALL_KILLED the job. */
_Noreturn void disk_die(enum disk_death death);
/* Text on standard error, and the end. */
_Noreturn void disk_refuse(const char *what, const char *text);

/* plan.c: what the rules want done to a call, in order; counts it. */
void disk_plan_start(const char *text);
void disk_plan_share(const char *file);
void disk_plan_forget(void); /* counts from zero, after a fork */
void disk_plan_apply(struct disk_call *call);
int disk_plan_rules(void);
int64_t disk_plan_seen(int rule);

/* errors.c: 0 where the name is unknown; a name, or NULL. */
int disk_error_of(const char *name);
const char *disk_error_name(int error);

/* trace.c */
int64_t disk_now_ns(void);
void disk_trace_start(const char *trace, const char *counts);
void disk_count(enum disk_kind kind);
/* A line; said is "killed" or "stopped" before the call, or NULL after it. */
void disk_trace(const struct disk_call *call, int64_t result, int error,
                const char *said);
void disk_counts_write(void);
void disk_counts_forget(void);

#pragma GCC visibility pop

#endif
