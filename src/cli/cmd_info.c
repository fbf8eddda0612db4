/*
 * cmd_info.c - `repartir info`: version, build, options, machine, ranks
 *
 * Under mpirun all ranks take part, and rank 0 prints.  --options=FORMAT
 * prints only the table of options, from which the manuals are made; it needs
 * neither ranks nor MPI.
 */
#include "cli/args.h"
#include "cli/command.h"
#include "cli/launch.h"
#include "cli/options_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_OPTIONS = 0x1001 };

/* gcc's __VERSION__ is a number only, clang's has its name. */
#if defined(__clang__)
#define COMPILER __VERSION__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "an unknown compiler"
#endif

static const char *const formats[] = { "man", "conf", "md", NULL };

struct info_options {
    bool json;
    int format; /* of the table alone; -1: everything */
};

static const struct argp_option options_of_info[] = {
    { "json", 'j', NULL, 0, "Print one JSON object", 0 },
    { "options", KEY_OPTIONS, "FORMAT", 0,
      "Print only the table of options: man, conf or md", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct info_options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        break;
    case KEY_OPTIONS:
        o->format = args_word(state, "options", arg, formats);
        return o->format < 0 ? EINVAL : 0;
    case ARGP_KEY_ARG:
        argp_error(state, "\"%s\": no argument is wanted", arg);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int print(struct text *text)
{
    bool bad = fwrite(text->data, 1, text->bytes, stdout) < text->bytes ||
               fflush(stdout) != 0;

    text_free(text);
    if (bad) {
        say("standard output cannot be written");
    }
    return bad ? CODE_IO : CODE_OK;
}

static int print_table(int format)
{
    static void (*const tables[])(struct text *) = { options_man, options_conf,
                                                     options_md };
    struct text text = { NULL, 0, 0 };

    tables[format](&text);
    return launch_env_rank() == 0 ? print(&text) : CODE_OK;
}

static void add_ranks(struct text *text, const rpt_context_t *context)
{
    int size = rpt_context_size(context);

    text_string(text, ",\"ranks\":[");
    for (int r = 0; r < size; r++) {
        const char *host = rpt_context_host_of(context, r);
        rpt_level_t level = RPT_LEVEL_PU;

        text_printf(text,
                    "%s{\"rank\":%d,\"node\":%d,\"host\":", r > 0 ? "," : "", r,
                    rpt_context_node_of(context, r));
        text_json(text, host, strlen(host));
        rpt_context_level(context, 0, r, &level);
        text_printf(text, ",\"shares_with_rank_0\":\"%s\"}",
                    rpt_level_name(level));
    }
    text_char(text, ']');
}

static void add_json(struct text *text, const rpt_context_t *context,
                     const rpt_options_t *options, const char *machine)
{
    char *mpi = launch_mpi_version();

    text_printf(text,
                "{\"version\":\"%s\",\"headers\":\"%d.%d.%d\","
                "\"compiler\":",
                rpt_version_text(), RPT_VERSION_MAJOR, RPT_VERSION_MINOR,
                RPT_VERSION_PATCH);
    text_json(text, COMPILER, strlen(COMPILER));
    text_string(text, ",\"mpi\":");
    text_json(text, mpi, strlen(mpi));
    text_printf(text, ",\"n_ranks\":%d,\"n_nodes\":%d",
                rpt_context_size(context), rpt_context_n_nodes(context));
    add_ranks(text, context);
    text_string(text, ",\"description\":");
    text_json(text, machine, strlen(machine));
    text_string(text, ",\"options\":");
    options_json(text, options);
    text_string(text, "}\n");
    free(mpi);
}

static void add_text(struct text *text, const rpt_options_t *options,
                     const char *machine)
{
    char *mpi = launch_mpi_version();

    text_printf(text, "repartir %s, built by %s\nMPI: %s\n\n%s",
                rpt_version_text(), COMPILER, mpi, machine);
    if (machine[0] != '\0' && machine[strlen(machine) - 1] != '\n') {
        text_char(text, '\n');
    }
    text_string(text, "\noptions: name, value, where it comes from\n");
    options_text(text, options);
    free(mpi);
}

static int describe(const struct info_options *o, const rpt_context_t *context,
                    const rpt_options_t *options, struct fault *fault)
{
    struct text text = { NULL, 0, 0 };
    char *machine;

    if (rpt_context_describe(context, &machine) != RPT_OK) {
        return fault_library(fault);
    }
    if (o->json) {
        add_json(&text, context, options, machine);
    } else {
        add_text(&text, options, machine);
    }
    free(machine);
    return print(&text);
}

static int show(const struct info_options *o)
{
    struct fault fault = { 0 };
    struct launch launch;
    rpt_options_t *options = NULL;
    rpt_context_t *context = NULL;
    int code = CODE_OK;

    launch_begin(&launch);
    say_quiet(launch.rank != 0);
    if (rpt_options_create(&options) != RPT_OK) {
        code = fault_library(&fault);
    }
    if (launch_agree(&launch, code, NULL) == CODE_OK) {
        code = launch_context(&launch, options, &context, &fault);
        if (code == CODE_OK && launch.rank == 0) {
            code = describe(o, context, options, &fault);
        }
    }
    fault_print(&fault);
    rpt_context_destroy(context);
    rpt_options_destroy(options);
    return launch_end(&launch, code);
}

int command_info(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_info,
        parse,
        NULL,
        "Print version, build, options with their values, the machine, and "
        "which rank sits where (mpirun -n 4 repartir info).",
        children,
        NULL,
        NULL
    };
    struct info_options o = { false, -1 };
    int code = args_parse(&argp, argc, argv, &o);

    if (code == ARGS_ANSWERED) {
        return CODE_OK;
    }
    if (code != CODE_OK) {
        return launch_give_up(code);
    }
    return o.format >= 0 ? print_table(o.format) : show(&o);
}
