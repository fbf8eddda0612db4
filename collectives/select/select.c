/*
 * select.c - forced, by a rule, or the cheapest
 */
#include "collectives/select/select.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

static const enum rpt_option option_of[] = {
    [RPT_COLL_ALLREDUCE] = RPT_OPT_COLL_ALLREDUCE_ALGORITHM,
    [RPT_COLL_REDUCE] = RPT_OPT_COLL_REDUCE_ALGORITHM,
    [RPT_COLL_BROADCAST] = RPT_OPT_COLL_BROADCAST_ALGORITHM,
    [RPT_COLL_BARRIER] = RPT_OPT_COLL_BARRIER_ALGORITHM,
    [RPT_COLL_ALLGATHER] = RPT_OPT_COLL_ALLGATHER_ALGORITHM,
    [RPT_COLL_GATHER] = RPT_OPT_COLL_GATHER_ALGORITHM,
    [RPT_COLL_SCATTER] = RPT_OPT_COLL_SCATTER_ALGORITHM,
    [RPT_COLL_REDUCE_SCATTER] = RPT_OPT_COLL_REDUCE_SCATTER_ALGORITHM,
    [RPT_COLL_ALLTOALL] = RPT_OPT_COLL_ALLTOALL_ALGORITHM,
    [RPT_COLL_SCAN] = RPT_OPT_COLL_SCAN_ALGORITHM,
    [RPT_COLL_EXSCAN] = RPT_OPT_COLL_EXSCAN_ALGORITHM,
};

static bool reduces(rpt_coll_kind_t kind)
{
    return kind == RPT_COLL_ALLREDUCE || kind == RPT_COLL_REDUCE ||
           kind == RPT_COLL_REDUCE_SCATTER || kind == RPT_COLL_SCAN ||
           kind == RPT_COLL_EXSCAN;
}

/* Whether only the order of the ranks will do. */
static bool wants_order(const struct rpt_question *question)
{
    return reduces(question->kind) &&
           rpt__option_switch(question->options, RPT_OPT_COLL_REPRODUCIBLE);
}

static const char *forced_name(const struct rpt_question *question)
{
    return rpt__option_text(question->options, option_of[question->kind]);
}

/* ---- forced ---- */

static rpt_status_t find_forced(const struct rpt_question *question,
                                const char *name,
                                const struct rpt_algorithm **algorithm_out)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(question->kind);
    const char *operation = rpt_coll_name(question->kind), *why = NULL;

    while (*all != NULL && strcmp((*all)->name, name) != 0) {
        all++;
    }
    if (*all == NULL) {
        rpt__fail(RPT_ERR_NOT_FOUND, "there is no algorithm %s of %s", name,
                  operation);
        rpt__fail_hint("`repartir explain %s` lists them", operation);
        return RPT_ERR_NOT_FOUND;
    }
    if (wants_order(question) && !(*all)->in_rank_order) {
        why = "its bits depend on the layout, and coll.reproducible is set";
    } else if (!(*all)->applies(question->c)) {
        why = rpt__why_not(*all, question->c);
    }
    if (why != NULL) {
        rpt__fail(RPT_ERR_UNSUPPORTED, "%s with the forced algorithm %s",
                  operation, name);
        rpt__fail_why("%s", why);
        rpt__fail_hint("leave %s out, or have rules (option coll.rules) name "
                       "%s for the calls that it can do",
                       rpt__option_name(option_of[question->kind]), name);
        return RPT_ERR_UNSUPPORTED;
    }
    *algorithm_out = *all;
    return RPT_OK;
}

bool rpt__is_forced(const rpt_options_t *options, rpt_coll_kind_t kind)
{
    return rpt__option_text(options, option_of[kind])[0] != '\0';
}

/* ---- rules ---- */

/* The mean block where they differ: all ranks know the same counts. */
static struct rpt_rule_call rule_call(const struct rpt_question *question)
{
    const struct rpt_case *c = question->c;
    size_t count = c->counts != NULL ? rpt__packed_count(c) / (size_t)c->n_ranks
                                     : c->count;

    return (struct rpt_rule_call){
        .kind = question->kind,
        .n_ranks = c->n_ranks,
        .n_nodes = c->layout != NULL && !c->one_node ? c->layout->n_nodes : 1,
        .has_bytes = c->out_counts == NULL,
        .bytes = (uint64_t)count * question->element_bytes
    };
}

static bool can(const struct rpt_question *question,
                const struct rpt_algorithm *algorithm)
{
    return algorithm->applies(question->c) &&
           (algorithm->in_rank_order || !wants_order(question));
}

