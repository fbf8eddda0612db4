/*
 * task.c - the description of a task: setters, and packing into a spec
 */
#include "pool/spec.h"

#include "base/error.h"
#include "pool/exec/program.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static rpt_status_t invalid(const char *function, const char *why)
{
    rpt__fail(RPT_ERR_INVALID, "%s: bad argument", function);
    rpt__fail_why("%s", why);
    return RPT_ERR_INVALID;
}

#define REQUIRE(condition, why)                                                \
    do {                                                                       \
        if (!(condition)) {                                                    \
            return invalid(__func__, why);                                     \
        }                                                                      \
    } while (0)

rpt_status_t rpt_task_create(rpt_task_t **task_out)
{
    struct rpt_task *task;

    REQUIRE(task_out != NULL, "task_out is NULL");
    task = calloc(1, sizeof *task);
    if (task == NULL) {
        return rpt__fail_nomem(sizeof *task);
    }
    task->priority = RPT_PRIORITY_NORMAL;
    task->slots = 1;
    task->n_ranks = 1;
    *task_out = task;
    return RPT_OK;
}

void rpt_task_destroy(rpt_task_t *task)
{
    if (task == NULL) {
        return;
    }
    free(task->function);
    free(task->cwd);
    free(task->stdout_path);
    free(task->stderr_path);
    free(task->id);
    rpt__buf_free(&task->input);
    rpt__buf_free(&task->argv);
    rpt__buf_free(&task->env);
    rpt__buf_free(&task->stdin_data);
    rpt__buf_free(&task->after);
    free(task);
}

static rpt_status_t replace(char **text, const char *by)
{
    char *copy = by != NULL ? strdup(by) : NULL;

    if (by != NULL && copy == NULL) {
        return rpt__fail_nomem(strlen(by) + 1);
    }
    free(*text);
    *text = copy;
    return RPT_OK;
}

rpt_status_t rpt_task_set_program(rpt_task_t *task, const char *const argv[])
{
    struct rpt_buf packed = RPT_BUF_EMPTY;
    size_t n = 0;

    REQUIRE(task != NULL && argv != NULL, "task or argv is NULL");
    REQUIRE(argv[0] != NULL && argv[0][0] != '\0', "argv names no program");
    for (; argv[n] != NULL; n++) {
        rpt__buf_add(&packed, argv[n], strlen(argv[n]) + 1);
    }
    if (packed.failed) {
        rpt__buf_free(&packed);
        return rpt__fail_nomem(n);
    }
    rpt__buf_free(&task->argv);
    task->argv = packed;
    task->n_argv = n;
    task->kind = RPT_KIND_PROGRAM;
    task->n_ranks = 1;
    task->defined = true;
    return RPT_OK;
}

rpt_status_t rpt_task_set_shell(rpt_task_t *task, const char *line)
{
    const char *argv[] = { "/bin/sh", "-c", line, NULL };

    REQUIRE(task != NULL && line != NULL, "task or line is NULL");
    return rpt_task_set_program(task, argv);
}

rpt_status_t rpt_task_set_function(rpt_task_t *task, const char *name,
                                   const void *input, size_t input_bytes)
{
    struct rpt_buf copy = RPT_BUF_EMPTY;
    rpt_status_t status;

    REQUIRE(task != NULL && name != NULL && name[0] != '\0',
            "task is NULL, or the name is missing");
    REQUIRE(input != NULL || input_bytes == 0, "input is NULL");
    rpt__buf_add(&copy, input, input_bytes);
    if (copy.failed) {
        return rpt__fail_nomem(input_bytes);
    }
    status = replace(&task->function, name);
    if (status != RPT_OK) {
        rpt__buf_free(&copy);
        return status;
    }
    rpt__buf_free(&task->input);
    task->input = copy;
    /* A gang of one rank is a gang too, whatever was set first. */
    task->kind = task->kind == RPT_KIND_GANG || task->n_ranks > 1
                     ? RPT_KIND_GANG
                     : RPT_KIND_FUNCTION;
    task->defined = true;
    return RPT_OK;
}

rpt_status_t rpt_task_set_gang(rpt_task_t *task, int n_ranks)
{
    REQUIRE(task != NULL && n_ranks >= 1, "a gang has at least one rank");
    REQUIRE(!task->defined || task->kind != RPT_KIND_PROGRAM,
            "only a function can be a gang");
    task->n_ranks = n_ranks;
    task->kind = RPT_KIND_GANG;
    return RPT_OK;
}

rpt_status_t rpt_task_set_id(rpt_task_t *task, const char *id)
{
    REQUIRE(task != NULL, "task is NULL");
    REQUIRE(id == NULL || id[0] != '\0', "the id is empty");
    return replace(&task->id, id);
}

