/*
 * ckpt_peer.c - what the programs of the peers share; see ckpt_peer.h
 */
#include "benchmarks/ckpt_peer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void peer_must(int is_good, const char *call)
{
    if (!is_good) {
        fprintf(stderr, "benchmark: %s failed\n", call);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

void peer_open(struct peer *peer, int argc, char *argv[])
{
    int level;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    peer_must(argc == 6, "usage: DIRECTORY NEAR BYTES ROUNDS MODE:");
    peer->folder = argv[1];
    peer->near = argv[2];
    peer->all_bytes = (size_t)atoll(argv[3]);
    peer->n_rounds = atoi(argv[4]);
    peer->mode = argv[5];
    peer_must(peer->n_rounds > 0 && peer->n_rounds <= PEER_MOST_ROUNDS,
              "ROUNDS: it");
}

void peer_fill(struct peer *peer)
{
    MPI_Comm_rank(peer->comm, &peer->rank);
    MPI_Comm_size(peer->comm, &peer->size);
    peer->n_doubles = peer->all_bytes / sizeof(double) / (size_t)peer->size;
    peer->data = malloc(peer->n_doubles * sizeof(double) + 1);
    peer_must(peer->data != NULL, "malloc()");
    for (size_t i = 0; i < peer->n_doubles; i++) {
        peer->data[i] = (double)i * 0.001 + peer->rank;
    }
}

void peer_begin(struct peer *peer)
{
    for (size_t i = 0; i < peer->n_doubles; i += 64) {
        peer->data[i] += 1;
    }
    MPI_Barrier(peer->comm);
    peer->began_s = MPI_Wtime();
}

void peer_note(struct peer *peer, enum peer_time what, int round)
{
    double mine = MPI_Wtime() - peer->began_s;

    MPI_Allreduce(&mine, &peer->times[what][round], 1, MPI_DOUBLE, MPI_MAX,
                  peer->comm);
}

static void sync_path(const char *path)
{
    int fd = open(path, O_RDONLY);

    peer_must(fd >= 0 && fsync(fd) == 0, path);
    close(fd);
}

void peer_sync(const struct peer *peer, const char *const own_files[],
               const char *const folders[])
{
    for (int i = 0; own_files[i] != NULL; i++) {
        sync_path(own_files[i]);
    }
    MPI_Barrier(peer->comm);
    for (int i = 0; peer->rank == 0 && folders[i] != NULL; i++) {
        sync_path(folders[i]);
    }
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

void peer_close(struct peer *peer)
{
    static const char *const names[PEER_N_TIMES] = { "call_s", "done_s",
                                                     "durable_s" };

    free(peer->data);
    if (peer->rank != 0) {
        return;
    }
    printf("{\"ranks\": %d, \"bytes\": %zu, \"rounds\": %d, \"mode\": \"%s\"",
           peer->size, peer->all_bytes, peer->n_rounds, peer->mode);
    for (int i = 0; i < PEER_N_TIMES; i++) {
        qsort(peer->times[i], (size_t)peer->n_rounds, sizeof(double), by_value);
        printf(", \"%s\": %.6f", names[i], peer->times[i][peer->n_rounds / 2]);
    }
    printf("}\n");
    fflush(stdout);
}
