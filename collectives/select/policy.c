/*
 * policy.c - reads what a context selects by: rules, and what things cost
 */
#include "collectives/select/policy.h"

#include "collectives/select/kept.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum use { FOR_START, FOR_LOOKING, FOR_THREADS };

/* ---- rules ---- */

/* The file of the option, or the first that is there; "": none. */
static rpt_status_t find_rules(const rpt_options_t *options, char file[512])
{
    const char *named = rpt__option_text(options, RPT_OPT_COLL_RULES);
    const char *home = rpt__environment("HOME");

    file[0] = '\0';
    if (strcmp(named, "none") == 0) {
        return RPT_OK;
    }
    if (strlen(named) >= 512) {
        return rpt__fail(RPT_ERR_PARSE,
                         "option coll.rules has more than 511 bytes");
    }
    if (named[0] != '\0') {
        strcpy(file, named);
        return RPT_OK;
    }
    for (int i = 0; i < 3; i++) {
        snprintf(file, 512, "%s%s", i == 1 && home != NULL ? home : "",
                 i == 0   ? "repartir.rules"
                 : i == 1 ? "/.config/repartir/repartir.rules"
                          : "/etc/repartir.rules");
        if (access(file, R_OK) == 0) {
            return RPT_OK;
        }
    }
    file[0] = '\0';
    return RPT_OK;
}

/* ---- numbers ---- */

/* Which of two or three words the option has. */
static rpt_status_t word_of(const rpt_options_t *options,
                            enum rpt_option option, const char *name,
                            const char *const words[], int *word_out)
{
    const char *text = rpt__option_text(options, option);

    for (int i = 0; i < 3 && words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0) {
            *word_out = i;
            return RPT_OK;
        }
    }
    rpt__fail(RPT_ERR_PARSE, "option %s cannot be \"%s\" (from %s)", name, text,
              rpt_options_origin(options, name));
    rpt__fail_hint(words[2] != NULL ? "give %s, %s or %s" : "give %s or %s",
                   words[0], words[1], words[2]);
    return RPT_ERR_PARSE;
}

static rpt_status_t how_to_measure(const rpt_options_t *options,
                                   enum rpt_measure *how_out)
{
    static const char *const words[] = { "no", "auto", "always" };
    int word = 0;
    rpt_status_t status = word_of(options, RPT_OPT_COLL_MEASURE, "coll.measure",
                                  words, &word);

    *how_out = (enum rpt_measure)word;
    return status;
}

static rpt_status_t how_to_check(const rpt_options_t *options,
                                 struct rpt_policy *policy)
{
    static const char *const words[] = { "usual", "full", NULL };
    int word = 0;
    rpt_status_t status = word_of(options, RPT_OPT_COLL_CHECK, "coll.check",
                                  words, &word);

    policy->checks_first = (uint64_t)word;
    return status;
}

/* Ranks that are threads read each other's memory as it is. */
static rpt_status_t how_to_copy(const rpt_options_t *options, enum use use,
                                struct rpt_policy *policy)
{
    static const char *const words[] = { "no", "auto", "always" };
    int word = 0;
    rpt_status_t status = word_of(options, RPT_OPT_COLL_KERNEL_COPY,
                                  "coll.kernel_copy", words, &word);

    policy->kernel_copy = use == FOR_THREADS ? RPT_KERNEL_COPY_NEVER
                                             : (uint64_t)word;
    return status;
}

/* Those that are kept; and whether the others shall be measured, which makes
 * no sense without a place to keep them: every job would do it again. */
static rpt_status_t find_numbers(const rpt_options_t *options, enum use use,
                                 struct rpt_policy *policy)
{
    enum rpt_measure how = RPT_MEASURE_NOTHING;
    char path[RPT_KEPT_PATH_BYTES];
    rpt_status_t status = how_to_measure(options, &how);
    bool is_real = rpt__option_text(options, RPT_OPT_TOPO_SYNTHETIC)[0] == '\0';

    if (status != RPT_OK || !is_real || use == FOR_THREADS) {
        return status;
    }
    if (how == RPT_MEASURE_ONCE) {
        bool has_place = rpt__kept_find(options, path);

        if (has_place) {
            rpt__kept_read(path, &policy->numbers);
        }
        if (!has_place || use == FOR_LOOKING ||
            !rpt__numbers_are_missing(&policy->numbers) ||
            !rpt__kept_may_write(path)) {
            how = RPT_MEASURE_NOTHING;
        }
    }
    policy->measures = use == FOR_START ? how : RPT_MEASURE_NOTHING;
    return RPT_OK;
}

/* ---- both ---- */

static rpt_status_t add_rules(const rpt_options_t *options,
                              struct rpt_policy *policy, struct rpt_buf *rules)
{
    rpt_status_t status = find_rules(options, policy->file);

    if (status == RPT_OK && policy->file[0] != '\0') {
        status = rpt__rules_read(policy->file, rules);
        policy->n_rules = rules->bytes / sizeof(struct rpt_rule);
    }
    return status;
}

static rpt_status_t brief_for(enum use use, const rpt_options_t *options,
                              struct rpt_buf *brief)
{
    struct rpt_policy policy = { .numbers = RPT_NUMBERS_USUAL };
    struct rpt_buf rules = RPT_BUF_EMPTY;
    rpt_status_t status = add_rules(options, &policy, &rules);

    if (status == RPT_OK) {
        status = find_numbers(options, use, &policy);
    }
    if (status == RPT_OK) {
        status = how_to_check(options, &policy);
    }
    if (status == RPT_OK) {
        status = how_to_copy(options, use, &policy);
    }
    if (status == RPT_OK) {
        rpt__buf_add(brief, &policy, sizeof policy);
        rpt__buf_add(brief, rules.data, rules.bytes);
    }
    rpt__buf_free(&rules);
    return status;
}

rpt_status_t rpt__policy_brief(const rpt_options_t *options,
                               struct rpt_buf *brief)
{
    return brief_for(FOR_START, options, brief);
}

rpt_status_t rpt__policy_look(const rpt_options_t *options,
                              struct rpt_buf *brief)
{
    return brief_for(FOR_LOOKING, options, brief);
}

rpt_status_t rpt__policy_brief_local(const rpt_options_t *options,
                                     struct rpt_buf *brief)
{
    return brief_for(FOR_THREADS, options, brief);
}

const struct rpt_policy *rpt__policy_of(const struct rpt_comm *comm)
{
    static const struct rpt_policy usual = { .numbers = RPT_NUMBERS_USUAL };
    const struct rpt_policy *policy = rpt__comm_brief(comm);

    return policy != NULL ? policy : &usual;
}

void rpt__policy_describe(const struct rpt_policy *policy, struct rpt_buf *text)
{
    if (policy->file[0] != '\0') {
        rpt__buf_printf(text, "rules    %s (%llu)\n", policy->file,
                        (unsigned long long)policy->n_rules);
    }
    rpt__numbers_describe(&policy->numbers, text);
}
