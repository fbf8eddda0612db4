/*
 * input.h - from a file's name to a list of tasks that fit together
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "cli/map.h"
#include "cli/parse.h"

enum input_format { FORMAT_AUTO, FORMAT_LINES, FORMAT_JSON };

struct input_options {
    const char *file;         /* "-": standard input                   */
    bool each;                /* the file has values for the template  */
    const char *const *words; /* the template, ends with NULL          */
    bool shell;
    enum input_format format;
};

/* Adds the tasks of the file to an empty list.  The name of the file must
 * outlive the list. */
int input_read(const struct input_options *options, struct task_list *list,
               struct fault *fault);

/* The same from memory, for requests and tests. */
int input_parse(const struct input_options *options,
                const struct source *source, struct task_list *list,
                struct fault *fault);

/* Which of the two formats bytes of this name have. */
enum input_format input_guess(const struct source *source, bool shell);

#endif /* CLI_INPUT_H */