rpt_status_t rpt_task_set_env(rpt_task_t *task, const char *name,
                              const char *value)
{
    REQUIRE(task != NULL && name != NULL && name[0] != '\0',
            "task is NULL, or the name is missing");
    REQUIRE(strchr(name, '=') == NULL, "a variable's name has no =");
    rpt__buf_str(&task->env, name);
    rpt__buf_str(&task->env, value);
    if (task->env.failed) {
        return rpt__fail_nomem(strlen(name));
    }
    task->n_env++;
    return RPT_OK;
}

rpt_status_t rpt_task_set_cwd(rpt_task_t *task, const char *directory)
{
    REQUIRE(task != NULL, "task is NULL");
    REQUIRE(directory == NULL || directory[0] != '\0',
            "the directory is empty");
    return replace(&task->cwd, directory);
}

rpt_status_t rpt_task_set_stdin(rpt_task_t *task, const void *data,
                                size_t bytes)
{
    struct rpt_buf copy = RPT_BUF_EMPTY;

    REQUIRE(task != NULL && (data != NULL || bytes == 0),
            "task or data is NULL");
    rpt__buf_add(&copy, data, bytes);
    if (copy.failed) {
        return rpt__fail_nomem(bytes);
    }
    rpt__buf_free(&task->stdin_data);
    task->stdin_data = copy;
    return RPT_OK;
}

rpt_status_t rpt_task_set_output(rpt_task_t *task, rpt_output_t output)
{
    REQUIRE(task != NULL, "task is NULL");
    REQUIRE(output >= RPT_OUTPUT_CAPTURE && output <= RPT_OUTPUT_STREAM,
            "no such output");
    task->output = output;
    return RPT_OK;
}

rpt_status_t rpt_task_set_output_files(rpt_task_t *task,
                                       const char *stdout_path,
                                       const char *stderr_path)
{
    rpt_status_t status;

    REQUIRE(task != NULL, "task is NULL");
    status = replace(&task->stdout_path, stdout_path);
    if (status == RPT_OK) {
        status = replace(&task->stderr_path, stderr_path);
    }
    if (status == RPT_OK) {
        task->output = RPT_OUTPUT_FILES;
    }
    return status;
}

rpt_status_t rpt_task_set_priority(rpt_task_t *task, rpt_priority_t priority)
{
    REQUIRE(task != NULL, "task is NULL");
    REQUIRE(priority >= RPT_PRIORITY_HIGH && priority <= RPT_PRIORITY_LOW,
            "no such priority");
    task->priority = priority;
    return RPT_OK;
}

rpt_status_t rpt_task_set_timeout(rpt_task_t *task, double seconds)
{
    REQUIRE(task != NULL, "task is NULL");
    REQUIRE(isfinite(seconds) && seconds >= 0, "seconds are 0 or more");
    task->timeout_s = seconds;
    return RPT_OK;
}

rpt_status_t rpt_task_set_checkpoint(rpt_task_t *task, double interval_s)
{
    REQUIRE(task != NULL, "task is NULL");
    REQUIRE(isfinite(interval_s) && interval_s >= 0,
            "the interval is 0 or more seconds");
    task->checkpoint_s = interval_s;
    return RPT_OK;
}

rpt_status_t rpt_task_set_retries(rpt_task_t *task, int retries)
{
    REQUIRE(task != NULL && retries >= 0, "retries are 0 or more");
    task->retries = retries;
    return RPT_OK;
}

rpt_status_t rpt_task_set_slots(rpt_task_t *task, int slots)
{
    REQUIRE(task != NULL && slots >= 1, "slots are 1 or more");
    task->slots = slots;
    return RPT_OK;
}

rpt_status_t rpt_task_set_memory(rpt_task_t *task, uint64_t mib)
{
    REQUIRE(task != NULL && mib < (UINT64_C(1) << 40), "too many MiB");
    task->memory_mib = mib;
    return RPT_OK;
}

static bool is_resource_name(const char *name)
{
    if (!isalpha((unsigned char)name[0]) || strlen(name) >= RPT_NAME_BYTES) {
        return false;
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && *c != '_') {
            return false;
        }
    }
    return true;
}

rpt_status_t rpt_task_set_resource(rpt_task_t *task, const char *name,
                                   int units)
{
    int i = 0;

    REQUIRE(task != NULL && name != NULL, "task or name is NULL");
    REQUIRE(is_resource_name(name),
            "a resource has a name of letters, digits and _, at most 31");
    REQUIRE(units >= 0, "units are 0 or more");
    while (i < task->n_needs && strcmp(task->needs[i].name, name) != 0) {
        i++;
    }
    if (units == 0) { /* none: as if it had not been asked for */
        if (i < task->n_needs) {
            task->needs[i] = task->needs[--task->n_needs];
        }
        return RPT_OK;
    }
    REQUIRE(i < RPT_MAX_NEEDS, "more than 16 resources");
    strcpy(task->needs[i].name, name);
    task->needs[i].units = units;
    task->n_needs += i == task->n_needs;
    return RPT_OK;
}

