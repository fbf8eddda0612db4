/*
 * outputs.c - what becomes of a program's output
 */
#include "world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_much(struct world *w)
{
    rpt_future_t *future = submit(
        w->pool, task_shell("head -c 5000 /dev/zero | tr '\\0' o; "
                            "head -c 300000 /dev/zero | tr '\\0' e >&2; "
                            "echo end"));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);

    if (result != NULL) {
        CHECK(result->stdout_bytes == 1024 && result->stdout_dropped == 3980);
        CHECK(result->stderr_bytes == 1024 &&
              result->stderr_dropped == 300000 - 1024);
        CHECK(result->stdout_bytes == 1024 &&
              ((const char *)result->stdout_data)[0] == 'o' &&
              ((const char *)result->stdout_data)[1023] == 'o');
    }
    rpt_future_destroy(future);
}

static void what_is_over_the_limit_is_counted(void)
{
    drive(1, 3, "pool.capture_bytes=1KiB", write_much);
}

static void write_files(struct world *w)
{
    const char *out = scratch_path("out"), *err = scratch_path("err");
    rpt_task_t *task = task_shell("echo to out; echo to err >&2");
    rpt_future_t *future;
    const rpt_result_t *result;
    char *text;

    write_file(out, "what was there before, and is longer\n");
    CHECK(rpt_task_set_output_files(task, out, err) == RPT_OK);
    future = submit(w->pool, task);
    result = ended(future, RPT_OUTCOME_OK);
    CHECK(result != NULL && result->stdout_bytes == 0 &&
          result->stderr_bytes == 0);
    rpt_future_destroy(future);
    text = read_file(out);
    CHECK(text != NULL && strcmp(text, "to out\n") == 0);
    free(text);
    text = read_file(err);
    CHECK(text != NULL && strcmp(text, "to err\n") == 0);
    free(text);

    task = task_shell("echo nowhere; echo to err >&2");
    CHECK(rpt_task_set_output_files(task, NULL, err) == RPT_OK);
    ends(submit(w->pool, task), RPT_OUTCOME_OK);

    task = task_shell("true");
    CHECK(rpt_task_set_output_files(task, "/no/such/folder/out", NULL) ==
          RPT_OK);
    future = submit(w->pool, task);
    result = ended(future, RPT_OUTCOME_FAILED);
    CHECK(result != NULL &&
          strstr(result->message, "/no/such/folder/out") != NULL);
    rpt_future_destroy(future);
}

static void output_goes_to_files(void)
{
    drive(1, 3, NULL, write_files);
}

static void discard(struct world *w)
{
    rpt_task_t *task = task_shell("echo out; echo err >&2; exit 2");
    rpt_future_t *future;
    const rpt_result_t *result;

    CHECK(rpt_task_set_output(task, RPT_OUTPUT_DISCARD) == RPT_OK);
    future = submit(w->pool, task);
    result = ended(future, RPT_OUTCOME_FAILED);
    CHECK(result != NULL && result->exit_code == 2 &&
          result->stdout_bytes == 0 && result->stderr_bytes == 0 &&
          result->stdout_dropped == 0 && result->stderr_dropped == 0);
    rpt_future_destroy(future);
}

static void output_is_discarded(void)
{
    drive(1, 3, NULL, discard);
}

/* ---- streams ---- */

enum { N_STREAMS = 4, STREAM_BYTES = 1 << 17 };

struct stream {
    char *text[3]; /* by stream */
    size_t bytes[3];
    bool has_result;
};

static void on_output(const char *id, int stream, const void *data,
                      size_t bytes, void *user)
{
    struct stream *s = (struct stream *)user + (id[0] - 'a');

    if (CHECK(stream == 1 || stream == 2) &&
        CHECK(s->bytes[stream] + bytes <= STREAM_BYTES)) {
        CHECK(!s->has_result);
        memcpy(s->text[stream] + s->bytes[stream], data, bytes);
        s->bytes[stream] += bytes;
    }
}

static void on_result(const rpt_result_t *result, void *user)
{
    struct stream *s = (struct stream *)user + (result->id[0] - 'a');

    CHECK(!s->has_result);
    s->has_result = true;
    CHECK(result->stdout_bytes == 0);
}

static void stream(struct world *w)
{
    struct stream streams[N_STREAMS];

    memset(streams, 0, sizeof streams);
    CHECK(rpt_pool_on_output(w->pool, on_output, streams) == RPT_OK);
    CHECK(rpt_pool_on_result(w->pool, on_result, streams) == RPT_OK);
    for (int i = 0; i < N_STREAMS; i++) {
        char id[2] = { (char)('a' + i), '\0' }, line[64];
        rpt_task_t *task;

        streams[i].text[1] = malloc(STREAM_BYTES);
        streams[i].text[2] = malloc(STREAM_BYTES);
        snprintf(line, sizeof line, "seq %d 9999; echo last >&2", 1000 + i);
        task = task_shell(line);
        CHECK(rpt_task_set_output(task, RPT_OUTPUT_STREAM) == RPT_OK);
        CHECK(rpt_task_set_id(task, id) == RPT_OK);
        submit_quietly(w->pool, task);
    }
    wait_all(w->pool);
    for (int i = 0; i < N_STREAMS; i++) {
        size_t n = (size_t)(9000 - i) * 5;

        CHECK(streams[i].has_result);
        CHECK(streams[i].bytes[2] == 5);
        if (CHECK(streams[i].bytes[1] == n)) {
            for (int k = 0; k < 9000 - i; k++) {
                char number[16];

                snprintf(number, sizeof number, "%d\n", 1000 + i + k);
                if (memcmp(streams[i].text[1] + 5 * k, number, 5) != 0) {
                    CHECK(false); /* the stream is in order */
                    break;
                }
            }
        }
        free(streams[i].text[1]);
        free(streams[i].text[2]);
    }
}

static void a_stream_comes_in_order_before_the_result(void)
{
    drive(1, 4, NULL, stream);
}

const struct pool_test outputs_tests[] = {
    TEST(what_is_over_the_limit_is_counted),
    TEST(output_goes_to_files),
    TEST(output_is_discarded),
    TEST(a_stream_comes_in_order_before_the_result),
    TEST_END,
};
