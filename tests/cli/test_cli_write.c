/*
 * test_cli_write.c - what the command writes: results, logs, output, reports
 *
 * JSON is read back with jansson, quoted words with /bin/sh; a line of the
 * joblog is one that GNU parallel wrote.
 */
#include "harness.h"

#include "cli/joblog.h"
#include "cli/options_table.h"
#include "cli/outfile.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/sink.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *words_ls[] = { "ls", "-l", "a b", NULL };
static char *words_sh[] = { "/bin/sh", "-c", "a | b", NULL };

static struct task_spec spec_of(char **argv)
{
    return (struct task_spec){ .argv = argv, .line = 3, .timeout_s = -1 };
}

static rpt_result_t result_of(rpt_outcome_t outcome, int exit_code)
{
    return (rpt_result_t){ .size = sizeof(rpt_result_t),
                           .id = "17",
                           .outcome = outcome,
                           .exit_code = exit_code,
                           .attempts = 1,
                           .rank = 2,
                           .host = "n1",
                           .start_time = 1396438484.263,
                           .duration_s = 1.529,
                           .max_rss_kib = 1234,
                           .message = "" };
}

/* ---- text ---- */

static void bytes_come_back_from_a_json_string(void)
{
    static const char all[] = "a\"\\\n\r\t\x01\x7f\xc3\xa9\xf0\x9f\x98\x80/";
    struct text text = { NULL, 0, 0 };
    json_t *read;

    text_json(&text, all, sizeof all - 1);
    read = json_loads(text.data, JSON_DECODE_ANY, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(read);
    CU_ASSERT_STRING_EQUAL(json_string_value(read), all);
    json_decref(read);
    text_clear(&text);
    /* Neither UTF-8 nor the end of the world. */
    text_json(&text, "x\xff\xc3(\xed\xa0\x80y\xf4\x90\x80\x80\0", 13);
    read = json_loads(text.data, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(read);
    CU_ASSERT(
        strncmp(json_string_value(read), "x\xef\xbf\xbd\xef\xbf\xbd(", 8) == 0);
    json_decref(read);
    text_free(&text);
}

/* Some terminals obey U+009B as they obey ESC [. */
static void a_terminal_is_told_nothing_by_a_name(void)
{
    static const char name[] =
        "a\x1b[2J\xc2\x9b"
        "2J\xc2\x80\xc2\x9f\xc2\xa0\xc3\xa9\x9b\xe2\x80\x93\x7f\n.";
    struct text text = { NULL, 0, 0 };
    json_t *read;

    text_visible(&text, name, sizeof name - 1);
    CU_ASSERT_STRING_EQUAL(text.data,
                           "a\\x1b[2J\\u009b2J\\u0080\\u009f\xc2\xa0\xc3\xa9"
                           "\\x9b\xe2\x80\x93\\x7f\\n.");
    text_clear(&text);
    text_json(&text, "\xc2\x9b\xc2\x85\xc2\xa0", 6);
    CU_ASSERT_STRING_EQUAL(text.data, "\"\\u009b\\u0085\xc2\xa0\"");
    read = json_loads(text.data, JSON_DECODE_ANY, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(read);
    CU_ASSERT_STRING_EQUAL(json_string_value(read), "\xc2\x9b\xc2\x85\xc2\xa0");
    json_decref(read);
    text_free(&text);
}

static void a_word_comes_back_from_a_shell(void)
{
    static const char *const words[] = { "a",     "a b",  "it's", "",
                                         "$x`y`", "\\",   "*",    "-n",
                                         "~",     "a\nb", "#",    NULL };
    struct text command = { NULL, 0, 0 };
    char out[256] = "";
    FILE *shell;
    size_t n;

    text_string(&command, "printf '[%s]' ");
    text_command(&command, words);
    shell = popen(command.data, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(shell);
    n = fread(out, 1, sizeof out - 1, shell);
    out[n] = '\0';
    pclose(shell);
    CU_ASSERT_STRING_EQUAL(out,
                           "[a][a b][it's][][$x`y`][\\][*][-n][~][a\nb][#]");
    text_free(&command);
}

/* ---- results ---- */

static json_t *results_of(const struct task_spec *spec, const rpt_result_t *r,
                          const struct captured *captured)
{
    struct text text = { NULL, 0, 0 };
    json_t *object;

    results_json(&text, spec, r, captured);
    CU_ASSERT_EQUAL(strchr(text.data, '\n'), text.data + text.bytes - 1);
    object = json_loads(text.data, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(object);
    text_free(&text);
    return object;
}

static void a_result_has_exactly_the_documented_keys(void)
{
    static const char *const keys[] = { "id",         "argv",   "status",
                                        "exit_code",  "signal", "attempts",
                                        "rank",       "host",   "start_time",
                                        "duration_s", "stdout", "max_rss_kib",
                                        "stderr" };
    struct task_spec spec = spec_of(words_ls);
    rpt_result_t r = result_of(RPT_OUTCOME_OK, 0);
    struct captured captured = { { "out\n", "\xff" }, { 4, 1 }, { 0, 0 } };
    json_t *o = results_of(&spec, &r, &captured);

    CU_ASSERT_EQUAL(json_object_size(o), sizeof keys / sizeof *keys);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        CU_ASSERT_PTR_NOT_NULL(json_object_get(o, keys[i]));
    }
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "id")), "17");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(o, "argv")), 3);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "status")),
                           "ok");
    CU_ASSERT(json_is_integer(json_object_get(o, "exit_code")));
    CU_ASSERT(json_is_null(json_object_get(o, "signal")));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "rank")), 2);
    CU_ASSERT_DOUBLE_EQUAL(json_real_value(json_object_get(o, "duration_s")),
                           1.529, 1e-9);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "stdout")),
                           "out\n");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "stderr")),
                           "\xef\xbf\xbd");
    json_decref(o);
}

