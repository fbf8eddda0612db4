/*
 * rules.c - reads rules, and says whether one fits
 *
 * A line is cut into words.  The first bad word ends the reading: a file with a
 * mistake must not become half of what was meant.
 */
#include "collectives/select/rules.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 512, FILE_BYTES = 1 << 20 };

struct line {
    const char *file;
    size_t number;
    char text[LINE_BYTES];
    char *next; /* behind the words that were taken */
};

static rpt_status_t bad(const struct line *line, const char *what,
                        const char *word)
{
    return rpt__fail(RPT_ERR_PARSE, "%s:%zu: %s \"%s\"", line->file,
                     line->number, what, word);
}

/* NULL: there is none left. */
static char *take_word(struct line *line)
{
    char *word = line->next + strspn(line->next, " \t\r");
    size_t bytes = strcspn(word, " \t\r");

    line->next = word + bytes;
    if (bytes == 0) {
        return NULL;
    }
    if (*line->next != '\0') {
        *line->next++ = '\0';
    }
    return word;
}

/* ---- names ---- */

#define COUNT_ONE(name, value, text) +1
enum { N_KINDS = RPT_COLL_LIST(COUNT_ONE) };
#undef COUNT_ONE

static rpt_status_t parse_kind(const struct line *line, const char *word,
                               struct rpt_rule *rule)
{
    while (rule->kind < N_KINDS &&
           strcmp(rpt_coll_name((rpt_coll_kind_t)rule->kind), word) != 0) {
        rule->kind++;
    }
    if (rule->kind == N_KINDS) {
        bad(line, "there is no operation", word);
        rpt__fail_hint("a rule reads: allreduce ranks=2-16 nodes=1 bytes=0-4K "
                       "-> flat; `repartir explain --help' names the "
                       "operations");
        return RPT_ERR_PARSE;
    }
    return RPT_OK;
}

static rpt_status_t parse_algorithm(const struct line *line, const char *word,
                                    struct rpt_rule *rule)
{
    rpt_coll_kind_t kind = (rpt_coll_kind_t)rule->kind;
    const struct rpt_algorithm *const *all = rpt__algorithms(kind);
    struct rpt_buf names = RPT_BUF_EMPTY;

    for (uint32_t i = 0; word != NULL && all[i] != NULL; i++) {
        if (strcmp(all[i]->name, word) == 0) {
            rule->algorithm = i;
            return RPT_OK;
        }
    }
    for (size_t i = 0; all[i] != NULL; i++) {
        rpt__buf_printf(&names, "%s%s", i > 0 ? ", " : "", all[i]->name);
    }
    bad(line, "there is no such algorithm:", word != NULL ? word : "");
    rpt__fail_hint("%s can be done by %.*s", rpt_coll_name(kind),
                   (int)names.bytes, names.bytes > 0 ? names.data : "");
    rpt__buf_free(&names);
    return RPT_ERR_PARSE;
}

/* ---- conditions ---- */

/* 4096, or 4K where units are allowed. */
static bool parse_number(const char **text, bool has_units, uint64_t *out)
{
    static const char units[] = "KMGT";
    const char *unit;
    char *rest;
    unsigned long long number;

    if (**text < '0' || **text > '9') {
        return false;
    }
    errno = 0;
    number = strtoull(*text, &rest, 10);
    unit = has_units && *rest != '\0' ? strchr(units, *rest) : NULL;
    if (unit != NULL) {
        int shift = 10 * (int)(unit - units + 1);

        if (number > UINT64_MAX >> shift) {
            return false;
        }
        number <<= shift;
        rest++;
    }
    *text = rest;
    *out = number;
    return errno == 0;
}

static bool parse_range(const char *text, bool has_units, uint64_t range[2])
{
    if (!parse_number(&text, has_units, &range[0])) {
        return false;
    }
    range[1] = range[0];
    if (*text == '-' && text[1] == '\0') {
        range[1] = UINT64_MAX;
        return true;
    }
    if (*text == '-') {
        text++;
        if (!parse_number(&text, has_units, &range[1])) {
            return false;
        }
    }
    return *text == '\0' && range[0] <= range[1];
}

/* `seen`: a bit for each condition that the line has had. */
static rpt_status_t parse_condition(const struct line *line, const char *word,
                                    struct rpt_rule *rule, unsigned *seen)
{
    const struct {
        const char *name;
        uint64_t *range;
    } known[] = { { "ranks=", rule->ranks },
                  { "nodes=", rule->nodes },
                  { "bytes=", rule->bytes } };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i].name);

        if (strncmp(word, known[i].name, n) != 0) {
            continue;
        }
        if ((*seen >> i & 1) != 0) {
            return bad(line, "a condition stands here twice:", word);
        }
        *seen |= 1u << i;
        if (parse_range(word + n, known[i].range == rule->bytes,
                        known[i].range)) {
            return RPT_OK;
        }
        bad(line, "this is no range:", word);
        rpt__fail_hint("N, N-M or N- (and more), the smaller one first; bytes "
                       "may end in K, M, G or T");
        return RPT_ERR_PARSE;
    }
    bad(line, "there is no such condition:", word);
    rpt__fail_hint("ranks=, nodes= and bytes= are known; -> and an algorithm "
                   "end a rule");
    return RPT_ERR_PARSE;
}

