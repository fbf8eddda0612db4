/*
 * cmd_run.c - `repartir run`: options, then all ranks together
 *
 *   all ranks: options -> MPI -> agree -> context -> pool -> end
 *   rank 0:              input -^                     drive
 *   others:                                           serve
 */
#include "cli/args.h"
#include "cli/command.h"
#include "cli/launch.h"
#include "cli/run.h"
#include "cli/signals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The command as it was typed, with the launcher in front. */
static char *typed(const struct launch *launch, int argc, char *argv[])
{
    struct text text = { NULL, 0, 0 };

    if (launch->mpi) {
        text_printf(&text, "mpirun -n %d ", launch->size);
    }
    text_string(&text, argv[0]);
    for (int i = 1; i < argc; i++) {
        text_char(&text, ' ');
        text_shell(&text, argv[i]);
    }
    return text.data;
}

/* The library's options of this rank. */
static int make_options(const struct run_options *o, rpt_options_t **out,
                        struct fault *fault)
{
    const char *set = o->sets.data;
    const char *level;

    if (rpt_options_create(out) != RPT_OK) {
        fault_library(fault);
        return fault->code = CODE_USAGE;
    }
    /* This program sends nothing with MPI itself. */
    if (strcmp(rpt_options_origin(*out, "comm.drive"), "default") == 0 &&
        rpt_options_set(*out, "comm.drive", "no") != RPT_OK) {
        fault_library(fault);
        return fault->code = CODE_USAGE;
    }
    while (set != NULL && set < o->sets.data + o->sets.bytes) {
        const char *value = set + strlen(set) + 1;

        if (rpt_options_set(*out, set, value) != RPT_OK) {
            fault_library(fault);
            return fault->code = CODE_USAGE;
        }
        set = value + strlen(value) + 1;
    }
    if (rpt_options_get(*out, "log.level", &level) == RPT_OK) {
        rpt_log_set_level((rpt_log_level_t)atoi(level));
    }
    return CODE_OK;
}

/* "1MiB" and the like; the library has checked it. */
static size_t size_of(const char *text)
{
    char *rest;
    double number = strtod(text, &rest);
    bool binary = rest[0] != '\0' && (rest[1] == '\0' || rest[1] == 'i');
    double step = binary ? 1024 : 1000;

    switch (rest[0] | 0x20) {
    case 't':
        number *= step; /* fall through */
    case 'g':
        number *= step; /* fall through */
    case 'm':
        number *= step; /* fall through */
    case 'k':
        number *= step;
        break;
    default:
        break;
    }
    return (size_t)number;
}

static void print_commands(const struct task_list *list)
{
    struct text text = { NULL, 0, 0 };

    for (size_t i = 0; i < list->n; i++) {
        text_clear(&text);
        text_command(&text, spec_shown(&list->tasks[i]));
        puts(text.data);
    }
    fflush(stdout);
    say("%zu task%s would run", list->n, list->n == 1 ? "" : "s");
    text_free(&text);
}

/* On rank 0: the tasks.  ARGS_ANSWERED: there is nothing to run. */
static int prepare(struct job *job, const struct run_options *o,
                   const rpt_options_t *library, struct fault *fault)
{
    int code = job_prepare(job, o, fault);
    const char *kept;

    if (code != CODE_OK) {
        return code;
    }
    if (o->dry_run) {
        print_commands(&job->list);
        return ARGS_ANSWERED;
    }
    if (job->list.n == 0) {
        say("%s has no tasks", job->list.source);
        if (o->state == NULL) {
            sink_begin(&job->results);
            sink_begin(&job->joblog);
            return ARGS_ANSWERED;
        }
    }
    if (o->results != NULL &&
        rpt_options_get(library, "pool.capture_bytes", &kept) == RPT_OK) {
        job->output.kept_bytes = size_of(kept);
    }
    return CODE_OK;
}

static int serve_or_drive(struct job *job, const struct launch *launch,
                          rpt_context_t *context, rpt_pool_t *pool,
                          struct fault *fault)
{
    if (launch->rank == 0) {
        return job_drive(job, context, pool);
    }
    return rpt_pool_serve(pool) < 0 ? fault_library(fault) : CODE_OK;
}

/* Everything that needs all ranks. */
static int run_together(struct job *job, const struct launch *launch,
                        const rpt_options_t *library, struct fault *fault)
{
    rpt_context_t *context = NULL;
    rpt_pool_t *pool = NULL;
    int code = launch_context(launch, library, &context, fault);

    if (code == CODE_OK) {
        signals_install(launch->rank == 0);
        if (rpt_pool_create(context, NULL, &pool) != RPT_OK) {
            code = fault_library(fault);
            if (rpt_last_error()->status == RPT_ERR_PARSE) {
                code = fault->code = CODE_USAGE; /* the value of an option */
            }
        }
    }
    if (code == CODE_OK) {
        code = serve_or_drive(job, launch, context, pool, fault);
    }
    if (launch->rank == 0) {
        job_release(job);
    }
    rpt_pool_destroy(pool);
    rpt_context_destroy(context);
    return code;
}

/* The code that all ranks end with.  Where rank 0 knows of no fault, the others
 * speak for themselves. */
static int agree(const struct launch *launch, int code)
{
    int first, agreed = launch_agree(launch, code, &first);

    if (first == CODE_OK && code != CODE_OK) {
        say_quiet(false);
    }
    return agreed;
}

/* Options and input; the code that all ranks agree on. */
static int prepare_together(struct job *job, const struct launch *launch,
                            const struct run_options *o,
                            rpt_options_t **library, struct fault *fault)
{
    int code = fault->code;

    if (code == CODE_OK) {
        code = make_options(o, library, fault);
    }
    if (code == CODE_OK && launch->rank == 0) {
        code = prepare(job, o, *library, fault);
    }
    return agree(launch, code);
}

static int run(struct run_options *o, int argc, char *argv[], int code)
{
    struct fault fault = { .code = code };
    struct launch launch;
    struct job job;
    rpt_options_t *library = NULL;
    char *command;

    memset(&job, 0, sizeof job);
    job.results.fd = job.joblog.fd = -1;
    launch_begin(&launch);
    say_quiet(launch.rank != 0);
    o->command = command = typed(&launch, argc, argv);
    code = prepare_together(&job, &launch, o, &library, &fault);
    if (code == CODE_OK) {
        code = agree(&launch, run_together(&job, &launch, library, &fault));
    } else if (launch.rank == 0) {
        job_release(&job);
    }
    if (fault.what[0] != '\0') {
        fault_print(&fault);
    }
    rpt_options_destroy(library);
    free(command);
    return launch_end(&launch, code);
}

int command_run(int argc, char *argv[])
{
    struct run_options o = { .grace_s = 30 };
    int code;

    signals_begin(launch_env_rank() == 0);
    code = run_args(argc, argv, &o);
    if (code != ARGS_ANSWERED) {
        code = run(&o, argc, argv, code);
    }
    text_free(&o.sets);
    return code == ARGS_ANSWERED ? CODE_OK : code;
}
