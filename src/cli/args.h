/*
 * args.h - the command line, with argp, in the manner of this command
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/fault.h"

#include <repartir/options.h>

#include <argp.h>

/* --help, --usage and --version, for every subcommand. */
extern const struct argp args_common;
#define ARGS_CHILDREN                                                          \
    {                                                                          \
        { &args_common, 0, NULL, -1 },                                         \
        {                                                                      \
            NULL, 0, NULL, 0                                                   \
        }                                                                      \
    }

/* The command line was answered (--help): end with 0. */
enum { ARGS_ANSWERED = -1 };

/* CODE_OK, CODE_USAGE (said already), or ARGS_ANSWERED.  argv[0] is the name
 * for messages, such as "repartir run". */
int args_parse(const struct argp *argp, int argc, char *argv[], void *input);

/* Values; each says what is wrong by argp_error() and returns false. */
int args_seconds(struct argp_state *state, const char *name, const char *text,
                 double *seconds_out);
int args_integer(struct argp_state *state, const char *name, const char *text,
                 long long least, long long *number_out);
int args_integer_to(struct argp_state *state, const char *name,
                    const char *text, long long least, long long most,
                    long long *number_out);

/* Bytes: 4096, 64K, 4MiB. */
int args_size(struct argp_state *state, const char *name, const char *text,
              size_t *bytes_out);
/* NAME=VALUE, an option of the library. */
int args_option(struct argp_state *state, rpt_options_t *options,
                const char *text);

/* Index of a word in a list that ends with NULL; -1 after argp_error().  A name
 * in capitals is that of an argument, another one that of an option. */
int args_word(struct argp_state *state, const char *name, const char *text,
              const char *const words[]);

/* Names of the collective operations, by rpt_coll_kind_t; ends with NULL. */
extern const char *const args_operations[];

/* On ranks other than 0: nothing is printed. */
void args_quiet(int quiet);

#endif /* CLI_ARGS_H */
