/*
 * combine.c - kernels, and functions of users
 *
 * A user's function has two arguments and may be given the same output as one
 * of many inputs, so it works in a block of its own, piece by piece.
 */
#include "collectives/engine/combine.h"

#include "base/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { N_USER_OPS = RPT_OP_USER_LAST - RPT_OP_USER_0 + 1, BLOCK_BYTES = 8192 };

struct user_op {
    rpt_op_fn fn; /* NULL: free */
    void *user;
    int commutative;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct user_op user_ops[N_USER_OPS];
static _Atomic unsigned n_destroyed[N_USER_OPS]; /* those of this number */

rpt_status_t rpt_op_create(rpt_op_fn fn, void *user, int commutative,
                           rpt_op_t *op_out)
{
    int i = 0;

    if (fn == NULL || op_out == NULL) {
        return rpt__fail(RPT_ERR_INVALID, "rpt_op_create: NULL argument");
    }
    pthread_mutex_lock(&lock);
    while (i < N_USER_OPS && user_ops[i].fn != NULL) {
        i++;
    }
    if (i < N_USER_OPS) {
        user_ops[i] = (struct user_op){ fn, user, commutative };
    }
    pthread_mutex_unlock(&lock);
    if (i == N_USER_OPS) {
        rpt__fail(RPT_ERR_FULL, "there are %d operators of users", N_USER_OPS);
        rpt__fail_hint("release those of no use with rpt_op_destroy()");
        return RPT_ERR_FULL;
    }
    *op_out = (rpt_op_t)(RPT_OP_USER_0 + i);
    return RPT_OK;
}

static bool is_user_op(rpt_op_t op)
{
    return op >= RPT_OP_USER_0 && op <= RPT_OP_USER_LAST;
}

void rpt_op_destroy(rpt_op_t op)
{
    if (is_user_op(op)) {
        pthread_mutex_lock(&lock);
        user_ops[op - RPT_OP_USER_0].fn = NULL;
        atomic_fetch_add(&n_destroyed[op - RPT_OP_USER_0], 1);
        pthread_mutex_unlock(&lock);
    }
}

static rpt_status_t take_user_op(struct rpt_combine *combine, rpt_op_t op)
{
    struct user_op found;
    size_t bytes = combine->element_bytes > BLOCK_BYTES ? combine->element_bytes
                                                        : BLOCK_BYTES;

    pthread_mutex_lock(&lock);
    found = user_ops[op - RPT_OP_USER_0];
    combine->made = atomic_load(&n_destroyed[op - RPT_OP_USER_0]);
    pthread_mutex_unlock(&lock);
    if (found.fn == NULL) {
        return rpt__fail(RPT_ERR_INVALID, "there is no operator %d", (int)op);
    }
    combine->fn = found.fn;
    combine->user = found.user;
    combine->commutative = found.commutative != 0;
    combine->block = malloc(bytes);
    combine->block_count = bytes / combine->element_bytes;
    return combine->block != NULL ? RPT_OK : rpt__fail_nomem(bytes);
}

rpt_status_t rpt__combine_create(struct rpt_combine *combine, rpt_type_t type,
                                 rpt_op_t op)
{
    const struct rpt_kernels *kernels = rpt__kernels();

    *combine = (struct rpt_combine){ .type = type,
                                     .element_bytes = rpt_type_bytes(type),
                                     .commutative = true };
    if (is_user_op(op)) {
        return take_user_op(combine, op);
    }
    if ((int)op < 0 || (int)op >= RPT_N_OPS) {
        return rpt__fail(RPT_ERR_INVALID, "there is no operator %d", (int)op);
    }
    if ((int)type < RPT_N_TYPES) {
        combine->kernel = kernels->reduce[type][op];
        combine->divide = op == RPT_OP_AVERAGE ? kernels->divide[type] : NULL;
    }
    if (combine->kernel == NULL) {
        return rpt__fail(RPT_ERR_UNSUPPORTED, "there is no %s of %s elements",
                         rpt_op_name(op), rpt_type_name(type));
    }
    return RPT_OK;
}

bool rpt__combine_is_of(const struct rpt_combine *combine, rpt_op_t op)
{
    return !is_user_op(op) ||
           combine->made ==
               atomic_load_explicit(&n_destroyed[op - RPT_OP_USER_0],
                                    memory_order_acquire);
}

void rpt__combine_release(struct rpt_combine *combine)
{
    free(combine->block);
    combine->block = NULL;
}

static void combine_by_user(const struct rpt_combine *c, char *to,
                            const void *const inputs[], int n_inputs,
                            size_t count)
{
    for (size_t from = 0; from < count; from += c->block_count) {
        size_t left = count - from;
        size_t n = left < c->block_count ? left : c->block_count;
        size_t at = from * c->element_bytes, bytes = n * c->element_bytes;

        memcpy(c->block, (const char *)inputs[0] + at, bytes);
        for (int i = 1; i < n_inputs; i++) {
            c->fn(c->block, (const char *)inputs[i] + at, n, c->type, c->user);
        }
        memcpy(to + at, c->block, bytes);
    }
}

void rpt__combine(const struct rpt_combine *combine, void *to,
                  const void *const inputs[], int n_inputs, size_t count)
{
    if (combine->kernel != NULL) {
        combine->kernel(to, inputs, n_inputs, count);
    } else {
        combine_by_user(combine, to, inputs, n_inputs, count);
    }
}
