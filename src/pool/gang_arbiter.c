/*
 * gang_arbiter.c - which ranks run a gang, and in which order they reserve
 *
 * Gangs reserve in the order of their requests; the next one begins before the
 * last has all its ranks only where it needs other ranks.  Ranks are taken in
 * blocks of neighbours, the least loaded block first, so that there are few
 * different sets and communicators are used again.
 *
 * Cost: a request looks at every rank of the pool once.
 */
#include "pool/gang_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* From here on a gang waits for one that is there, while others run.  MPICH has
 * about 2000 in all. */
enum { MAX_COMMUNICATORS = 256 };

/* The arbiter's view. */
struct gang {
    TAILQ_ENTRY(gang) link;
    uint64_t id;
    struct rpt_gang_message request;
    int owner; /* member */
    int n_ready;
    bool all_ok;
    bool running;
    struct communicator *communicator;
};

struct communicator {
    struct communicator *next;
    uint64_t key;
    bool busy;
    int n_ranks;
    int ranks[];
};

TAILQ_HEAD(gang_list, gang);

struct rpt_arbiter {
    struct gang_list pending, active;
    struct communicator *communicators;
    int n_communicators;
    uint64_t n_ids, n_keys;
    int *load; /* gangs on each member */
};

rpt_status_t rpt__arbiter_create(int n_members, struct rpt_arbiter **out)
{
    struct rpt_arbiter *a = calloc(1, sizeof *a);

    if (a == NULL ||
        (a->load = calloc((size_t)n_members, sizeof *a->load)) == NULL) {
        free(a);
        return rpt__fail_nomem(sizeof *a);
    }
    TAILQ_INIT(&a->pending);
    TAILQ_INIT(&a->active);
    *out = a;
    return RPT_OK;
}

static void free_gangs(struct gang_list *list)
{
    struct gang *gang;

    while ((gang = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, gang, link);
        free(gang);
    }
}

void rpt__arbiter_destroy(struct rpt_arbiter *a)
{
    struct communicator *c;

    if (a == NULL) {
        return;
    }
    free_gangs(&a->pending);
    free_gangs(&a->active);
    while ((c = a->communicators) != NULL) {
        a->communicators = c->next;
        free(c);
    }
    free(a->load);
    free(a);
}

static bool able(const struct rpt_pool *pool, int member,
                 const struct rpt_caps *needs)
{
    return rpt__caps_fit(needs, &pool->caps[member]);
}

/* Whether the gang could reserve now without waiting behind another one. */
static bool is_disjoint(const struct rpt_arbiter *g, const int ranks[], int n)
{
    const struct gang *gang;

    TAILQ_FOREACH (gang, &g->active, link) {
        for (int i = 0; !gang->running && i < gang->communicator->n_ranks;
             i++) {
            for (int k = 0; k < n; k++) {
                if (gang->communicator->ranks[i] == ranks[k]) {
                    return false;
                }
            }
        }
    }
    return true;
}

/* The block of neighbours with the fewest gangs; false when no block can. */
static bool choose_block(struct rpt_pool *pool,
                         const struct rpt_gang_message *request, int ranks[])
{
    int n = request->n_ranks, best = -1, least = 0;

    for (int b = 0; b * n < pool->n; b++) {
        int first = (b + 1) * n <= pool->n ? b * n : pool->n - n;
        int load = 0;
        bool can = true;

        for (int i = first; can && i < first + n; i++) {
            can = able(pool, i, &request->needs);
            load += rpt__gangs_arbiter(pool)->load[i];
        }
        if (can && (best < 0 || load < least)) {
            best = first;
            least = load;
        }
    }
    for (int i = 0; best >= 0 && i < n; i++) {
        ranks[i] = best + i;
    }
    return best >= 0;
}

static void choose_any(struct rpt_pool *pool,
                       const struct rpt_gang_message *request, int ranks[])
{
    int n = 0;

    for (int m = 0; m < pool->n && n < request->n_ranks; m++) {
        if (able(pool, m, &request->needs)) {
            ranks[n++] = m;
        }
    }
}

/* One that is there, of other ranks, which can take the gang too. */
static struct communicator *
any_communicator(struct rpt_pool *pool, const struct rpt_caps *needs, int n)
{
    struct rpt_arbiter *g = rpt__gangs_arbiter(pool);

    for (struct communicator *c = g->communicators; c != NULL; c = c->next) {
        bool can = !c->busy && c->n_ranks == n && is_disjoint(g, c->ranks, n);

        for (int i = 0; can && i < n; i++) {
            can = able(pool, c->ranks[i], needs);
        }
        if (can) {
            return c;
        }
    }
    return NULL;
}