static const struct rpt_algorithm *named_by(const struct rpt_rule *rule)
{
    return rpt__algorithms((rpt_coll_kind_t)rule->kind)[rule->algorithm];
}

/* Rules are for the ranks' own buffers.  Where all can read them, only rules
 * count that name an algorithm which does. */
static bool may_obey(const struct rpt_question *question,
                     const struct rpt_rule *rule)
{
    const struct rpt_algorithm *algorithm = named_by(rule);
    struct rpt_case closed = *question->c;

    closed.can_pull = false;
    return can(question, algorithm) &&
           (!question->c->can_pull || !algorithm->applies(&closed));
}

/* From the rule `from` on, the first that fits; NULL: none does. */
static const struct rpt_rule *next_rule(const struct rpt_question *question,
                                        const struct rpt_rule *from)
{
    const struct rpt_policy *policy = question->policy;
    const struct rpt_rule *end = policy->rules + policy->n_rules;
    struct rpt_rule_call call = rule_call(question);

    while (from < end && !rpt__rule_fits(from, &call)) {
        from++;
    }
    return from < end ? from : NULL;
}

/* The one that is obeyed; NULL: none is. */
static const struct rpt_rule *find_rule(const struct rpt_question *question)
{
    const struct rpt_rule *rule = next_rule(question, question->policy->rules);

    while (rule != NULL && !may_obey(question, rule)) {
        rule = next_rule(question, rule + 1);
    }
    return rule;
}

/* ---- the cheapest ---- */

static const struct rpt_algorithm *
find_cheapest(const struct rpt_question *question)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(question->kind);
    const struct rpt_algorithm *best = NULL;
    double least = INFINITY;

    for (; *all != NULL; all++) {
        double cost;

        if (!can(question, *all)) {
            continue;
        }
        cost = (*all)->cost(question->c, question->c->model,
                            question->element_bytes);
        if (best == NULL || cost < least) {
            best = *all;
            least = cost;
        }
    }
    return best;
}

rpt_status_t rpt__select(const struct rpt_question *question,
                         const struct rpt_algorithm **algorithm_out)
{
    const char *forced = forced_name(question);
    const struct rpt_algorithm *found;
    const struct rpt_rule *rule;

    if (forced[0] != '\0') {
        return find_forced(question, forced, algorithm_out);
    }
    rule = find_rule(question);
    found = rule != NULL ? named_by(rule) : find_cheapest(question);
    if (found == NULL) {
        return rpt__fail(RPT_ERR_INTERNAL, "no algorithm of %s for %d ranks",
                         rpt_coll_name(question->kind), question->c->n_ranks);
    }
    *algorithm_out = found;
    return RPT_OK;
}

/* ---- why ---- */

static void explain_rules(const struct rpt_question *question,
                          struct rpt_buf *text)
{
    const struct rpt_policy *policy = question->policy;
    const struct rpt_rule *rule = next_rule(question, policy->rules);

    for (; rule != NULL && !may_obey(question, rule);
         rule = next_rule(question, rule + 1)) {
        rpt__buf_printf(text, "passed over: %s:%llu, since %s %s\n",
                        policy->file, (unsigned long long)rule->line,
                        named_by(rule)->name,
                        named_by(rule)->applies(question->c)
                            ? "does not sum in the order of ranks"
                            : "cannot do this call");
    }
    if (rule != NULL) {
        rpt__buf_printf(text, "chosen by the rule %s:%llu\n", policy->file,
                        (unsigned long long)rule->line);
    }
}

void rpt__select_explain(const struct rpt_question *question,
                         struct rpt_buf *text)
{
    static const char *const origins[] = {
        [RPT_FROM_USUAL] = "usual",
        [RPT_FROM_BOTH] = "some measured, some usual",
        [RPT_FROM_MEASURED] = "measured",
    };

    if (forced_name(question)[0] != '\0') {
        const char *name = rpt__option_name(option_of[question->kind]);

        rpt__buf_printf(text, "forced by option %s (%s)\n", name,
                        rpt_options_origin(question->options, name));
        return;
    }
    explain_rules(question, text);
    if (find_rule(question) == NULL) {
        enum rpt_origin origin = rpt__numbers_origin(&question->policy->numbers,
                                                     question->c->one_node,
                                                     question->c->n_across > 0);

        rpt__buf_printf(text, "chosen by the model, with %s numbers%s\n",
                        origins[origin],
                        wants_order(question)
                            ? ", among those that sum in the order of ranks"
                            : "");
    }
}
