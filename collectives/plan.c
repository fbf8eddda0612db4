/*
 * plan.c - from a call to a schedule in memory, and back for the next such call
 *
 *   call --> case --> algorithm (select.h) --> schedule --> run
 *
 * Only the buffers differ from call to call: see call.c.
 */
#include "collectives/plan.h"

#include "collectives/device/call.h"
#include "collectives/engine/fetch.h"
#include "collectives/pattern/checked.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/size.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

/* Ranks of a node meet before calls of so many bytes. */
enum { MEET_FROM = 32 * 1024 };

/* ---- what a call is ---- */

static bool has_op(rpt_coll_kind_t kind)
{
    return kind == RPT_COLL_ALLREDUCE || kind == RPT_COLL_REDUCE ||
           kind == RPT_COLL_REDUCE_SCATTER || kind == RPT_COLL_SCAN ||
           kind == RPT_COLL_EXSCAN;
}

static bool has_root(rpt_coll_kind_t kind)
{
    return kind == RPT_COLL_REDUCE || kind == RPT_COLL_BROADCAST ||
           kind == RPT_COLL_GATHER || kind == RPT_COLL_SCATTER;
}

static bool is_scan(rpt_coll_kind_t kind)
{
    return kind == RPT_COLL_SCAN || kind == RPT_COLL_EXSCAN;
}

/* In whose place: allgather and gather have their block of the output there.
 * An all-to-all of blocks has none: from one address, they lie in each other's
 * gaps. */
static bool is_in_place(const rpt_coll_t *coll)
{
    return coll->in == RPT_IN_PLACE ||
           (coll->in == coll->out && coll->out_counts == NULL &&
            coll->kind != RPT_COLL_ALLGATHER && coll->kind != RPT_COLL_GATHER &&
            coll->kind != RPT_COLL_SCATTER && coll->kind != RPT_COLL_BROADCAST);
}

/* For opaque types of less than 32 KiB a number each; longer ones that differ
 * seldom share one. */
static uint64_t short_type(rpt_type_t type)
{
    unsigned bytes = (unsigned)type - RPT_TYPE_OPAQUE_0;

    return (unsigned)type < RPT_TYPE_OPAQUE_0
               ? (unsigned)type
               : 0x8000u | ((bytes ^ bytes >> 15) & 0x7fffu);
}

static struct rpt_signature signature_of(const struct rpt_plan *plan)
{
    const rpt_coll_t *coll = &plan->coll;
    unsigned commutes = plan->combine.commutative;
    uint64_t op = has_op(coll->kind)
                      ? (coll->op < RPT_OP_USER_0 ? (unsigned)coll->op
                                                  : 0x80u + commutes)
                      : 0xff;
    struct rpt_signature signature = { (uint64_t)coll->kind | op << 8 |
                                           short_type(coll->type) << 16,
                                       coll->count, 0 };

    if (rpt__device_holds(plan->team->group, coll)) {
        signature.what |= RPT_SIGNATURE_DEVICE;
    }
    if (has_root(coll->kind)) {
        signature.what |= (uint64_t)(unsigned)coll->root << 32;
    }
    if (coll->out_counts != NULL) {
        signature.size = 0; /* its counts are its own */
    } else if (coll->counts != NULL) {
        signature.size = rpt__hash64(
            coll->counts, (size_t)plan->team->size * sizeof *coll->counts, 0);
    }
    return signature;
}

static bool is_same_array(const size_t *a, const size_t *b, size_t n)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return memcmp(a, b, n * sizeof *a) == 0;
}

bool rpt__plan_fits(const struct rpt_plan *plan, const rpt_coll_t *coll)
{
    const rpt_coll_t *mine = &plan->coll;
    size_t n = (size_t)plan->team->size;

    if (mine->kind != coll->kind || mine->count != coll->count ||
        mine->type != coll->type || mine->op != coll->op ||
        mine->root != coll->root || plan->in_place != is_in_place(coll) ||
        !rpt__combine_is_of(&plan->combine, coll->op)) {
        return false;
    }
    return (mine->counts == NULL && coll->counts == NULL) ||
           (is_same_array(mine->counts, coll->counts, n) &&
            is_same_array(mine->offsets, coll->offsets, n) &&
            is_same_array(mine->out_counts, coll->out_counts, n) &&
            is_same_array(mine->out_offsets, coll->out_offsets, n));
}

