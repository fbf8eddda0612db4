/*
 * solo_files.c - checkpoints of one writer: files that somebody else writes
 *
 *   scratch   a folder scratch-NUMBER in that of the task, for a program
 *   wanted    it says by a file COMMIT that they are complete
 *   take      they are moved into .tmp-ID: then as any other save (solo.c)
 *
 * A save costs a rename a file, beside what solo.c says.
 */
#include "io/checkpoint/solo_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/talk.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define COMMIT "COMMIT"

enum { COMMIT_BYTES = 64, MOST_FOLDERS = 32 };
/* In which COMMIT gets its end of line. */
static const double commit_s = 2;

/* RPT_END: there is no room for it. */
static rpt_status_t make_scratch(struct rpt_solo *s)
{
    rpt_status_t status = rpt__solo_need_task(s);

    if (status == RPT_OK && mkdirat(s->dir.fd, s->scratch_name, 0775) != 0 &&
        errno != EEXIST) {
        int error = errno;

        status = rpt__dir_fail(&s->dir, s->scratch_name, "make the folder",
                               error, 0);
        return rpt__is_full(error) ? RPT_END : status;
    }
    return status == RPT_OK
               ? rpt__dir_open(&s->dir, s->scratch_name, &s->scratch)
               : status;
}

rpt_status_t rpt__solo_scratch(struct rpt_solo *s, const char **path_out)
{
    bool is_told = s->dir.fd < 0;
    uint64_t number = 0;
    rpt_status_t status;

    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno, "no random numbers");
    }
    snprintf(s->scratch_name, sizeof s->scratch_name, RPT_SCRATCH "%016llx",
             (unsigned long long)number);
    if (asprintf(&s->scratch_path, "%s/%s/%s", s->top.path, s->task,
                 s->scratch_name) < 0) {
        s->scratch_path = NULL;
        return rpt__fail_nomem(strlen(s->top.path));
    }
    status = make_scratch(s);
    if (status == RPT_END) {
        status = is_told ? RPT_OK : rpt__solo_go_without(s);
    }
    if (status == RPT_OK) {
        *path_out = s->scratch_path;
    }
    return status;
}

static bool read_iteration(const struct rpt_buf *text, uint64_t *iteration_out)
{
    unsigned long long iteration;
    char *after = NULL;

    errno = 0;
    iteration = strtoull(text->data, &after, 10);
    while (isspace((unsigned char)*after)) {
        after++;
    }
    if (!isdigit((unsigned char)text->data[0]) || *after != '\0' ||
        errno != 0) {
        return false;
    }
    *iteration_out = iteration;
    return true;
}

static rpt_status_t no_iteration(const struct rpt_solo *s)
{
    rpt__fail(RPT_ERR_PARSE, "%s/" COMMIT " says no iteration",
              s->scratch_path);
    rpt__fail_hint("write a number and an end of line into it");
    return RPT_ERR_PARSE;
}

/* Whether somebody writes it still.  A disk that was full at that moment has
 * left it empty for good, and its writer waits for it to go. */
static bool is_unfinished(struct rpt_solo *s, const struct rpt_buf *text)
{
    double now_s = rpt__now_s();

    if (text->bytes > 0 && text->data[text->bytes - 1] == '\n') {
        return false;
    }
    s->torn_s = s->torn_s > 0 ? s->torn_s : now_s;
    return now_s < s->torn_s + commit_s;
}

/* Makes it, too, where there was no room, or where the program removed it. */
static bool has_scratch(struct rpt_solo *s, bool is_over)
{
    if (s->scratch.fd >= 0 &&
        !rpt__dir_is_still(&s->dir, s->scratch_name, &s->scratch)) {
        rpt__dir_close(&s->scratch);
    }
    return s->scratch.fd >= 0 || (!is_over && make_scratch(s) == RPT_OK);
}

