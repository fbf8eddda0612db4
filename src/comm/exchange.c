/*
 * exchange.c - small agreements of a group: all give and get, or one gives
 *
 * All: dissemination (Bruck et al. 1997, doi:10.1109/71.642949).  A rank has
 * its own block first; in round k it has 2^k blocks, those of the ranks from
 * itself upward, gives them to the rank 2^k below and gets as many from the
 * rank 2^k above, fewer in the last round when p is no power of two.
 *
 *      round 0   0 <- 1 <- 2 <- 3 <- 4      1 block
 *      round 1   0 <- 2, 1 <- 3, ...        2 blocks
 *      round 2   0 <- 4, 1 <- 0, ...        the last 1
 *
 * Cost: ceil(log2 p) messages and (p - 1) blocks a rank.  Not for large blocks.
 *
 * One: a binomial tree.  Counted from the root, a rank passes on what it got to
 * those that are 2^k above it, the farthest first.  ceil(log2 p) rounds, any
 * length.
 */
#include "comm/group_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct exchange {
    struct rpt_group *group;
    char *blocks; /* of the ranks from this one upward */
    size_t bytes; /* of a block                        */
    int from;     /* the rank of this round            */
    double began_s;
    double ask_s; /* when a long wait tells its place */
};

static bool is_there(void *arg)
{
    struct exchange *x = arg;

    return rpt__group_op_failed(x->group) ||
           rpt__letter_find(x->group, RPT_LETTER_DATA, x->from) != NULL ||
           rpt__letter_any(x->group, RPT_LETTER_UP) ||
           rpt__letter_any(x->group, RPT_LETTER_DOWN);
}

static rpt_status_t mismatch(struct exchange *x, const char *how)
{
    rpt__fail(RPT_ERR_MISMATCH, "the ranks of a group of %d %s", x->group->size,
              how);
    rpt__group_advise();
    return rpt__group_fail_op(x->group, RPT_ERR_MISMATCH);
}

/* Until the deadline; tells its place now and then. */
static rpt_status_t wait_until(struct exchange *x, double deadline_s)
{
    struct rpt_comm *comm = x->group->comm;
    double left;
    rpt_status_t status;

    if (x->ask_s <= 0) {
        x->ask_s = rpt__place_ask_s(x->began_s, deadline_s);
    }
    left = fmin(x->ask_s, deadline_s) - rpt__now_s();
    status = rpt__comm_wait(comm, is_there, x, fmax(left, 0));
    while (status == RPT_PENDING && rpt__now_s() < deadline_s) {
        rpt__group_tell_place(x->group, x->from);
        x->ask_s = rpt__place_ask_again_s(x->began_s);
        left = fmin(x->ask_s, deadline_s) - rpt__now_s();
        status = rpt__comm_wait(comm, is_there, x, fmax(left, 0));
    }
    return status;
}

static rpt_status_t wait_for_letter(struct exchange *x)
{
    struct rpt_comm *comm = x->group->comm;
    double limit = fmax(x->group->patience_s,
                        rpt__option_seconds(comm->options,
                                            RPT_OPT_COMM_INTERNAL_DEADLINE_S));
    rpt_status_t status = wait_until(x, x->began_s + limit);

    if (status == RPT_PENDING) {
        int rank = rpt__group_world_rank(x->group, x->from);

        rpt__fail(RPT_ERR_TIMEOUT,
                  "an exchange of %d ranks waited %g s for rank %d on %s",
                  x->group->size, limit, rank,
                  rpt__map_host_of(comm->map, rank));
        return rpt__group_fail(x->group, RPT_ERR_TIMEOUT);
    }
    if (status == RPT_OK && rpt__group_op_failed(x->group)) {
        return rpt__group_failure(x->group);
    }
    return status;
}

/* Waits for the letter of rank x->from. */
static rpt_status_t take(struct exchange *x, struct rpt_letter **letter_out)
{
    rpt_status_t status = wait_for_letter(x);

    if (status != RPT_OK) {
        return status;
    }
    *letter_out = rpt__letter_find(x->group, RPT_LETTER_DATA, x->from);
    if (*letter_out == NULL) {
        return mismatch(x, "are in different calls: exchange, and barrier");
    }
    return RPT_OK;
}