static void what_is_not_known_is_null(void)
{
    struct task_spec spec = spec_of(words_ls);
    rpt_result_t r = { .id = "x",
                       .outcome = RPT_OUTCOME_SKIPPED,
                       .exit_code = -1,
                       .rank = -1,
                       .host = "",
                       .message = "a did not succeed" };
    struct captured captured = { { NULL, NULL }, { 0, 0 }, { 0, 0 } };
    json_t *o = results_of(&spec, &r, &captured);
    static const char *const keys[] = { "exit_code",  "signal",
                                        "rank",       "host",
                                        "start_time", "duration_s",
                                        "max_rss_kib" };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        CU_ASSERT(json_is_null(json_object_get(o, keys[i])));
    }
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "status")),
                           "skipped");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "message")),
                           "a did not succeed");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "stdout")), "");
    json_decref(o);
}

static void results_name_files_and_what_was_dropped(void)
{
    struct task_spec spec = spec_of(words_sh);
    rpt_result_t r = result_of(RPT_OUTCOME_SIGNALED, -1);
    struct captured captured = { { "a", "b" }, { 1, 1 }, { 0, 99 } };
    json_t *o;

    r.signal = 9;
    o = results_of(&spec, &r, &captured);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "signal")), 9);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "stderr_dropped")),
                    99);
    CU_ASSERT_PTR_NULL(json_object_get(o, "stdout_dropped"));
    json_decref(o);
    spec.output = "/d/x";
    o = results_of(&spec, &r, &captured);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "stdout_path")),
                           "/d/x.out");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "stderr_path")),
                           "/d/x.err");
    CU_ASSERT_PTR_NULL(json_object_get(o, "stdout"));
    json_decref(o);
}

/* ---- joblog ---- */

static const char *log_of(char **argv, const rpt_result_t *r)
{
    static struct text text;
    struct task_spec spec = spec_of(argv);

    text_clear(&text);
    joblog_line(&text, &spec, 5, r, 12);
    return text.data;
}

static void the_joblog_is_that_of_gnu_parallel(void)
{
    static char *lines[] = { "/bin/sh", "-c", "x\ny", NULL };
    rpt_result_t r = result_of(RPT_OUTCOME_OK, 0);

    CU_ASSERT_STRING_EQUAL(joblog_head,
                           "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\t"
                           "Exitval\tSignal\tCommand\n");
    CU_ASSERT_STRING_EQUAL(
        log_of(words_ls, &r),
        "5\tn1\t1396438484.263\t     1.529\t0\t12\t0\t0\tls -l 'a b'\n");
    r = result_of(RPT_OUTCOME_FAILED, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_of(words_sh, &r), "\t3\t0\ta | b\n"));
    r = result_of(RPT_OUTCOME_SIGNALED, -1);
    r.signal = 9;
    CU_ASSERT_PTR_NOT_NULL(strstr(log_of(words_sh, &r), "\t0\t9\t"));
    r = result_of(RPT_OUTCOME_TIMEOUT, -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_of(words_sh, &r), "\t-1\t15\t"));
    r = result_of(RPT_OUTCOME_FAILED, -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_of(words_sh, &r), "\t127\t0\t"));
    CU_ASSERT_PTR_NULL(strchr(log_of(lines, &r), 'y'));
    CU_ASSERT_PTR_NOT_NULL(strstr(log_of(lines, &r), "\tx"));
}