/* ---- making ---- */

static const size_t *copy_array(struct rpt_plan *plan, size_t *next,
                                const size_t *array)
{
    size_t n = (size_t)plan->team->size;
    size_t *copy = plan->arrays + *next;

    if (array == NULL) {
        return NULL;
    }
    memcpy(copy, array, n * sizeof *copy);
    *next += n;
    return copy;
}

/* Where blocks begin that have nothing between them. */
static const size_t *starts_of(struct rpt_plan *plan, size_t *next,
                               const size_t *counts)
{
    size_t n = (size_t)plan->team->size;
    size_t *starts = plan->arrays + *next;

    starts[0] = 0;
    for (size_t r = 0; r < n; r++) {
        starts[r + 1] = starts[r] + counts[r];
    }
    *next += n + 1;
    return starts;
}

static rpt_status_t copy_arrays(struct rpt_plan *plan, const rpt_coll_t *coll)
{
    size_t n = (size_t)plan->team->size, next = 0;
    size_t bytes = (6 * n + 2) * sizeof *plan->arrays;

    if (coll->counts == NULL) {
        return RPT_OK;
    }
    plan->arrays = malloc(bytes);
    if (plan->arrays == NULL) {
        return rpt__fail_nomem(bytes);
    }
    plan->coll.counts = copy_array(plan, &next, coll->counts);
    plan->coll.offsets = copy_array(plan, &next, coll->offsets);
    plan->coll.out_counts = copy_array(plan, &next, coll->out_counts);
    plan->coll.out_offsets = copy_array(plan, &next, coll->out_offsets);
    plan->c.starts = starts_of(plan, &next, plan->coll.counts);
    plan->c.counts = plan->coll.counts;
    plan->c.offsets = plan->coll.offsets;
    plan->c.out_counts = plan->coll.out_counts;
    plan->c.out_offsets = plan->coll.out_offsets;
    if (coll->out_counts != NULL && coll->out_offsets == NULL) {
        plan->c.out_offsets = starts_of(plan, &next, plan->coll.out_counts);
    }
    return RPT_OK;
}

static size_t at_least_one(size_t n)
{
    return n > 0 ? n : 1;
}

static void fill_case(struct rpt_plan *plan)
{
    const struct rpt_team *team = plan->team;
    const rpt_options_t *options = rpt__comm_options(team->comm);
    size_t element = plan->combine.element_bytes;

    plan->c.rank = team->rank;
    plan->c.n_ranks = team->size;
    plan->c.root = plan->coll.root;
    plan->c.count = plan->coll.count;
    plan->c.segment = at_least_one(
        rpt__option_size(options, RPT_OPT_COLL_SEGMENT_BYTES) / element);
    plan->c.node_stage_count = team->stage_bytes / element;
    plan->c.stage_count = team->slice.head != NULL ? plan->c.node_stage_count
                                                   : 0;
    plan->c.commutative = plan->combine.commutative;
    plan->c.one_node = team->one_node;
    plan->c.layout = team->one_node ? team->domains : team->layout;
    plan->c.n_across = team->one_node ? rpt__layout_across(team->domains) : 0;
    plan->c.node_has_stages = team->slice.head != NULL;
    plan->model = rpt__numbers_model(&rpt__policy_of(team->comm)->numbers,
                                     team->one_node);
    plan->c.model = &plan->model;
    plan->c.element_bytes = element;
}

static rpt_status_t set_combine(struct rpt_plan *plan)
{
    const rpt_coll_t *coll = &plan->coll;

    if (has_op(coll->kind)) {
        if (coll->op == RPT_OP_AVERAGE &&
            (coll->kind == RPT_COLL_SCAN || coll->kind == RPT_COLL_EXSCAN)) {
            return rpt__fail(RPT_ERR_UNSUPPORTED, "there is no average in %s",
                             rpt_coll_name(coll->kind));
        }
        return rpt__combine_create(&plan->combine, coll->type, coll->op);
    }
    plan->combine = (struct rpt_combine){
        .type = coll->type,
        .element_bytes = rpt_type_bytes(coll->type),
        .commutative = true,
    };
    return RPT_OK;
}

