/*
 * group.c - making and releasing groups
 *
 * A group is a number and a list of ranks; no MPI communicator.  The number of
 * a part of a split group is a hash of what is unique about it: the group, how
 * many operations that had seen, the colour.  Ranks that form a group out of
 * nothing agree on a count that none of them used before and hash the list
 * with it; until then they write to each other under a hash of the list alone.
 * Hashes have 62 bits: ten thousand groups meet by chance once in 10^11 jobs.
 *
 * Cost: one exchange (exchange.c).
 */
#include "comm/group_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMING (UINT64_C(1) << 62)

/* So long calls go on that were made before the one that failed. */
#define GO_ON_S 1.0

/* The count is hashed as well, and is no seed: see rpt__area_name(). */
static uint64_t number_of(const void *data, size_t bytes, uint64_t count)
{
    const uint64_t parts[2] = { rpt__hash64(data, bytes, 0), count };

    /* 0 is the world's. */
    return (rpt__hash64(parts, sizeof parts, 0) & (FORMING - 1)) | 1;
}

/* Room for a group of up to n ranks; the list is not filled. */
static rpt_status_t allocate(struct rpt_comm *comm, int n,
                             struct rpt_group **group_out)
{
    struct rpt_group *group = calloc(1, sizeof *group);
    int *ranks = malloc((size_t)n * sizeof *ranks);

    if (group == NULL || ranks == NULL) {
        free(group);
        free(ranks);
        return rpt__fail_nomem(sizeof *group + (size_t)n * sizeof *ranks);
    }
    group->comm = comm;
    group->ranks = ranks;
    group->size = n;
    *group_out = group;
    return RPT_OK;
}

static void release(struct rpt_group *group)
{
    if (group != NULL) {
        free(group->ranks);
        free(group->texts);
        free(group);
    }
}

rpt_status_t rpt__group_world(struct rpt_comm *comm, struct rpt_group **out)
{
    struct rpt_group **world = rpt__groups_world(comm);

    if (*world == NULL) {
        struct rpt_group *group = calloc(1, sizeof *group);
        rpt_status_t status;

        if (group == NULL) {
            return rpt__fail_nomem(sizeof *group);
        }
        group->comm = comm;
        group->rank = comm->rank;
        group->size = comm->size;
        status = rpt__groups_enter(group);
        if (status != RPT_OK) {
            free(group);
            return status;
        }
        *world = group;
    }
    *out = *world;
    return RPT_OK;
}

static void release_attached(struct rpt_group *group)
{
    if (group->attached != NULL) {
        group->layer->release(group->attached);
        group->attached = NULL;
    }
}

void rpt__group_destroy(struct rpt_group *group)
{
    if (group != NULL) {
        release_attached(group);
    }
    if (group != NULL && group != *rpt__groups_world(group->comm)) {
        rpt__groups_leave(group, false);
        release(group);
    }
}

/* Copies a list into a group after a look at it: ranks that exist, each once,
 * this one among them. */
static rpt_status_t take_ranks(struct rpt_group *group, const int ranks[])
{
    const struct rpt_comm *comm = group->comm;
    char *seen = calloc((size_t)comm->size, 1);
    rpt_status_t status = RPT_OK;

    if (seen == NULL) {
        return rpt__fail_nomem((size_t)comm->size);
    }
    group->rank = -1;
    for (int i = 0; status == RPT_OK && i < group->size; i++) {
        int r = ranks[i];

        if (r < 0 || r >= comm->size || seen[r]) {
            status = rpt__fail(RPT_ERR_INVALID, "rank %d of %d %s", r,
                               comm->size,
                               r < 0 || r >= comm->size ? "does not exist"
                                                        : "is listed twice");
        } else {
            seen[r] = 1;
            group->ranks[i] = r;
            if (r == comm->rank) {
                group->rank = i;
            }
        }
    }
    free(seen);
    if (status == RPT_OK && group->rank < 0) {
        status = rpt__fail(RPT_ERR_INVALID,
                           "this rank is not in the list of the group");
    }
    return status;
}

static rpt_status_t make(struct rpt_comm *comm, const int ranks[], int n_ranks,
                         struct rpt_group **group_out)
{
    rpt_status_t status;