rpt_status_t rpt_task_add_dependency(rpt_task_t *task, const char *id)
{
    REQUIRE(task != NULL && id != NULL && id[0] != '\0',
            "task is NULL, or the id is missing");
    rpt__buf_str(&task->after, id);
    if (task->after.failed) {
        return rpt__fail_nomem(strlen(id));
    }
    task->n_after++;
    return RPT_OK;
}

uint64_t rpt__function_hash(const char *name)
{
    return rpt__hash64(name, strlen(name), 0);
}

/* Points argv and env of a program at the task's packed copies. */
static rpt_status_t borrow(const struct rpt_task *task,
                           struct rpt_program *program)
{
    struct rpt_reader env = rpt__reader(task->env.data, task->env.bytes);
    const char *next = task->argv.data;

    program->argv = calloc(task->n_argv + 1, sizeof *program->argv);
    program->env = calloc(task->n_env + 1, sizeof *program->env);
    if (program->argv == NULL || program->env == NULL) {
        rpt__program_free(program);
        return rpt__fail_nomem(task->n_argv * sizeof *program->argv);
    }
    for (size_t i = 0; i < task->n_argv; i++) {
        program->argv[i] = next;
        next += strlen(next) + 1;
    }
    for (size_t i = 0; i < task->n_env; i++) {
        program->env[i].name = rpt__read_str(&env);
        program->env[i].value = rpt__read_str(&env);
    }
    program->n_argv = task->n_argv;
    program->n_env = task->n_env;
    return RPT_OK;
}

static rpt_status_t pack_program(const struct rpt_task *task,
                                 struct rpt_buf *buf)
{
    struct rpt_program program = {
        .cwd = task->cwd,
        .stdin_data = task->stdin_data.data,
        .stdin_bytes = task->stdin_data.bytes,
        .output = task->output,
        .stdout_path = task->stdout_path,
        .stderr_path = task->stderr_path,
    };
    rpt_status_t status = borrow(task, &program);

    if (status == RPT_OK) {
        rpt__program_pack(buf, &program);
        rpt__program_free(&program);
    }
    return status;
}

/* Whatever becomes of its output, and whoever runs it. */
static uint64_t hash_of_work(const struct rpt_task *task)
{
    uint64_t hash = rpt__hash64(task->argv.data, task->argv.bytes,
                                (uint64_t)task->kind);

    hash = rpt__hash64(task->env.data, task->env.bytes, hash);
    hash = rpt__hash64(task->stdin_data.data, task->stdin_data.bytes, hash);
    hash = rpt__hash64(task->input.data, task->input.bytes, hash);
    hash += task->cwd != NULL ? rpt__function_hash(task->cwd) : 0;
    return hash +
           (task->function != NULL ? rpt__function_hash(task->function) : 0);
}

rpt_status_t rpt__task_pack(const struct rpt_task *task,
                            const int resource_index[], struct rpt_buf *buf)
{
    struct rpt_spec spec = {
        .kind = (uint8_t)task->kind,
        .priority = (uint8_t)task->priority,
        .n_needs = (uint8_t)task->n_needs,
        .output = (uint8_t)task->output,
        .slots = task->slots,
        .n_ranks = task->n_ranks,
        .n_id = task->id != NULL ? (uint32_t)strlen(task->id) : 0,
        .memory_mib = task->memory_mib,
        .timeout_s = task->timeout_s,
        .function = task->function != NULL && task->kind != RPT_KIND_PROGRAM
                        ? rpt__function_hash(task->function)
                        : 0,
        .checkpoint_s = task->checkpoint_s,
        .work = task->checkpoint_s > 0 ? hash_of_work(task) : 0,
    };
    rpt_status_t status = RPT_OK;

    rpt__buf_add(buf, &spec, sizeof spec);
    for (int i = 0; i < task->n_needs; i++) {
        struct rpt_need need = { resource_index[i], task->needs[i].units };

        rpt__buf_add(buf, &need, sizeof need);
    }
    if (task->kind == RPT_KIND_PROGRAM) {
        status = pack_program(task, buf);
    } else {
        rpt__buf_add(buf, task->input.data, task->input.bytes);
    }
    rpt__buf_add(buf, task->id, spec.n_id);
    return status == RPT_OK ? rpt__buf_status(buf) : status;
}
