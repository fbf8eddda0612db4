/*
 * trace.c - what was called: a line each, and how often
 *
 * A line is written when the call has returned, with one write() to a file that
 * is open with O_APPEND, so lines of all processes stand whole in one file:
 *
 *   BEGIN END PID TID RANK CALL PATH PATH2 OFFSET BYTES RESULT NOTE
 *
 * README.md says what is in them.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char *trace_file, *counts_file;
static _Atomic int trace_fd = -1;
static dev_t trace_device;
static ino_t trace_inode;
static _Atomic int64_t counts[DISK_N_KINDS];

/* A path may take four times its length. */
struct line {
    size_t n;
    char text[2 * PATH_MAX + 1024];
};

int64_t disk_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void put_char(struct line *line, char c)
{
    if (line->n < sizeof line->text - 1) {
        line->text[line->n++] = c;
    }
}

static void put(struct line *line, const char *text)
{
    while (*text != '\0') {
        put_char(line, *text++);
    }
}

static void put_digits(struct line *line, uint64_t value, int at_least)
{
    char digits[24];
    int n = 0;

    while (value > 0 || n < at_least) {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    }
    while (n > 0) {
        put_char(line, digits[--n]);
    }
}

static void put_number(struct line *line, int64_t value)
{
    if (value < 0) {
        put_char(line, '-');
    }
    put_digits(line, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 1);
}

static void put_time(struct line *line, int64_t ns)
{
    put_digits(line, (uint64_t)ns / 1000000000, 1);
    put_char(line, '.');
    put_digits(line, (uint64_t)ns % 1000000000, 9);
    put_char(line, ' ');
}

/* Blanks and what does not print as \xHH. */
static void put_path(struct line *line, const char *path)
{
    static const char hex[] = "0123456789abcdef";

    if (*path == '\0') {
        put_char(line, '-');
    }
    for (const char *p = path; *p != '\0'; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c <= ' ' || c == '\\' || c == 127 || (p == path && c == '-')) {
            put(line, "\\x");
            put_char(line, hex[c >> 4]);
            put_char(line, hex[c & 15]);
        } else {
            put_char(line, *p);
        }
    }
    put_char(line, ' ');
}

static void put_amount(struct line *line, int64_t value)
{
    if (value < 0) {
        put_char(line, '-');
    } else {
        put_number(line, value);
    }
    put_char(line, ' ');
}

static void put_result(struct line *line, int64_t result, int error)
{
    const char *name = result < 0 ? disk_error_name(error) : NULL;

    if (result >= 0) {
        put_number(line, result);
    } else if (name != NULL) {
        put_char(line, '-');
        put(line, name);
    } else {
        put(line, "-E");
        put_number(line, error);
    }
}

/* What an open was for; the rule that acted. */
static void put_note(struct line *line, const struct disk_call *call)
{
    static const struct {
        int flag;
        const char *name;
    } flags[] = { { O_CREAT, ",creat" },   { O_TRUNC, ",trunc" },
                  { O_EXCL, ",excl" },     { O_APPEND, ",append" },
                  { O_DIRECT, ",direct" }, { O_DSYNC, ",dsync" } };
    const size_t before = line->n;

    if (call->rule > 0) {
        put(line, ",rule");
        put_number(line, call->rule);
    }
    if (call->flags >= 0) {
        const int mode = call->flags & O_ACCMODE;
        put(line, mode == O_RDONLY ? ",r" : mode == O_WRONLY ? ",w" : ",rw");
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
            if (call->flags & flags[i].flag) {
                put(line, flags[i].name);
            }
        }
        if ((call->flags & O_TMPFILE) == O_TMPFILE) {
            put(line, ",tmpfile");
        }
    }
    if (line->n == before) {
        put_char(line, '-');
    } else {
        memmove(line->text + before, line->text + before + 1,
                line->n - before - 1);
        line->n--;
    }
}

/* Out of the way of programs that count on low numbers. */
static int open_high(const char *file)
{
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, file,
                                O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                                0666);
    const int high = fd < 0 ? -1
                            : fcntl(fd, F_DUPFD_CLOEXEC, (int)DISK_FIRST_FD);

    if (high >= 0) {
        syscall(SYS_close, fd);
        return high;
    }
    return fd;
}

static int open_trace(void)
{
    struct stat st;
    const int fd = open_high(trace_file);

    if (fd >= 0 && fstat(fd, &st) == 0) {
        trace_device = st.st_dev;
        trace_inode = st.st_ino;
        trace_fd = fd;
    }
    return fd;
}

/* The program may have closed it, or opened something else in its place. */
static int open_still(void)
{
    struct stat st;
    const int fd = trace_fd;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == trace_device &&
        st.st_ino == trace_inode) {
        return fd;
    }
    return open_trace();
}

static void append_text(int fd, const char *text, size_t n)
{
    ssize_t written;

    do {
        written = syscall(SYS_write, fd, text, n);
    } while (written < 0 && errno == EINTR);
}

void disk_trace_start(const char *trace, const char *file_of_counts)
{
    counts_file = file_of_counts;
    trace_file = trace;
    if (trace != NULL && open_trace() < 0) {
        disk_refuse(trace, "the trace cannot be written");
    }
}

void disk_trace(const struct disk_call *call, int64_t result, int error,
                const char *said)
{
    struct line line;

    if (trace_file == NULL) {
        return;
    }
    line.n = 0;
    put_time(&line, call->begin_ns);
    put_time(&line, disk_now_ns());
    put_number(&line, getpid());
    put_char(&line, ' ');
    put_number(&line, syscall(SYS_gettid));
    put_char(&line, ' ');
    put_amount(&line, disk_rank);
    put(&line, disk_names[call->kind]);
    put_char(&line, ' ');
    put_path(&line, call->path);
    put_path(&line, call->path2);
    put_amount(&line, call->offset);
    put_amount(&line, call->bytes);
    if (said != NULL) {
        put(&line, said);
    } else {
        put_result(&line, result, error);
    }
    put_char(&line, ' ');
    put_note(&line, call);
    line.text[line.n++] = '\n';
    const int fd = open_still();
    if (fd >= 0) {
        append_text(fd, line.text, line.n);
    }
}

void disk_count(enum disk_kind kind)
{
    atomic_fetch_add(&counts[kind], 1);
}

void disk_counts_forget(void)
{
    for (int kind = 0; kind < DISK_N_KINDS; kind++) {
        counts[kind] = 0;
    }
}

static void put_count(struct line *line, const char *what, int rule, int64_t n)
{
    put_amount(line, disk_rank);
    put_number(line, getpid());
    put_char(line, ' ');
    put(line, what);
    if (rule > 0) {
        put_number(line, rule);
    }
    put_char(line, ' ');
    put_number(line, n);
    put_char(line, '\n');
}

/* Nothing of a process that had nothing to do with the folder. */
void disk_counts_write(void)
{
    static _Atomic bool is_written;
    struct line line;

    if (counts_file == NULL || is_written) {
        return;
    }
    line.n = 0;
    for (int kind = 0; kind < DISK_N_KINDS; kind++) {
        if (counts[kind] > 0) {
            put_count(&line, disk_names[kind], 0, counts[kind]);
        }
    }
    if (line.n == 0) {
        return;
    }
    is_written = true;
    for (int rule = 1; rule <= disk_plan_rules(); rule++) {
        put_count(&line, "rule", rule, disk_plan_seen(rule));
    }
    const int fd = open_high(counts_file);
    if (fd >= 0) {
        append_text(fd, line.text, line.n);
        syscall(SYS_close, fd);
    }
}