/* ---- output ---- */

static struct text written;
static int write_error;

/* "1:…" and "2:…" for each call. */
static int collect(void *user, int stream, const void *data, size_t bytes)
{
    (void)user;
    text_printf(&written, "%d:", stream);
    text_add(&written, data, bytes);
    return write_error;
}

static void output_begin(struct output *output, enum output_mode mode,
                         bool keep_order)
{
    memset(output, 0, sizeof *output);
    text_clear(&written);
    text_string(&written, "");
    write_error = 0;
    output_start(output, mode, keep_order, collect, NULL);
}

static void ends(struct output *output, size_t index, const char *id,
                 const char *out, const char *err)
{
    rpt_result_t r = { .id = id, .stdout_data = out, .stderr_data = err };

    r.stdout_bytes = strlen(out);
    r.stderr_bytes = strlen(err);
    output_result(output, index, &r);
}

static void a_group_is_printed_when_its_task_ends(void)
{
    struct output o;

    output_begin(&o, OUTPUT_GROUP, false);
    CU_ASSERT_EQUAL(output_of_task(&o), RPT_OUTPUT_CAPTURE);
    ends(&o, 1, "b", "b1\n", "");
    ends(&o, 0, "a", "a1\n", "a2\n");
    ends(&o, 2, "c", "", "");
    output_flush(&o);
    CU_ASSERT_STRING_EQUAL(written.data, "1:b1\na1\n2:a2\n");
    output_end(&o);
}

static void the_order_of_the_input_is_kept(void)
{
    struct output o;

    output_begin(&o, OUTPUT_LINE, true);
    CU_ASSERT_EQUAL(output_of_task(&o), RPT_OUTPUT_CAPTURE);
    ends(&o, 2, "c", "c\n", "");
    ends(&o, 1, "b", "", "b\n");
    output_flush(&o);
    CU_ASSERT_STRING_EQUAL(written.data, "");
    ends(&o, 0, "a", "a\n", "");
    ends(&o, 4, "e", "e\n", "");
    output_flush(&o);
    CU_ASSERT_STRING_EQUAL(written.data, "1:a\n2:b\n1:c\n");
    output_end(&o); /* the third never ended */
    CU_ASSERT_STRING_EQUAL(written.data, "1:a\n2:b\n1:c\n1:e\n");
}

static void what_was_resumed_is_not_printed_again(void)
{
    struct output o;
    rpt_result_t r = {
        .id = "a", .resumed = 1, .stdout_data = "a\n", .stdout_bytes = 2
    };

    output_begin(&o, OUTPUT_GROUP, true);
    output_result(&o, 0, &r);
    ends(&o, 1, "b", "b\n", "");
    output_end(&o);
    CU_ASSERT_STRING_EQUAL(written.data, "1:b\n");
}

static void lines_come_whole_from_many_tasks(void)
{
    struct output o;
    rpt_result_t r = { .id = "a" };
    struct captured captured;

    output_begin(&o, OUTPUT_LINE, false);
    o.kept_bytes = 6;
    CU_ASSERT_EQUAL(output_of_task(&o), RPT_OUTPUT_STREAM);
    output_chunk(&o, "a", 1, "one\ntw", 6);
    output_chunk(&o, "b", 1, "x\n", 2);
    output_chunk(&o, "a", 1, "o\nthr", 5);
    output_chunk(&o, "a", 2, "err\n", 4);
    output_captured(&o, &r, &captured);
    CU_ASSERT_EQUAL(captured.bytes[0], 6);
    CU_ASSERT_EQUAL(captured.dropped[0], 5);
    CU_ASSERT(memcmp(captured.data[1], "err\n", 4) == 0);
    output_result(&o, 0, &r);
    output_end(&o);
    CU_ASSERT_STRING_EQUAL(written.data, "1:one\nx\ntwo\n2:err\n1:thr\n");
}