rpt_status_t rpt__solo_wanted(struct rpt_solo *s, bool is_over,
                              uint64_t *iteration_out, double *age_s_out)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    struct stat file;
    rpt_status_t status;

    if (!has_scratch(s, is_over) ||
        fstatat(s->scratch.fd, COMMIT, &file, AT_SYMLINK_NOFOLLOW) != 0) {
        s->torn_s = 0;
        return RPT_PENDING;
    }
    *age_s_out = rpt__wall_s() - ((double)file.st_mtim.tv_sec +
                                  1e-9 * (double)file.st_mtim.tv_nsec);
    status = rpt__dir_read_all(&s->scratch, COMMIT, COMMIT_BYTES, &text);
    if (status == RPT_ERR_NOT_FOUND ||
        (status == RPT_OK && !is_over && is_unfinished(s, &text))) {
        status = RPT_PENDING;
    } else if (status == RPT_ERR_CORRUPT ||
               (status == RPT_OK && !read_iteration(&text, iteration_out))) {
        status = no_iteration(s);
    }
    rpt__buf_free(&text);
    return status;
}

/* Of a folder below the scratch folder; prefix: its path there, with /. */
static rpt_status_t move_all(struct rpt_solo_saving *v,
                             const struct rpt_dir *from, const char *prefix,
                             int depth)
{
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_list(from, &names);

    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        char name[512], path[600];
        struct rpt_dir below;
        struct stat file;
        const char *why;

        if (depth == 0 && strcmp(names.list[i], COMMIT) == 0) {
            continue;
        }
        snprintf(name, sizeof name, "%s%s", prefix, names.list[i]);
        why = rpt__name_check(name);
        if (why == NULL &&
            fstatat(from->fd, names.list[i], &file, AT_SYMLINK_NOFOLLOW) == 0 &&
            !S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode)) {
            why = "it is neither a file nor a folder";
        }
        if (why != NULL || depth == MOST_FOLDERS) {
            status = rpt__dir_refuse(from, names.list[i],
                                     why != NULL ? why : "it lies too deep");
        } else if (S_ISDIR(file.st_mode)) {
            status = rpt__dir_open(from, names.list[i], &below);
            if (status == RPT_OK) {
                snprintf(path, sizeof path, "%s/", name);
                status = move_all(v, &below, path, depth + 1);
                rpt__dir_close(&below);
            }
        } else {
            status = rpt__routes_add(&v->routes, &v->dir, name, 0);
            snprintf(path, sizeof path, RPT_FILES "/%s", name);
            if (status == RPT_OK &&
                renameat(from->fd, names.list[i], v->dir.fd, path) != 0) {
                status = rpt__dir_fail(from, names.list[i], "move", errno, 0);
            }
        }
    }
    rpt__dir_names_free(&names);
    return status;
}

/* COMMIT goes last: then the writer may begin again. */
static void empty_scratch(struct rpt_solo *s)
{
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_list(&s->scratch, &names);

    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        if (strcmp(names.list[i], COMMIT) != 0) {
            status = rpt__dir_remove(&s->scratch, names.list[i]);
        }
    }
    rpt__dir_names_free(&names);
    if (status == RPT_OK) {
        status = rpt__dir_remove(&s->scratch, COMMIT);
    }
    if (status != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "%s was not emptied: %s (%s)", s->scratch_path,
                 rpt_last_error()->what, rpt_last_error()->why);
    }
}

void rpt__solo_reject(struct rpt_solo *s)
{
    struct rpt_buf error = RPT_BUF_EMPTY;
    struct rpt_reader reader;

    rpt__error_pack(&error);
    empty_scratch(s);
    reader = rpt__reader(error.data, error.bytes);
    rpt__error_unpack(&reader);
    rpt__buf_free(&error);
}

rpt_status_t rpt__solo_take(struct rpt_solo *s, uint64_t iteration)
{
    struct rpt_solo_saving v;
    rpt_status_t status = rpt__solo_begin(&v, s, iteration);

    if (status == RPT_OK) {
        status = move_all(&v, &s->scratch, "", 0);
    }
    /* A number alone is a state, too: its folder is there to be named. */
    if (status == RPT_OK && v.routes.n == 0) {
        status = rpt__dir_make(&v.dir, RPT_FILES, false);
    }
    status = rpt__solo_end(&v, status);
    rpt__solo_reject(s); /* what was not saved */
    return status;
}
