/*
 * cmd_ckpt.c - `repartir ckpt VERB`: checkpoints, without a job
 *
 * Finds the verb; each has its own command line, in ckpt/.
 */
#include "cli/args.h"
#include "cli/ckpt/ckpt.h"
#include "cli/command.h"
#include "cli/text.h"

#include <stdio.h>
#include <string.h>

static const struct ckpt_verb verbs[] = {
    { "list", "list tasks and their checkpoints", ckpt_list },
    { "show", "say what is in a checkpoint", ckpt_show },
    { "path", "print where a checkpoint is", ckpt_path },
    { "verify", "read checkpoints and compare their checksums", ckpt_verify },
    { "diff", "compare two checkpoints", ckpt_diff },
    { "prune", "remove old ones by rules", ckpt_prune },
    { "rm", "remove some by name, or a task", ckpt_rm },
    { "halt", "let programs save and end", ckpt_halt },
    { "interval", "say how often to save", ckpt_interval },
    { "export", "write a checkpoint as tables in Parquet", ckpt_export },
};

enum { N_VERBS = sizeof verbs / sizeof *verbs };

static void print_help(FILE *file)
{
    fputs("Usage: repartir ckpt VERB [OPTIONS] [PATH ...]\n"
          "Look at checkpoints, verify and remove them, while a job writes "
          "them or after it.\n\n",
          file);
    for (size_t i = 0; i < N_VERBS; i++) {
        fprintf(file, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
    }
    fputs("\nPATH is a directory of checkpoints, a task in it or a checkpoint: "
          "DIR[/TASK[/CHECKPOINT]].\n"
          "`repartir ckpt VERB --help' tells more; so does "
          "repartir-ckpt(1).\n",
          file);
}

static int unknown(const char *name)
{
    const char *names[N_VERBS];
    const char *near;

    for (size_t i = 0; i < N_VERBS; i++) {
        names[i] = verbs[i].name;
    }
    near = nearest_word(name, names, N_VERBS);
    if (near != NULL) {
        say("ckpt: there is no \"%s\"; did you mean \"%s\"?", name, near);
    } else {
        say("ckpt: there is no \"%s\"; see `repartir ckpt --help'", name);
    }
    return CODE_USAGE;
}

static int answer(const char *option)
{
    if (strcmp(option, "--version") == 0) {
        printf("repartir %s\n", rpt_version_text());
    } else if (strcmp(option, "--help") == 0 ||
               strcmp(option, "--usage") == 0) {
        print_help(stdout);
    } else {
        say("ckpt: there is no option %s; see `repartir ckpt --help'", option);
        return CODE_USAGE;
    }
    return CODE_OK;
}

int command_ckpt(int argc, char *argv[])
{
    struct text name = { NULL, 0, 0 };
    int code;

    if (argc < 2) {
        print_help(stderr);
        return CODE_USAGE;
    }
    if (argv[1][0] == '-') {
        return answer(argv[1]);
    }
    for (size_t i = 0; i < N_VERBS; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            text_printf(&name, "repartir ckpt %s", verbs[i].name);
            argv[1] = name.data;
            code = verbs[i].run(argc - 1, argv + 1);
            text_free(&name);
            return code;
        }
    }
    return unknown(argv[1]);
}
