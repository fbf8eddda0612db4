/*
 * drive.c - the job on rank 0: submit, wait, write, stop
 *
 * One loop, woken by results and at least ten times a second: submit a batch,
 * take the results that came, write, look at signals and requests.  It ends
 * when every task has ended, or at a reason to stop:
 *
 *   signal         drain: what runs may end within the grace     75
 *   a file cannot be written (disk full)  drain                  74
 *   too many failures                     now                     1
 *   a fault (a task that cannot run here) now          65, 70, …
 */
#include "cli/run.h"

#include "cli/joblog.h"
#include "cli/launch.h"
#include "cli/outfile.h"
#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_STEP_S 0.5
#define TURN_S 0.1

double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

const char *job_source(const struct job *job, size_t index)
{
    return index < job->n_input ? job->list.source : "(request)";
}

static int write_stream(void *user, int stream, const void *data, size_t bytes)
{
    (void)user;
    return write_all(stream == 1 ? STDOUT_FILENO : STDERR_FILENO, data, bytes);
}

/* Where --output=files puts them. */
static int prepare_directory(struct job *job, struct fault *fault)
{
    const struct run_options *o = job->options;
    struct text path = { NULL, 0, 0 };
    int code;

    if (o->output != OUTPUT_FILES) {
        return CODE_OK;
    }
    if (o->output_dir != NULL) {
        text_string(&path, o->output_dir);
    } else if (o->state != NULL) {
        text_printf(&path, "%s/output", o->state);
    } else {
        text_string(&path, "repartir-output");
    }
    code = make_directory(path.data, &job->output_dir, fault);
    text_free(&path);
    return code;
}

static int check_not_same(const struct job *job, struct fault *fault)
{
    struct stat results, joblog;

    if (job->results.fd >= 0 && job->joblog.fd >= 0 &&
        fstat(job->results.fd, &results) == 0 &&
        fstat(job->joblog.fd, &joblog) == 0 && S_ISREG(results.st_mode) &&
        results.st_dev == joblog.st_dev && results.st_ino == joblog.st_ino) {
        return fault_set(fault, CODE_USAGE,
                         "--results and --joblog name the same file, %s",
                         job->results.path);
    }
    return CODE_OK;
}

int job_prepare(struct job *job, const struct run_options *options,
                struct fault *fault)
{
    int code;

    memset(job, 0, sizeof *job);
    job->options = options;
    job->results.fd = job->joblog.fd = -1;
    code = input_read(&options->input, &job->list, fault);
    if (code == CODE_OK) {
        code = check_list(&job->list, NULL, fault);
    }
    if (code != CODE_OK || options->dry_run) {
        return code;
    }
    code = sink_open(&job->results, options->results, fault);
    if (code == CODE_OK) {
        code = sink_open(&job->joblog, options->joblog, fault);
    }
    if (code == CODE_OK) {
        code = check_not_same(job, fault);
    }
    if (code == CODE_OK) {
        code = prepare_directory(job, fault);
    }
    job->n_input = job->list.n;
    return code;
}

static void on_output(const char *id, int stream, const void *data,
                      size_t bytes, void *user)
{
    struct job *job = user;

    output_chunk(&job->output, id, stream, data, bytes);
}

static void begin(struct job *job, rpt_pool_t *pool)
{
    bool terminal = isatty(STDERR_FILENO);
    struct winsize size = { 0, 80, 0, 0 };

    if (terminal) {
        ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    }
    job->pool = pool;
    job->start_s = now_s();
    job->request_s = job->start_s;
    progress_start(&job->progress, job->options->progress, terminal,
                   size.ws_col, job->start_s);
    output_start(&job->output, job->options->output, job->options->keep_order,
                 write_stream, NULL);
    rpt_pool_on_output(pool, on_output, job);
    job_added(job, 0);
}

/* Nothing of what earlier jobs wrote is touched before. */
static void begin_files(struct job *job)
{
    sink_begin(&job->results);
    sink_begin(&job->joblog);
    text_string(&job->joblog.pending,
                job->joblog.path != NULL ? joblog_head : "");
}

