/*
 * message.c - messages of a run
 *
 * A message travels in fragments of one packet each, so that the receiver puts
 * them where they belong right from the packet.  It is matched by group, run,
 * lane and sender; what comes before its lane waits for it is kept.  A sender
 * hands on no more than the transports take: the rest stays where it is, in the
 * caller's buffer.
 *
 * Cost: a copy into the packet and one out of it; one more for what is early.
 */
#include "collectives/engine/run.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "comm/transport.h"

#include <stdlib.h>
#include <string.h>

enum { N_BUCKETS = 1024, LINE_BYTES = 64 };

struct key {
    uint64_t group;
    uint64_t seq;
    uint32_t lane;
    int32_t source; /* in the context */
};

/* In front of the bytes of each fragment. */
struct head {
    struct key key;
    struct rpt_signature signature;
    uint64_t total_bytes; /* of the message */
};

/* The lane of a message that says: I am in this run.  The last one of each rank
 * is kept, under run 0; total_bytes is its run then. */
#define LANE_HERE UINT32_MAX

enum { FRAGMENT_BYTES = 32 * 1024 };
_Static_assert(sizeof(struct head) + FRAGMENT_BYTES <= RPT_PACKET_BYTES,
               "a fragment is a packet");

struct fragment {
    STAILQ_ENTRY(fragment) link;
    struct head head;
    double came_s; /* of LANE_HERE */
    size_t bytes;
    char data[];
};

STAILQ_HEAD(bucket, fragment);

struct rpt_early {
    struct rpt_comm *comm;
    struct bucket buckets[N_BUCKETS];
};

static size_t bytes_of(const struct rpt_run *run, const struct rpt_step *step)
{
    return step->is_token ? 1 : step->count * run->element_bytes;
}

/* ---- what came early ---- */

static struct bucket *bucket_of(struct rpt_early *early, const struct key *key)
{
    return &early->buckets[rpt__hash64(key, sizeof *key, 0) % N_BUCKETS];
}

static bool is_same(const struct key *a, const struct key *b)
{
    return a->group == b->group && a->seq == b->seq && a->lane == b->lane &&
           a->source == b->source;
}

static struct fragment *find(struct bucket *bucket, const struct key *key)
{
    struct fragment *fragment;

    STAILQ_FOREACH (fragment, bucket, link) {
        if (is_same(&fragment->head.key, key)) {
            break;
        }
    }
    return fragment;
}

static void keep(struct rpt_early *early, const struct head *head,
                 const void *data, size_t bytes)
{
    struct fragment *fragment = malloc(sizeof *fragment + bytes);

    if (fragment == NULL) {
        rpt__fail_nomem(bytes);
        rpt__engine_break(rpt__comm_engine(early->comm), RPT_ERR_NOMEM);
        return;
    }
    fragment->head = *head;
    fragment->came_s = head->key.lane == LANE_HERE ? rpt__now_s() : 0;
    fragment->bytes = bytes;
    if (bytes > 0) {
        memcpy(fragment->data, data, bytes);
    }
    STAILQ_INSERT_TAIL(bucket_of(early, &head->key), fragment, link);
}

/* What is kept of a rank says that it waits for this one, which goes. */
static void answer(struct rpt_early *early, const struct head *head)
{
    if (head->key.lane == LANE_HERE) {
        rpt__gone_answer(rpt__comm_attached(early->comm), head->key.source,
                         head->key.group, head->total_bytes);
    }
}

void rpt__early_forget(struct rpt_early *early, uint64_t group_number)
{
    for (int i = 0; i < N_BUCKETS; i++) {
        struct bucket *bucket = &early->buckets[i];
        struct fragment *fragment = STAILQ_FIRST(bucket);

        while (fragment != NULL) {
            struct fragment *next = STAILQ_NEXT(fragment, link);

            if (fragment->head.key.group == group_number) {
                answer(early, &fragment->head);
                STAILQ_REMOVE(bucket, fragment, fragment, link);
                free(fragment);
            }
            fragment = next;
        }
    }
}

void rpt__early_destroy(struct rpt_early *early)
{
    if (early == NULL) {
        return;
    }
    rpt__comm_handle(early->comm, RPT_TAG_COLLECTIVE, NULL, NULL);
    for (int i = 0; i < N_BUCKETS; i++) {
        struct fragment *fragment;

        while ((fragment = STAILQ_FIRST(&early->buckets[i])) != NULL) {
            STAILQ_REMOVE_HEAD(&early->buckets[i], link);
            free(fragment);
        }
    }
    free(early);
}

