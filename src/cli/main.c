/*
 * main.c - the repartir command: finds the subcommand and runs it
 */
#include "cli/args.h"
#include "cli/command.h"
#include "cli/launch.h"
#include "cli/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_help(FILE *file)
{
    fputs("Usage: repartir COMMAND [ARGUMENTS]\n"
          "Share out tasks over the ranks of an MPI job, and set off again "
          "after a failure.\n\n",
          file);
    for (const struct command *c = commands; c->name != NULL; c++) {
        fprintf(file, "  %-8s %s\n", c->name, c->summary);
    }
    fputs("\nFirst steps:\n"
          "  repartir run tasks.txt                 one command a line\n"
          "  mpirun -n 4 repartir run tasks.txt     over four ranks\n"
          "  repartir run --state DIR tasks.txt     the same again resumes\n"
          "`repartir COMMAND --help' tells more; so do the manual pages.\n",
          file);
}

static const struct command *find(const char *name)
{
    const struct command *c = commands;

    while (c->name != NULL && strcmp(c->name, name) != 0) {
        c++;
    }
    return c->name != NULL ? c : NULL;
}

static int unknown(const char *name)
{
    const char *names[16];
    const char *near;
    size_t n = 0;

    while (n < 16 && commands[n].name != NULL) {
        names[n] = commands[n].name;
        n++;
    }
    near = nearest_word(name, names, n);
    if (near != NULL) {
        say("there is no command \"%s\"; did you mean \"%s\"?", name, near);
    } else {
        say("there is no command \"%s\"; see `repartir --help'", name);
    }
    return launch_give_up(CODE_USAGE);
}

static int run(const struct command *command, int argc, char *argv[])
{
    struct text name = { NULL, 0, 0 };
    int code;

    if (!command->over_ranks && launch_is_mpi() && launch_env_rank() != 0) {
        return CODE_OK; /* rank 0 does it */
    }
    text_printf(&name, "repartir %s", command->name);
    argv[0] = name.data;
    code = command->run(argc, argv);
    text_free(&name);
    return code;
}

/* Options in front of a command. */
static int answer(const char *option)
{
    bool first = launch_env_rank() == 0;

    if (strcmp(option, "--version") == 0) {
        if (first) {
            printf("repartir %s\n", rpt_version_text());
        }
    } else if (strcmp(option, "--help") == 0 ||
               strcmp(option, "--usage") == 0) {
        if (first) {
            print_help(stdout);
        }
    } else {
        say("there is no option %s; see `repartir --help'", option);
        return launch_give_up(CODE_USAGE);
    }
    return CODE_OK;
}

int main(int argc, char *argv[])
{
    bool first = launch_env_rank() == 0;
    const struct command *command;

    say_quiet(!first);
    args_quiet(!first);
    if (argc < 2) {
        if (first) {
            print_help(stderr);
        }
        return launch_give_up(CODE_USAGE);
    }
    if (argv[1][0] == '-') {
        return answer(argv[1]);
    }
    command = find(argv[1]);
    return command != NULL ? run(command, argc - 1, argv + 1)
                           : unknown(argv[1]);
}
