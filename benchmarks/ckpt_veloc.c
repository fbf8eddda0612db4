/*
 * ckpt_veloc.c - the same checkpoint by VeloC (PEER_VELOC=PREFIX make
 * bench-ckpt)
 *
 *     mpirun -n 2 ckpt_veloc DIRECTORY NEAR BYTES ROUNDS async
 *
 * The call writes a file in NEAR, threads of the first rank of the node
 * (threaded = true: no daemon is left behind) copy it to DIRECTORY.  No
 * checksums, which is VeloC's default, and nothing is synced by it.
 */
#include "benchmarks/ckpt_peer.h"

#include <stdio.h>
#include <veloc.h>

static void write_settings(const struct peer *peer, const char *path)
{
    FILE *file = fopen(path, "w");

    peer_must(file != NULL, path);
    fprintf(file,
            "scratch = %s\npersistent = %s/persistent\nmode = %s\n"
            "threaded = true\nmax_versions = 3\nscratch_versions = 1\n",
            peer->near, peer->folder, peer->mode);
    fclose(file);
}

static void save(struct peer *peer, int round)
{
    char file[1024], folder[1024];
    const char *own[] = { file, NULL }, *above[] = { folder, NULL };

    peer_begin(peer);
    peer_must(VELOC_Checkpoint("bench", round + 1) == VELOC_SUCCESS,
              "VELOC_Checkpoint()");
    peer_note(peer, PEER_CALL, round);
    peer_must(VELOC_Checkpoint_wait() == VELOC_SUCCESS,
              "VELOC_Checkpoint_wait()");
    peer_note(peer, PEER_DONE, round);
    snprintf(folder, sizeof folder, "%s/persistent", peer->folder);
    snprintf(file, sizeof file, "%s/persistent/bench-%d-%d.dat", peer->folder,
             peer->rank, round + 1);
    peer_sync(peer, own, above);
    peer_note(peer, PEER_DURABLE, round);
}

int main(int argc, char *argv[])
{
    static struct peer peer;
    char settings[1024];

    peer_open(&peer, argc, argv);
    peer.comm = MPI_COMM_WORLD;
    peer_fill(&peer);
    snprintf(settings, sizeof settings, "%s/veloc.settings", peer.folder);
    if (peer.rank == 0) {
        write_settings(&peer, settings);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    peer_must(VELOC_Init(MPI_COMM_WORLD, settings) == VELOC_SUCCESS,
              "VELOC_Init()");
    peer_must(VELOC_Mem_protect(0, peer.data, peer.n_doubles, sizeof(double)) ==
                  VELOC_SUCCESS,
              "VELOC_Mem_protect()");
    for (int round = 0; round < peer.n_rounds; round++) {
        save(&peer, round);
    }
    VELOC_Finalize(1);
    peer_close(&peer);
    MPI_Finalize();
    return 0;
}