static void show_progress(struct job *job)
{
    rpt_pool_stats_t stats = { .size = sizeof stats };
    struct text text = { NULL, 0, 0 };
    struct progress_counts counts = { job->list.n, job->report.n_ended,
                                      job->report.n_resumed,
                                      job->report.n_failed_now, 0 };

    if (!job->progress.on || now_s() < job->progress.next_s) {
        return;
    }
    if (rpt_pool_stats(job->pool, &stats) == RPT_OK) {
        counts.running = stats.running;
    }
    if (progress_step(&job->progress, now_s(), &counts, &text)) {
        fputs(text.data, stderr);
    }
    text_free(&text);
}

/* Tasks with files of their own write these themselves, and fail each in its
 * way when the disk is full; so it is looked at when some fail. */
static int check_disk(struct job *job, struct fault *fault)
{
    struct statvfs disk;
    bool more = job->report.n_failed_now > job->n_failed_seen;

    job->n_failed_seen = job->report.n_failed_now;
    if (!more || job->output_dir == NULL ||
        statvfs(job->output_dir, &disk) != 0 ||
        (disk.f_bavail > 0 && (disk.f_files == 0 || disk.f_favail > 0))) {
        return CODE_OK;
    }
    fault_set(fault, CODE_IO, "tasks failed, and the disk of %s is full",
              job->output_dir);
    fault_why(fault, "%s", strerror(ENOSPC));
    fault_hint(fault, "make room; with --state the same command with "
                      "--retry-failed runs them again, and the rest");
    return CODE_IO;
}

/* Files and streams that could not be written. */
static int check_files(struct job *job, struct fault *fault)
{
    int code = sink_status(&job->results, fault);

    if (code == CODE_OK) {
        code = sink_status(&job->joblog, fault);
    }
    if (code == CODE_OK && job->output.error != 0) {
        code = fault_set(fault, CODE_IO,
                         "the output of tasks could not be written");
        fault_why(fault, "%s", strerror(job->output.error));
    }
    return code == CODE_OK ? check_disk(job, fault) : code;
}

static bool all_ended(const struct job *job)
{
    return job->n_submitted == job->list.n &&
           job->n_collected == job->n_submitted && job->cancels.bytes == 0;
}

/* All submitted, all ended, and nobody can leave a request any more. */
static bool is_done(struct job *job, struct fault *fault, int *code)
{
    bool closed = true;

    if (!all_ended(job)) {
        return false;
    }
    if (job->options->state != NULL) {
        *code = job_close_requests(job, &closed, fault);
    }
    return *code == CODE_OK && closed;
}

/* One turn; *done_out when the job is at its end. */
static int turn(struct job *job, bool *done_out, struct fault *fault)
{
    size_t before = job->n_submitted;
    bool idle;
    int code = CODE_OK;

    if (job->n_submitted < job->list.n) {
        code = job_submit(job, fault);
    }
    job_cancel(job);
    /* Nothing more to submit, or no room: sleep until a result comes. */
    idle = job->n_submitted == before;
    if (code == CODE_OK && job->n_collected < job->n_submitted) {
        code = job_collect(job, idle ? TURN_S : 0, fault);
    }
    if (code == CODE_OK && job->options->state != NULL &&
        now_s() >= job->request_s) {
        job->request_s = now_s() + REQUEST_STEP_S;
        code = job_requests(job, false, fault);
    }
    job_flush(job);
    show_progress(job);
    if (code == CODE_OK) {
        code = check_files(job, fault);
    }
    *done_out = false;
    if (code == CODE_OK) {
        *done_out = is_done(job, fault, &code);
    }
    return code;
}

static bool too_many_failures(const struct job *job)
{
    return job->options->max_failures > 0 &&
           job->report.n_failed_now >= (size_t)job->options->max_failures;
}

/* What the next signal says before it ends this process. */
static void set_last_words(const struct job *job)
{
    struct text text = { NULL, 0, 0 };
    struct report_job about = { .state = job->options->state,
                                .command = job->options->command };

    text_string(&text, "repartir: one more signal: ending now\n");
    report_next(&text, &about);
    signals_next_ends(text.data);
    text_free(&text);
}

