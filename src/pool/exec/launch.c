/*
 * launch.c - a RUN frame -> a running child, or the reason why not
 *
 * Each step that can fail says so in words; whatever was opened is closed
 * again, and the rank gets an END frame with the message.  A file that the
 * system does not know as a program, but that is text, is run by /bin/sh, as
 * execvp() does.
 */
#include "pool/exec/keeper_priv.h"

#include "base/clock.h"
#include "pool/exec/spawn.h"
#include "pool/exec/which.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_CPUS = 8192 };

struct launch {
    struct rpt_run run;
    struct rpt_program program;
    struct rpt_stdio io;
    struct rpt_spawn spawn;
    int dir; /* working directory, or AT_FDCWD */
    char file[PATH_MAX];
    char message[RPT_MESSAGE_BYTES];
};

static int say(struct launch *launch, int error, const char *what)
{
    snprintf(launch->message, sizeof launch->message, "%s: %s", what,
             strerror(error));
    return error;
}

static int read_program(struct launch *launch)
{
    struct rpt_reader reader = rpt__reader(launch->run.program,
                                           launch->run.program_bytes);
    rpt_status_t status = rpt__program_unpack(&reader, &launch->program);

    if (status != RPT_OK) {
        return say(launch, status == RPT_ERR_NOMEM ? ENOMEM : EBADMSG,
                   rpt_last_error()->what);
    }
    if (launch->program.n_argv == 0) {
        return say(launch, EINVAL, "the command is empty");
    }
    return 0;
}