static size_t divided_count(const struct rpt_plan *plan)
{
    const struct rpt_case *c = &plan->c;

    if (plan->combine.divide == NULL ||
        (plan->coll.kind == RPT_COLL_REDUCE && c->rank != c->root)) {
        return 0;
    }
    return plan->coll.kind == RPT_COLL_REDUCE_SCATTER
               ? rpt__packed(c, c->rank).count
               : c->count;
}

/* In-place input of these would be overwritten while it is needed. */
static bool needs_bounce(const struct rpt_plan *plan)
{
    return plan->in_place && plan->call == NULL &&
           (plan->coll.kind == RPT_COLL_REDUCE_SCATTER ||
            plan->coll.kind == RPT_COLL_ALLTOALL);
}

static size_t most(size_t a, size_t b, size_t c)
{
    size_t of_two = a > b ? a : b;

    return of_two > c ? of_two : c;
}

static rpt_status_t take_memory(struct rpt_plan *plan)
{
    const struct rpt_schedule *schedule = &plan->schedule;
    struct rpt_run *run = &plan->run;
    size_t element = plan->combine.element_bytes, bytes, n_sends = 0;

    for (size_t i = 0; i < schedule->n_steps; i++) {
        n_sends += schedule->steps[i].kind == RPT_STEP_SEND;
    }
    run->n_lanes = most(schedule->n_lanes, plan->pulling.n_lanes,
                        plan->fetching.n_lanes);
    run->lanes = calloc(run->n_lanes + 1, sizeof *run->lanes);
    run->sends = calloc(n_sends + 1, sizeof *run->sends);
    if (!rpt__size_mul(schedule->scratch_count, element, &bytes) ||
        bytes > SIZE_MAX - ALIGNMENT) {
        return rpt__fail(RPT_ERR_OVERFLOW, "%zu elements of %zu bytes",
                         schedule->scratch_count, element);
    }
    bytes = rpt__size_align(bytes + 1, ALIGNMENT);
    plan->scratch = aligned_alloc(ALIGNMENT, bytes);
    if (needs_bounce(plan)) {
        plan->bounce_bytes = rpt__packed_count(&plan->c) * element;
        plan->bounce = malloc(plan->bounce_bytes + 1);
        bytes += plan->bounce_bytes;
    }
    if (run->lanes == NULL || run->sends == NULL || plan->scratch == NULL ||
        (needs_bounce(plan) && plan->bounce == NULL)) {
        return rpt__fail_nomem(bytes);
    }
    return RPT_OK;
}

/* Written to output buffers by this rank, about. */
static size_t output_bytes(const struct rpt_plan *plan)
{
    const struct rpt_schedule *schedule = &plan->schedule;
    size_t count = 0;

    for (size_t i = 0; i < schedule->n_steps; i++) {
        const struct rpt_step *step = &schedule->steps[i];

        if ((step->kind == RPT_STEP_COPY || step->kind == RPT_STEP_REDUCE) &&
            step->to.kind == RPT_IN_OUTPUT) {
            count += step->count;
        }
    }
    return count * plan->combine.element_bytes;
}

/* Whether nobody wants it any more: then it goes, now that it is over. */
static bool is_gone(struct rpt_run *run)
{
    struct rpt_plan *plan = (struct rpt_plan *)(void *)run;
    bool is_dropped = plan->is_dropped;

    if (is_dropped) {
        atomic_store(&run->state, RPT_RUN_IDLE);
        rpt__plan_drop(plan);
    }
    return is_dropped;
}

/* Whether all ranks compare their calls first; those of a node do so when they
 * meet. */
static bool is_checked(const struct rpt_plan *plan)
{
    return plan->call == NULL && plan->c.n_ranks > 1 &&
           rpt__policy_of(plan->team->comm)->checks_first != 0;
}

static bool has_slice(const struct rpt_plan *plan)
{
    return plan->team->one_node && plan->team->slice.head != NULL;
}

