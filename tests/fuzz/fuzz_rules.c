/*
 * fuzz_rules.c - files of rules, and of what things cost, of any bytes
 *
 * Of what is taken for rules, each must name an algorithm that is there, and be
 * read again as the same when it is written down anew.  What is taken for
 * numbers must be what a machine can have.
 *
 * fuzz-sources: src/base collectives/select/rules.c
 * fuzz-sources: collectives/select/numbers.c
 * fuzz-sources: collectives/schedule.c collectives/pattern
 * fuzz-sources: collectives/algorithm collectives/algorithm/allgather
 * fuzz-sources: collectives/algorithm/allreduce collectives/algorithm/alltoall
 * fuzz-sources: collectives/algorithm/barrier collectives/algorithm/broadcast
 * fuzz-sources: collectives/algorithm/exscan collectives/algorithm/gather
 * fuzz-sources: collectives/algorithm/reduce collectives/algorithm/scan
 * fuzz-sources: collectives/algorithm/reduce_scatter
 * fuzz-sources: collectives/algorithm/scatter
 * fuzz-packages: libxxhash
 */
#include "collectives/select/numbers.h"
#include "collectives/select/rules.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const struct rpt_rule *rules_of(const struct rpt_buf *rules)
{
    return (const struct rpt_rule *)(const void *)rules->data;
}

static void add_range(struct rpt_buf *text, const char *name,
                      const uint64_t range[2])
{
    if (range[1] == UINT64_MAX) {
        rpt__buf_printf(text, " %s=%" PRIu64 "-", name, range[0]);
    } else {
        rpt__buf_printf(text, " %s=%" PRIu64 "-%" PRIu64, name, range[0],
                        range[1]);
    }
}

static void write_rule(struct rpt_buf *text, const struct rpt_rule *rule)
{
    rpt_coll_kind_t kind = (rpt_coll_kind_t)rule->kind;

    rpt__buf_printf(text, "%s", rpt_coll_name(kind));
    add_range(text, "ranks", rule->ranks);
    add_range(text, "nodes", rule->nodes);
    add_range(text, "bytes", rule->bytes);
    rpt__buf_printf(text, " -> %s\n",
                    rpt__algorithms(kind)[rule->algorithm]->name);
}

static void try_rules(const char *data, size_t bytes)
{
    struct rpt_buf rules = RPT_BUF_EMPTY, again = RPT_BUF_EMPTY;
    struct rpt_buf text = RPT_BUF_EMPTY;

    if (rpt__rules_parse("f", data, bytes, &rules) == RPT_OK) {
        size_t n = rules.bytes / sizeof(struct rpt_rule);

        for (size_t i = 0; i < n; i++) {
            write_rule(&text, &rules_of(&rules)[i]);
        }
        if (rpt__rules_parse("f", text.data, text.bytes, &again) != RPT_OK ||
            again.bytes != rules.bytes) {
            abort();
        }
        for (size_t i = 0; i < n; i++) {
            struct rpt_rule rule = rules_of(&again)[i];

            rule.line = rules_of(&rules)[i].line;
            if (memcmp(&rule, &rules_of(&rules)[i], sizeof rule) != 0) {
                abort();
            }
        }
    }
    rpt__buf_free(&rules);
    rpt__buf_free(&again);
    rpt__buf_free(&text);
}

static void try_numbers(const char *data, size_t bytes)
{
    struct rpt_numbers numbers = RPT_NUMBERS_USUAL;

    rpt__numbers_parse(&numbers, data, bytes);
    for (int i = 0; i < RPT_N_NUMBERS; i++) {
        if (!(numbers.seconds[i] > 0 && numbers.seconds[i] < 1e-3)) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    try_rules((const char *)data, bytes);
    try_numbers((const char *)data, bytes);
    return 0;
}

#ifndef RPT_LIBFUZZER
#include "corpus.h"

int main(int argc, char *argv[])
{
    return rpt_fuzz_corpus("rules", argc, argv);
}
#endif
