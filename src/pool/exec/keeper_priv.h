/*
 * keeper_priv.h - the inside of the program repartir-keeper
 *
 *   keeper_main.c  one loop over the socket, SIGCHLD, pipes, the rank's end
 *   waiting.c RUN frames whose program starts after another one
 *   launch.c  a RUN frame -> a running child, or the reason why not
 *     env.c     its environment        which.c  its program file, and excuses
 *     stdio.c   its three descriptors  spawn.c  vfork and exec
 *   pipes.c   feeds and drains
 *   reap.c    timeouts, ends, END frames, the end of everything
 *
 * One thread, nothing blocks.
 */
#ifndef RPT_POOL_EXEC_KEEPER_PRIV_H
#define RPT_POOL_EXEC_KEEPER_PRIV_H

#include "comm/bell.h"
#include "pool/exec/env.h"
#include "pool/exec/program.h"
#include "pool/exec/protocol.h"
#include "pool/exec/wire.h"

#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/types.h>

enum {
    RPT_N_BUCKETS = 256,
    RPT_MESSAGE_BYTES = 1024,
    RPT_LARGE_BYTES = 1024 * 1024 /* of a program's input or output */
};

struct rpt_child;

/* What an event of epoll belongs to. */
struct rpt_source {
    enum {
        RPT_SOURCE_SOCKET,
        RPT_SOURCE_SIGNALS,
        RPT_SOURCE_RANK,
        RPT_SOURCE_PIPE
    } kind;
    int fd;                  /* -1: closed                      */
    struct rpt_child *child; /* of a pipe                       */
    int stream;              /* 0 stdin, 1 stdout, 2 stderr     */
    bool paused;             /* not watched for now             */
};

/* A program that runs. */
struct rpt_child {
    struct rpt_child *next; /* of all                           */
    struct rpt_child **link;
    struct rpt_child *next_pid; /* in its bucket                */
    uint64_t key;
    pid_t pid; /* also its process group                        */
    int group; /* where the page has it; -1: nowhere            */
    rpt_output_t output;
    bool termed; /* was sent TERM                               */
    bool timed_out;
    bool killed;
    double start_time; /* since 1970                            */
    double start_s;
    double deadline_s; /* INFINITY: none                        */
    struct rpt_source pipes[3];
    struct rpt_buf text[3]; /* what stdin is to get; captured   */
    size_t fed;             /* bytes of text[0]                 */
    uint64_t dropped[3];
};

/* A RUN frame whose program waits for the end of another one. */
struct rpt_waiting {
    STAILQ_ENTRY(rpt_waiting) link;
    uint64_t key;
    uint64_t after;
    bool ready;
    size_t bytes;
    uint64_t data[]; /* aligned as in a frame */
};

struct rpt_kept {
    struct rpt_wire wire;
    struct rpt_keeper_page *page;
    struct rpt_bell *bell;
    struct rpt_source socket;
    struct rpt_source signals;
    struct rpt_source rank;
    int epoll;
    uint32_t socket_events; /* watched at the moment             */
    int peak_fd;            /* /proc/self/clear_refs, or -1      */
    struct rlimit files;    /* open files, as the children get it */
    struct rpt_env env;
    struct rpt_child *children;
    struct rpt_child *by_pid[RPT_N_BUCKETS];
    double next_s;  /* no deadline is earlier                    */
    int next_group; /* of the page, where to look for a free one */
    int n_paused;   /* pipes                                      */
    bool large;     /* our peak memory is to be forgotten         */
    bool over;      /* the rank is gone                           */
    STAILQ_HEAD(, rpt_waiting) waiting;
    int n_ready;   /* of those, that may start                   */
    bool unheard;  /* something was sent since the last ring     */
    bool hurried;  /* ring soon                                  */
    double rung_s; /* the last time                              */
};

/* ---- keeper_main.c ---- */

/* Sends what was reported, without a ring; true when nothing is left. */
bool rpt__reports_send(struct rpt_kept *kept);

/* ---- launch.c ---- */

/* A failure becomes an END frame. */
void rpt__launch(struct rpt_kept *kept, const struct rpt_frame *frame);

/* ---- waiting.c ---- */

/* Launches what a RUN frame asks for, or keeps it until its time comes. */
void rpt__waiting_take(struct rpt_kept *kept, const struct rpt_frame *frame);
/* This one has ended: the one that waits for it may start. */
void rpt__waiting_free_from(struct rpt_kept *kept, uint64_t key);
/* Launches those that may start, once the ends before them are sent. */
void rpt__waiting_launch(struct rpt_kept *kept);
/* Takes back one that waits for another one; others are left alone. */
void rpt__waiting_recall(struct rpt_kept *kept, uint64_t key);
/* The same, and also one that may start. */
void rpt__waiting_cancel(struct rpt_kept *kept, uint64_t key);
void rpt__waiting_close(struct rpt_kept *kept);

/* ---- stdio.c ---- */

struct rpt_stdio {
    int fds[3];       /* for the child; 0 stands for /dev/null     */
    int pipes[3];     /* our ends, or -1                           */
    size_t n_written; /* bytes of stdin that are in the pipe       */
};

/* dir: where relative paths begin.  0, or errno and a message. */
int rpt__stdio_open(struct rpt_stdio *io, const struct rpt_program *program,
                    int dir, char message[RPT_MESSAGE_BYTES]);
/* The child has its ends: closes them here. */
void rpt__stdio_close_far(struct rpt_stdio *io);
/* Closes all. */
void rpt__stdio_close(struct rpt_stdio *io);

/* ---- pipes.c ---- */

/* Hands the pipes to the child and watches them. */
void rpt__pipes_attach(struct rpt_kept *kept, struct rpt_child *child,
                       struct rpt_stdio *io);
/* The pipe can be read or written, or was closed. */
void rpt__pipes_ready(struct rpt_kept *kept, struct rpt_source *source);
/* Takes what is in the pipes at this moment and closes them. */
void rpt__pipes_finish(struct rpt_kept *kept, struct rpt_child *child);
/* Watches paused pipes again when enough has been sent. */
void rpt__pipes_resume(struct rpt_kept *kept);

/* ---- reap.c ---- */

void rpt__child_add(struct rpt_kept *kept, struct rpt_child *child);
/* Sends TERM, and sees to it that KILL follows. */
void rpt__child_end(struct rpt_kept *kept, struct rpt_child *child);
struct rpt_child *rpt__child_find(struct rpt_kept *kept, uint64_t key);

/* Reports every program that has ended. */
void rpt__reap(struct rpt_kept *kept);
/* Ends those whose time is over. */
void rpt__reap_expired(struct rpt_kept *kept);
/* Sets our peak memory back after a large task, once nothing holds it. */
void rpt__reap_forget_peak(struct rpt_kept *kept);
/* Kills every descendant and waits for it.  Nothing is reported. */
void rpt__reap_all(struct rpt_kept *kept);

void rpt__report_end(struct rpt_kept *kept, uint64_t key,
                     struct rpt_program_end *end);

#endif /* RPT_POOL_EXEC_KEEPER_PRIV_H */