static void the_end_of_standard_error_is_kept_for_the_report(void)
{
    struct output o;
    rpt_result_t r = { .id = "a" };
    struct captured captured;
    char block[900];

    memset(block, 'x', sizeof block);
    output_begin(&o, OUTPUT_LINE, false);
    for (int i = 0; i < 20; i++) {
        output_chunk(&o, "a", 2, block, sizeof block);
    }
    output_chunk(&o, "a", 2, "\nlast\n", 6);
    output_captured(&o, &r, &captured);
    CU_ASSERT(captured.bytes[1] >= 6 && captured.bytes[1] < 4096);
    CU_ASSERT(memcmp(captured.data[1] + captured.bytes[1] - 6, "\nlast\n", 6) ==
              0);
    output_result(&o, 0, &r);
    output_end(&o);
}

static void a_failed_write_is_remembered(void)
{
    struct output o;

    output_begin(&o, OUTPUT_GROUP, false);
    write_error = EPIPE;
    ends(&o, 0, "a", "a\n", "");
    output_flush(&o);
    ends(&o, 1, "b", "b\n", "");
    output_flush(&o);
    CU_ASSERT_EQUAL(o.error, EPIPE);
    CU_ASSERT_STRING_EQUAL(written.data, "1:a\n");
    output_end(&o);
}

static void nothing_passes_with_files_or_none(void)
{
    struct output o;

    output_begin(&o, OUTPUT_NONE, true);
    CU_ASSERT_EQUAL(output_of_task(&o), RPT_OUTPUT_DISCARD);
    ends(&o, 0, "a", "", "");
    output_end(&o);
    output_begin(&o, OUTPUT_FILES, false);
    CU_ASSERT_EQUAL(output_of_task(&o), RPT_OUTPUT_FILES);
    output_end(&o);
    CU_ASSERT_STRING_EQUAL(written.data, "");
}

/* ---- sinks ---- */

static void a_sink_empties_its_file_only_when_it_begins(void)
{
    char path[] = "/tmp/rpt-sink.XXXXXX", read_back[32] = "";
    int fd = mkstemp(path);
    struct fault fault;
    struct sink sink;
    FILE *file;

    CU_ASSERT_FATAL(fd >= 0 && write(fd, "old old", 7) == 7);
    CU_ASSERT_EQUAL(sink_open(&sink, path, &fault), CODE_OK);
    sink_close(&sink);
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_END), 7);
    CU_ASSERT_EQUAL(sink_open(&sink, path, &fault), CODE_OK);
    sink_begin(&sink);
    text_string(&sink.pending, "new\n");
    sink_flush(&sink);
    CU_ASSERT_EQUAL(sink_status(&sink, &fault), CODE_OK);
    sink_close(&sink);
    file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL(fgets(read_back, sizeof read_back, file));
    CU_ASSERT_STRING_EQUAL(read_back, "new\n");
    CU_ASSERT_EQUAL(fgetc(file), EOF);
    fclose(file);
    close(fd);
    unlink(path);
}

static void a_full_disk_is_an_error_that_says_so(void)
{
    struct fault fault;
    struct sink sink;

    CU_ASSERT_EQUAL(sink_open(&sink, "/dev/full", &fault), CODE_OK);
    sink_begin(&sink);
    text_string(&sink.pending, "x");
    sink_flush(&sink);
    CU_ASSERT_EQUAL(sink_status(&sink, &fault), CODE_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault.why, "No space left"));
    sink_close(&sink);
    CU_ASSERT_EQUAL(sink_open(&sink, "/nonexistent/x", &fault), CODE_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault.what, "/nonexistent/x"));
}

/* ---- progress ---- */

static void times_are_for_people(void)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = { { 0, "0 s" },
                  { 59.4, "59 s" },
                  { 65, "1 min 05 s" },
                  { 7620, "2 h 07 min" },
                  { 100 * 3600, "4 d 04 h" },
                  { -1, "0 s" } };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text = { NULL, 0, 0 };

        progress_time(&text, cases[i].seconds);
        CU_ASSERT_STRING_EQUAL(text.data, cases[i].text);
        text_free(&text);
    }
}