static struct communicator *communicator_for(struct rpt_pool *pool,
                                             const struct rpt_caps *needs,
                                             const int ranks[], int n)
{
    struct rpt_arbiter *g = rpt__gangs_arbiter(pool);
    struct communicator *c;
    size_t bytes = (size_t)n * sizeof *ranks;

    for (c = g->communicators; c != NULL; c = c->next) {
        if (!c->busy && c->n_ranks == n &&
            memcmp(c->ranks, ranks, bytes) == 0) {
            return c;
        }
    }
    if (g->n_communicators >= MAX_COMMUNICATORS) {
        c = any_communicator(pool, needs, n);
        if (c != NULL || !TAILQ_EMPTY(&g->active)) {
            return c; /* NULL: one may be free when a gang ends */
        }
    }
    c = malloc(sizeof *c + bytes);
    if (c != NULL) {
        c->key = ++g->n_keys;
        c->busy = false;
        c->n_ranks = n;
        memcpy(c->ranks, ranks, bytes);
        c->next = g->communicators;
        g->communicators = c;
        g->n_communicators++;
    }
    return c;
}

static bool reserve(struct rpt_pool *pool, struct gang *gang)
{
    struct rpt_arbiter *g = rpt__gangs_arbiter(pool);
    int n = gang->request.n_ranks;
    int ranks[n];
    struct rpt_gang_message message = gang->request;

    if (!choose_block(pool, &gang->request, ranks)) {
        choose_any(pool, &gang->request, ranks);
    }
    if (!is_disjoint(g, ranks, n)) {
        return false;
    }
    gang->communicator = communicator_for(pool, &gang->request.needs, ranks, n);
    if (gang->communicator == NULL) {
        return false;
    }
    gang->communicator->busy = true;
    gang->id = ++g->n_ids;
    gang->all_ok = true;
    TAILQ_REMOVE(&g->pending, gang, link);
    TAILQ_INSERT_TAIL(&g->active, gang, link);
    message.id = gang->id;
    for (int i = 0; i < n; i++) {
        g->load[gang->communicator->ranks[i]]++;
        rpt__gang_send(pool, gang->communicator->ranks[i], RPT_GANG_RESERVE,
                       &message);
    }
    return true;
}

static void arbitrate(struct rpt_pool *pool)
{
    struct gang *gang = TAILQ_FIRST(&rpt__gangs_arbiter(pool)->pending);

    while (gang != NULL && reserve(pool, gang)) {
        gang = TAILQ_FIRST(&rpt__gangs_arbiter(pool)->pending);
    }
}

void rpt__arbiter_on_request(struct rpt_pool *pool, int member,
                             const struct rpt_gang_message *request)
{
    struct gang *gang = calloc(1, sizeof *gang);

    if (gang == NULL) {
        rpt__pool_broken(pool, rpt__fail_nomem(sizeof *gang));
        return;
    }
    gang->request = *request;
    gang->owner = member;
    TAILQ_INSERT_TAIL(&rpt__gangs_arbiter(pool)->pending, gang, link);
    arbitrate(pool);
}

static struct gang *find_active(struct rpt_pool *pool, uint64_t id)
{
    struct gang *gang;

    TAILQ_FOREACH (gang, &rpt__gangs_arbiter(pool)->active, link) {
        if (gang->id == id) {
            return gang;
        }
    }
    return NULL;
}

void rpt__arbiter_on_ready(struct rpt_pool *pool,
                           const struct rpt_gang_message *ready)
{
    struct gang *gang = find_active(pool, ready->id);
    struct rpt_buf buf = RPT_BUF_EMPTY;
    struct rpt_gang_message go;

    if (gang == NULL) {
        return;
    }
    gang->all_ok = gang->all_ok && ready->ok;
    if (++gang->n_ready < gang->request.n_ranks) {
        return;
    }
    gang->running = true;
    go = gang->request;
    go.head.generation = pool->generation;
    go.head.what = RPT_GANG_GO;
    go.id = gang->id;
    go.key = gang->communicator->key;
    go.ok = gang->all_ok;
    rpt__buf_add(&buf, &go, sizeof go);
    rpt__buf_add(&buf, gang->communicator->ranks,
                 (size_t)go.n_ranks * sizeof(int));
    if (buf.failed) {
        rpt__pool_broken(pool, rpt__buf_status(&buf));
    } else {
        rpt__pool_send(pool, gang->owner, RPT_TAG_POOL_GANG, buf.data,
                       buf.bytes);
    }
    rpt__buf_free(&buf);
    arbitrate(pool);
}

void rpt__arbiter_on_free(struct rpt_pool *pool,
                          const struct rpt_gang_message *free_)
{
    struct gang *gang = find_active(pool, free_->id);
    struct rpt_gang_message release;

    if (gang == NULL) {
        return;
    }
    memset(&release, 0, sizeof release);
    release.id = gang->id;
    for (int i = 0; i < gang->communicator->n_ranks; i++) {
        rpt__gangs_arbiter(pool)->load[gang->communicator->ranks[i]]--;
        if (!free_->ok) {
            rpt__gang_send(pool, gang->communicator->ranks[i], RPT_GANG_RELEASE,
                           &release);
        }
    }
    gang->communicator->busy = false;
    TAILQ_REMOVE(&rpt__gangs_arbiter(pool)->active, gang, link);
    free(gang);
    arbitrate(pool);
}
