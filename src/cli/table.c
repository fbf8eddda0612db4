/*
 * table.c - the subcommands by name
 */
#include "cli/command.h"

#include <stddef.h>

const struct command commands[] = {
    { "run", "run the tasks of a file, and resume", command_run, true },
    { "status", "say how a job with a state directory is", command_status,
      false },
    { "submit", "add tasks to a running job", command_submit, false },
    { "cancel", "cut tasks from a running job", command_cancel, false },
    { "info", "say what this build, machine and job are", command_info, true },
    { "explain", "say what a collective operation would do", command_explain,
      false },
    { "tune", "measure collective operations, and write rules", command_tune,
      true },
    { "bench", "compare collective operations with those of the MPI",
      command_bench, true },
    { "ckpt", "look at checkpoints, verify and remove them", command_ckpt,
      false },
    { "query", "look into checkpoints and state directories by SQL",
      command_query, false },
    { NULL, NULL, NULL, false }
};
