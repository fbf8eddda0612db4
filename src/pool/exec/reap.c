/*
 * reap.c - how programs end: by themselves, in time, or with their rank
 *
 * A program has ended when its main process has.  What is in its pipes then is
 * taken, without waiting for those who inherited them, and the rest of its
 * group is killed.  The main process is waited for last: until then its number
 * cannot belong to anybody else.
 *
 * At the very end everything goes, also what left its group or was forked
 * twice: orphans become our children, because we are a subreaper, and children
 * are found in /proc.  Costs one pass over /proc for each generation.
 */
#include "pool/exec/keeper_priv.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Rounds of 10 ms with children that cannot be killed. */
enum { MAX_VAIN = 100 };

/* ---- records ---- */

static struct rpt_child **bucket(struct rpt_kept *kept, pid_t pid)
{
    return &kept->by_pid[(unsigned)pid % RPT_N_BUCKETS];
}

/* The rank ends the groups when somebody has killed this process. */
static void note_group(struct rpt_kept *kept, struct rpt_child *child)
{
    child->group = -1;
    for (int i = 0; child->group < 0 && i < RPT_KEEPER_GROUPS; i++) {
        int at = (kept->next_group + i) % RPT_KEEPER_GROUPS;

        if (atomic_load(&kept->page->groups[at]) == 0) {
            child->group = at;
        }
    }
    if (child->group >= 0) {
        atomic_store(&kept->page->groups[child->group], child->pid);
        kept->next_group = (child->group + 1) % RPT_KEEPER_GROUPS;
    }
}

void rpt__child_add(struct rpt_kept *kept, struct rpt_child *child)
{
    struct rpt_child **head = bucket(kept, child->pid);

    note_group(kept, child);
    child->next_pid = *head;
    *head = child;
    child->next = kept->children;
    child->link = &kept->children;
    if (child->next != NULL) {
        child->next->link = &child->next;
    }
    kept->children = child;
    if (child->deadline_s < kept->next_s) {
        kept->next_s = child->deadline_s;
    }
}

static void remove_child(struct rpt_kept *kept, struct rpt_child *child)
{
    struct rpt_child **p = bucket(kept, child->pid);

    while (*p != child) {
        p = &(*p)->next_pid;
    }
    *p = child->next_pid;
    if (child->group >= 0) {
        atomic_store(&kept->page->groups[child->group], 0);
    }
    *child->link = child->next;
    if (child->next != NULL) {
        child->next->link = child->link;
    }
    for (int i = 0; i < 3; i++) {
        rpt__buf_free(&child->text[i]);
    }
    free(child);
}

struct rpt_child *rpt__child_find(struct rpt_kept *kept, uint64_t key)
{
    struct rpt_child *child = kept->children;

    while (child != NULL && child->key != key) {
        child = child->next;
    }
    return child;
}

static struct rpt_child *find_pid(struct rpt_kept *kept, pid_t pid)
{
    struct rpt_child *child = *bucket(kept, pid);

    while (child != NULL && child->pid != pid) {
        child = child->next_pid;
    }
    return child;
}

/* ---- deadlines ---- */

/* CONT, because a stopped process would not get TERM. */
void rpt__child_end(struct rpt_kept *kept, struct rpt_child *child)
{
    if (!child->termed) {
        child->termed = true;
        kill(-child->pid, SIGTERM);
        kill(-child->pid, SIGCONT);
        child->deadline_s = rpt__now_s() + kept->page->grace_s;
        if (child->deadline_s < kept->next_s) {
            kept->next_s = child->deadline_s;
        }
    }
}

void rpt__reap_expired(struct rpt_kept *kept)
{
    double now_s;

    if (isinf(kept->next_s)) {
        return;
    }
    now_s = rpt__now_s();
    if (now_s < kept->next_s) {
        return;
    }
    kept->next_s = (double)INFINITY;
    for (struct rpt_child *c = kept->children; c != NULL; c = c->next) {
        if (c->deadline_s <= now_s && c->termed) {
            kill(-c->pid, SIGKILL);
            c->deadline_s = (double)INFINITY;
        } else if (c->deadline_s <= now_s) {
            c->timed_out = true;
            rpt__child_end(kept, c);
        }
        if (c->deadline_s < kept->next_s) {
            kept->next_s = c->deadline_s;
        }
    }
}

/* ---- ends ---- */

