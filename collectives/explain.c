/*
 * explain.c - schedules are built and counted; nothing is run
 *
 * Counted on the first ranks, the last ones, the root and one between: to
 * build those of all would take hours for thousands of ranks.
 */
#include "collectives/device/call.h"
#include "collectives/plan.h"

#include "base/buf.h"
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXPLAINED_STEPS = 40 };

/* What a rank does, from its schedule. */
struct counts {
    size_t n_steps;
    size_t n_messages; /* sent        */
    size_t n_sent;     /* elements    */
    size_t n_copied;
    size_t n_reduced;
};

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static struct counts count(const struct rpt_schedule *schedule)
{
    struct counts n = { .n_steps = schedule->n_steps };

    for (size_t i = 0; i < schedule->n_steps; i++) {
        const struct rpt_step *step = &schedule->steps[i];

        if (step->kind == RPT_STEP_SEND) {
            n.n_messages++;
            n.n_sent += step->count;
        } else if (step->kind == RPT_STEP_COPY) {
            n.n_copied += step->count;
        } else if (step->kind == RPT_STEP_REDUCE) {
            n.n_reduced += step->count * (size_t)(step->n_inputs - 1);
        }
    }
    return n;
}

static rpt_status_t build(const struct rpt_algorithm *algorithm,
                          const struct rpt_case *c, int rank,
                          struct rpt_schedule *schedule)
{
    struct rpt_case mine = *c;

    mine.rank = rank;
    *schedule = (struct rpt_schedule){ .window = 1 };
    algorithm->build(&mine, schedule);
    return schedule->status;
}

/* The most of each number over some ranks. */
static rpt_status_t count_most(const struct rpt_algorithm *algorithm,
                               const struct rpt_case *c, struct counts *most)
{
    const int ranks[] = { 0,
                          1,
                          2,
                          c->root,
                          c->rank,
                          c->n_ranks / 2,
                          c->n_ranks - 2,
                          c->n_ranks - 1 };

    *most = (struct counts){ 0, 0, 0, 0, 0 };
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        struct rpt_schedule schedule;
        struct counts n;
        rpt_status_t status;

        if (ranks[i] < 0 || ranks[i] >= c->n_ranks) {
            continue;
        }
        status = build(algorithm, c, ranks[i], &schedule);
        n = count(&schedule);
        rpt__schedule_free(&schedule);
        if (status != RPT_OK) {
            return status;
        }
        most->n_steps = larger(most->n_steps, n.n_steps);
        most->n_messages = larger(most->n_messages, n.n_messages);
        most->n_sent = larger(most->n_sent, n.n_sent);
        most->n_copied = larger(most->n_copied, n.n_copied);
        most->n_reduced = larger(most->n_reduced, n.n_reduced);
    }
    return RPT_OK;
}

static rpt_status_t add_line(const struct rpt_question *question,
                             const struct rpt_algorithm *algorithm,
                             bool is_chosen, struct rpt_buf *text)
{
    const struct rpt_case *c = question->c;
    size_t element_bytes = question->element_bytes;
    struct counts n;
    rpt_status_t status;

    if (!algorithm->applies(c)) {
        rpt__buf_printf(text, "  %-14s cannot do this call: %s\n",
                        algorithm->name, rpt__why_not(algorithm, c));
        return RPT_OK;
    }
    status = count_most(algorithm, c, &n);
    if (status == RPT_OK) {
        rpt__buf_printf(text,
                        "%c %-14s %8zu %8zu %12zu %12zu %12zu %11.2f  %s\n",
                        is_chosen ? '*' : ' ', algorithm->name, n.n_steps,
                        n.n_messages, n.n_sent * element_bytes,
                        n.n_copied * element_bytes, n.n_reduced * element_bytes,
                        1e6 * algorithm->cost(c, c->model, element_bytes),
                        algorithm->summary);
    }
    return status;
}

/* ---- steps ---- */

static void name_place(char *name, size_t size, struct rpt_place place)
{
    static const char *const names[] = { "in",    "out", "scratch",
                                         "stage", "in",  "out" };

    if (place.kind >= RPT_IN_STAGE) {
        snprintf(name, size, "%s %d[%zu]", names[place.kind], place.rank,
                 place.offset);
    } else {
        snprintf(name, size, "%s[%zu]", names[place.kind], place.offset);
    }
}