    if (n_ranks < 1 || n_ranks > comm->size) {
        return rpt__fail(RPT_ERR_INVALID, "a group has 1 to %d ranks, not %d",
                         comm->size, n_ranks);
    }
    status = allocate(comm, n_ranks, group_out);
    if (status == RPT_OK) {
        status = take_ranks(*group_out, ranks);
        if (status != RPT_OK) {
            release(*group_out);
        }
    }
    return status;
}

rpt_status_t rpt__group_numbered(struct rpt_comm *comm, uint64_t number,
                                 const int ranks[], int n_ranks,
                                 struct rpt_group **group_out)
{
    struct rpt_group *group;
    rpt_status_t status = make(comm, ranks, n_ranks, &group);

    if (status != RPT_OK) {
        return status;
    }
    group->number = number;
    status = rpt__groups_enter(group);
    if (status != RPT_OK) {
        release(group);
        return status;
    }
    *group_out = group;
    return RPT_OK;
}

/* The ranks agree on the greatest of the counts that each would use next. */
static rpt_status_t agree_on_count(struct rpt_group *group, uint64_t *count_out)
{
    uint64_t *counts = calloc((size_t)group->size, sizeof *counts);
    uint64_t *own = rpt__groups_count(group->comm), count = *own;
    rpt_status_t status;

    if (counts == NULL) {
        return rpt__group_fail(
            group, rpt__fail_nomem((size_t)group->size * sizeof *counts));
    }
    status = rpt__group_exchange(group, "the making of a group", own,
                                 sizeof *own, counts);
    for (int r = 0; r < group->size; r++) {
        count = counts[r] > count ? counts[r] : count;
    }
    free(counts);
    if (status == RPT_OK) {
        *own = count >= *own ? count + 1 : *own;
        *count_out = count;
    }
    return status;
}

rpt_status_t rpt__group_from_ranks(struct rpt_comm *comm, const int ranks[],
                                   int n_ranks, struct rpt_group **group_out)
{
    size_t bytes = (size_t)n_ranks * sizeof *ranks;
    struct rpt_group *group;
    uint64_t count = 0;
    rpt_status_t status = make(comm, ranks, n_ranks, &group);

    if (status != RPT_OK) {
        return status;
    }
    group->number = number_of(ranks, bytes, 0) | FORMING;
    status = rpt__groups_enter(group);
    if (status == RPT_OK) {
        status = agree_on_count(group, &count);
        /* A fast rank may have begun to form the next one of this list. */
        rpt__groups_leave(group, true);
    }
    if (status == RPT_OK) {
        group->seq = 0;
        group->number = number_of(ranks, bytes, count + 1);
        status = rpt__groups_enter(group);
    }
    if (status != RPT_OK) {
        release(group);
        return status;
    }
    *group_out = group;
    return RPT_OK;
}

/* ---- split ---- */

struct part {
    int32_t status;
    int32_t color;
    int32_t key;
    int32_t rank; /* in the group that is split */
};

