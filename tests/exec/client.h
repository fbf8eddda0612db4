/*
 * client.h - a rank that only has a bell and a keeper, for the tests of exec
 *
 * Jobs are started, and waited for as the engine does it: sleep on the bell
 * until it rings or until the keeper asks to be looked at.
 */
#ifndef RPT_TESTS_EXEC_CLIENT_H
#define RPT_TESTS_EXEC_CLIENT_H

#include "base/buf.h"
#include "comm/bell.h"
#include "pool/exec/keeper.h"
#include "pool/exec/program.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

enum { MAX_JOBS = 4096, MAX_ARGV = 8 };

/* How a job ended; out and err end with a 0 beyond their bytes. */
struct ended {
    int n; /* `ended` events */
    struct rpt_program_end end;
    char *message;
    char *out;
    char *err;
};

struct client {
    int bell_fd;
    size_t bell_offset;
    struct rpt_bell *bell;
    struct rpt_keeper *keeper;
    bool bell_only;     /* never look without a ring */
    uint64_t n_started; /* keys are 1, 2, … */
    uint64_t n_ended;
    int n_died;
    struct rpt_buf streamed[3]; /* of all jobs */
    struct ended jobs[MAX_JOBS];
};

/* Fields that are 0 stand for nothing. */
struct job {
    const char *argv[MAX_ARGV];
    const char *shell; /* instead of argv */
    struct rpt_program program;
    struct rpt_run run;
};

/* The keeper of RPT_POOL_KEEPER. */
rpt_status_t client_open(struct client *client, uint64_t capture_bytes,
                         double grace_s);
void client_close(struct client *client);

/* The job's key. */
uint64_t client_start(struct client *client, const struct job *job);
/* False when condition() does not become true within limit_s. */
bool client_wait(struct client *client, bool (*condition)(struct client *),
                 double limit_s);
/* Until every job has ended; a minute at most. */
bool client_wait_all(struct client *client);
/* Runs one job; the last of the client's. */
const struct ended *client_run(struct client *client, const struct job *job);
const struct ended *client_shell(struct client *client, const char *line);

/* Runs a job that cannot start, and looks at the reason. */
const struct ended *refused(struct client *client, const struct job *job,
                            int error, const char *words);

/* ---- files ---- */

extern char folder[]; /* a directory of this test program */

bool make_folder(void);
void remove_folder(void);
void path_in(char path[PATH_MAX], const char *name);
void make_file(const char *name, const char *text, mode_t mode);
void file_is(const char *name, const char *text);

/* ---- processes ---- */

/* Running: neither gone nor a zombie. */
bool is_alive(pid_t pid);
/* Waits until it is no longer alive. */
bool ends_within(pid_t pid, double limit_s);
int n_open_files(const char *of); /* /proc/PID/fd */

#endif /* RPT_TESTS_EXEC_CLIENT_H */
