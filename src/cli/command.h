/*
 * command.h - the subcommands
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>

struct command {
    const char *name;
    const char *summary;
    /* argv[0] is "repartir NAME".  Gives the exit code. */
    int (*run)(int argc, char *argv[]);
    bool over_ranks; /* all ranks of an MPI job take part; else rank 0 only */
};

/* Ends with a name that is NULL. */
extern const struct command commands[];

int command_run(int argc, char *argv[]);
int command_status(int argc, char *argv[]);
int command_submit(int argc, char *argv[]);
int command_cancel(int argc, char *argv[]);
int command_info(int argc, char *argv[]);
int command_explain(int argc, char *argv[]);
int command_tune(int argc, char *argv[]);
int command_bench(int argc, char *argv[]);
int command_ckpt(int argc, char *argv[]);
int command_query(int argc, char *argv[]);

#endif /* CLI_COMMAND_H */