static int by_key(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static rpt_status_t failure_of(const struct rpt_group *group,
                               const struct part parts[])
{
    for (int r = 0; r < group->size; r++) {
        if (parts[r].status != RPT_OK) {
            return rpt__fail(RPT_ERR_PEER,
                             "rank %d could not take part in the split",
                             rpt__group_world_rank(group, r));
        }
    }
    return RPT_OK;
}

/* Fills `half` with the ranks that gave the colour, in order. */
static void choose(struct rpt_group *half, const struct rpt_group *group,
                   int color, struct part parts[])
{
    int n = 0;

    for (int r = 0; r < group->size; r++) {
        if (parts[r].color == color) {
            parts[n++] = parts[r];
        }
    }
    qsort(parts, (size_t)n, sizeof *parts, by_key);
    half->size = n;
    for (int i = 0; i < n; i++) {
        half->ranks[i] = rpt__group_world_rank(group, parts[i].rank);
        if (parts[i].rank == group->rank) {
            half->rank = i;
        }
    }
}

static rpt_status_t enter_part(struct rpt_group *half,
                               const struct rpt_group *group, int color)
{
    const uint64_t unique[3] = { group->number, group->seq, (uint64_t)color };

    half->number = number_of(unique, sizeof unique, 1);
    return rpt__groups_enter(half);
}

rpt_status_t rpt__group_split(struct rpt_group *group, int color, int key,
                              struct rpt_group **group_out)
{
    size_t n = (size_t)group->size;
    struct part mine = { RPT_OK, color, key, group->rank };
    struct part *parts = malloc(n * sizeof *parts);
    struct rpt_group *half = NULL;
    rpt_status_t status, own = RPT_OK;

    if (parts == NULL) {
        return rpt__group_fail(group, rpt__fail_nomem(n * sizeof *parts));
    }
    if (color < RPT_COLOR_NONE) {
        own = rpt__fail(RPT_ERR_INVALID, "%d is no colour", color);
    } else if (color != RPT_COLOR_NONE) {
        own = allocate(group->comm, group->size, &half);
    }
    mine.status = own;
    status = rpt__group_exchange(group, "rpt_group_split", &mine, sizeof mine,
                                 parts);
    if (status == RPT_OK) {
        status = own != RPT_OK ? own : failure_of(group, parts);
    }
    if (status == RPT_OK && half != NULL) {
        choose(half, group, color, parts);
        status = enter_part(half, group, color);
    }
    free(parts);
    if (status != RPT_OK) {
        release(half);
        return status;
    }
    *group_out = half;
    return RPT_OK;
}

/* ---- collective operations and their failures ---- */

/* A call of a group that failed.  Who was not there when it did learns that
 * ranks made different calls, or that one failed; who was only late does not
 * count as waiting. */
static rpt_status_t refuse(struct rpt_group *group)
{
    if (!group->told && group->failed != RPT_ERR_TIMEOUT) {
        group->told = true;
        return rpt__group_failure(group);
    }
    rpt__fail(RPT_ERR_STATE, "the group is of no further use");
    rpt__fail_why("%s", group->texts != NULL ? group->texts : "");
    return RPT_ERR_STATE;
}

/* Ranks that have parted may have done so in several calls, and only one of
 * these is known: so nobody goes on for long. */
static bool may_go_on(const struct rpt_group *group)
{
    return rpt__now_s() < group->failed_s + GO_ON_S;
}

static bool op_failed(const struct rpt_group *group, uint64_t op)
{
    return group->failed != RPT_OK &&
           (op > group->last_op || !may_go_on(group));
}

bool rpt__group_op_failed(const struct rpt_group *group)
{
    return op_failed(group, group->seq);
}

bool rpt__group_run_failed(const struct rpt_group *group, uint64_t run)
{
    return group->failed != RPT_OK &&
           (run >= group->first_run || !may_go_on(group));
}

static rpt_status_t status_of(struct rpt_group *group, bool failed)
{
    rpt_status_t status = rpt__engine_status(group->comm->engine);

    return status == RPT_OK && failed ? refuse(group) : status;
}

rpt_status_t rpt__group_status(struct rpt_group *group)
{
    return status_of(group, group->failed != RPT_OK);
}

rpt_status_t rpt__group_run_status(struct rpt_group *group)
{
    return status_of(group,
                     rpt__group_run_failed(group, rpt__group_n_runs(group)));
}

rpt_status_t rpt__group_begin(struct rpt_group *group, const char *call)
{
    rpt_status_t status = status_of(group, op_failed(group, group->seq + 1));

    if (status != RPT_OK) {
        return status;
    }
    if (group->busy) {
        return rpt__fail(RPT_ERR_STATE, "another thread of this rank is in a "
                                        "collective call of the group");
    }
    group->busy = true;
    group->call = call;
    group->seq++;
    return RPT_OK;
}

void rpt__group_end(struct rpt_group *group)
{
    rpt__letters_clear(group);
    group->busy = false;
}

/* What the others are told: TIMEOUT and MISMATCH concern all alike. */
static rpt_status_t for_others(rpt_status_t status)
{
    return status == RPT_ERR_TIMEOUT || status == RPT_ERR_MISMATCH
               ? status
               : RPT_ERR_PEER;
}

/* What a letter FAIL says; what, why and hint stand behind it, each ended by a
 * zero. */
struct failure {
    int32_t status;
    int32_t unused;
    uint64_t last_op, first_run; /* as in struct rpt_group */
};

enum { N_TEXTS = 3, TEXT_BYTES = 1024 };

/* Of the last error. */
static size_t write_texts(char texts_out[N_TEXTS * TEXT_BYTES])
{
    const rpt_error_t *error = rpt_last_error();
    const char *const all[N_TEXTS] = { error->what, error->why, error->hint };
    char *end = texts_out;

    for (int i = 0; i < N_TEXTS; i++) {
        end += strlen(strcpy(end, all[i])) + 1;
    }
    return (size_t)(end - texts_out);
}

/* There are all, whatever another rank has sent. */
static char *copy_texts(const char *texts, size_t bytes)
{
    char *copy = calloc(1, bytes + N_TEXTS);

    if (copy != NULL) {
        memcpy(copy, texts, bytes);
    }
    return copy;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The first failure counts; how far back one reaches, of all.  false: it says
 * nothing new. */
static bool set_failed(struct rpt_group *group, const struct failure *failure,
                       const char *texts, size_t bytes)
{
    bool is_first = group->failed == RPT_OK;
    bool is_news = is_first || failure->last_op < group->last_op ||
                   failure->first_run < group->first_run;

    group->last_op = is_first ? failure->last_op
                              : least(group->last_op, failure->last_op);
    group->first_run = is_first ? failure->first_run
                                : least(group->first_run, failure->first_run);
    if (is_first) {
        group->failed_s = rpt__now_s();
        group->texts = copy_texts(texts, bytes);
        group->failed = (rpt_status_t)failure->status;
    }
    return is_news;
}

static rpt_status_t fail(struct rpt_group *group, struct failure failure)
{
    struct {
        struct failure head;
        char texts[N_TEXTS * TEXT_BYTES];
    } note = { failure, "" };
    size_t bytes = write_texts(note.texts);
    bool is_news = set_failed(group, &failure, note.texts, bytes);

    if (group->told_others && !is_news) {
        return rpt__group_failure(group);
    }
    group->told_others = true;
    note.head.status = (int32_t)for_others((rpt_status_t)failure.status);
    for (int r = 0; r < group->size; r++) {
        if (r != group->rank) {
            rpt__letter_send(group, r, RPT_LETTER_FAIL, &note,
                             sizeof note.head + bytes);
        }
    }
    return rpt__group_failure(group);
}

rpt_status_t rpt__group_fail(struct rpt_group *group, rpt_status_t status)
{
    return fail(group, (struct failure){ .status = (int32_t)status });
}

rpt_status_t rpt__group_fail_from(struct rpt_group *group, rpt_status_t status,
                                  uint64_t first_run)
{
    return fail(group, (struct failure){ .status = (int32_t)status,
                                         .last_op = group->seq - group->busy,
                                         .first_run = first_run });
}

void rpt__group_spoil(struct rpt_group *group, rpt_status_t status,
                      uint64_t first_run)
{
    bool told = group->told;

    rpt__group_fail_from(group, status, first_run);
    group->told = told;
}

void rpt__group_failed(struct rpt_group *group, const struct rpt_letter *fail)
{
    struct failure failure;

    if (fail->bytes >= sizeof failure) {
        memcpy(&failure, fail->data, sizeof failure);
        set_failed(group, &failure, fail->data + sizeof failure,
                   fail->bytes - sizeof failure);
    }
}

rpt_status_t rpt__group_failure(struct rpt_group *group)
{
    const char *text = group->texts;

    group->told = true;
    if (text == NULL) {
        return rpt__fail(group->failed, "the group failed");
    }
    rpt__fail(group->failed, "%s", text);
    text += strlen(text) + 1;
    rpt__fail_why("%s", text);
    text += strlen(text) + 1;
    rpt__fail_hint("%s", text);
    return group->failed;
}

/* ---- what belongs to a group ---- */

void *rpt__group_attached(const struct rpt_group *group)
{
    return group->attached;
}

void rpt__group_attach(struct rpt_group *group, void *data,
                       const struct rpt_group_layer *layer)
{
    group->attached = data;
    group->layer = layer;
}

/* ---- questions ---- */

bool rpt__group_is_failed(const struct rpt_group *group)
{
    return group->failed != RPT_OK;
}

double rpt__group_be_patient(struct rpt_group *group, double seconds)
{
    double before = group->patience_s;

    group->patience_s = seconds;
    return before;
}

uint64_t rpt__group_number(const struct rpt_group *group)
{
    return group->number;
}

bool rpt__group_is_world(const struct rpt_group *group)
{
    return group->number == 0;
}

struct rpt_comm *rpt__group_comm(const struct rpt_group *group)
{
    return group->comm;
}

int rpt__group_rank(const struct rpt_group *group)
{
    return group->rank;
}

int rpt__group_size(const struct rpt_group *group)
{
    return group->size;
}

int rpt__group_world_rank(const struct rpt_group *group, int r)
{
    if (r < 0 || r >= group->size) {
        return -1;
    }
    return group->ranks != NULL ? group->ranks[r] : r;
}