static rpt_shutdown_t say_signal(const struct job *job)
{
    int number = signals_first();

    if (number != SIGUSR1 && launch_kills_soon(signals_sender())) {
        say("%s by mpirun, which ends its ranks within a second: what runs is "
            "ended now",
            strsignal(number));
        return RPT_SHUTDOWN_NOW;
    }
    say("%s: what runs may end within %g s; one more signal ends it now",
        strsignal(number), job->options->grace_s);
    return RPT_SHUTDOWN_DRAIN;
}

/* Ends the pool in the way that the reason asks for. */
static int stop(struct job *job, int code, bool done, struct fault *fault)
{
    rpt_shutdown_t how = RPT_SHUTDOWN_GRACEFUL;
    struct fault late = { 0 };

    fputs(progress_erase(&job->progress), stderr);
    if (code == CODE_OK && !done && !too_many_failures(job)) {
        how = say_signal(job);
    } else if (code == CODE_IO) {
        how = RPT_SHUTDOWN_DRAIN;
    } else if (!done) {
        how = RPT_SHUTDOWN_NOW;
    }
    job->stopped = how != RPT_SHUTDOWN_GRACEFUL;
    if (job->stopped) {
        set_last_words(job);
    }
    if (rpt_pool_shutdown(job->pool, how, job->options->grace_s, NULL) < 0 &&
        code == CODE_OK) {
        code = fault_library(fault);
    }
    while (job->n_collected < job->n_submitted) {
        size_t before = job->n_collected;

        if (job_collect(job, 0, &late) != CODE_OK ||
            job->n_collected == before) {
            break;
        }
    }
    job_flush(job);
    return code == CODE_OK ? check_files(job, fault) : code;
}

static void print_report(struct job *job, const rpt_context_t *context)
{
    rpt_pool_stats_t stats = { .size = sizeof stats };
    struct text text = { NULL, 0, 0 };
    struct report_job about = { rpt_context_size(context), 0,
                                now_s() - job->start_s, job->options->state,
                                job->options->command };

    if (rpt_pool_stats(job->pool, &stats) == RPT_OK) {
        about.n_slots = stats.total_slots;
    }
    report_text(&text, &job->report, &about);
    fputs(text.data, stderr);
    text_free(&text);
}

int job_drive(struct job *job, rpt_context_t *context, rpt_pool_t *pool)
{
    struct fault fault = { 0 };
    bool done = false;
    int code = CODE_OK;

    begin(job, pool);
    code = check_needs(pool, &job->list, &fault);
    if (code == CODE_OK) {
        begin_files(job);
    }
    if (code == CODE_OK && job->options->state != NULL) {
        code = job_requests(job, true, &fault);
    }
    while (code == CODE_OK && !done && signals_first() == 0 &&
           !too_many_failures(job)) {
        code = turn(job, &done, &fault);
    }
    code = stop(job, code, done, &fault);
    output_end(&job->output);
    job->report.n_dropped = job->list.n - job->report.n_ended;
    if (code != CODE_OK) {
        fault_print(&fault);
    }
    if (code == CODE_OK || job->n_submitted > 0) {
        print_report(job, context);
    }
    if (code == CODE_INPUT && job->n_submitted > 0) {
        return CODE_IO; /* the input was good: a file went bad meanwhile */
    }
    if (code != CODE_OK) {
        return code;
    }
    if (job->report.n_dropped > 0) {
        return too_many_failures(job) ? CODE_FAILED : CODE_RESUMABLE;
    }
    return report_not_ok(&job->report) > 0 || job->n_dropped_requests > 0
               ? CODE_FAILED
               : CODE_OK;
}

void job_release(struct job *job)
{
    for (size_t i = 0; i < job->room_futures; i++) {
        rpt_future_destroy(job->futures[i]);
    }
    free(job->futures);
    sink_close(&job->results);
    sink_close(&job->joblog);
    map_free(&job->index_of);
    map_free(&job->ids);
    text_free(&job->cancels);
    text_free(&job->report.failures);
    occurrences_free(&job->occurrences);
    free(job->output_dir);
    list_free(&job->list);
}
