/*
 * export_victim.c - a job that exports a checkpoint, to be killed, stopped and
 * starved
 *
 *     mpirun -n N export_victim DIR OUT LOG [WORD ...]
 *     export_victim DIR OUT LOG threads=N [WORD ...]    ranks as threads
 *
 * Exports the task of ckpt_victim: its arrays, its value, its blobs and the
 * list of its checkpoints.  Rank R writes to LOG.R a line a write:
 *
 *     begin
 *     ended RPT_OK, or ended STATUS: WHAT (WHY)
 *
 * Words: replace; iteration=N, else the newest.
 *
 * Exit code: 0; 2 the export failed; 3 it did not come so far.
 */
#include <repartir.h>
#include <repartir/export.h>
#include <repartir/mpi.h>

#include <fcntl.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *folder, *output, *log, *checkpoint;
    int threads;
    bool replaces;
} wanted;

static _Atomic int worst;

static void say(int log, const char *text)
{
    size_t n = strlen(text);

    if (log < 0 || write(log, text, n) != (ssize_t)n) {
        _exit(9);
    }
}

static int open_log(int rank)
{
    char path[4096];

    snprintf(path, sizeof path, "%s.%d", wanted.log, rank);
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
}

static rpt_status_t export_all(rpt_context_t *context)
{
    rpt_export_config_t config = {
        .size = sizeof config,
        .output = wanted.output,
        .checkpoint = wanted.checkpoint,
        .tables = RPT_EXPORT_ARRAYS | RPT_EXPORT_VALUES | RPT_EXPORT_BLOBS |
                  RPT_EXPORT_CHECKPOINTS,
        .flags = wanted.replaces ? RPT_EXPORT_REPLACE : 0,
        .group_rows = 1024
    };

    return rpt_checkpoint_export(rpt_group_world(context), wanted.folder,
                                 "victim", &config, NULL);
}

static rpt_status_t run_rank(rpt_context_t *context, void *user)
{
    int log = open_log(rpt_context_rank(context));
    char text[4096];
    rpt_status_t status;

    (void)user;
    say(log, "begin\n");
    status = export_all(context);
    if (status == RPT_OK) {
        say(log, "ended RPT_OK\n");
    } else {
        const rpt_error_t *error = rpt_last_error();

        snprintf(text, sizeof text, "ended %s: %s (%s)\n",
                 rpt_status_name(status), error->what, error->why);
        say(log, text);
        worst = 2;
    }
    close(log);
    return RPT_OK;
}

static int run_over_mpi(int *argc, char ***argv)
{
    rpt_context_t *context = NULL;
    int level;

    MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &level);
    worst = 3;
    if (rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context) == RPT_OK) {
        worst = 0;
        run_rank(context, NULL);
        rpt_context_destroy(context);
    }
    MPI_Finalize();
    return worst;
}

static void take_word(const char *word)
{
    static const char iteration[] = "iteration=", threads[] = "threads=";

    if (strncmp(word, iteration, sizeof iteration - 1) == 0) {
        wanted.checkpoint = word + sizeof iteration - 1;
    } else if (strncmp(word, threads, sizeof threads - 1) == 0) {
        wanted.threads = atoi(word + sizeof threads - 1);
    } else if (strcmp(word, "replace") == 0) {
        wanted.replaces = true;
    }
}

int main(int argc, char *argv[])
{
    if (argc < 4) {
        return 3;
    }
    wanted.folder = argv[1];
    wanted.output = argv[2];
    wanted.log = argv[3];
    for (int i = 4; i < argc; i++) {
        take_word(argv[i]);
    }
    if (wanted.threads == 0) {
        return run_over_mpi(&argc, &argv);
    }
    if (rpt_local_run(wanted.threads, NULL, run_rank, NULL) != RPT_OK) {
        return 3;
    }
    return worst;
}
