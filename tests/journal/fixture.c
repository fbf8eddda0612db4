/*
 * fixture.c - scratch directories, records as text, and a disk that fails
 */
#include "fixture.h"

#include "base/options.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- directories and files ---- */

char *scratch_make(void)
{
    const char *base = getenv("TMPDIR");
    char *path = NULL;

    if (asprintf(&path, "%s/rpt journal-XXXXXX", base != NULL ? base : "/tmp") <
            0 ||
        mkdtemp(path) == NULL) {
        perror("mkdtemp");
        exit(1);
    }
    return path;
}

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void scratch_remove(char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

const char *in_dir(const char *dir, const char *name)
{
    static _Thread_local char buffers[4][512];
    static _Thread_local int next;
    char *buffer = buffers[next++ % 4];

    snprintf(buffer, sizeof buffers[0], "%s/%s", dir, name);
    return buffer;
}

bool exists(const char *dir, const char *name)
{
    return access(in_dir(dir, name), F_OK) == 0;
}

int count_names(const char *dir, const char *prefix)
{
    DIR *names = opendir(dir);
    struct dirent *entry;
    int n = 0;

    while (names != NULL && (entry = readdir(names)) != NULL) {
        n += strcmp(entry->d_name, ".") != 0 &&
             strcmp(entry->d_name, "..") != 0 &&
             strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    }
    if (names != NULL) {
        closedir(names);
    }
    return n;
}

int count_fds(void)
{
    return count_names("/proc/self/fd", "");
}

struct rpt_buf file_read(const char *dir, const char *name)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;
    FILE *file = fopen(in_dir(dir, name), "rb");
    char part[4096];
    size_t n;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    while ((n = fread(part, 1, sizeof part, file)) > 0) {
        rpt__buf_add(&buf, part, n);
    }
    fclose(file);
    return buf;
}