/* ---- receiving ---- */

static struct key key_of(const struct rpt_run *run, uint32_t lane, int from)
{
    return (struct key){ rpt__group_number(run->team->group), run->seq, lane,
                         rpt__group_world_rank(run->team->group, from) };
}

/* The lane of a number, if it may be the turn of that lane. */
static bool find_lane(const struct rpt_run *run, uint32_t number,
                      size_t *lane_out)
{
    const struct rpt_schedule *schedule = run->schedule;

    for (size_t lane = run->n_over;
         lane < schedule->n_lanes && lane < run->n_over + schedule->window;
         lane++) {
        if (schedule->lanes[lane].begins_part && lane > run->n_over) {
            break; /* it has not begun */
        }
        if (schedule->lanes[lane].number == number) {
            *lane_out = lane;
            return true;
        }
    }
    return false;
}

/* Where the fragment belongs, when its lane waits for it now; else NULL. */
static char *place_of(struct rpt_early *early, struct rpt_group *group,
                      const struct head *head, size_t bytes,
                      struct rpt_lane_state **state_out)
{
    struct rpt_team *team = group != NULL ? rpt__group_attached(group) : NULL;
    struct rpt_run *run = team != NULL ? STAILQ_FIRST(&team->queue) : NULL;
    const struct rpt_lane *steps;
    const struct rpt_step *step;
    struct rpt_lane_state *state;
    size_t lane;

    if (run == NULL || run->seq != head->key.seq || !run->begun ||
        !run->has_met || !run->entered || run->status < RPT_OK ||
        !find_lane(run, head->key.lane, &lane)) {
        return NULL;
    }
    steps = &run->schedule->lanes[lane];
    state = &run->lanes[lane];
    if (state->next == steps->n_steps) {
        return NULL;
    }
    step = &run->schedule->steps[steps->first_step + state->next];
    if (step->kind != RPT_STEP_RECV ||
        rpt__group_world_rank(group, step->peer) != head->key.source ||
        !rpt__signature_is_same(head->signature, run->signature) ||
        head->total_bytes != bytes_of(run, step) ||
        bytes > head->total_bytes - state->n_received ||
        find(bucket_of(early, &head->key), &head->key) != NULL) {
        return NULL;
    }
    *state_out = state;
    return rpt__run_message(run, step, step->to) + state->n_received;
}

static int rank_of(const struct rpt_group *group, int world_rank)
{
    int r = 0;

    while (r < rpt__group_size(group) &&
           rpt__group_world_rank(group, r) != world_rank) {
        r++;
    }
    return r;
}

/* Whether the sender makes another call than this rank makes in that run, or
 * has made there: then nothing of it will be waited for, and that run fails,
 * and those behind it, whichever is waited for. */
static void note_stray(struct rpt_group *group, const struct head *head)
{
    struct rpt_team *team = group != NULL ? rpt__group_attached(group) : NULL;
    struct rpt_signature mine;

    if (team != NULL && !rpt__group_is_failed(group) &&
        rpt__team_past(team, head->key.seq, &mine) &&
        !rpt__signature_is_same(mine, head->signature)) {
        rpt__team_mismatch(team, head->key.seq,
                           rank_of(group, head->key.source), mine,
                           head->signature);
    }
}

static void keep_here(struct rpt_early *early, const struct head *head)
{
    struct head last = *head;
    struct fragment *before;

    last.total_bytes = last.key.seq;
    last.key.seq = 0;
    before = find(bucket_of(early, &last.key), &last.key);
    if (before == NULL) {
        keep(early, &last, NULL, 0);
    } else {
        before->head = last;
        before->came_s = rpt__now_s();
    }
}

/* There is no group of that number.  Whether it is gone; who waits in it is
 * told. */
static bool is_too_late(struct rpt_early *early, const struct head *head)
{
    struct rpt_colls *colls = rpt__comm_attached(early->comm);

    if (!rpt__gone_has(colls, head->key.group)) {
        return false;
    }
    if (head->key.lane == LANE_HERE) {
        rpt__gone_answer(colls, head->key.source, head->key.group,
                         head->key.seq);
    }
    return true;
}