static bool has_empty_block(const rpt_coll_t *coll, int n_ranks)
{
    bool is_empty = coll->counts == NULL && coll->count == 0;

    for (int r = 0; coll->counts != NULL && r < n_ranks; r++) {
        is_empty |= coll->counts[r] == 0;
    }
    return is_empty;
}

/* Whether a rank may end this call before all have begun it: it waits for
 * nobody, or not for all. */
static bool lets_ahead(const struct rpt_plan *plan)
{
    const rpt_coll_t *coll = &plan->coll;

    if (coll->kind == RPT_COLL_BARRIER) {
        return false;
    }
    return has_root(coll->kind) || is_scan(coll->kind) ||
           coll->out_counts != NULL || has_empty_block(coll, plan->team->size);
}

static bool meets(const struct rpt_plan *plan)
{
    return plan->pulling_algorithm != NULL ||
           (is_checked(plan) && has_slice(plan));
}

void rpt__plan_put_checks(struct rpt_plan *plan)
{
    struct rpt_run *run = &plan->run;

    if (plan->c.n_ranks == 1 || meets(plan)) {
        return;
    }
    if (!is_checked(plan) && lets_ahead(plan)) {
        run->lets_ahead = has_slice(plan) && plan->schedule.n_values > 0
                              ? RPT_AHEAD_BY_FLAGS
                              : RPT_AHEAD_BY_MESSAGES;
        run->n_checks = 1;
    }
    if (is_checked(plan) || run->n_checks > 0) {
        rpt__checked(&plan->c, &plan->schedule);
    }
}

/* Which buffers others read when they pull. */
static void set_pulling(struct rpt_plan *plan)
{
    rpt_coll_kind_t kind = plan->coll.kind;
    struct rpt_run *run = &plan->run;
    bool roots_only = kind == RPT_COLL_BROADCAST || kind == RPT_COLL_SCATTER;

    run->pulling = &plan->pulling;
    run->fetching = plan->fetching.pulls ? &plan->fetching : NULL;
    run->input_is_read = !roots_only || plan->c.rank == plan->c.root;
    run->output_is_read = kind == RPT_COLL_ALLREDUCE;
}

static void set_meeting(struct rpt_plan *plan)
{
    struct rpt_run *run = &plan->run;

    run->meets = true;
    run->n_values = 1 + (uint32_t)most(run->n_values, plan->pulling.n_values,
                                       plan->fetching.n_values);
    run->is_short = run->is_straight = false;
    run->stage_offset = RPT_STAGE_OFFSET;
}

/* The steps of every start; of which kinds they are, as bits. */
static unsigned kinds_of(const struct rpt_schedule *schedule, size_t first_lane)
{
    size_t i = first_lane < schedule->n_lanes
                   ? schedule->lanes[first_lane].first_step
                   : schedule->n_steps;
    unsigned kinds = 0;

    for (; i < schedule->n_steps; i++) {
        kinds |= 1u << schedule->steps[i].kind;
    }
    return kinds;
}

/* By domains, who gives in many rounds waits for some ranks, not for all. */
static bool has_many_rounds(const struct rpt_run *run)
{
    return !run->is_short && run->n_values > 2;
}

/* Some wait for nobody, in calls with a root, and those that wait for them by
 * flags alone know as much.  In a scan each waits for those below. */
static enum rpt_follows how_it_follows(const struct rpt_plan *plan)
{
    const struct rpt_run *run = &plan->run;
    rpt_coll_kind_t kind = plan->coll.kind;
    bool tells = has_root(kind)
                     ? !run->only_writes && !run->needs_lock &&
                           !has_many_rounds(run)
                     : !is_scan(kind) && plan->schedule.seen_value > 0;

    if (run->lets_ahead != RPT_AHEAD_BY_FLAGS || tells) {
        return RPT_FOLLOWS_NOT;
    }
    return is_scan(kind) && run->is_short ? RPT_FOLLOWS_LAST
                                          : RPT_FOLLOWS_FIRST;
}