void rpt__report_end(struct rpt_kept *kept, uint64_t key,
                     struct rpt_program_end *end)
{
    rpt__waiting_free_from(kept, key);
    rpt__end_pack(rpt__wire_begin(&kept->wire, RPT_FRAME_END), key, end);
    if (rpt__wire_end(&kept->wire)) {
        return;
    }
    /* No memory: better without its output than not at all. */
    end->stdout_dropped += end->stdout_bytes;
    end->stderr_dropped += end->stderr_bytes;
    end->stdout_bytes = end->stderr_bytes = 0;
    rpt__end_pack(rpt__wire_begin(&kept->wire, RPT_FRAME_END), key, end);
    if (!rpt__wire_end(&kept->wire)) {
        kept->over = true;
    }
}

static void report(struct rpt_kept *kept, struct rpt_child *child, int status,
                   const struct rusage *usage)
{
    struct rpt_program_end end = {
        .message = "",
        .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .timed_out = child->timed_out,
        .killed = child->killed,
        .start_time = child->start_time,
        .duration_s = rpt__now_s() - child->start_s,
        .max_rss_kib = (uint64_t)usage->ru_maxrss,
        .stdout_data = child->text[1].data,
        .stdout_bytes = child->text[1].bytes,
        .stderr_data = child->text[2].data,
        .stderr_bytes = child->text[2].bytes,
        .stdout_dropped = child->dropped[1],
        .stderr_dropped = child->dropped[2],
    };

    rpt__report_end(kept, child->key, &end);
}

/* Until exec a child shares our memory, and the kernel counts our peak as
 * its own: after a large task the peak is set back. */
void rpt__reap_forget_peak(struct rpt_kept *kept)
{
    if (kept->large && rpt__wire_unsent(&kept->wire) == 0) {
        ssize_t n = pwrite(kept->peak_fd, "5", 1, 0);

        (void)n; /* then the figure is too large, as with anybody else */
        kept->large = false;
    }
}

static void end_child(struct rpt_kept *kept, struct rpt_child *child)
{
    struct rusage usage;
    int status = 0;

    rpt__pipes_finish(kept, child);
    for (int i = 0; i < 3; i++) {
        kept->large |= child->text[i].bytes > RPT_LARGE_BYTES;
    }
    kill(-child->pid, SIGKILL);
    wait4(child->pid, &status, 0, &usage);
    report(kept, child, status, &usage);
    remove_child(kept, child);
}

void rpt__reap(struct rpt_kept *kept)
{
    for (;;) {
        siginfo_t info = { 0 };
        struct rpt_child *child;

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            info.si_pid == 0) {
            return;
        }
        child = find_pid(kept, info.si_pid);
        if (child != NULL) {
            end_child(kept, child);
        } else {
            waitpid(info.si_pid, NULL, 0);
        }
    }
}

/* ---- the end of everything ---- */

/* Parent of a process, 0 when it is gone.  "PID (NAME) STATE PARENT ...",
 * where NAME may hold anything. */
static pid_t parent_of(int proc, const char *pid)
{
    char path[64], text[512];
    const char *after;
    ssize_t n;
    int fd, parent = 0;

    snprintf(path, sizeof path, "%s/stat", pid);
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    after = strrchr(text, ')');
    if (after == NULL || sscanf(after, ") %*c %d", &parent) != 1) {
        return 0;
    }
    return parent;
}

/* How many were killed.  Those of other users may not be. */
static int kill_children(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    pid_t self = getpid();
    int n_killed = 0;

    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        pid_t pid = atoi(entry->d_name);

        if (pid > 0 && parent_of(dirfd(proc), entry->d_name) == self) {
            n_killed += kill(pid, SIGKILL) == 0;
        }
    }
    if (proc != NULL) {
        closedir(proc);
    }
    return n_killed;
}

static void await_signal(struct rpt_kept *kept)
{
    struct pollfd look = { kept->signals.fd, POLLIN, 0 };
    struct signalfd_siginfo info;

    if (poll(&look, 1, 10) > 0) {
        ssize_t n = read(kept->signals.fd, &info, sizeof info);

        (void)n;
    }
}

void rpt__reap_all(struct rpt_kept *kept)
{
    struct rpt_child *child;
    int n_vain = 0;

    /* Whole groups at once, so that they cannot fork on. */
    for (child = kept->children; child != NULL; child = child->next) {
        kill(-child->pid, SIGKILL);
    }
    for (;;) {
        pid_t pid;

        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        }
        if (pid < 0 || n_vain > MAX_VAIN) {
            break;
        }
        n_vain += kill_children() == 0;
        await_signal(kept);
    }
    while ((child = kept->children) != NULL) {
        rpt__pipes_finish(kept, child);
        remove_child(kept, child);
    }
}
