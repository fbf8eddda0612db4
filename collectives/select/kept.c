/*
 * kept.c - the file with the numbers of this host
 */
#include "collectives/select/kept.h"

#include "base/hash.h"
#include "comm/comm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { MOST_BYTES = 4096, SUFFIX_BYTES = 16 };

/* ---- its name ---- */

/* The lines of /proc/cpuinfo that name the first processor. */
static void add_processor(struct rpt_buf *text)
{
    static const char *const names[] = { "model name", "CPU implementer",
                                         "CPU part", "cpu\t" };
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[512];

    while (file != NULL && fgets(line, sizeof line, file) != NULL &&
           line[0] != '\n') {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (strncmp(line, names[i], strlen(names[i])) == 0) {
                rpt__buf_printf(text, "%s", line);
            }
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static uint64_t hash_of_all(const rpt_options_t *options,
                            const struct utsname *host)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    uint64_t hash;

    rpt__buf_printf(&text, "%s %s %s\n%s\n", rpt_version_text(), host->machine,
                    rpt__comm_mpi_library(),
                    rpt__option_text(options, RPT_OPT_TOPO_VIRTUAL_NODES));
    rpt__buf_printf(&text, "%s\n",
                    rpt__option_text(options, RPT_OPT_TOPO_VIRTUAL_DOMAINS));
    rpt__buf_printf(&text, "%d %d\n",
                    rpt__option_switch(options, RPT_OPT_COMM_SHM),
                    rpt__option_size(options, RPT_OPT_COMM_SHARED_BYTES) > 0);
    add_processor(&text);
    hash = rpt__hash64(text.data, text.bytes, 0);
    rpt__buf_free(&text);
    return hash;
}

/* $XDG_CACHE_HOME, or ~/.cache. */
static bool find_cache(char cache[RPT_KEPT_PATH_BYTES])
{
    const char *named = rpt__environment("XDG_CACHE_HOME");
    const char *home = rpt__environment("HOME");
    bool is_set = named != NULL && named[0] == '/';
    int n;

    if (!is_set && (home == NULL || home[0] != '/')) {
        return false;
    }
    n = snprintf(cache, RPT_KEPT_PATH_BYTES, "%s%s", is_set ? named : home,
                 is_set ? "" : "/.cache");
    return n > 0 && n < RPT_KEPT_PATH_BYTES;
}

bool rpt__kept_find(const rpt_options_t *options,
                    char path[RPT_KEPT_PATH_BYTES])
{
    char cache[RPT_KEPT_PATH_BYTES];
    struct utsname host;
    int n;

    if (uname(&host) != 0 || strchr(host.nodename, '/') != NULL ||
        !find_cache(cache)) {
        return false;
    }
    n = snprintf(path, RPT_KEPT_PATH_BYTES, "%s/repartir/%.64s-%016llx.numbers",
                 cache, host.nodename,
                 (unsigned long long)hash_of_all(options, &host));
    return n > 0 && n < RPT_KEPT_PATH_BYTES - SUFFIX_BYTES;
}

/* ---- the folder ---- */

/* Of this user alone. */
static bool is_ours(const char *folder)
{
    struct stat found;

    return lstat(folder, &found) == 0 && S_ISDIR(found.st_mode) &&
           found.st_uid == geteuid() &&
           (found.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
           access(folder, W_OK | X_OK) == 0;
}

bool rpt__kept_may_write(const char *path)
{
    char folder[RPT_KEPT_PATH_BYTES];
    char *slash;

    strcpy(folder, path);
    *strrchr(folder, '/') = '\0'; /* .../repartir */
    slash = strrchr(folder, '/');
    *slash = '\0';
    mkdir(folder, 0700);
    *slash = '/';
    mkdir(folder, 0700);
    return is_ours(folder);
}

/* ---- the file ---- */

/* What is put in its place by others does not hold us up, or lead us away. */
static int open_safely(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat found;

    if (fd >= 0 && (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode) ||
                    found.st_uid != geteuid() ||
                    (found.st_mode & (S_IWGRP | S_IWOTH)) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool rpt__kept_read(const char *path, struct rpt_numbers *numbers)
{
    char text[MOST_BYTES];
    int fd = open_safely(path);
    ssize_t n;

    if (fd < 0) {
        return false;
    }
    n = read(fd, text, sizeof text);
    close(fd);
    return n > 0 && n < MOST_BYTES &&
           rpt__numbers_parse(numbers, text, (size_t)n);
}

static bool write_text(int fd, const struct rpt_buf *text)
{
    bool good = fd >= 0 &&
                write(fd, text->data, text->bytes) == (ssize_t)text->bytes;

    if (fd >= 0) {
        good &= close(fd) == 0;
    }
    return good;
}

bool rpt__kept_write(const char *path, const struct rpt_numbers *numbers)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    char aside[RPT_KEPT_PATH_BYTES];
    bool good = false;

    rpt__numbers_print(numbers, &text);
    snprintf(aside, sizeof aside, "%s.%d", path, (int)getpid());
    if (!text.failed) {
        unlink(aside); /* of a process that had our number and was killed */
        good = write_text(
                   open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
                   &text) &&
               rename(aside, path) == 0;
        if (!good) {
            unlink(aside);
        }
    }
    rpt__buf_free(&text);
    return good;
}
