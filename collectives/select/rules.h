/*
 * rules.h - which algorithm does which calls, as somebody wrote it down
 *
 *   # operation, when, and what then
 *   allreduce  ranks=2-16 nodes=1 bytes=0-4K  ->  flat
 *   allreduce  nodes=2-   bytes=1M-           ->  ring
 *   broadcast                                 ->  binomial
 *
 * A line is a rule; what stands behind a # is for people.  A condition that is
 * not there is always met.  N is that number, N-M from N to M (both too), N- N
 * and more; bytes may end in K, M, G or T, of 1024.  Bytes are those of the
 * vector, or of the block of one rank: of the mean block, where they differ.
 * When an all-to-all has blocks that differ, nobody knows them all, and a rule
 * with bytes does not fit.
 *
 * The first rule that fits a call, and names an algorithm that can do it, is
 * obeyed.  Rules are for buffers of the ranks' own: where all can read them
 * (rpt_buffer_alloc) only those count that name an algorithm which reads them.
 */
#ifndef RPT_COLLECTIVES_SELECT_RULES_H
#define RPT_COLLECTIVES_SELECT_RULES_H

#include "base/buf.h"
#include "collectives/algorithm/algorithm.h"

/* Plain data: ranks exchange it as bytes. */
struct rpt_rule {
    uint32_t kind;      /* rpt_coll_kind_t      */
    uint32_t algorithm; /* index in its table   */
    uint64_t line;      /* of the file, from 1  */
    uint64_t ranks[2];  /* least and most       */
    uint64_t nodes[2];
    uint64_t bytes[2];
};

/* What a rule looks at. */
struct rpt_rule_call {
    rpt_coll_kind_t kind;
    int n_ranks;
    int n_nodes;
    bool has_bytes;
    uint64_t bytes;
};

/* Adds the rules of a text (struct rpt_rule, one behind the other).
 * RPT_ERR_PARSE: what is wrong in which line of `file`. */
rpt_status_t rpt__rules_parse(const char *file, const char *text, size_t bytes,
                              struct rpt_buf *rules);

/* The same of a file.  RPT_ERR_IO: it cannot be read. */
rpt_status_t rpt__rules_read(const char *file, struct rpt_buf *rules);

bool rpt__rule_fits(const struct rpt_rule *rule,
                    const struct rpt_rule_call *call);

#endif /* RPT_COLLECTIVES_SELECT_RULES_H */