static void fragment_came(void *user, int source, const void *data,
                          size_t bytes)
{
    struct rpt_early *early = user;
    struct rpt_lane_state *state = NULL;
    struct head head;
    const char *rest = (const char *)data + sizeof head;
    struct rpt_group *group;
    char *to;

    if (bytes < sizeof head) {
        return;
    }
    memcpy(&head, data, sizeof head);
    head.key.source = source;
    bytes -= sizeof head;
    group = rpt__group_find(early->comm, head.key.group);
    if (group == NULL && is_too_late(early, &head)) {
        return;
    }
    note_stray(group, &head);
    if (head.key.lane == LANE_HERE) {
        keep_here(early, &head);
        return;
    }
    to = place_of(early, group, &head, bytes, &state);
    if (to == NULL) {
        keep(early, &head, rest, bytes);
    } else {
        memcpy(to, rest, bytes);
        state->n_received += bytes;
    }
}

rpt_status_t rpt__early_create(struct rpt_comm *comm, struct rpt_early **out)
{
    struct rpt_early *early = calloc(1, sizeof *early);

    if (early == NULL) {
        return rpt__fail_nomem(sizeof *early);
    }
    early->comm = comm;
    for (int i = 0; i < N_BUCKETS; i++) {
        STAILQ_INIT(&early->buckets[i]);
    }
    *out = early;
    return rpt__comm_handle(comm, RPT_TAG_COLLECTIVE, fragment_came, early);
}

static rpt_status_t check(struct rpt_run *run, const struct head *head,
                          int source, size_t expected_bytes)
{
    if (!rpt__signature_is_same(head->signature, run->signature)) {
        return rpt__run_mismatch(run, source, head->signature);
    }
    if (head->total_bytes != expected_bytes) {
        rpt__fail(RPT_ERR_MISMATCH,
                  "rank %d sends %zu bytes in %s, %zu are expected: the ranks "
                  "have different counts or options",
                  source, (size_t)head->total_bytes, run->name, expected_bytes);
        rpt__group_advise();
        return rpt__run_fail(run, RPT_ERR_MISMATCH);
    }
    return RPT_OK;
}

rpt_status_t rpt__run_receive(struct rpt_run *run, uint32_t lane,
                              const struct rpt_step *step, void *to)
{
    struct rpt_early *early = run->team->colls->early;
    struct key key = key_of(run, run->schedule->lanes[lane].number, step->peer);
    struct bucket *bucket = bucket_of(early, &key);
    struct rpt_lane_state *state = &run->lanes[lane];
    size_t bytes = bytes_of(run, step);
    struct fragment *fragment;

    while (state->n_received < bytes &&
           (fragment = find(bucket, &key)) != NULL) {
        rpt_status_t status = check(run, &fragment->head, step->peer, bytes);

        if (status != RPT_OK) {
            return status;
        }
        memcpy((char *)to + state->n_received, fragment->data, fragment->bytes);
        state->n_received += fragment->bytes;
        STAILQ_REMOVE(bucket, fragment, fragment, link);
        free(fragment);
    }
    if (state->n_received < bytes) {
        return RPT_PENDING;
    }
    state->n_received = 0;
    return RPT_OK;
}

/* ---- sending ---- */

void rpt__run_send(struct rpt_run *run, uint32_t lane,
                   const struct rpt_step *step, const void *data)
{
    run->sends[run->n_sends++] = (struct rpt_send){
        data, bytes_of(run, step), 0, step->peer, lane,
        run->lanes[lane].n_sends++, 0,
    };
}

/* Of what is left of a message, in fragments that are about alike: a packet of
 * a few bytes behind a large one may wait long in a network. */
static size_t next_fragment(size_t left)
{
    size_t n = (left + FRAGMENT_BYTES - 1) / FRAGMENT_BYTES;
    size_t bytes = ((left + n - 1) / n + LINE_BYTES - 1) / LINE_BYTES *
                   LINE_BYTES;

    return bytes < left ? bytes : left;
}

