/*
 * output.c - what the tasks write, on its way to our standard output and error
 *
 *   group   a task's output at once, when it has ended
 *   line    whole lines, as they come
 *   files   the tasks write files, nothing passes here
 *   none    nothing at all
 *
 * To keep the order of the input, output of a task waits in memory until all
 * before it have ended; line mode does as group mode then.  What a resumed
 * task wrote was printed by the job that ran it, and is not printed again.
 * Only one stream is pending at a time: the two never pass each other.
 */
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

enum { PENDING_BYTES = 1 << 20, TAIL_BYTES = 1024 };

/* A task whose output comes in pieces. */
struct output_task {
    char *id;
    struct text partial[2]; /* a line that has not ended          */
    struct text kept[2];    /* the beginning, up to kept_bytes     */
    size_t dropped[2];
    struct text tail; /* the end of standard error          */
};

/* A task that waits for its turn. */
struct output_held {
    bool ended;
    struct text data[2];
};

void output_start(struct output *output, enum output_mode mode, bool keep_order,
                  output_write_fn write, void *user)
{
    output->mode = mode;
    output->keep_order = keep_order;
    output->write = write;
    output->user = user;
    output->stream = 1;
}

rpt_output_t output_of_task(const struct output *output)
{
    switch (output->mode) {
    case OUTPUT_LINE:
        return output->keep_order ? RPT_OUTPUT_CAPTURE : RPT_OUTPUT_STREAM;
    case OUTPUT_FILES:
        return RPT_OUTPUT_FILES;
    case OUTPUT_NONE:
        return RPT_OUTPUT_DISCARD;
    default:
        return RPT_OUTPUT_CAPTURE;
    }
}

void output_flush(struct output *output)
{
    if (output->pending.bytes > 0 && output->error == 0) {
        output->error = output->write(output->user, output->stream,
                                      output->pending.data,
                                      output->pending.bytes);
    }
    text_clear(&output->pending);
}

static void print(struct output *output, int stream, const char *data,
                  size_t bytes)
{
    if (bytes == 0) {
        return;
    }
    if (stream != output->stream || output->pending.bytes > PENDING_BYTES) {
        output_flush(output);
        output->stream = stream;
    }
    text_add(&output->pending, data, bytes);
}

/* ---- line mode ---- */

static struct output_task *task_of(struct output *output, const char *id)
{
    size_t i = map_find_string(&output->ids, id);

    if (i != MAP_NONE) {
        return &output->tasks[i];
    }
    if (output->n_tasks == output->room_tasks) {
        output->room_tasks = output->room_tasks > 0 ? output->room_tasks * 2
                                                    : 16;
        output->tasks = get_more(output->tasks,
                                 output->room_tasks * sizeof *output->tasks);
    }
    i = output->n_tasks++;
    memset(&output->tasks[i], 0, sizeof output->tasks[i]);
    output->tasks[i].id = copy_string(id);
    map_set_string(&output->ids, output->tasks[i].id, i);
    return &output->tasks[i];
}

static void keep(const struct output *output, struct output_task *task,
                 int stream, const char *data, size_t bytes)
{
    struct text *kept = &task->kept[stream - 1];
    size_t room = output->kept_bytes - kept->bytes;
    size_t n = bytes < room ? bytes : room;

    text_add(kept, data, n);
    task->dropped[stream - 1] += bytes - n;
    if (stream == 2) {
        size_t used = bytes < TAIL_BYTES ? bytes : TAIL_BYTES;

        text_add(&task->tail, data + bytes - used, used);
        if (task->tail.bytes > 2 * TAIL_BYTES) {
            memmove(task->tail.data,
                    task->tail.data + task->tail.bytes - TAIL_BYTES,
                    TAIL_BYTES);
            task->tail.bytes = TAIL_BYTES;
        }
    }
}

void output_chunk(struct output *output, const char *id, int stream,
                  const void *data, size_t bytes)
{
    struct output_task *task = task_of(output, id);
    struct text *partial = &task->partial[stream - 1];
    const char *end = memrchr(data, '\n', bytes);
    size_t whole = end != NULL ? (size_t)(end - (const char *)data) + 1 : 0;

    keep(output, task, stream, data, bytes);
    if (whole > 0) {
        print(output, stream, partial->data, partial->bytes);
        print(output, stream, data, whole);
        text_clear(partial);
    }
    text_add(partial, (const char *)data + whole, bytes - whole);
}