static void add_inputs(const struct rpt_schedule *schedule,
                       const struct rpt_step *step, struct rpt_buf *text)
{
    enum { SHOWN = 4 };

    for (int i = 0; i < step->n_inputs && i < SHOWN; i++) {
        char name[64];

        name_place(name, sizeof name,
                   schedule->inputs[step->first_input + (size_t)i]);
        rpt__buf_printf(text, "%s%s", i > 0 ? " op " : "", name);
    }
    if (step->n_inputs > SHOWN) {
        rpt__buf_printf(text, " op ... (%d in all)", step->n_inputs);
    }
}

static void add_step(const struct rpt_schedule *schedule,
                     const struct rpt_step *step, struct rpt_buf *text)
{
    char to[64];

    name_place(to, sizeof to, step->to);
    switch (step->kind) {
    case RPT_STEP_COPY:
    case RPT_STEP_REDUCE:
        rpt__buf_printf(text, "%s <- ", to);
        add_inputs(schedule, step, text);
        rpt__buf_printf(text, ", %zu", step->count);
        break;
    case RPT_STEP_SEND:
        rpt__buf_printf(text, "send to %d: ", step->peer);
        add_inputs(schedule, step, text);
        rpt__buf_printf(text, ", %zu", step->count);
        break;
    case RPT_STEP_RECV:
        rpt__buf_printf(text, "receive from %d: %s, %zu", step->peer, to,
                        step->count);
        break;
    case RPT_STEP_FLUSH:
        rpt__buf_printf(text, "until what was sent%s may be written",
                        step->value > 0 ? ", but for the last," : "");
        break;
    case RPT_STEP_SIGNAL:
        rpt__buf_printf(text, "raise the flag to %u", step->value);
        break;
    case RPT_STEP_WAIT:
    default:
        rpt__buf_printf(text, "wait for flag %u of rank %d", step->value,
                        step->peer);
        break;
    }
    rpt__buf_printf(text, "\n");
}

static rpt_status_t add_steps(const struct rpt_algorithm *algorithm,
                              const struct rpt_case *c, struct rpt_buf *text)
{
    struct rpt_schedule schedule;
    rpt_status_t status = build(algorithm, c, c->rank, &schedule);
    const size_t max_steps = EXPLAINED_STEPS;
    size_t n = 0;

    rpt__buf_printf(text, "\nsteps of rank %d (counts in elements)\n", c->rank);
    for (size_t lane = 0; lane < schedule.n_lanes && n < max_steps; lane++) {
        const struct rpt_lane *steps = &schedule.lanes[lane];

        for (size_t i = 0; i < steps->n_steps && n < max_steps; i++, n++) {
            rpt__buf_printf(text, "  %zu.%zu  ", lane, i);
            add_step(&schedule, &schedule.steps[steps->first_step + i], text);
        }
    }
    if (n < schedule.n_steps) {
        rpt__buf_printf(text, "  ... %zu more\n", schedule.n_steps - n);
    }
    rpt__schedule_free(&schedule);
    return status;
}

/* Of the node of rank 0. */
static void add_domains(const struct rpt_case *c, struct rpt_buf *text)
{
    const struct rpt_layout *domains = c->layout;

    if (domains != NULL && !c->one_node) {
        domains = domains->domains[0];
    }
    if (domains != NULL) {
        rpt__buf_printf(text, "%s in %d domains, of %d to %d\n",
                        c->one_node ? "they are" : "those of a node are",
                        domains->n_nodes, domains->least, domains->most);
    }
}

static rpt_status_t explain(const struct rpt_question *question,
                            struct rpt_buf *text)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(question->kind);
    const struct rpt_algorithm *chosen = NULL;
    rpt_status_t status = rpt__select(question, &chosen);

    if (status != RPT_OK) {
        return status;
    }
    add_domains(question->c, text);
    rpt__buf_printf(text, "  %-14s %8s %8s %12s %12s %12s %11s\n", "algorithm",
                    "steps", "messages", "bytes sent", "copied", "reduced",
                    "about us");
    for (; *all != NULL && status == RPT_OK; all++) {
        status = add_line(question, *all, *all == chosen, text);
    }
    if (status == RPT_OK) {
        rpt__select_explain(question, text);
        status = add_steps(chosen, question->c, text);
    }
    return status;
}

