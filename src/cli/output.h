/*
 * output.h - what the tasks write, on its way to our standard output and error
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/map.h"
#include "cli/results.h"
#include "cli/text.h"

#include <repartir/pool.h>

#include <stdbool.h>

enum output_mode { OUTPUT_GROUP, OUTPUT_LINE, OUTPUT_FILES, OUTPUT_NONE };

/* Writes to stream 1 (standard output) or 2 (standard error); errno or 0. */
typedef int (*output_write_fn)(void *user, int stream, const void *data,
                               size_t bytes);

struct output_task;
struct output_held;

struct output {
    enum output_mode mode;
    bool keep_order;
    size_t kept_bytes; /* of each stream of a task in line mode, for results */
    output_write_fn write;
    void *user;
    struct text pending; /* for `stream` */
    int stream;
    int error; /* errno of the first failed write, or 0 */
    /* line mode: tasks that have written something, by id */
    struct map ids;
    struct output_task *tasks;
    size_t n_tasks, room_tasks;
    /* keep order: tasks that ended before an earlier one did */
    struct output_held *held;
    size_t room_held;
    size_t next; /* index of the task to print next */
};

/* All other members zero. */
void output_start(struct output *output, enum output_mode mode, bool keep_order,
                  output_write_fn write, void *user);

/* What the task shall do with its output, for the library. */
rpt_output_t output_of_task(const struct output *output);

/* A piece of output of a running task (line mode). */
void output_chunk(struct output *output, const char *id, int stream,
                  const void *data, size_t bytes);

/* What was caught of a task that ended; valid until output_result(). */
void output_captured(const struct output *output, const rpt_result_t *result,
                     struct captured *captured_out);

/* The index-th task ended: prints what is due. */
void output_result(struct output *output, size_t index,
                   const rpt_result_t *result);

void output_flush(struct output *output);

/* Prints what waited for earlier tasks, in order; releases. */
void output_end(struct output *output);

#endif /* CLI_OUTPUT_H */
