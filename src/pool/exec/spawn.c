/*
 * spawn.c - vfork and exec, with everything that is set in between
 *
 * Between vfork() and execve() the child runs in our memory while we stand
 * still, so that its reason for failing is written straight into our struct.
 * It only makes system calls there: no allocation, no output, no return.  What
 * posix_spawn() cannot say (affinity, limits, death signal) is the reason to
 * do it by hand; the cost is the same.
 */
#include "pool/exec/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* PDEATHSIG was set too late when the keeper was killed before. */
static bool join_group(pid_t keeper)
{
    return setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
           getppid() == keeper;
}

static bool set_limits(const struct rpt_spawn *spawn)
{
    struct rlimit memory;

    if (spawn->files != NULL && setrlimit(RLIMIT_NOFILE, spawn->files) != 0) {
        return false;
    }
    if (spawn->memory_bytes == 0) {
        return true;
    }
    if (getrlimit(RLIMIT_AS, &memory) != 0) {
        return false;
    }
    if (memory.rlim_max == RLIM_INFINITY ||
        memory.rlim_max > spawn->memory_bytes) {
        memory.rlim_max = spawn->memory_bytes;
    }
    memory.rlim_cur = memory.rlim_max;
    return setrlimit(RLIMIT_AS, &memory) == 0;
}

/* 0 stands for /dev/null, which 0 and 1 are already; 2 goes first because it
 * copies 0.  dup2() leaves the copy open across exec. */
static bool set_stdio(const int fds[3])
{
    return dup2(fds[2], 2) >= 0 && (fds[1] == 0 || dup2(fds[1], 1) >= 0) &&
           (fds[0] == 0 || dup2(fds[0], 0) >= 0);
}

static void fail(struct rpt_spawn *spawn, enum rpt_spawn_step step)
{
    spawn->step = (int)step;
    spawn->error = errno != 0 ? errno : EINVAL;
    _exit(127);
}

static __attribute__((noinline)) void child(struct rpt_spawn *spawn,
                                            pid_t keeper)
{
    sigset_t none;

    errno = 0;
    if (!join_group(keeper)) {
        fail(spawn, RPT_SPAWN_GROUP);
    }
    if (spawn->cpus != NULL &&
        sched_setaffinity(0, spawn->cpus_bytes, spawn->cpus) != 0) {
        fail(spawn, RPT_SPAWN_PIN);
    }
    if (!set_limits(spawn)) {
        fail(spawn, RPT_SPAWN_LIMIT);
    }
    if (spawn->dir != AT_FDCWD && fchdir(spawn->dir) != 0) {
        fail(spawn, RPT_SPAWN_CWD);
    }
    if (!set_stdio(spawn->fds)) {
        fail(spawn, RPT_SPAWN_STDIO);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(spawn->file, (char *const *)spawn->argv, (char *const *)spawn->envp);
    fail(spawn, RPT_SPAWN_EXEC);
}

static __attribute__((noinline)) pid_t start(struct rpt_spawn *spawn)
{
    pid_t keeper = getpid();
    pid_t pid = vfork();

    if (pid == 0) {
        child(spawn, keeper);
        _exit(127);
    }
    return pid;
}

int rpt__spawn(struct rpt_spawn *spawn)
{
    spawn->error = 0;
    spawn->pid = start(spawn);
    if (spawn->pid < 0) {
        spawn->step = RPT_SPAWN_VFORK;
        spawn->error = errno;
    } else if (spawn->error != 0) {
        waitpid(spawn->pid, NULL, 0);
    }
    return spawn->error;
}