static void fill_run(struct rpt_plan *plan)
{
    struct rpt_run *run = &plan->run;
    size_t bytes = rpt__vector_count(plan->coll.kind, &plan->c) *
                   plan->combine.element_bytes;
    unsigned kinds = kinds_of(&plan->schedule, run->n_checks);
    bool receives = (kinds & 1u << RPT_STEP_RECV) != 0;

    run->needs_lock = receives || (kinds & 1u << RPT_STEP_SEND) != 0;
    run->team = plan->team;
    run->schedule = run->usual = &plan->schedule;
    run->n_values = plan->schedule.n_values;
    run->combine = &plan->combine;
    run->element_bytes = plan->combine.element_bytes;
    run->name = rpt_coll_name(plan->coll.kind);
    run->scratch = plan->scratch;
    run->is_gone = is_gone;
    run->stage_bytes = plan->schedule.stage_count * run->element_bytes;
    run->role = 2 * (int)plan->coll.kind + (plan->c.rank == plan->c.root);
    run->pace = rpt__pace_of(bytes > 0 ? bytes : run->stage_bytes);
    run->only_writes = !receives && (kinds & 1u << RPT_STEP_WAIT) == 0;
    run->is_short = run->stage_bytes <= RPT_STAGE_SHORT;
    run->stage_offset = run->stage_bytes <= RPT_STAGE_TINY
                            ? sizeof(struct rpt_block_head)
                        : run->is_short ? RPT_SHORT_OFFSET
                                        : RPT_STAGE_OFFSET;
    run->is_straight = plan->schedule.n_lanes == run->n_checks + 1 &&
                       !run->needs_lock;
    if (plan->pulling_algorithm != NULL) {
        set_pulling(plan);
    }
    if (meets(plan)) {
        set_meeting(plan);
    }
    run->follows = how_it_follows(plan);
    run->stream = rpt__kernels()->stream;
    run->output_bytes = output_bytes(plan);
    run->divided_count = divided_count(plan);
}

void rpt__plan_free(struct rpt_plan *plan)
{
    rpt__device_call_free(plan->call);
    rpt__combine_release(&plan->combine);
    rpt__schedule_free(&plan->schedule);
    rpt__schedule_free(&plan->pulling);
    rpt__schedule_free(&plan->fetching);
    rpt__fetch_release(&plan->run);
    free(plan->run.lanes);
    free(plan->run.sends);
    free(plan->arrays);
    free(plan->scratch);
    free(plan->bounce);
    free(plan);
}

struct rpt_question rpt__plan_question(const struct rpt_plan *plan)
{
    const struct rpt_team *team = plan->team;

    return (struct rpt_question){
        .options = rpt__comm_options(team->comm),
        .policy = rpt__policy_of(team->comm),
        .kind = plan->coll.kind,
        .c = &plan->c,
        .element_bytes = plan->combine.element_bytes,
    };
}

/* A large one may be pulled, if all ranks' buffers can be read; a forced one of
 * any size. */
static rpt_status_t choose_pulling(struct rpt_plan *plan)
{
    struct rpt_question question = rpt__plan_question(plan);
    size_t bytes = rpt__vector_count(plan->coll.kind, &plan->c) *
                   plan->combine.element_bytes;
    struct rpt_case c = plan->c;
    rpt_status_t status;

    c.can_pull = c.one_node && c.n_ranks > 1 &&
                 (bytes >= MEET_FROM ||
                  rpt__is_forced(question.options, plan->coll.kind));
    if (!c.can_pull) {
        return RPT_OK;
    }
    question.c = &c;
    status = rpt__select(&question, &plan->pulling_algorithm);
    if (status == RPT_OK) {
        plan->pulling_algorithm->build(&c, &plan->pulling);
        status = plan->pulling.status;
    }
    if (status != RPT_OK || !plan->pulling.pulls) {
        plan->pulling_algorithm = NULL;
        rpt__schedule_free(&plan->pulling);
    }
    return status;
}

static rpt_status_t choose(struct rpt_plan *plan)
{
    const struct rpt_question question = rpt__plan_question(plan);
    rpt_status_t status = choose_pulling(plan);

    if (status != RPT_OK) {
        return status;
    }
    if (plan->pulling_algorithm != NULL &&
        rpt__is_forced(question.options, plan->coll.kind)) {
        plan->run.must_pull = plan->c.can_pull = true;
        plan->algorithm = plan->pulling_algorithm;
        return RPT_OK;
    }
    return rpt__select(&question, &plan->algorithm);
}