static void a_bar_shows_rate_and_time_to_go(void)
{
    struct progress_counts counts = { 100, 50, 10, 2, 4 };
    struct text text = { NULL, 0, 0 };
    struct progress p;

    progress_start(&p, PROGRESS_AUTO, true, 120, 1000);
    CU_ASSERT_FALSE(progress_step(&p, 1000.1, &counts, &text));
    CU_ASSERT(progress_step(&p, 1010, &counts, &text));
    /* 40 of its own in 10 s: 4/s; 50 to go: 12.5 s */
    CU_ASSERT_STRING_EQUAL(text.data,
                           "\rrepartir:  50% [############............]  "
                           "50/100  4.0/s  13 s to go  4 running  2 failed"
                           "\033[K");
    CU_ASSERT_FALSE(progress_step(&p, 1010.1, &counts, &text));
    CU_ASSERT_STRING_EQUAL(progress_erase(&p), "\r\033[K");
    CU_ASSERT_STRING_EQUAL(progress_erase(&p), "");
    text_clear(&text);
    p.columns = 40;
    CU_ASSERT(progress_step(&p, 1020, &counts, &text));
    CU_ASSERT_EQUAL(text.bytes, 43);
    text_free(&text);
}

static void a_log_gets_a_line_a_minute(void)
{
    struct progress_counts counts = { 0, 0, 0, 0, 0 };
    struct text text = { NULL, 0, 0 };
    struct progress p;

    progress_start(&p, PROGRESS_AUTO, false, 0, 0);
    CU_ASSERT_FALSE(progress_step(&p, 59, &counts, &text));
    CU_ASSERT(progress_step(&p, 61, &counts, &text));
    CU_ASSERT_EQUAL(text.data[text.bytes - 1], '\n');
    CU_ASSERT_PTR_NULL(strchr(text.data, '\r'));
    CU_ASSERT_FALSE(progress_step(&p, 100, &counts, &text));
    CU_ASSERT(progress_step(&p, 122, &counts, &text));
    progress_start(&p, PROGRESS_NEVER, true, 80, 0);
    CU_ASSERT_FALSE(progress_step(&p, 1000, &counts, &text));
    progress_start(&p, PROGRESS_ALWAYS, false, 80, 0);
    text_clear(&text);
    CU_ASSERT(progress_step(&p, 1, &counts, &text));
    CU_ASSERT_EQUAL(text.data[0], '\r');
    text_free(&text);
}

/* ---- report ---- */

static void the_last_line_is_found_and_made_harmless(void)
{
    struct text text = { NULL, 0, 0 };
    char block[1000];

    last_line(&text, "one\ntwo\x1b[31m\n\n \n", 16);
    CU_ASSERT_STRING_EQUAL(text.data, "two [31m");
    text_clear(&text);
    last_line(&text, "", 0);
    CU_ASSERT_EQUAL(text.bytes, 0);
    memset(block, 'x', sizeof block);
    last_line(&text, block, sizeof block);
    CU_ASSERT(text.bytes < 200);
    text_free(&text);
}

static void the_report_lists_ten_failures_and_what_to_do(void)
{
    struct task_spec spec = spec_of(words_ls);
    struct captured captured = { { "", "no\nspace\n" }, { 0, 9 }, { 0, 0 } };
    struct report report = { .n_tasks = 20 };
    struct report_job job = { 4, 8, 2.0, "st", "repartir run x" };
    struct text text = { NULL, 0, 0 };
    const char *at;
    int n = 0;

    for (int i = 0; i < 12; i++) {
        rpt_result_t r = result_of(RPT_OUTCOME_FAILED, 2);

        report_add(&report, &spec, "t", &r, &captured);
    }
    for (int i = 0; i < 6; i++) {
        rpt_result_t r = result_of(RPT_OUTCOME_OK, 0);

        r.resumed = i < 2;
        report_add(&report, &spec, "t", &r, &captured);
    }
    report.n_dropped = 2;
    CU_ASSERT_EQUAL(report_not_ok(&report), 12);
    CU_ASSERT_EQUAL(report.n_failed_now, 12);
    report_text(&text, &report, &job);
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text.data, "20 tasks on 4 ranks: 6 ok, 12 failed, 2 not done\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "2.00 s, 8.0 tasks/s, 8 slots"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text.data, "t:3, task 17: exit code 2: space\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "… and 2 more"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "resumed 2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "next    repartir run x\n"));
    for (at = text.data; (at = strstr(at, "exit code 2")) != NULL; at++) {
        n++;
    }
    CU_ASSERT_EQUAL(n, 10);
    text_free(&text);
    text_free(&report.failures);
}

