/*
 * spawn.h - vfork and exec, with everything that is set in between
 */
#ifndef RPT_POOL_EXEC_SPAWN_H
#define RPT_POOL_EXEC_SPAWN_H

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

enum rpt_spawn_step {
    RPT_SPAWN_VFORK,
    RPT_SPAWN_GROUP,
    RPT_SPAWN_PIN,
    RPT_SPAWN_LIMIT,
    RPT_SPAWN_CWD,
    RPT_SPAWN_STDIO,
    RPT_SPAWN_EXEC
};

struct rpt_spawn {
    const char *file; /* begins at dir when it is relative */
    const char *const *argv;
    const char *const *envp;
    int dir; /* to change to, or AT_FDCWD to stay */
    int fds[3];
    const cpu_set_t *cpus; /* NULL: do not pin */
    size_t cpus_bytes;
    rlim_t memory_bytes; /* 0: no limit */
    const struct rlimit *files;
    /* out */
    pid_t pid;
    volatile int error;
    volatile int step; /* that failed */
};

/* 0, or errno of the step that failed; then no child is left. */
int rpt__spawn(struct rpt_spawn *spawn);

#endif /* RPT_POOL_EXEC_SPAWN_H */
