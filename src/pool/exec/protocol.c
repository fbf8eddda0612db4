/*
 * protocol.c - the contents of RUN and END frames, as bytes and back
 *
 * Each pair stands together and lists the same fields in the same order.
 */
#include "pool/exec/protocol.h"

#include <stdlib.h>

static uint32_t count_env(const char *const *env)
{
    uint32_t n = 0;

    while (env != NULL && env[n] != NULL) {
        n++;
    }
    return n;
}

/* The processor numbers come at a multiple of 8, to be read in place. */
void rpt__run_pack(struct rpt_buf *buf, const struct rpt_run *run)
{
    uint32_t n_env = count_env(run->env);

    rpt__buf_u64(buf, run->key);
    rpt__buf_u64(buf, run->after);
    rpt__buf_u64(buf, run->memory_bytes);
    rpt__buf_f64(buf, run->timeout_s);
    rpt__buf_u32(buf, (uint32_t)run->n_cpus);
    rpt__buf_u32(buf, n_env);
    rpt__buf_add(buf, run->cpus, (size_t)run->n_cpus * sizeof *run->cpus);
    for (uint32_t i = 0; i < n_env; i++) {
        rpt__buf_str(buf, run->env[i]);
    }
    rpt__buf_add(buf, run->program, run->program_bytes);
}

static const char **read_env(struct rpt_reader *reader, uint32_t n)
{
    const char **env = NULL;

    /* Each takes at least 8 bytes: a damaged count asks for no more. */
    if (n <= (size_t)(reader->end - reader->next) / 8) {
        env = calloc((size_t)n + 1, sizeof *env);
    }
    for (uint32_t i = 0; env != NULL && i < n; i++) {
        env[i] = rpt__read_str(reader);
        reader->failed |= env[i] == NULL;
    }
    return env;
}

bool rpt__run_unpack(const void *data, size_t bytes, struct rpt_run *run_out)
{
    struct rpt_reader reader = rpt__reader(data, bytes);
    struct rpt_run run = { 0 };
    uint32_t n_cpus, n_env;

    run.key = rpt__read_u64(&reader);
    run.after = rpt__read_u64(&reader);
    run.memory_bytes = rpt__read_u64(&reader);
    run.timeout_s = rpt__read_f64(&reader);
    n_cpus = rpt__read_u32(&reader);
    n_env = rpt__read_u32(&reader);
    run_out->key = run.key;
    run.n_cpus = n_cpus <= INT32_MAX ? (int)n_cpus : 0;
    run.cpus = rpt__read_bytes(&reader, n_cpus * sizeof *run.cpus);
    run.env = read_env(&reader, n_env);
    if (reader.failed || run.env == NULL) {
        free((void *)run.env);
        return false;
    }
    run.program = reader.next;
    run.program_bytes = (size_t)(reader.end - reader.next);
    *run_out = run;
    return true;
}

enum { TIMED_OUT = 1, KILLED = 2 };

void rpt__end_pack(struct rpt_buf *buf, uint64_t key,
                   const struct rpt_program_end *end)
{
    rpt__buf_u64(buf, key);
    rpt__buf_u32(buf, (uint32_t)end->error);
    rpt__buf_u32(buf, (uint32_t)end->exit_code);
    rpt__buf_u32(buf, (uint32_t)end->signal);
    rpt__buf_u32(buf, (end->timed_out ? TIMED_OUT : 0U) |
                          (end->killed ? KILLED : 0U));
    rpt__buf_f64(buf, end->start_time);
    rpt__buf_f64(buf, end->duration_s);
    rpt__buf_u64(buf, end->max_rss_kib);
    rpt__buf_u64(buf, end->stdout_dropped);
    rpt__buf_u64(buf, end->stderr_dropped);
    rpt__buf_str(buf, end->message);
    rpt__buf_blob(buf, end->stdout_data, end->stdout_bytes);
    rpt__buf_blob(buf, end->stderr_data, end->stderr_bytes);
}

bool rpt__end_unpack(const void *data, size_t bytes, uint64_t *key_out,
                     struct rpt_program_end *end_out)
{
    struct rpt_reader reader = rpt__reader(data, bytes);
    struct rpt_program_end end = { 0 };
    uint64_t key = rpt__read_u64(&reader);
    uint32_t flags;

    end.error = (int)rpt__read_u32(&reader);
    end.exit_code = (int)rpt__read_u32(&reader);
    end.signal = (int)rpt__read_u32(&reader);
    flags = rpt__read_u32(&reader);
    end.timed_out = (flags & TIMED_OUT) != 0;
    end.killed = (flags & KILLED) != 0;
    end.start_time = rpt__read_f64(&reader);
    end.duration_s = rpt__read_f64(&reader);
    end.max_rss_kib = rpt__read_u64(&reader);
    end.stdout_dropped = rpt__read_u64(&reader);
    end.stderr_dropped = rpt__read_u64(&reader);
    end.message = rpt__read_str(&reader);
    end.stdout_data = rpt__read_blob(&reader, &end.stdout_bytes);
    end.stderr_data = rpt__read_blob(&reader, &end.stderr_bytes);
    if (reader.failed || end.message == NULL) {
        return false;
    }
    *key_out = key;
    *end_out = end;
    return true;
}