void file_write(const char *dir, const char *name, const void *data,
                size_t bytes)
{
    FILE *file = fopen(in_dir(dir, name), "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(data, 1, bytes, file), bytes);
    fclose(file);
}

/* ---- journals ---- */

rpt_options_t *options_with(const char *commit_s)
{
    rpt_options_t *options = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
    CU_ASSERT_EQUAL(rpt_options_set(options, "journal.commit_s", commit_s),
                    RPT_OK);
    CU_ASSERT_EQUAL(rpt_options_set(options, "journal.sync", "yes"), RPT_OK);
    return options;
}

struct rpt_journal *journal_make(const char *dir, uint64_t epoch, int writer)
{
    rpt_options_t *options = options_with("60s");
    struct rpt_journal *journal = NULL;

    CU_ASSERT_EQUAL_FATAL(
        rpt__journal_open(dir, epoch, writer, options, &journal), RPT_OK);
    rpt_options_destroy(options);
    return journal;
}

rpt_status_t say(struct rpt_journal *journal, const char *text)
{
    return rpt__journal_append(journal, 7, text, strlen(text));
}

uint64_t pass_epoch(const char *dir)
{
    struct rpt_statedir *holder = NULL;
    uint64_t epoch = 0;

    CU_ASSERT_EQUAL_FATAL(rpt__statedir_open(dir, 1, &holder, &epoch), RPT_OK);
    rpt__statedir_close(holder);
    return epoch;
}

static rpt_status_t add_text(void *user, uint64_t epoch, int writer,
                             uint32_t type, const void *data, size_t bytes)
{
    struct rpt_buf *text = user;

    if (type == 7) {
        rpt__buf_printf(text, "%s%llu.%d:%.*s", text->bytes > 0 ? " " : "",
                        (unsigned long long)epoch, writer, (int)bytes,
                        (const char *)data);
    }
    return RPT_OK;
}

const char *replay_text(const char *dir, uint64_t epoch)
{
    static struct rpt_buf text, out;
    rpt_status_t status;

    rpt__buf_clear(&text);
    rpt__buf_clear(&out);
    status = rpt__journal_replay(dir, epoch, add_text, &text);
    if (status != RPT_OK) {
        rpt__buf_printf(&out, "%s%s", rpt_status_name(status),
                        text.bytes > 0 ? " " : "");
    }
    rpt__buf_add(&out, text.data, text.bytes);
    rpt__buf_u8(&out, 0);
    return out.data;
}

/* ---- a disk with faults ---- */

struct faults faults;

/* Whether this operation is the one that fails. */
static bool hit(void)
{
    long n = atomic_fetch_add(&faults.n_ops, 1) + 1;

    if (n != faults.fail_at) {
        return false;
    }
    if (faults.error == 0) {
        _exit(9);
    }
    errno = faults.error;
    return true;
}

static int faulty_open(int dir, const char *name, int flags)
{
    if ((flags & O_CREAT) != 0 && hit()) {
        return -1;
    }
    return rpt__disk_real.open(dir, name, flags);
}

static ssize_t faulty_read(int fd, void *data, size_t bytes, uint64_t offset)
{
    if (faults.read_error != 0) {
        errno = faults.read_error;
        return -1;
    }
    return rpt__disk_real.read(fd, data, bytes, offset);
}

/* A process that dies in a write leaves half of it. */
static ssize_t faulty_write(int fd, const void *data, size_t bytes)
{
    ssize_t n;

    if (faults.on_write != NULL) {
        faults.on_write(bytes);
    }
    if (faults.error == 0 && faults.n_ops + 1 == faults.fail_at &&
        rpt__disk_real.write(fd, data, bytes / 2) < 0) {
        return -1;
    }
    if (hit()) {
        return -1;
    }
    if (faults.chunk > 0 && bytes > faults.chunk) {
        bytes = faults.chunk;
    }
    if (faults.space == 0) {
        errno = ENOSPC;
        return -1;
    }
    if (faults.space > 0 && bytes > (size_t)faults.space) {
        bytes = (size_t)faults.space;
    }
    n = rpt__disk_real.write(fd, data, bytes);
    if (n > 0) {
        faults.n_written += n;
        faults.space -= faults.space > 0 ? n : 0;
    }
    return n;
}

static int faulty_sync(int fd)
{
    if (faults.on_sync != NULL) {
        faults.on_sync();
    }
    if (hit()) {
        return -1;
    }
    if (faults.sync_error != 0) {
        errno = faults.sync_error;
        return -1;
    }
    faults.n_syncs++;
    return rpt__disk_real.sync(fd);
}

static int faulty_sync_dir(int dir)
{
    return hit() ? -1 : rpt__disk_real.sync_dir(dir);
}

static int faulty_truncate(int fd, uint64_t bytes)
{
    return hit() ? -1 : rpt__disk_real.truncate(fd, bytes);
}

static int faulty_link(int dir, const char *from, const char *to)
{
    int rc;

    if (hit()) {
        return -1;
    }
    if (faults.link_error != 0) {
        errno = faults.link_error;
        return -1;
    }
    rc = rpt__disk_real.link(dir, from, to);
    if (rc == 0 && faults.link_lost) {
        errno = EEXIST;
        return -1;
    }
    return rc;
}

static int faulty_rename(int dir, const char *from, const char *to)
{
    return hit() ? -1 : rpt__disk_real.rename(dir, from, to);
}

static int faulty_remove(int dir, const char *name)
{
    return hit() ? -1 : rpt__disk_real.remove(dir, name);
}

static int faulty_lock(int fd)
{
    if (faults.lock_error != 0) {
        errno = faults.lock_error;
        return -1;
    }
    return rpt__disk_real.lock(fd);
}

static const struct rpt_disk_ops faulty = {
    .size = sizeof(struct rpt_disk_ops),
    .name = "faulty",
    .summary = "the real disk, with faults",
    .open = faulty_open,
    .read = faulty_read,
    .write = faulty_write,
    .sync = faulty_sync,
    .sync_dir = faulty_sync_dir,
    .truncate = faulty_truncate,
    .link = faulty_link,
    .rename = faulty_rename,
    .remove = faulty_remove,
    .lock = faulty_lock,
};

void faults_begin(void)
{
    memset(&faults, 0, sizeof faults);
    faults.space = -1;
    rpt__disk_use(&faulty);
}

void faults_end(void)
{
    rpt__disk_use(NULL);
}
