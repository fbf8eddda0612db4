/*
 * program.c - what is to be run, as bytes
 *
 * The order of the fields is the format: pack and unpack read the same from
 * top to bottom.  Costs one copy of the bytes to pack, two small allocations
 * to unpack.  It does not check what the words mean; the keeper does that when
 * it starts the program.
 */
#include "pool/exec/program.h"

#include "base/error.h"

#include <stdlib.h>

void rpt__program_pack(struct rpt_buf *buf, const struct rpt_program *program)
{
    rpt__buf_u64(buf, program->n_argv);
    for (size_t i = 0; i < program->n_argv; i++) {
        rpt__buf_str(buf, program->argv[i]);
    }
    rpt__buf_u64(buf, program->n_env);
    for (size_t i = 0; i < program->n_env; i++) {
        rpt__buf_str(buf, program->env[i].name);
        rpt__buf_str(buf, program->env[i].value);
    }
    rpt__buf_str(buf, program->cwd);
    rpt__buf_blob(buf, program->stdin_data, program->stdin_bytes);
    rpt__buf_u32(buf, (uint32_t)program->output);
    rpt__buf_str(buf, program->stdout_path);
    rpt__buf_str(buf, program->stderr_path);
}

/* How many entries there are.  Each takes at least 8 bytes, so that a damaged
 * number cannot ask for more memory than the bytes are worth. */
static size_t read_count(struct rpt_reader *reader)
{
    uint64_t n = rpt__read_u64(reader);

    if (n > (size_t)(reader->end - reader->next) / 8) {
        reader->failed = true;
        return 0;
    }
    return (size_t)n;
}

static bool read_argv(struct rpt_reader *reader, struct rpt_program *program)
{
    program->n_argv = read_count(reader);
    program->argv = calloc(program->n_argv + 1, sizeof *program->argv);
    if (program->argv == NULL) {
        return false;
    }
    for (size_t i = 0; i < program->n_argv; i++) {
        program->argv[i] = rpt__read_str(reader);
        reader->failed |= program->argv[i] == NULL;
    }
    return true;
}

static bool read_env(struct rpt_reader *reader, struct rpt_program *program)
{
    program->n_env = read_count(reader);
    program->env = calloc(program->n_env + 1, sizeof *program->env);
    if (program->env == NULL) {
        return false;
    }
    for (size_t i = 0; i < program->n_env; i++) {
        program->env[i].name = rpt__read_str(reader);
        program->env[i].value = rpt__read_str(reader);
        reader->failed |= program->env[i].name == NULL;
    }
    return true;
}

rpt_status_t rpt__program_unpack(struct rpt_reader *reader,
                                 struct rpt_program *program_out)
{
    struct rpt_program program = { 0 };
    uint32_t output;

    if (!read_argv(reader, &program) || !read_env(reader, &program)) {
        rpt__program_free(&program);
        return rpt__fail_nomem((program.n_argv + program.n_env) *
                               sizeof *program.env);
    }
    program.cwd = rpt__read_str(reader);
    program.stdin_data = rpt__read_blob(reader, &program.stdin_bytes);
    output = rpt__read_u32(reader);
    program.stdout_path = rpt__read_str(reader);
    program.stderr_path = rpt__read_str(reader);
    if (reader->failed || output > RPT_OUTPUT_STREAM) {
        rpt__program_free(&program);
        return rpt__fail(RPT_ERR_CORRUPT,
                         "the description of a program is damaged");
    }
    program.output = (rpt_output_t)output;
    *program_out = program;
    return RPT_OK;
}

void rpt__program_free(struct rpt_program *program)
{
    free(program->argv);
    free(program->env);
    program->argv = NULL;
    program->env = NULL;
}