static int open_cwd(struct launch *launch)
{
    const char *cwd = launch->program.cwd;

    if (cwd != NULL) {
        launch->dir = open(cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (launch->dir < 0) {
            int error = errno;

            launch->dir = AT_FDCWD;
            snprintf(launch->message, sizeof launch->message,
                     "working directory %s: %s", cwd, strerror(error));
            return error;
        }
    }
    launch->spawn.dir = launch->dir;
    return 0;
}

static int set_environment(struct rpt_kept *kept, struct launch *launch)
{
    launch->spawn.envp = rpt__env_build(&kept->env, launch->run.env,
                                        launch->program.env,
                                        launch->program.n_env);
    return launch->spawn.envp != NULL
               ? 0
               : say(launch, errno, "the names of environment variables");
}

static int set_cpus(struct launch *launch)
{
    static unsigned long bits[MAX_CPUS / (8 * sizeof(unsigned long))];
    const int *cpus = launch->run.cpus;

    if (launch->run.n_cpus == 0) {
        return 0;
    }
    memset(bits, 0, sizeof bits);
    for (int i = 0; i < launch->run.n_cpus; i++) {
        if (cpus[i] < 0 || cpus[i] >= MAX_CPUS) {
            snprintf(launch->message, sizeof launch->message,
                     "pin to processor %d: no such number", cpus[i]);
            return EINVAL;
        }
        CPU_SET_S((size_t)cpus[i], sizeof bits, (cpu_set_t *)bits);
    }
    launch->spawn.cpus = (cpu_set_t *)bits;
    launch->spawn.cpus_bytes = sizeof bits;
    return 0;
}

static int prepare(struct rpt_kept *kept, struct launch *launch)
{
    int error = read_program(launch);

    if (error == 0) {
        error = open_cwd(launch);
    }
    if (error == 0) {
        error = set_environment(kept, launch);
    }
    if (error == 0) {
        error = rpt__which(
            launch->program.argv[0], rpt__env_get(launch->spawn.envp, "PATH"),
            launch->dir, launch->file, launch->message, sizeof launch->message);
    }
    if (error == 0) {
        error = set_cpus(launch);
    }
    if (error == 0) {
        error = rpt__stdio_open(&launch->io, &launch->program, launch->dir,
                                launch->message);
    }
    return error;
}

/* ---- when execve refused ---- */

static size_t bytes_of(const char *const *list)
{
    size_t bytes = 0;

    for (; *list != NULL; list++) {
        bytes += strlen(*list) + 1 + sizeof *list;
    }
    return bytes;
}

static int explain(struct launch *launch, int error)
{
    static const char *const steps[] = {
        [RPT_SPAWN_VFORK] = "start another process",
        [RPT_SPAWN_GROUP] = "make a process group",
        [RPT_SPAWN_PIN] = "pin to its processors",
        [RPT_SPAWN_LIMIT] = "set its limits",
        [RPT_SPAWN_CWD] = "enter the working directory",
        [RPT_SPAWN_STDIO] = "set its standard descriptors",
    };

    if (launch->spawn.step != RPT_SPAWN_EXEC) {
        return say(launch, error, steps[launch->spawn.step]);
    }
    if (error == E2BIG) {
        snprintf(launch->message, sizeof launch->message,
                 "%.300s: arguments and environment are too long: %zu and %zu "
                 "bytes; this system takes %ld together and 128 KiB for "
                 "one of them",
                 launch->file, bytes_of(launch->spawn.argv),
                 bytes_of(launch->spawn.envp), sysconf(_SC_ARG_MAX));
    } else {
        rpt__which_explain(launch->file, launch->dir, error, launch->message,
                           sizeof launch->message);
    }
    return error;
}

/* argv becomes: /bin/sh FILE argv[1] ... */
static int spawn_by_shell(struct launch *launch)
{
    size_t n = launch->program.n_argv;
    const char **argv = calloc(n + 2, sizeof *argv);
    const char *file = launch->file;
    int error;

    if (argv == NULL) {
        return say(launch, ENOMEM, "start /bin/sh");
    }
    argv[0] = "/bin/sh";
    argv[1] = file;
    memcpy(argv + 2, launch->program.argv + 1, (n - 1) * sizeof *argv);
    launch->spawn.file = argv[0];
    launch->spawn.argv = argv;
    error = rpt__spawn(&launch->spawn);
    if (error != 0) {
        error = explain(launch, error);
    }
    free((void *)argv);
    return error;
}

static int start(struct rpt_kept *kept, struct launch *launch)
{
    int error;

    launch->spawn.file = launch->file;
    launch->spawn.argv = launch->program.argv;
    launch->spawn.memory_bytes = launch->run.memory_bytes;
    launch->spawn.files = kept->files.rlim_cur != kept->files.rlim_max
                              ? &kept->files
                              : NULL;
    memcpy(launch->spawn.fds, launch->io.fds, sizeof launch->spawn.fds);
    error = rpt__spawn(&launch->spawn);
    if (error == ENOEXEC && launch->spawn.step == RPT_SPAWN_EXEC &&
        rpt__which_is_text(launch->file, launch->dir)) {
        return spawn_by_shell(launch);
    }
    return error == 0 ? 0 : explain(launch, error);
}

/* ---- the child's record ---- */

static struct rpt_child *new_child(const struct launch *launch)
{
    struct rpt_child *child = calloc(1, sizeof *child);

    if (child == NULL) {
        return NULL;
    }
    child->key = launch->run.key;
    child->output = launch->program.output;
    child->start_time = rpt__wall_s();
    child->start_s = rpt__now_s();
    child->deadline_s = launch->run.timeout_s > 0
                            ? child->start_s + launch->run.timeout_s
                            : (double)INFINITY;
    for (int i = 0; i < 3; i++) {
        child->pipes[i] = (struct rpt_source){ RPT_SOURCE_PIPE, -1, child, i,
                                               false };
    }
    return child;
}

/* The part of standard input that the pipe did not take. */
static bool keep_stdin(struct launch *launch, struct rpt_child *child)
{
    size_t n_written = launch->io.n_written;

    if (launch->io.pipes[0] >= 0) {
        rpt__buf_add(&child->text[0],
                     (const char *)launch->program.stdin_data + n_written,
                     launch->program.stdin_bytes - n_written);
    }
    return !child->text[0].failed;
}

static int try_launch(struct rpt_kept *kept, struct launch *launch)
{
    int error = prepare(kept, launch);
    struct rpt_child *child;

    if (error != 0) {
        return error;
    }
    child = new_child(launch);
    error = child != NULL && keep_stdin(launch, child)
                ? start(kept, launch)
                : say(launch, ENOMEM, "keep its record and input");
    if (error != 0) {
        if (child != NULL) {
            rpt__buf_free(&child->text[0]);
        }
        free(child);
        rpt__stdio_close(&launch->io);
        return error;
    }
    child->pid = launch->spawn.pid;
    rpt__child_add(kept, child);
    rpt__stdio_close_far(&launch->io);
    rpt__pipes_attach(kept, child, &launch->io);
    return 0;
}

void rpt__launch(struct rpt_kept *kept, const struct rpt_frame *frame)
{
    struct launch launch;
    int error;

    /* Not the whole of it: the texts are long. */
    memset(&launch.run, 0, sizeof launch.run);
    memset(&launch.program, 0, sizeof launch.program);
    memset(&launch.spawn, 0, sizeof launch.spawn);
    launch.dir = AT_FDCWD;
    if (rpt__run_unpack(frame->data, frame->bytes, &launch.run)) {
        error = try_launch(kept, &launch);
    } else {
        error = say(&launch, EBADMSG, "the request to run a program");
    }
    if (error != 0) {
        rpt__report_end(
            kept, launch.run.key,
            &(struct rpt_program_end){ .error = error,
                                       .message = launch.message,
                                       .exit_code = -1,
                                       .start_time = rpt__wall_s() });
    }
    if (launch.dir != AT_FDCWD) {
        close(launch.dir);
    }
    rpt__program_free(&launch.program);
    free((void *)launch.run.env);
}