/* ---- lines ---- */

static rpt_status_t parse_line(struct line *line, struct rpt_buf *rules)
{
    struct rpt_rule rule = { .line = line->number,
                             .ranks = { 0, UINT64_MAX },
                             .nodes = { 0, UINT64_MAX },
                             .bytes = { 0, UINT64_MAX } };
    const char *word;
    unsigned seen = 0;
    rpt_status_t status;

    line->text[strcspn(line->text, "#")] = '\0';
    word = take_word(line);
    if (word == NULL) {
        return RPT_OK;
    }
    status = parse_kind(line, word, &rule);
    while (status == RPT_OK && (word = take_word(line)) != NULL &&
           strcmp(word, "->") != 0) {
        status = parse_condition(line, word, &rule, &seen);
    }
    if (status == RPT_OK && word == NULL) {
        status = bad(line, "a rule ends with -> and an algorithm, not with",
                     rpt_coll_name((rpt_coll_kind_t)rule.kind));
    }
    if (status == RPT_OK) {
        status = parse_algorithm(line, take_word(line), &rule);
    }
    if (status == RPT_OK && (word = take_word(line)) != NULL) {
        status = bad(line, "nothing is wanted behind the algorithm, but for",
                     word);
    }
    if (status == RPT_OK) {
        rpt__buf_add(rules, &rule, sizeof rule);
    }
    return status;
}

rpt_status_t rpt__rules_parse(const char *file, const char *text, size_t bytes,
                              struct rpt_buf *rules)
{
    struct line line = { .file = file };
    rpt_status_t status = RPT_OK;

    for (size_t at = 0; at < bytes && status == RPT_OK;) {
        const char *end = memchr(text + at, '\n', bytes - at);
        size_t n = end != NULL ? (size_t)(end - (text + at)) : bytes - at;

        line.number++;
        line.next = line.text;
        if (n >= sizeof line.text || memchr(text + at, '\0', n) != NULL) {
            rpt__fail(RPT_ERR_PARSE, "%s:%zu: this is no line of rules", file,
                      line.number);
            rpt__fail_why("it %s", n >= sizeof line.text
                                       ? "has more than 511 bytes"
                                       : "has a byte that is zero");
            return RPT_ERR_PARSE;
        }
        memcpy(line.text, text + at, n);
        line.text[n] = '\0';
        status = parse_line(&line, rules);
        at += n + 1;
    }
    return status == RPT_OK ? rpt__buf_status(rules) : status;
}

/* `why`: NULL if the error says it. */
static rpt_status_t no_rules(const char *path, const char *why, int error)
{
    rpt__fail_errno(RPT_ERR_IO, error, "the rules in %s cannot be read", path);
    if (why != NULL) {
        rpt__fail_why("%s", why);
    }
    rpt__fail_hint("option coll.rules names a file of rules; none: no rules");
    return RPT_ERR_IO;
}

rpt_status_t rpt__rules_read(const char *path, struct rpt_buf *rules)
{
    const char *why = NULL;
    FILE *file = rpt__file_open(path, &why);
    char *text;
    rpt_status_t status;
    size_t n;

    if (file == NULL) {
        return no_rules(path, why, errno);
    }
    text = malloc(FILE_BYTES);
    if (text == NULL) {
        status = rpt__fail_nomem(FILE_BYTES);
    } else if ((n = fread(text, 1, FILE_BYTES, file)) == 0 && ferror(file)) {
        status = no_rules(path, NULL, errno);
    } else if (n == FILE_BYTES) {
        status = rpt__fail(RPT_ERR_PARSE, "%s: rules of more than 1 MiB", path);
    } else {
        status = rpt__rules_parse(path, text, n, rules);
    }
    fclose(file);
    free(text);
    return status;
}

/* ---- fitting ---- */

static bool is_in(const uint64_t range[2], uint64_t number)
{
    return number >= range[0] && number <= range[1];
}

bool rpt__rule_fits(const struct rpt_rule *rule,
                    const struct rpt_rule_call *call)
{
    bool any_bytes = rule->bytes[0] == 0 && rule->bytes[1] == UINT64_MAX;

    return rule->kind == (uint32_t)call->kind &&
           is_in(rule->ranks, (uint64_t)call->n_ranks) &&
           is_in(rule->nodes, (uint64_t)call->n_nodes) &&
           (call->has_bytes ? is_in(rule->bytes, call->bytes) : any_bytes);
}
