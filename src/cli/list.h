/*
 * list.h - the tasks that were read, as their file says it
 */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include "cli/text.h"

#include <repartir/pool.h>

#include <stddef.h>
#include <stdint.h>

struct task_env {
    char *name;
    char *value; /* NULL removes the variable */
};

struct task_need {
    char *name;
    int units;
};

/* What few tasks have. */
struct task_more {
    char *cwd;
    char *stdin_data;
    size_t stdin_bytes;
    struct task_env *env;
    size_t n_env;
    char **after; /* ids */
    size_t n_after;
    struct task_need *needs; /* named resources */
    size_t n_needs;
    uint64_t memory_mib;
    double checkpoint_s; /* between its checkpoints; 0: it has none */
    rpt_priority_t priority;
};

struct task_spec {
    char **argv;            /* what runs; ends with NULL; one piece of memory */
    char **shown;           /* what reports show instead; NULL: argv          */
    char *id;               /* NULL: the pool gives a number                  */
    char *output;           /* path without .out and .err; NULL: no files     */
    struct task_more *more; /* NULL: nothing                                  */
    double timeout_s;       /* < 0: as the command line says                  */
    uint32_t line;          /* in its file                                    */
    int retries;            /* < 0: as the command line says                  */
    int slots;              /* 0: one                                         */
};

struct task_list {
    const char *source; /* name of the file, for messages */
    struct task_spec *tasks;
    size_t n;
    size_t room;
};

/* A task of defaults at the end of the list; valid until the next one. */
struct task_spec *list_add(struct task_list *list, uint32_t line);
/* Its rare part, made at first use. */
struct task_more *spec_more(struct task_spec *spec);

/* One piece of memory for a vector of n strings that lie one after another in
 * `strings`, each with its 0; release with free(). */
char **make_vector(const char *strings, size_t bytes, size_t n);

/* The words that reports show. */
const char *const *spec_shown(const struct task_spec *spec);

/* The task as one JSON line (doc/tasks.schema.json), with its line end. */
void spec_json(struct text *text, const struct task_spec *spec);

/* Name of a priority: "high", "normal", "low". */
const char *priority_name(rpt_priority_t priority);

void list_free(struct task_list *list);

#endif /* CLI_LIST_H */