static void the_report_tells_what_was_saved_and_wasted(void)
{
    struct task_spec spec = spec_of(words_ls);
    struct captured captured = { { "", "" }, { 0, 0 }, { 0, 0 } };
    struct report report = { .n_tasks = 2 };
    struct report_job job = { 1, 1, 2.0, NULL, "repartir run x" };
    struct text text = { NULL, 0, 0 };
    rpt_result_t r = result_of(RPT_OUTCOME_OK, 0);

    report_add(&report, &spec, "t", &r, &captured);
    report_text(&text, &report, &job);
    CU_ASSERT_PTR_NULL(strstr(text.data, "saved"));
    CU_ASSERT_PTR_NULL(strstr(text.data, "wasted"));
    r.checkpoints = 3;
    r.resumed_iteration = 20;
    r.wasted_s = 1.5;
    report_add(&report, &spec, "t", &r, &captured);
    r.resumed = 1; /* of an earlier job */
    report_add(&report, &spec, "t", &r, &captured);
    text_free(&text);
    report_text(&text, &report, &job);
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text.data, "  saved   3 checkpoints; 1 task went on from one\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "  wasted  1.50 s of task time"));
    text_free(&text);
    results_json(&text, &spec, &r, &captured);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data,
                                  ",\"checkpoints\":3,\"resumed_iteration\":20,"
                                  "\"wasted_s\":1.500000,"));
    text_free(&text);
}

static void each_kind_of_failure_has_its_words(void)
{
    struct task_spec spec = spec_of(words_ls);
    struct captured captured = { { "", "" }, { 0, 0 }, { 0, 0 } };
    struct report report = { .n_tasks = 4 };
    rpt_result_t r = result_of(RPT_OUTCOME_SIGNALED, -1);

    r.signal = 9;
    report_add(&report, &spec, "t", &r, &captured);
    r = result_of(RPT_OUTCOME_TIMEOUT, -1);
    r.attempts = 3;
    report_add(&report, &spec, "t", &r, &captured);
    r = result_of(RPT_OUTCOME_FAILED, -1);
    r.message = "no such program";
    report_add(&report, &spec, "t", &r, &captured);
    r = result_of(RPT_OUTCOME_LOST, -1);
    report_add(&report, &spec, "t", &r, &captured);
    r = result_of(RPT_OUTCOME_SKIPPED, -1);
    report_add(&report, &spec, "t", &r, &captured);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.failures.data, "signal 9 (Killed)"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(report.failures.data, "its time was over, 3 attempts"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(report.failures.data, "could not start: no such program"));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.failures.data, "lost"));
    CU_ASSERT_PTR_NULL(strstr(report.failures.data, "skipped"));
    CU_ASSERT_EQUAL(report.n_failed_now, 4);
    text_free(&report.failures);
}

/* ---- options ---- */

static void every_option_is_in_every_table(void)
{
    struct text man = { NULL, 0, 0 }, conf = { NULL, 0, 0 };
    struct text md = { NULL, 0, 0 }, json = { NULL, 0, 0 };
    struct text plain = { NULL, 0, 0 };
    const rpt_option_info_t *info;
    rpt_options_t *options;
    json_t *array;
    size_t n = 0;

    CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
    CU_ASSERT_EQUAL(rpt_options_set(options, "pool.slots", "3"), RPT_OK);
    options_man(&man);
    options_conf(&conf);
    options_md(&md);
    options_json(&json, options);
    options_text(&plain, options);
    for (; rpt_option_info(n, &info) == RPT_OK; n++) {
        CU_ASSERT_PTR_NOT_NULL(strstr(man.data, info->name));
        CU_ASSERT_PTR_NOT_NULL(strstr(conf.data, info->name));
        CU_ASSERT_PTR_NOT_NULL(strstr(md.data, info->variable));
        CU_ASSERT_PTR_NOT_NULL(strstr(plain.data, info->summary));
    }
    array = json_loads(json.data, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(array);
    CU_ASSERT(n > 10 && json_array_size(array) == n);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(json.data, "\"value\":\"3\",\"origin\":\"program\""));
    json_decref(array);
    rpt_options_destroy(options);
    text_free(&man);
    text_free(&conf);
    text_free(&md);
    text_free(&json);
    text_free(&plain);
}

