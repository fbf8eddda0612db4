/*
 * comm.h - one rank's end of a context: who the ranks are, active messages
 *
 * A message goes to a rank with a tag; there the function registered for the
 * tag is called by the loop (engine.h).  Messages from one rank to another
 * arrive whole and in order, whatever their size.  Sending copies, never
 * blocks and never loses: what a transport cannot take yet waits in a queue,
 * whose length rpt__comm_backlog() tells to those who produce much.
 *
 *   rpt__comm_send -> queue of the peer -> packets -> transport
 *                                       (ring in shared memory, or MPI)
 *   transport -> packets -> reassembly -> function of the tag
 *
 * All functions are called under the engine's lock unless they say otherwise.
 */
#ifndef RPT_COMM_COMM_H
#define RPT_COMM_COMM_H

#include "base/buf.h"
#include "base/options.h"
#include "comm/area.h"
#include "comm/engine.h"
#include "comm/tags.h"
#include "topo/topo.h"

#include <repartir/base.h>

#include <stddef.h>

struct rpt_comm;

/* data is aligned to 8 bytes and valid during the call.  May send. */
typedef void (*rpt_am_fn)(void *user, int source, const void *data,
                          size_t bytes);

/* What an upper layer has rank 0 tell all ranks at the start of a context: adds
 * plain bytes, which every end then has.  That it fails ends the start, on all
 * ranks. */
typedef rpt_status_t (*rpt_brief_fn)(const rpt_options_t *options,
                                     struct rpt_buf *brief);

/* n_ranks ends for n_ranks threads of this process; each must be destroyed.
 * brief: may be NULL. */
rpt_status_t rpt__comm_create_local(int n_ranks, const rpt_options_t *options,
                                    rpt_brief_fn brief,
                                    struct rpt_comm *comms_out[]);

/* Releases an end.  Without the lock.  MPI: collective (see mpi.h); local: not
 * collective, each thread when it likes.  NULL is ignored. */
void rpt__comm_destroy(struct rpt_comm *comm);

/* Constant; without the lock. */
int rpt__comm_rank(const struct rpt_comm *comm);
int rpt__comm_size(const struct rpt_comm *comm);
struct rpt_engine *rpt__comm_engine(const struct rpt_comm *comm);
const rpt_options_t *rpt__comm_options(const struct rpt_comm *comm);
const struct rpt_map *rpt__comm_map(const struct rpt_comm *comm);
const struct rpt_machine *rpt__comm_machine(const struct rpt_comm *comm);
/* The shared memory with this rank's bell, for a child process that rings. */
int rpt__comm_bell_fd(const struct rpt_comm *comm, size_t *offset_out);
/* The shared memory of this rank's node for collectives; its head is NULL when
 * there is none.  Without the lock. */
struct rpt_area *rpt__comm_area(struct rpt_comm *comm);
/* Whether a rank has the same area. */
bool rpt__comm_shares_area(const struct rpt_comm *comm, int rank);
/* Rings the bell of a rank that has.  Without the lock. */
void rpt__comm_ring(const struct rpt_comm *comm, int rank);
/* Whether this host has more ranks of the context than cores. */
bool rpt__comm_is_crowded(const struct rpt_comm *comm);
/* Name of the transport to a rank: "self", "shm", "loopback" or "mpi". */
const char *rpt__comm_transport(const struct rpt_comm *comm, int rank);
/* One line about the MPI library; "" for a local context. */
const char *rpt__comm_mpi_text(const struct rpt_comm *comm);
/* The MPI library that this was linked with, also before MPI_Init(). */
const char *rpt__comm_mpi_library(void);
/* What rank 0 told all at the start, aligned as by malloc(); NULL: nothing. */
void *rpt__comm_brief(const struct rpt_comm *comm);
/* Whether any thread may drive this end. */
bool rpt__comm_any_thread(const struct rpt_comm *comm);
/* Whether any thread may call MPI, while others do (or there is no MPI). */
bool rpt__comm_mpi_any_thread(const struct rpt_comm *comm);

/* Something of an upper layer that belongs to the end; release_fn is called
 * when the end is destroyed, under the lock, before its messages are flushed.
 */
void *rpt__comm_attached(const struct rpt_comm *comm);
void rpt__comm_attach(struct rpt_comm *comm, void *data,
                      void (*release_fn)(void *data));

/* A counter that upper layers use to number their pools. */
uint32_t *rpt__comm_pool_generation(struct rpt_comm *comm);

/* Where upper layers keep a list of their checkpoints; NULL at first. */
void **rpt__comm_checkpoints(struct rpt_comm *comm);

/* fn NULL: forget the tag.  A message whose tag has no function yet is kept
 * until it has one. */
rpt_status_t rpt__comm_handle(struct rpt_comm *comm, enum rpt_tag tag,
                              rpt_am_fn fn, void *user);

/* To itself too.  RPT_ERR_NOMEM, RPT_ERR_INVALID (no such rank), or the status
 * that broke the engine. */
rpt_status_t rpt__comm_send(struct rpt_comm *comm, int dest, enum rpt_tag tag,
                            const void *data, size_t bytes);

/* Bytes for a rank that no transport has taken yet. */
size_t rpt__comm_backlog(const struct rpt_comm *comm, int dest);

/* What was sent to a rank comes before this mark; whether the transports have
 * all that. */
uint64_t rpt__comm_mark(const struct rpt_comm *comm, int dest);
bool rpt__comm_is_past(const struct rpt_comm *comm, int dest, uint64_t mark);

/* Waits until the transports have taken all that was sent and need this rank
 * no more to deliver it.  RPT_PENDING: time is over. */
rpt_status_t rpt__comm_flush(struct rpt_comm *comm, double timeout_s);