/* As much of one message as the transport takes. */
static rpt_status_t push(struct rpt_run *run, struct rpt_send *send)
{
    struct rpt_team *team = run->team;
    int dest = rpt__group_world_rank(team->group, send->dest);
    char packet[RPT_PACKET_BYTES];
    struct head head = { key_of(run, run->schedule->lanes[send->lane].number,
                                team->rank),
                         run->signature, send->bytes };

    while (send->n_sent < send->bytes &&
           rpt__comm_backlog(team->comm, dest) == 0) {
        size_t n = next_fragment(send->bytes - send->n_sent);
        rpt_status_t status;

        memcpy(packet, &head, sizeof head);
        memcpy(packet + sizeof head, send->data + send->n_sent, n);
        status = rpt__comm_send(team->comm, dest, RPT_TAG_COLLECTIVE, packet,
                                sizeof head + n);
        if (status != RPT_OK) {
            return rpt__group_fail(team->group, status);
        }
        send->n_sent += n;
        send->mark = rpt__comm_mark(team->comm, dest);
    }
    return RPT_OK;
}

rpt_status_t rpt__run_pump(struct rpt_run *run)
{
    rpt_status_t status = RPT_OK;

    for (size_t i = run->first_send; i < run->n_sends && status == RPT_OK;
         i++) {
        struct rpt_send *send = &run->sends[i];

        if (send->n_sent < send->bytes) {
            status = push(run, send);
        }
        if (i == run->first_send && send->n_sent == send->bytes) {
            run->first_send++;
        }
    }
    return status;
}

bool rpt__run_is_flushed(const struct rpt_run *run, uint32_t lane,
                         uint32_t but_last)
{
    uint32_t n = run->lanes[lane].n_sends;

    for (size_t i = run->first_send; i < run->n_sends; i++) {
        const struct rpt_send *send = &run->sends[i];

        if (send->lane == lane && send->n_sent < send->bytes && n > but_last &&
            send->index < n - but_last) {
            return false;
        }
    }
    return true;
}

bool rpt__run_is_out(const struct rpt_run *run)
{
    const struct rpt_team *team = run->team;

    for (size_t i = 0; i < run->n_sends; i++) {
        const struct rpt_send *send = &run->sends[i];

        if (!rpt__comm_is_past(team->comm,
                               rpt__group_world_rank(team->group, send->dest),
                               send->mark)) {
            return false;
        }
    }
    return true;
}

/* ---- who is in this run ---- */

void rpt__run_tell_here(struct rpt_run *run, int rank)
{
    struct rpt_team *team = run->team;
    struct head head = { key_of(run, LANE_HERE, team->rank), run->signature,
                         0 };

    for (int r = 0; r < team->size; r++) {
        if (r != team->rank && (rank < 0 || r == rank)) {
            rpt__comm_send(team->comm, rpt__group_world_rank(team->group, r),
                           RPT_TAG_COLLECTIVE, &head, sizeof head);
        }
    }
}

/* A message of this run, or of a later one, says that its sender has come so
 * far; a new LANE_HERE of an earlier one that its sender waits there. */
enum rpt_heard rpt__run_heard(const struct rpt_run *run, int rank,
                              double since_s)
{
    struct rpt_early *early = run->team->colls->early;
    struct key key = key_of(run, LANE_HERE, rank);
    enum rpt_heard heard = RPT_HEARD_NOTHING;
    struct fragment *fragment;

    for (int i = 0; i < N_BUCKETS; i++) {
        STAILQ_FOREACH (fragment, &early->buckets[i], link) {
            const struct key *its = &fragment->head.key;
            bool is_here = its->lane == LANE_HERE;
            uint64_t seq = is_here ? fragment->head.total_bytes : its->seq;

            if (its->group != key.group || its->source != key.source) {
                continue;
            }
            if (seq >= key.seq) {
                return RPT_HEARD_HERE;
            }
            if (is_here && fragment->came_s >= since_s) {
                heard = RPT_HEARD_BEFORE;
            }
        }
    }
    return heard;
}

bool rpt__run_early_signature(const struct rpt_run *run, int rank,
                              struct rpt_signature *signature_out)
{
    for (uint32_t part = 0; part < RPT_MAX_PARTS; part++) {
        struct key key = key_of(run, part * RPT_PART_LANES, rank);
        const struct fragment *fragment = find(
            bucket_of(run->team->colls->early, &key), &key);

        if (fragment != NULL) { /* in its first lane */
            *signature_out = fragment->head.signature;
            return true;
        }
    }
    return false;
}
