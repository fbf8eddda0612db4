/*
 * ckpt_peer.h - what the programs of the peers of checkpoints share
 *
 * Each saves the same bytes as ckpt.c, so many times, and tells three times of
 * a save: until its call returned, until the peer says that it is done, and
 * until it is on the disk, which takes some calls of fsync() here: the peers do
 * not sync all that they need.  Times are those of the slowest rank.
 */
#ifndef RPT_BENCHMARKS_CKPT_PEER_H
#define RPT_BENCHMARKS_CKPT_PEER_H

#include <mpi.h>
#include <stddef.h>

enum peer_time { PEER_CALL, PEER_DONE, PEER_DURABLE, PEER_N_TIMES };
enum { PEER_MOST_ROUNDS = 1000 };

struct peer {
    const char *folder; /* of the disk that is measured           */
    const char *near;   /* where a peer puts its first copy       */
    const char *mode;
    MPI_Comm comm; /* of those that have data: set by the peer */
    int rank, size;
    size_t all_bytes; /* of all ranks          */
    double *data;     /* this rank's n_doubles */
    size_t n_doubles;
    int n_rounds;
    double began_s;
    double times[PEER_N_TIMES][PEER_MOST_ROUNDS];
};

/* Reads DIRECTORY NEAR BYTES ROUNDS MODE and starts MPI. */
void peer_open(struct peer *peer, int argc, char *argv[]);

/* This rank's data, when comm is known. */
void peer_fill(struct peer *peer);

/* Changes the data; all begin together. */
void peer_begin(struct peer *peer);

/* How long it has taken since then, on the slowest rank. */
void peer_note(struct peer *peer, enum peer_time what, int round);

/* Syncs this rank's files, then on rank 0 the folders that changed; lists that
 * end with NULL. */
void peer_sync(const struct peer *peer, const char *const own_files[],
               const char *const folders[]);

/* One JSON object, medians; frees the data. */
void peer_close(struct peer *peer);

/* Ends the run when a call of a peer failed. */
void peer_must(int is_good, const char *call);

#endif /* RPT_BENCHMARKS_CKPT_PEER_H */