/* rpt__engine_wait() for a wait that a user's call is in: lets the MPI library
 * progress meanwhile, so that what the program sent with MPI itself arrives. */
rpt_status_t rpt__comm_wait(struct rpt_comm *comm, rpt_done_fn done, void *arg,
                            double timeout_s);
/* The same for one that may last for hours and began at since_s: soon the MPI
 * library is driven every millisecond only. */
rpt_status_t rpt__comm_wait_long(struct rpt_comm *comm, rpt_done_fn done,
                                 void *arg, double timeout_s, double since_s);

/* ---- groups (group.c) ---- */

struct rpt_group; /* = rpt_group_t of <repartir/group.h> */

rpt_status_t rpt__group_world(struct rpt_comm *comm, struct rpt_group **out);
/* Collective; see rpt_group_split(). */
rpt_status_t rpt__group_split(struct rpt_group *group, int color, int key,
                              struct rpt_group **group_out);
/* Collective over the listed ranks of the context, in the same order on all
 * (this rank among them): agrees on a number by messages. */
rpt_status_t rpt__group_from_ranks(struct rpt_comm *comm, const int ranks[],
                                   int n_ranks, struct rpt_group **group_out);
/* The same with a number that the caller made unique: not collective.  Numbers
 * from RPT_GROUP_NUMBERED on are free for that. */
#define RPT_GROUP_NUMBERED (UINT64_C(1) << 63)
rpt_status_t rpt__group_numbered(struct rpt_comm *comm, uint64_t number,
                                 const int ranks[], int n_ranks,
                                 struct rpt_group **group_out);
void rpt__group_destroy(struct rpt_group *group);

/* An upper layer that makes calls of its own in a group: runs.  All under the
 * lock. */
struct rpt_group_layer {
    void (*release)(void *data); /* the group is destroyed */
    /* How many runs this rank has begun, and what one of them is. */
    uint64_t (*n_runs)(const void *data);
    void (*name_run)(const void *data, uint64_t number, char *text,
                     size_t bytes);
};
/* Something of that layer that belongs to a group, NULL at first. */
void *rpt__group_attached(const struct rpt_group *group);
void rpt__group_attach(struct rpt_group *group, void *data,
                       const struct rpt_group_layer *layer);
/* This rank waits in a call of the group: lets a rank that it waits for (-1:
 * all) find out whether that is in a call of the other kind. */
void rpt__group_tell_place(struct rpt_group *group, int rank);
/* When a wait does so first, and, now, again. */
double rpt__place_ask_s(double began_s, double deadline_s);
double rpt__place_ask_again_s(double began_s);
/* The group of this number, NULL: there is none here (yet). */
struct rpt_group *rpt__group_find(struct rpt_comm *comm, uint64_t number);

/* Whether the group is of no further use.  Without the lock. */
bool rpt__group_is_failed(const struct rpt_group *group);
/* The status that a collective call must end with before it has begun, RPT_OK
 * when it may begin. */
rpt_status_t rpt__group_status(struct rpt_group *group);
/* The same of a run of the upper layer: one before those that fail may begin.
 */
rpt_status_t rpt__group_run_status(struct rpt_group *group);
/* This rank found that the group cannot go on, and its last error says why:
 * all ranks of the group are told.  Gives `status`. */
rpt_status_t rpt__group_fail(struct rpt_group *group, rpt_status_t status);
/* The same, but calls before that one go on: they are good, and ranks may still
 * be in them.  first_run: the run of the upper layer from which on they fail.
 */
rpt_status_t rpt__group_fail_from(struct rpt_group *group, rpt_status_t status,
                                  uint64_t first_run);
/* The same outside of a call of this group: the next one will say so. */
void rpt__group_spoil(struct rpt_group *group, rpt_status_t status,
                      uint64_t first_run);
/* Completes the record of calls of two ranks that are not the same: why that is
 * wrong, and what to look for. */
void rpt__group_advise(void);
/* Whether a run of the upper layer ends with the failure of the group. */
bool rpt__group_run_failed(const struct rpt_group *group, uint64_t run);
/* Another rank said so while this one was in a call: records that as the last
 * error and gives its status. */
rpt_status_t rpt__group_failure(struct rpt_group *group);

/* Constant. */
uint64_t rpt__group_number(const struct rpt_group *group);
bool rpt__group_is_world(const struct rpt_group *group);
struct rpt_comm *rpt__group_comm(const struct rpt_group *group);
int rpt__group_rank(const struct rpt_group *group);
int rpt__group_size(const struct rpt_group *group);
/* Rank in the context of rank r of the group, -1 when there is none. */
int rpt__group_world_rank(const struct rpt_group *group, int r);

/* Collective; under the lock.  warn_s/deadline_s from the options. */
rpt_status_t rpt__group_barrier(struct rpt_group *group);
/* Collective; under the lock: every rank gives `bytes` bytes and gets those of
 * all, in rank order.  For the library's own small agreements: ends with
 * RPT_ERR_TIMEOUT after comm.internal_deadline_s, or as was said below.  call:
 * the user's function that needs it, as errors name it; constant. */
rpt_status_t rpt__group_exchange(struct rpt_group *group, const char *call,
                                 const void *mine, size_t bytes, void *all_out);
/* The same, of one: what the root has in `bytes`, others get there. */
rpt_status_t rpt__group_share(struct rpt_group *group, const char *call,
                              int root, struct rpt_buf *bytes);

/* From now on these wait at least so long: between them ranks do work of
 * unequal length.  0: as the option says.  Gives what it was. */
double rpt__group_be_patient(struct rpt_group *group, double seconds);

#endif /* RPT_COMM_COMM_H */