static void release(struct output_task *task)
{
    for (int i = 0; i < 2; i++) {
        text_free(&task->partial[i]);
        text_free(&task->kept[i]);
    }
    text_free(&task->tail);
}

/* A last line without its end gets one: lines stay whole. */
static void end_lines(struct output *output, struct output_task *task)
{
    for (int i = 0; i < 2; i++) {
        struct text *partial = &task->partial[i];

        if (partial->bytes > 0) {
            text_char(partial, '\n');
            print(output, i + 1, partial->data, partial->bytes);
        }
    }
    release(task);
}

/* ---- when a task has ended ---- */

void output_captured(const struct output *output, const rpt_result_t *result,
                     struct captured *captured_out)
{
    struct captured c = { { result->stdout_data, result->stderr_data },
                          { result->stdout_bytes, result->stderr_bytes },
                          { result->stdout_dropped, result->stderr_dropped } };
    size_t i = output->mode == OUTPUT_LINE
                   ? map_find_string(&output->ids, result->id)
                   : MAP_NONE;

    if (i != MAP_NONE && c.bytes[0] + c.bytes[1] == 0) {
        const struct output_task *task = &output->tasks[i];

        for (int k = 0; k < 2; k++) {
            c.data[k] = task->kept[k].data;
            c.bytes[k] = task->kept[k].bytes;
            c.dropped[k] = task->dropped[k];
        }
        if (c.bytes[1] == 0 && output->kept_bytes == 0) {
            c.data[1] = task->tail.data;
            c.bytes[1] = task->tail.bytes;
        }
    }
    *captured_out = c;
}

/* Makes room for the index-th task. */
static struct output_held *held_of(struct output *output, size_t index)
{
    if (index >= output->room_held) {
        size_t room = index * 2 + 64;

        output->held = get_more(output->held, room * sizeof *output->held);
        memset(output->held + output->room_held, 0,
               (room - output->room_held) * sizeof *output->held);
        output->room_held = room;
    }
    return &output->held[index];
}

static void print_held(struct output *output, struct output_held *held)
{
    for (int i = 0; i < 2; i++) {
        print(output, i + 1, held->data[i].data, held->data[i].bytes);
        text_free(&held->data[i]);
    }
}

static void hold(struct output *output, size_t index, const char *const data[2],
                 const size_t bytes[2])
{
    struct output_held *held = held_of(output, index);

    held->ended = true;
    for (int i = 0; i < 2; i++) {
        text_add(&held->data[i], data[i], bytes[i]);
    }
    while (output->next < output->room_held &&
           output->held[output->next].ended) {
        print_held(output, &output->held[output->next++]);
    }
}

static void print_group(struct output *output, size_t index,
                        const rpt_result_t *r)
{
    const char *data[2] = { r->stdout_data, r->stderr_data };
    size_t bytes[2] = { r->stdout_bytes, r->stderr_bytes };

    if (r->resumed) {
        bytes[0] = bytes[1] = 0;
    }
    if (output->keep_order) {
        hold(output, index, data, bytes);
        return;
    }
    print(output, 1, data[0], bytes[0]);
    print(output, 2, data[1], bytes[1]);
}

void output_result(struct output *output, size_t index,
                   const rpt_result_t *result)
{
    rpt_output_t how = output_of_task(output);
    size_t i;

    if (how == RPT_OUTPUT_CAPTURE) {
        print_group(output, index, result);
    } else if (how == RPT_OUTPUT_STREAM) {
        i = map_find_string(&output->ids, result->id);
        if (i != MAP_NONE) {
            end_lines(output, &output->tasks[i]);
        }
    }
}

void output_end(struct output *output)
{
    for (size_t i = output->next; i < output->room_held; i++) {
        print_held(output, &output->held[i]);
    }
    for (size_t i = 0; i < output->n_tasks; i++) {
        end_lines(output, &output->tasks[i]);
        free(output->tasks[i].id);
    }
    output_flush(output);
    free(output->held);
    free(output->tasks);
    map_free(&output->ids);
    text_free(&output->pending);
}
