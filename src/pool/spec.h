/*
 * spec.h - what a task is, as bytes: made once when it is submitted, and sent
 * as it is to the rank that runs it
 *
 *   struct rpt_spec | needs of named resources | body
 *
 * The body of a program is what exec/program.h packs; that of a function is
 * its input.
 */
#ifndef RPT_POOL_SPEC_H
#define RPT_POOL_SPEC_H

#include "base/buf.h"
#include "base/hash.h"

#include <repartir/pool.h>

#include <stdbool.h>

#include <stdint.h>

enum rpt_kind {
    RPT_KIND_PROGRAM,
    RPT_KIND_FUNCTION,
    RPT_KIND_GANG,
    RPT_N_KINDS
};

/* Followed by n_needs pairs of int32 (resource, units), then by the body. */
struct rpt_spec {
    uint8_t kind;
    uint8_t priority;
    uint8_t n_needs;
    uint8_t output; /* rpt_output_t */
    int32_t slots;
    int32_t n_ranks; /* of a gang, else 1 */
    uint32_t n_id;   /* bytes of the id at the end of the body, without 0 */
    uint64_t memory_mib;
    double timeout_s;
    uint64_t function;   /* hash of its name                             */
    double checkpoint_s; /* 0: it has no checkpoints                     */
    uint64_t work;       /* hash of what it does, if it has; else 0      */
};

struct rpt_need {
    int32_t resource; /* index in the pool's list of names */
    int32_t units;
};

static inline const struct rpt_need *rpt__spec_needs(const struct rpt_spec *s)
{
    return (const struct rpt_need *)(s + 1);
}

static inline const char *rpt__spec_body(const struct rpt_spec *s)
{
    return (const char *)(rpt__spec_needs(s) + s->n_needs);
}

/* ---- the task as its setters fill it (task.c) ---- */

enum { RPT_MAX_NEEDS = 16, RPT_NAME_BYTES = 32 };

struct rpt_task {
    enum rpt_kind kind;
    bool defined;         /* has a program or function           */
    char *function;       /* name                                */
    struct rpt_buf input; /* of a function                       */
    struct rpt_buf argv;  /* n_argv strings, one after another   */
    size_t n_argv;
    struct rpt_buf env; /* n_env names and values, as packed   */
    size_t n_env;
    char *cwd;
    struct rpt_buf stdin_data;
    rpt_output_t output;
    char *stdout_path, *stderr_path;
    char *id;
    rpt_priority_t priority;
    double timeout_s;
    double checkpoint_s;
    int retries;
    int slots;
    int n_ranks;
    uint64_t memory_mib;
    struct {
        char name[RPT_NAME_BYTES];
        int units;
    } needs[RPT_MAX_NEEDS];
    int n_needs;
    struct rpt_buf after; /* n_after ids, as packed */
    size_t n_after;
};

/* Appends struct rpt_spec, needs and body.  resource_index: per need of the
 * task, the index in the pool's list. */
rpt_status_t rpt__task_pack(const struct rpt_task *task,
                            const int resource_index[], struct rpt_buf *buf);

uint64_t rpt__function_hash(const char *name);

#endif /* RPT_POOL_SPEC_H */