/* ---- a file that is replaced ---- */

static char folder[32];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/rpt-write-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

/* In the folder; it is there until the next call. */
static const char *in_folder(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *content)
{
    FILE *file = fopen(in_folder(name), "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(content, file);
    fclose(file);
}

static void has(const char *name, const char *content)
{
    FILE *file = fopen(in_folder(name), "r");
    char found[64] = "";

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL(fgets(found, sizeof found, file));
    fclose(file);
    CU_ASSERT_STRING_EQUAL(found, content);
}

static void a_name_may_be_as_long_as_names_can_be(void)
{
    struct text text = { NULL, 0, 0 };
    char name[NAME_MAX + 2] = "";

    text_string(&text, "new");
    make_folder();
    memset(name, 'x', NAME_MAX);
    put(name, "old");
    CU_ASSERT_EQUAL(outfile_check(in_folder(name)), 0);
    CU_ASSERT_EQUAL(outfile_replace(in_folder(name), &text), 0);
    has(name, "new");
    remove(in_folder(name));
    name[NAME_MAX] = 'x';
    CU_ASSERT_EQUAL(outfile_check(in_folder(name)), ENAMETOOLONG);
    text_free(&text);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

/* By a process that was killed and had our number. */
static void what_was_left_in_the_folder_is_no_failure(void)
{
    struct text text = { NULL, 0, 0 };
    char left[3][64];

    text_string(&text, "new");
    make_folder();
    snprintf(left[0], sizeof left[0], "rules.%d", (int)getpid());
    snprintf(left[1], sizeof left[1], ".repartir-%d-0", (int)getpid());
    snprintf(left[2], sizeof left[2], ".repartir-%d-1", (int)getpid());
    for (int i = 0; i < 3; i++) {
        put(left[i], "half");
    }
    CU_ASSERT_EQUAL(outfile_replace(in_folder("rules"), &text), 0);
    has("rules", "new");
    remove(in_folder("rules"));
    for (int i = 0; i < 3; i++) {
        has(left[i], "half");
        remove(in_folder(left[i]));
    }
    text_free(&text);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(bytes_come_back_from_a_json_string),
        RPT_TEST(a_terminal_is_told_nothing_by_a_name),
        RPT_TEST(a_word_comes_back_from_a_shell),
        RPT_TEST(a_result_has_exactly_the_documented_keys),
        RPT_TEST(what_is_not_known_is_null),
        RPT_TEST(results_name_files_and_what_was_dropped),
        RPT_TEST(the_joblog_is_that_of_gnu_parallel),
        RPT_TEST(a_group_is_printed_when_its_task_ends),
        RPT_TEST(the_order_of_the_input_is_kept),
        RPT_TEST(what_was_resumed_is_not_printed_again),
        RPT_TEST(lines_come_whole_from_many_tasks),
        RPT_TEST(the_end_of_standard_error_is_kept_for_the_report),
        RPT_TEST(a_failed_write_is_remembered),
        RPT_TEST(nothing_passes_with_files_or_none),
        RPT_TEST(a_sink_empties_its_file_only_when_it_begins),
        RPT_TEST(a_full_disk_is_an_error_that_says_so),
        RPT_TEST(times_are_for_people),
        RPT_TEST(a_bar_shows_rate_and_time_to_go),
        RPT_TEST(a_log_gets_a_line_a_minute),
        RPT_TEST(the_last_line_is_found_and_made_harmless),
        RPT_TEST(the_report_lists_ten_failures_and_what_to_do),
        RPT_TEST(the_report_tells_what_was_saved_and_wasted),
        RPT_TEST(each_kind_of_failure_has_its_words),
        RPT_TEST(every_option_is_in_every_table),
        RPT_TEST(a_name_may_be_as_long_as_names_can_be),
        RPT_TEST(what_was_left_in_the_folder_is_no_failure),
        RPT_TEST_END
    };
    int code = rpt_test_main("cli_write", tests, 60, argc, argv);

    text_free(&written);
    return code;
}