/* The text of a buffer, or the status of making it. */
static rpt_status_t finish_text(struct rpt_buf *text, rpt_status_t status,
                                char **text_out)
{
    rpt__buf_u8(text, 0);
    if (status == RPT_OK && text->failed) {
        status = rpt__fail_nomem(text->bytes);
    }
    if (status != RPT_OK) {
        rpt__buf_free(text);
        return status;
    }
    *text_out = text->data;
    return RPT_OK;
}

static void add_title(struct rpt_buf *text, const rpt_coll_t *coll, int n_ranks)
{
    rpt__buf_printf(text, "%s of ", rpt_coll_name(coll->kind));
    if (coll->counts != NULL) {
        rpt__buf_printf(text, "blocks of different sizes");
    } else {
        rpt__buf_printf(text, "%zu", coll->count);
    }
    rpt__buf_printf(text, " %s, %d ranks\n", rpt_type_name(coll->type),
                    n_ranks);
}

rpt_status_t rpt__plan_explain(const struct rpt_plan *plan, char **text_out)
{
    const struct rpt_question question = rpt__plan_question(plan);
    struct rpt_buf text = RPT_BUF_EMPTY;
    rpt_status_t status;

    add_title(&text, &plan->coll, plan->team->size);
    if (plan->call != NULL) {
        rpt__buf_printf(&text, "device buffers: %s\n",
                        rpt__device_call_text(plan->call));
        return finish_text(&text, RPT_OK, text_out);
    }
    status = explain(&question, &text);
    if (plan->pulling_algorithm != NULL && !plan->run.must_pull) {
        rpt__buf_printf(&text,
                        "\nwith buffers that all can read "
                        "(rpt_buffer_alloc): %s\n",
                        plan->pulling_algorithm->name);
    }
    if (plan->fetching.pulls) {
        rpt__buf_printf(&text,
                        "with private ones that the kernel reads "
                        "(coll.kernel_copy): %s, in %llu calls so far\n",
                        plan->pulling_algorithm->name,
                        (unsigned long long)plan->team->probe.n_calls);
    }
    return finish_text(&text, status, text_out);
}

/* What a group of this machine would select by. */
static rpt_status_t explain_here(struct rpt_question *question,
                                 struct rpt_case *c, struct rpt_buf *text)
{
    struct rpt_buf brief = RPT_BUF_EMPTY;
    struct rpt_model model;
    rpt_status_t status = rpt__policy_look(question->options, &brief);

    if (status == RPT_OK) {
        status = rpt__buf_status(&brief);
    }
    if (status == RPT_OK) {
        question->policy = (const struct rpt_policy *)(void *)brief.data;
        model = rpt__numbers_model(&question->policy->numbers, c->one_node);
        c->model = &model;
        status = explain(question, text);
    }
    rpt__buf_free(&brief);
    return status;
}

static size_t elements_of(const rpt_options_t *options, enum rpt_option option,
                          size_t element_bytes)
{
    return rpt__option_size(options, option) / element_bytes;
}

rpt_status_t rpt__coll_explain(const rpt_coll_t *coll, int n_ranks, int n_nodes,
                               const rpt_options_t *options, char **text_out)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    struct rpt_layout *layout = NULL;
    size_t element = rpt_type_bytes(coll->type);
    size_t stage = rpt__stage_bytes(options,
                                    (n_ranks + n_nodes - 1) / n_nodes) /
                   element;
    struct rpt_case c = {
        .n_ranks = n_ranks,
        .root = coll->root,
        .count = coll->count,
        .segment = larger(
            elements_of(options, RPT_OPT_COLL_SEGMENT_BYTES, element), 1),
        .stage_count = stage,
        .commutative = true,
        .one_node = n_nodes == 1,
        .node_has_stages = true,
        .node_stage_count = stage,
        .element_bytes = element,
    };
    struct rpt_question question = { .options = options,
                                     .kind = coll->kind,
                                     .c = &c,
                                     .element_bytes = element };
    int n_domains = (int)rpt__option_integer(options,
                                             RPT_OPT_TOPO_VIRTUAL_DOMAINS);
    rpt_status_t status;

    status = rpt__layout_create_even(n_ranks, n_nodes, n_domains, &layout);
    if (status == RPT_OK) {
        c.layout = c.one_node ? layout->domains[0] : layout;
        c.n_across = c.one_node ? rpt__layout_across(c.layout) : 0;
        add_title(&text, coll, n_ranks);
        status = explain_here(&question, &c, &text);
    }
    rpt__layout_destroy(layout);
    return finish_text(&text, status, text_out);
}
