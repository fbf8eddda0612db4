/*
 * solo_victim.c - one writer that saves its state, to be killed and starved
 *
 *     solo_victim DIR LOG [WORD ...]
 *
 * As a task of a pool does it (io/checkpoint/solo.h): it opens, restores,
 * compares every byte with a formula of the iteration that it was told, and
 * saves the next ones.  Appends to LOG.0, a line a write, what ckpt_victim
 * does.
 *
 * Words: saves=N (3); retry=N times each (0); files: it writes files into the
 * scratch folder and has them taken, as for a program, which is somebody else:
 * these writes meet no fault.  Others are ignored.
 *
 * Exit code: 0; 1 something is wrong; 2 a save failed, as often as was tried;
 * 3 it could not open, restore, or make the scratch folder.
 */
#include "base/error.h"
#include "io/checkpoint/solo.h"

#include <repartir/options.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BYTES = 70001, FILES = 2 };

static struct {
    const char *folder;
    int log, saves, retry;
    bool has_files;
} wanted = { .saves = 3 };

static unsigned char state[BYTES + 64];

/* ---- what it says ---- */

static void say(const char *format, ...)
{
    char text[4096];
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(text, sizeof text - 1, format, list);
    va_end(list);
    n = n < (int)sizeof text - 1 ? n : (int)sizeof text - 2;
    text[n++] = '\n';
    if (write(wanted.log, text, (size_t)n) != n) {
        _exit(9);
    }
}

static void say_error(const char *what, rpt_status_t status)
{
    const rpt_error_t *error = rpt_last_error();

    say("%s %s: %s (%s)", what, rpt_status_name(status), error->what,
        error->why);
}

/* ---- the formula ---- */

/* Each has another length. */
static size_t bytes_of(uint64_t iteration, int file)
{
    return BYTES - 1000 * (size_t)file + (size_t)(iteration % 50);
}

static unsigned char byte_of(uint64_t iteration, int file, size_t at)
{
    uint64_t x = at * 0x9e3779b97f4a7c15U + iteration * 64 + (uint64_t)file;

    x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9U;
    return (unsigned char)(x >> 56);
}

static void fill(uint64_t iteration, int file)
{
    for (size_t i = 0; i < bytes_of(iteration, file); i++) {
        state[i] = byte_of(iteration, file, i);
    }
}

static bool is_right(const unsigned char *data, size_t bytes,
                     uint64_t iteration, int file)
{
    if (bytes != bytes_of(iteration, file)) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (data[i] != byte_of(iteration, file, i)) {
            return false;
        }
    }
    return true;
}

/* ---- files of a program: calls that nobody stands in front of ---- */

static int raw_open(const char *folder, const char *name, int flags)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0666);
}

static void raw_write(const char *folder, const char *name, const void *data,
                      size_t bytes)
{
    int fd = raw_open(folder, name, O_WRONLY | O_CREAT | O_TRUNC);

    if (fd < 0 || syscall(SYS_write, fd, data, bytes) != (long)bytes) {
        _exit(9);
    }
    syscall(SYS_close, fd);
}

static size_t raw_read(const char *folder, const char *name)
{
    int fd = raw_open(folder, name, O_RDONLY);
    long n = fd >= 0 ? syscall(SYS_read, fd, state, sizeof state) : 0;

    if (fd >= 0) {
        syscall(SYS_close, fd);
    }
    return n > 0 ? (size_t)n : 0;
}

static const char *file_name(int file)
{
    return file == 0 ? "first" : "second";
}

static rpt_status_t take_files(struct rpt_solo *solo, const char *scratch,
                               uint64_t iteration)
{
    char text[32];
    uint64_t found = 0;
    double age_s;
    rpt_status_t status;

    /* Where it could not be made at first, a look tries again. */
    if (access(scratch, F_OK) != 0) {
        rpt__solo_wanted(solo, false, &found, &age_s);
    }
    if (access(scratch, F_OK) != 0) {
        rpt__fail(RPT_ERR_IO, "there is no folder %s", scratch);
        rpt__fail_why("%s", strerror(errno));
        return RPT_ERR_IO;
    }
    for (int f = 0; f < FILES; f++) {
        fill(iteration, f);
        raw_write(scratch, file_name(f), state, bytes_of(iteration, f));
    }
    snprintf(text, sizeof text, "%llu\n", (unsigned long long)iteration);
    raw_write(scratch, "COMMIT", text, strlen(text));
    status = rpt__solo_wanted(solo, false, &found, &age_s);
    if (status != RPT_OK) {
        rpt__solo_reject(solo);
        return status;
    }
    return rpt__solo_take(solo, found);
}