/* Gets the blocks of the ranks from x->from upward. */
static rpt_status_t receive(struct exchange *x, char *to, size_t bytes)
{
    struct rpt_letter *letter;
    rpt_status_t status = take(x, &letter);

    if (status != RPT_OK) {
        return status;
    }
    if (letter->bytes != bytes) {
        return mismatch(x, "exchange different numbers of bytes");
    }
    memcpy(to, letter->data, bytes);
    rpt__letter_done(x->group, letter);
    return RPT_OK;
}

static rpt_status_t turn(struct exchange *x)
{
    int p = x->group->size, rank = x->group->rank;
    rpt_status_t status = RPT_OK;

    for (int have = 1; status == RPT_OK && have < p; have *= 2) {
        int more = have < p - have ? have : p - have;
        size_t bytes = (size_t)more * x->bytes;

        x->from = (rank + have) % p;
        status = rpt__letter_send(x->group, (rank - have + p) % p,
                                  RPT_LETTER_DATA, x->blocks, bytes);
        if (status == RPT_ERR_NOMEM) {
            status = rpt__group_fail(x->group, status);
        }
        if (status == RPT_OK) {
            status = receive(x, x->blocks + (size_t)have * x->bytes, bytes);
        }
    }
    return status;
}

static void put_in_order(const struct exchange *x, char *all)
{
    size_t before = (size_t)x->group->rank * x->bytes;
    size_t behind = (size_t)x->group->size * x->bytes - before;

    memcpy(all + before, x->blocks, behind);
    memcpy(all, x->blocks + behind, before);
}

rpt_status_t rpt__group_exchange(struct rpt_group *group, const char *call,
                                 const void *mine, size_t bytes, void *all_out)
{
    struct exchange x = { group, NULL, bytes, 0, rpt__now_s(), 0 };
    rpt_status_t status = rpt__group_begin(group, call);
    size_t all_bytes;

    if (status != RPT_OK) {
        return status;
    }
    if (!rpt__size_mul(bytes, (size_t)group->size, &all_bytes)) {
        status = rpt__group_fail(
            group, rpt__fail(RPT_ERR_OVERFLOW, "blocks of %zu bytes", bytes));
    } else if ((x.blocks = malloc(all_bytes + 1)) == NULL) {
        status = rpt__group_fail(group, rpt__fail_nomem(all_bytes));
    } else {
        if (bytes > 0) {
            memcpy(x.blocks, mine, bytes);
        }
        status = turn(&x);
        if (status == RPT_OK && bytes > 0) {
            put_in_order(&x, all_out);
        }
    }
    free(x.blocks);
    rpt__group_end(group);
    return status;
}

/* ---- one gives ---- */

/* The highest power of two up to n; n >= 1. */
static int power_below(int n)
{
    int power = 1;

    while (power <= n / 2) {
        power *= 2;
    }
    return power;
}

static rpt_status_t get_shared(struct exchange *x, struct rpt_buf *bytes)
{
    struct rpt_letter *letter;
    rpt_status_t status = take(x, &letter);

    if (status != RPT_OK) {
        return status;
    }
    rpt__buf_clear(bytes);
    rpt__buf_add(bytes, letter->data, letter->bytes);
    rpt__letter_done(x->group, letter);
    status = rpt__buf_status(bytes);
    return status == RPT_OK ? RPT_OK : rpt__group_fail(x->group, status);
}

rpt_status_t rpt__group_share(struct rpt_group *group, const char *call,
                              int root, struct rpt_buf *bytes)
{
    struct exchange x = { group, NULL, 0, 0, rpt__now_s(), 0 };
    rpt_status_t status = rpt__group_begin(group, call);
    int p = group->size, rank = (group->rank - root + p) % p;

    if (status != RPT_OK) {
        return status;
    }
    if (rank > 0) {
        x.from = (rank - power_below(rank) + root) % p;
        status = get_shared(&x, bytes);
    }
    for (int k = power_below(p); status == RPT_OK && k > rank; k /= 2) {
        if (rank + k < p) {
            status = rpt__letter_send(group, (rank + k + root) % p,
                                      RPT_LETTER_DATA, bytes->data,
                                      bytes->bytes);
            if (status == RPT_ERR_NOMEM) {
                status = rpt__group_fail(group, status);
            }
        }
    }
    rpt__group_end(group);
    return status;
}
