/*
 * cmd_explain.c - `repartir explain OPERATION`: what a collective would do
 *
 * Needs no ranks and no MPI: schedules are built, counted and printed.
 */
#include "cli/args.h"
#include "cli/command.h"

#include <repartir/coll.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    KEY_RANKS = 0x2001,
    KEY_NODES,
    KEY_DOMAINS,
    KEY_COUNT,
    KEY_TYPE,
    KEY_ROOT,
    KEY_RULES,
    KEY_OP
};

struct explain_options {
    rpt_coll_t coll;
    int n_ranks;
    int n_nodes;
    int n_domains; /* 0: not said */
    bool has_operation;
    rpt_options_t *options;
};

static const char *const types[] = {
#define TYPE_TEXT(name, value, bytes, text) text,
    RPT_TYPE_LIST(TYPE_TEXT)
#undef TYPE_TEXT
        NULL
};

static const struct argp_option options_of_explain[] = {
    { "count", KEY_COUNT, "N", 0,
      "Elements of the vector, or of each block (1)", 0 },
    { "type", KEY_TYPE, "TYPE", 0, "Of an element (f32)", 0 },
    { "root", KEY_ROOT, "RANK", 0, "Of an operation that has one (0)", 0 },
    { "ranks", KEY_RANKS, "N", 0, "Number of ranks (2)", 0 },
    { "nodes", KEY_NODES, "N", 0, "Number of nodes that they are on (1)", 0 },
    { "domains", KEY_DOMAINS, "N", 0,
      "Domains (packages, NUMA nodes or L3) that each node is divided into (1)",
      0 },
    { "rules", KEY_RULES, "FILE", 0,
      "Choose by the rules in FILE (as option coll.rules)", 0 },
    { "option", 'o', "NAME=VALUE", 0, "Set an option of the library", 0 },
    /* There is none, but it would be a beginning of --option. */
    { "op", KEY_OP, "OPERATOR", OPTION_HIDDEN, NULL, 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static error_t take_number(struct argp_state *state, const char *name,
                           const char *text, int least, int *out)
{
    long long number = 0;
    int error = args_integer(state, name, text, least, &number);

    *out = (int)number;
    return error;
}

/* Counts may be above 10^9, where args_integer() ends. */
static error_t take_count(struct argp_state *state, const char *text,
                          size_t *out)
{
    char *rest;
    unsigned long long number;

    errno = 0;
    number = strtoull(text, &rest, 10);
    if (text[0] < '0' || text[0] > '9' || *rest != '\0' || errno != 0 ||
        number > SIZE_MAX) {
        argp_error(state, "--count: \"%s\" is no number from 0 on", text);
        return EINVAL;
    }
    *out = (size_t)number;
    return 0;
}

static error_t take_domains(struct argp_state *state, const char *text,
                            struct explain_options *o)
{
    error_t error = take_number(state, "domains", text, 1, &o->n_domains);

    if (error == 0 &&
        rpt_options_set(o->options, "topo.virtual_domains", text) != RPT_OK) {
        argp_error(state, "--domains: %s", rpt_last_error()->what);
        error = EINVAL;
    }
    return error;
}

/* The library would say so of its own arguments, not of ours. */
static error_t check(struct argp_state *state, const struct explain_options *o)
{
    size_t bytes = rpt_type_bytes(o->coll.type);
    int most = o->n_ranks / o->n_nodes + (o->n_ranks % o->n_nodes > 0);

    if (!o->has_operation) {
        argp_error(state, "an operation is wanted, such as allreduce");
        return EINVAL;
    }
    if (o->n_nodes > o->n_ranks) {
        argp_error(state, "--nodes=%d: there is a rank on each, but --ranks=%d",
                   o->n_nodes, o->n_ranks);
        return EINVAL;
    }
    if (o->n_domains > most) {
        argp_error(state, "--domains=%d: a node has %d ranks at most",
                   o->n_domains, most);
        return EINVAL;
    }
    if (o->coll.root >= o->n_ranks) {
        argp_error(state, "--root=%d: with --ranks=%d, the last rank is %d",
                   o->coll.root, o->n_ranks, o->n_ranks - 1);
        return EINVAL;
    }
    if (o->coll.count > PTRDIFF_MAX / bytes / (size_t)o->n_ranks) {
        argp_error(state, "--count=%zu: no memory can hold that for %d ranks",
                   o->coll.count, o->n_ranks);
        return EINVAL;
    }
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct explain_options *o = state->input;
    int word;

    switch (key) {
    case KEY_COUNT:
        return take_count(state, arg, &o->coll.count);
    case KEY_TYPE:
        word = args_word(state, "type", arg, types);
        o->coll.type = (rpt_type_t)word;
        return word < 0 ? EINVAL : 0;
    case KEY_ROOT:
        return take_number(state, "root", arg, 0, &o->coll.root);
    case KEY_RANKS:
        return take_number(state, "ranks", arg, 1, &o->n_ranks);
    case KEY_NODES:
        return take_number(state, "nodes", arg, 1, &o->n_nodes);
    case KEY_DOMAINS:
        return take_domains(state, arg, o);
    case KEY_RULES:
        return rpt_options_set(o->options, "coll.rules", arg) == RPT_OK
                   ? 0
                   : ENOMEM;
    case 'o':
        return args_option(state, o->options, arg);
    case KEY_OP:
        argp_error(state, "there is no option --op: all operators of the "
                          "library cost the same here");
        return EINVAL;
    case ARGP_KEY_ARG:
        if (o->has_operation) {
            argp_error(state, "\"%s\": one operation is enough", arg);
            return EINVAL;
        }
        word = args_word(state, "OPERATION", arg, args_operations);
        o->coll.kind = (rpt_coll_kind_t)word;
        o->has_operation = true;
        return word < 0 ? EINVAL : 0;
    case ARGP_KEY_END:
        return check(state, o);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int explain(const struct explain_options *o)
{
    struct fault fault = { 0 };
    char *text = NULL;
    int code = CODE_OK;

    if (rpt_coll_explain(&o->coll, o->n_ranks, o->n_nodes, o->options, &text) !=
        RPT_OK) {
        code = fault_library(&fault);
        fault_print(&fault);
        return code;
    }
    if (fputs(text, stdout) == EOF || fflush(stdout) != 0) {
        say("standard output cannot be written");
        code = CODE_IO;
    }
    free(text);
    return code;
}

int command_explain(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_explain,
        parse,
        "OPERATION",
        "Print, for each algorithm of a collective operation, steps, messages "
        "and bytes of the busiest rank, and about how long it takes; and the "
        "steps of rank 0 in the one that would be chosen (*), and why it is.  "
        "Needs no MPI.",
        children,
        NULL,
        NULL
    };
    struct explain_options o = { .n_ranks = 2, .n_nodes = 1 };
    struct fault fault = { 0 };
    int code;

    o.coll.count = 1;
    o.coll.type = RPT_TYPE_F32;
    if (rpt_options_create(&o.options) != RPT_OK) {
        code = fault_library(&fault);
        fault_print(&fault);
        return code;
    }
    code = args_parse(&argp, argc, argv, &o);
    if (code == CODE_OK) {
        code = explain(&o);
    } else if (code == ARGS_ANSWERED) {
        code = CODE_OK;
    }
    rpt_options_destroy(o.options);
    return code;
}
