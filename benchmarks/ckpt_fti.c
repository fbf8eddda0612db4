/*
 * ckpt_fti.c - the same checkpoint by FTI (PEER_FTI=PREFIX make bench-ckpt)
 *
 *     mpirun -n 3 ckpt_fti DIRECTORY NEAR BYTES ROUNDS head
 *     mpirun -n 2 ckpt_fti DIRECTORY NEAR BYTES ROUNDS inline
 *
 * Level 4, files of its own format (ckpt_io = 1), MD5 as it always does.
 * inline: each rank writes into DIRECTORY and syncs, the call ends after the
 * renames.  head: one rank more, which has no data and copies what the others
 * have written and synced in NEAR to DIRECTORY, behind them; it tells by a
 * message that the next checkpoint receives.  FTI does not dup the
 * communicator, so that message can be seen here before.
 */
#include "benchmarks/ckpt_peer.h"

#include <dirent.h>
#include <fti.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TAG = 2612, LEVEL = 4 }; /* general_tag below */

static void write_settings(const struct peer *peer, const char *path,
                           int n_ranks, int has_head)
{
    FILE *file = fopen(path, "w");

    peer_must(file != NULL, path);
    fprintf(file,
            "[basic]\nhead = %d\nnode_size = %d\nckpt_dir = %s\n"
            "glbl_dir = %s/global\nmeta_dir = %s/meta\n"
            "ckpt_l1 = 0\nckpt_l2 = 0\nckpt_l3 = 0\nckpt_l4 = 0\ndcp_l4 = 0\n"
            "inline_l2 = 1\ninline_l3 = 1\ninline_l4 = %d\n"
            "keep_last_ckpt = 0\nkeep_l4_ckpt = 0\ngroup_size = 1\n"
            "max_sync_intv = 0\nckpt_io = 1\nenable_staging = 0\n"
            "enable_dcp = 0\nverbosity = 3\n"
            "[restart]\nfailure = 0\nexec_id = none\n"
            "[injection]\nrank = 0\nnumber = 0\nposition = 0\nfrequency = 0\n"
            "[advanced]\nblock_size = 1024\ntransfer_size = 16\n"
            "general_tag = %d\nckpt_tag = 711\nstage_tag = 406\n"
            "final_tag = 3107\nlocal_test = 1\n",
            has_head, n_ranks, peer->near, peer->folder, peer->folder,
            !has_head, TAG);
    fclose(file);
}

/* The head tells each rank when it is done. */
static void wait_for_head(void)
{
    struct timespec pause = { 0, 50000 };
    int is_there = 0;

    while (!is_there) {
        MPI_Iprobe(0, TAG, MPI_COMM_WORLD, &is_there, MPI_STATUS_IGNORE);
        if (!is_there) {
            nanosleep(&pause, NULL);
        }
    }
}

/* FTI's folder of this run has a name of its own making. */
static void find_run(const struct peer *peer, char *name, size_t bytes)
{
    char path[1024];
    struct dirent *entry;
    DIR *folder;

    snprintf(path, sizeof path, "%s/global", peer->folder);
    folder = opendir(path);
    peer_must(folder != NULL, path);
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "stash") != 0) {
            snprintf(name, bytes, "%s", entry->d_name);
        }
    }
    closedir(folder);
}

static void sync_all(const struct peer *peer, int round, const char *run)
{
    char data[1024], list[1024], folders[4][1024];
    const char *own[] = { data, list, NULL };
    const char *above[] = { folders[0], folders[1], folders[2], folders[3],
                            NULL };
    int world_rank;

    MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
    for (int i = 0; i < 4; i++) {
        snprintf(folders[i], sizeof folders[i], "%s/%s/%s%s", peer->folder,
                 i < 2 ? "global" : "meta", run, i % 2 == 0 ? "/l4" : "");
    }
    snprintf(data, sizeof data, "%s/global/%s/l4/Ckpt%d-Rank%d.fti",
             peer->folder, run, round + 1, world_rank);
    snprintf(list, sizeof list, "%s/meta/%s/l4/sector0-group%d.fti",
             peer->folder, run, world_rank);
    peer_sync(peer, own, above);
}

static void save(struct peer *peer, int round, int has_head, const char *run)
{
    peer_begin(peer);
    peer_must(FTI_Checkpoint(round + 1, LEVEL) == FTI_DONE, "FTI_Checkpoint()");
    peer_note(peer, PEER_CALL, round);
    if (has_head) {
        wait_for_head();
    }
    peer_note(peer, PEER_DONE, round);
    sync_all(peer, round, run);
    peer_note(peer, PEER_DURABLE, round);
}

int main(int argc, char *argv[])
{
    static struct peer peer;
    char settings[1024], run[256] = "";
    int world_rank, n_ranks, has_head, is_on = 0;

    peer_open(&peer, argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &n_ranks);
    has_head = strcmp(peer.mode, "head") == 0;
    snprintf(settings, sizeof settings, "%s/fti.settings", peer.folder);
    if (world_rank == 0) {
        write_settings(&peer, settings, n_ranks, has_head);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    /* The head does not come back from here. */
    is_on = FTI_Init(settings, MPI_COMM_WORLD) == FTI_SCES;
    peer_must(is_on, "FTI_Init()");
    peer.comm = FTI_COMM_WORLD;
    peer_fill(&peer);
    FTI_Protect(0, peer.data, (int64_t)peer.n_doubles, FTI_DBLE);
    find_run(&peer, run, sizeof run);
    for (int round = 0; round < peer.n_rounds; round++) {
        save(&peer, round, has_head, run);
    }
    peer_close(&peer);
    FTI_Finalize();
    MPI_Finalize();
    return 0;
}