/* The same for private buffers, which the kernel reads.  Where that is tried
 * sums must not depend on it: else the same call would give other bits when it
 * is found to be faster. */
static rpt_status_t choose_fetching(struct rpt_plan *plan)
{
    struct rpt_case c = plan->c;
    uint64_t how = rpt__policy_of(plan->team->comm)->kernel_copy;

    if (plan->pulling_algorithm == NULL || plan->run.must_pull ||
        how == RPT_KERNEL_COPY_NEVER ||
        (how == RPT_KERNEL_COPY_TRIED && has_op(plan->coll.kind) &&
         !plan->algorithm->in_rank_order)) {
        return RPT_OK;
    }
    c.can_pull = c.only_reads = true;
    plan->pulling_algorithm->build(&c, &plan->fetching);
    return plan->fetching.status;
}

/* The caller of rpt__plan_create_with() has chosen. */
rpt_status_t rpt__plan_choose(struct rpt_plan *plan)
{
    rpt_status_t status = RPT_OK;

    if (plan->algorithm == NULL) {
        status = choose(plan);
    } else if (!plan->algorithm->applies(&plan->c)) {
        status = rpt__fail(RPT_ERR_UNSUPPORTED, "%s cannot do this %s",
                           plan->algorithm->name,
                           rpt_coll_name(plan->coll.kind));
    }
    if (status == RPT_OK && !plan->run.must_pull) {
        plan->algorithm->build(&plan->c, &plan->schedule);
        rpt__plan_put_checks(plan);
        status = plan->schedule.status;
    }
    return status == RPT_OK ? choose_fetching(plan) : status;
}

static rpt_status_t build(struct rpt_plan *plan, const rpt_coll_t *coll)
{
    int device = -1;
    rpt_status_t status = rpt__device_where(plan->team->group, coll, &device);

    if (status == RPT_OK) {
        status = set_combine(plan);
    }
    if (status == RPT_OK) {
        status = copy_arrays(plan, coll);
    }
    if (status == RPT_OK) {
        rpt_coll_t with_output =
            *coll; /* the root of a scatter may have none */

        with_output.out = plan;
        rpt__coll_extent(plan->team->group, &with_output, &plan->input_bytes,
                         &plan->output_bytes);
        plan->input_bytes *= plan->combine.element_bytes;
        plan->output_bytes *= plan->combine.element_bytes;
        fill_case(plan);
        plan->run.signature = signature_of(plan);
        status = device >= 0 ? rpt__device_call_create(plan, device)
                             : rpt__plan_choose(plan);
    }
    if (status == RPT_OK) {
        status = take_memory(plan);
    }
    if (status == RPT_OK) {
        fill_run(plan);
        status = rpt__fetch_prepare(&plan->run, &plan->fetching);
    }
    if (status == RPT_OK) {
        status = plan->call != NULL ? rpt__device_call_complete(plan) : RPT_OK;
    }
    return status;
}

rpt_status_t rpt__plan_create(struct rpt_team *team, const rpt_coll_t *coll,
                              struct rpt_plan **plan_out)
{
    return rpt__plan_create_with(team, coll, NULL, plan_out);
}

rpt_status_t rpt__plan_create_with(struct rpt_team *team,
                                   const rpt_coll_t *coll,
                                   const struct rpt_algorithm *algorithm,
                                   struct rpt_plan **plan_out)
{
    struct rpt_plan *plan = calloc(1, sizeof *plan);
    rpt_status_t status;

    if (plan == NULL) {
        return rpt__fail_nomem(sizeof *plan);
    }
    plan->team = team;
    plan->coll = *coll;
    plan->algorithm = algorithm;
    plan->in_place = is_in_place(coll);
    plan->schedule.window = plan->pulling.window = plan->fetching.window = 1;
    plan->is_used = true;
    status = build(plan, coll);
    if (status != RPT_OK) {
        rpt__plan_free(plan);
        return status;
    }
    *plan_out = plan;
    return RPT_OK;
}