/* ---- the steps ---- */

/* scratch: NULL when it writes no files. */
static bool save_all(struct rpt_solo *solo, const char *scratch,
                     uint64_t iteration)
{
    bool all = true;
    rpt_status_t status;

    for (int i = 0; i < wanted.saves; i++) {
        int tries = 0;

        iteration++;
        do {
            say("saving %llu", (unsigned long long)iteration);
            fill(iteration, 0);
            status = scratch != NULL ? take_files(solo, scratch, iteration)
                                     : rpt__solo_save(solo, iteration, state,
                                                      bytes_of(iteration, 0));
            if (status == RPT_OK) {
                say("saved %llu", (unsigned long long)iteration);
            } else {
                char text[64];

                snprintf(text, sizeof text, "failed %llu",
                         (unsigned long long)iteration);
                say_error(text, status);
            }
        } while (status != RPT_OK && tries++ < wanted.retry);
        all = all && status == RPT_OK;
    }
    return all;
}

static void look_for_leftovers(void)
{
    static const char *const starts[] = { ".tmp-", ".old-", ".spare-",
                                          "scratch-" };
    char path[4096];
    DIR *dir;
    struct dirent *entry;

    snprintf(path, sizeof path, "%s/victim", wanted.folder);
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
            if (strncmp(entry->d_name, starts[i], strlen(starts[i])) == 0) {
                say("left %s", entry->d_name);
            }
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

/* RPT_ERR_CORRUPT: it is not as it was saved. */
static rpt_status_t compare(const struct rpt_solo *solo, uint64_t iteration)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;
    bool right = true;

    if (wanted.has_files) {
        for (int f = 0; f < FILES; f++) {
            size_t n = raw_read(rpt__solo_files(solo), file_name(f));

            right = right && is_right(state, n, iteration, f);
        }
    } else {
        rpt_status_t status = rpt__solo_read(solo, &buf);

        if (status != RPT_OK) {
            rpt__buf_free(&buf);
            return status;
        }
        right = is_right((unsigned char *)buf.data, buf.bytes, iteration, 0);
        rpt__buf_free(&buf);
    }
    return right ? RPT_OK : RPT_ERR_CORRUPT;
}

/* The exit code so far. */
static int begin(const rpt_options_t *options, struct rpt_solo **solo_out,
                 uint64_t *iteration_out)
{
    rpt_status_t status = rpt__solo_open(wanted.folder, "victim", options,
                                         "here", solo_out);

    if (status != RPT_OK) {
        say_error("cannot open", status);
        return 3;
    }
    look_for_leftovers();
    status = rpt__solo_restore(*solo_out, iteration_out);
    if (status == RPT_END) {
        say("restored none");
        return 0;
    }
    if (status == RPT_OK) {
        status = compare(*solo_out, *iteration_out);
    }
    if (status == RPT_ERR_CORRUPT) {
        say("wrong %llu", (unsigned long long)*iteration_out);
        return 1;
    }
    if (status != RPT_OK) {
        say_error("cannot restore", status);
        return 3;
    }
    say("restored %llu", (unsigned long long)*iteration_out);
    return 0;
}

static void take_word(const char *word)
{
    if (strncmp(word, "saves=", 6) == 0) {
        wanted.saves = atoi(word + 6);
    } else if (strncmp(word, "retry=", 6) == 0) {
        wanted.retry = atoi(word + 6);
    } else if (strcmp(word, "files") == 0) {
        wanted.has_files = true;
    }
}

int main(int argc, char *argv[])
{
    rpt_options_t *options = NULL;
    struct rpt_solo *solo = NULL;
    const char *scratch = NULL;
    uint64_t iteration = 0;
    char path[4096];
    int code;

    if (argc < 3 || rpt_options_create(&options) != RPT_OK) {
        return 3;
    }
    wanted.folder = argv[1];
    snprintf(path, sizeof path, "%s.0", argv[2]);
    wanted.log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    for (int i = 3; i < argc; i++) {
        take_word(argv[i]);
    }
    code = begin(options, &solo, &iteration);
    if (code == 0 && wanted.has_files) {
        rpt_status_t status = rpt__solo_scratch(solo, &scratch);

        if (status != RPT_OK) {
            say_error("cannot make scratch", status);
            code = 3;
        }
    }
    if (code == 0 && !save_all(solo, scratch, iteration)) {
        code = 2;
    }
    rpt__solo_close(solo);
    rpt_options_destroy(options);
    say("end");
    return code;
}
