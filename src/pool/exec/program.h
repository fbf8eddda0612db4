/*
 * program.h - what is to be run, as the task says it, and as bytes
 */
#ifndef RPT_POOL_EXEC_PROGRAM_H
#define RPT_POOL_EXEC_PROGRAM_H

#include "base/buf.h"

#include <repartir/pool.h>

#include <stddef.h>
#include <stdint.h>

struct rpt_env_change {
    const char *name;
    const char *value; /* NULL removes the variable */
};

struct rpt_program {
    const char **argv; /* n_argv + 1 entries, the last one NULL           */
    size_t n_argv;
    struct rpt_env_change *env;
    size_t n_env;
    const char *cwd;   /* NULL: where the rank was started                */
    const void *stdin_data;
    size_t stdin_bytes;
    rpt_output_t output;
    const char *stdout_path; /* for RPT_OUTPUT_FILES; NULL: /dev/null     */
    const char *stderr_path;
};

/* A task given as a shell line is argv "/bin/sh", "-c", line. */
void rpt__program_pack(struct rpt_buf *buf, const struct rpt_program *program);

/* Strings point into the bytes that are read; the two arrays are released with
 * rpt__program_free().  RPT_ERR_CORRUPT, RPT_ERR_NOMEM. */
rpt_status_t rpt__program_unpack(struct rpt_reader *reader,
                                 struct rpt_program *program_out);
void rpt__program_free(struct rpt_program *program);

#endif /* RPT_POOL_EXEC_PROGRAM_H */
