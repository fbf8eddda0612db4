/*
 * test_select.c - rules, numbers, and which algorithm is chosen
 */
#include "fixture.h"
#include "harness.h"

#include "collectives/plan.h"
#include "collectives/select/kept.h"
#include "collectives/select/select.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

static char folder[64];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "test_select.XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

/* A file of the folder. */
static const char *in_folder(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}

/* ---- rules ---- */

static rpt_status_t parse(const char *text, struct rpt_buf *rules)
{
    return rpt__rules_parse("R", text, strlen(text), rules);
}

static bool fits(const char *text, rpt_coll_kind_t kind, int n_ranks,
                 int n_nodes, uint64_t bytes)
{
    const struct rpt_rule_call call = { kind, n_ranks, n_nodes, true, bytes };
    struct rpt_buf rules = RPT_BUF_EMPTY;
    bool answer;

    CU_ASSERT_EQUAL(parse(text, &rules), RPT_OK);
    CU_ASSERT_EQUAL(rules.bytes, sizeof(struct rpt_rule));
    answer = rpt__rule_fits((const struct rpt_rule *)(void *)rules.data, &call);
    rpt__buf_free(&rules);
    return answer;
}

static void a_rule_says_which_calls_it_is_for(void)
{
    const rpt_coll_kind_t A = RPT_COLL_ALLREDUCE;
    const char *all = "allreduce ranks=2-16 nodes=1 bytes=0-4K -> flat # why\n";

    CU_ASSERT(fits(all, A, 2, 1, 0));
    CU_ASSERT(fits(all, A, 16, 1, 4096));
    CU_ASSERT(!fits(all, A, 1, 1, 0));
    CU_ASSERT(!fits(all, A, 17, 1, 0));
    CU_ASSERT(!fits(all, A, 2, 2, 0));
    CU_ASSERT(!fits(all, A, 2, 1, 4097));
    CU_ASSERT(!fits(all, RPT_COLL_REDUCE, 2, 1, 0));
    CU_ASSERT(fits("\tallreduce\t->\tring\r\n", A, 99, 9, UINT64_MAX));
    CU_ASSERT(fits("allreduce bytes=1M- -> ring", A, 2, 1, 1 << 20));
    CU_ASSERT(!fits("allreduce bytes=1M- -> ring", A, 2, 1, (1 << 20) - 1));
    CU_ASSERT(fits("reduce-scatter nodes=3 -> direct", RPT_COLL_REDUCE_SCATTER,
                   4, 3, 5));
    CU_ASSERT(fits("allreduce bytes=0-16777215T -> ring", A, 2, 1,
                   UINT64_C(16777215) << 40));
}

static void bytes_that_nobody_knows_fit_no_range(void)
{
    const struct rpt_rule_call call = { RPT_COLL_ALLTOALL, 2, 1, false, 0 };
    struct rpt_buf rules = RPT_BUF_EMPTY;
    const struct rpt_rule *rule;

    CU_ASSERT_EQUAL(parse("alltoall bytes=0- -> staged\n"
                          "alltoall bytes=0-9 -> staged\n",
                          &rules),
                    RPT_OK);
    rule = (const struct rpt_rule *)(void *)rules.data;
    CU_ASSERT(rpt__rule_fits(&rule[0], &call));
    CU_ASSERT(!rpt__rule_fits(&rule[1], &call));
    rpt__buf_free(&rules);
}

static void a_bad_rule_is_named_with_its_line(void)
{
    static const struct {
        const char *text, *what;
    } cases[] = {
        { "\n# x\nalreduce -> flat",
          "R:3: there is no operation \"alreduce\"" },
        { "allreduce -> flatt", "R:1: there is no such algorithm: \"flatt\"" },
        { "scan -> ring", "R:1: there is no such algorithm: \"ring\"" },
        { "allreduce ->", "R:1: there is no such algorithm: \"\"" },
        { "allreduce ranks=2", "R:1: a rule ends with ->" },
        { "allreduce", "R:1: a rule ends with ->" },
        { "allreduce ranks=3-2 -> flat", "R:1: this is no range" },
        { "allreduce ranks=-2 -> flat", "R:1: this is no range" },
        { "allreduce ranks=2K -> flat", "R:1: this is no range" },
        { "allreduce bytes=4Q -> flat", "R:1: this is no range" },
        { "allreduce bytes=1-2-3 -> flat", "R:1: this is no range" },
        { "allreduce bytes= -> flat", "R:1: this is no range" },
        { "allreduce bytes=99999999999999999999 -> flat", "R:1: this is no" },
        { "allreduce bytes=16777216T -> flat", "R:1: this is no range" },
        { "allreduce ranks=2 ranks=3 -> flat", "R:1: a condition stands here "
                                               "twice: \"ranks=3\"" },
        { "allreduce bytes=0- nodes=1 bytes=4K -> flat",
          "R:1: a condition stands here twice: \"bytes=4K\"" },
        { "allreduce cores=2 -> flat", "R:1: there is no such condition" },
        { "allreduce -> flat ring", "R:1: nothing is wanted behind" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rpt_buf rules = RPT_BUF_EMPTY;

        CU_ASSERT_EQUAL(parse(cases[i].text, &rules), RPT_ERR_PARSE);
        if (strstr(rpt_last_error()->what, cases[i].what) == NULL) {
            printf("  \"%s\": %s\n", cases[i].text, rpt_last_error()->what);
            CU_FAIL("the message is another one");
        }
        rpt__buf_free(&rules);
    }
}

static void what_is_no_text_is_no_rule(void)
{
    struct rpt_buf rules = RPT_BUF_EMPTY;
    char line[600];

    memset(line, 'a', sizeof line);
    CU_ASSERT_EQUAL(rpt__rules_parse("R", line, sizeof line, &rules),
                    RPT_ERR_PARSE);
    CU_ASSERT_EQUAL(rpt__rules_parse("R", "scan\0 -> chain", 14, &rules),
                    RPT_ERR_PARSE);
    CU_ASSERT_EQUAL(rpt__rules_read("no/such/file", &rules), RPT_ERR_IO);
    CU_ASSERT_EQUAL(rules.bytes, 0);
    rpt__buf_free(&rules);
}

/* Nobody writes into the pipe, and /dev/zero has no end. */
static void what_is_no_file_has_no_rules(void)
{
    static const struct {
        const char *path, *why;
    } cases[] = { { "test_select.pipe", "it is a pipe" },
                  { "/dev/zero", "it is a device" },
                  { ".", "it is a directory" } };
    struct rpt_buf rules = RPT_BUF_EMPTY;

    CU_ASSERT_EQUAL_FATAL(mkfifo(cases[0].path, 0600), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_EQUAL(rpt__rules_read(cases[i].path, &rules), RPT_ERR_IO);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(rpt_last_error()->what, "cannot be read"));
        CU_ASSERT_STRING_EQUAL(rpt_last_error()->why, cases[i].why);
        CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->hint, "coll.rules"));
    }
    CU_ASSERT_EQUAL(rules.bytes, 0);
    unlink(cases[0].path);
}

/* ---- numbers ---- */

static void numbers_outlive_their_text(void)
{
    struct rpt_numbers numbers = RPT_NUMBERS_USUAL, read = RPT_NUMBERS_USUAL;
    struct rpt_buf text = RPT_BUF_EMPTY;

    rpt__numbers_set(&numbers, RPT_NUMBER_FLAG, 250e-9);
    rpt__numbers_set(&numbers, RPT_NUMBER_FAR_BYTE, 8e-9);
    numbers.n_tries = 3;
    rpt__numbers_print(&numbers, &text);
    CU_ASSERT(rpt__numbers_parse(&read, text.data, text.bytes));
    CU_ASSERT_EQUAL(read.measured, numbers.measured);
    CU_ASSERT_EQUAL(read.n_tries, 3);
    CU_ASSERT(rpt__numbers_are_missing(&read));
    read.n_tries = 5;
    CU_ASSERT(!rpt__numbers_are_missing(&read)); /* enough */
    CU_ASSERT_DOUBLE_EQUAL(read.seconds[RPT_NUMBER_FLAG], 250e-9, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(read.seconds[RPT_NUMBER_FAR_BYTE], 8e-9, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(rpt__numbers_model(&read, false).byte_s, 8e-9,
                           1e-15);
    CU_ASSERT_DOUBLE_EQUAL(rpt__numbers_model(&read, true).byte_s, 0.5e-9,
                           1e-15);
    CU_ASSERT_EQUAL(rpt__numbers_origin(&read, true, false), RPT_FROM_BOTH);
    rpt__buf_free(&text);
}

static void numbers_beyond_belief_are_brought_back(void)
{
    struct rpt_numbers numbers = RPT_NUMBERS_USUAL;

    rpt__numbers_set(&numbers, RPT_NUMBER_FLAG, 1.0);
    CU_ASSERT_DOUBLE_EQUAL(numbers.seconds[RPT_NUMBER_FLAG], 3e-6, 1e-12);
    rpt__numbers_set(&numbers, RPT_NUMBER_FLAG, -1.0);
    CU_ASSERT_DOUBLE_EQUAL(numbers.seconds[RPT_NUMBER_FLAG], 100e-9 / 30,
                           1e-15);
    rpt__numbers_set(&numbers, RPT_NUMBER_FLAG, (double)NAN);
    CU_ASSERT_DOUBLE_EQUAL(numbers.seconds[RPT_NUMBER_FLAG], 100e-9 / 30,
                           1e-15);
}

#define HEAD "repartir: what things cost, version 1\n"

static void text_that_has_no_numbers_is_left_alone(void)
{
    static const char *const texts[] = {
        "",
        "repartir: what things cost, version 2\nflag 1 fs\n",
        HEAD "flag\n",
        HEAD "flag 1\n",
        HEAD "flag -1 fs\n",
        HEAD "flag 1 fs more\n",
        HEAD "flags 1 fs\n",
        HEAD "flag 1 fs\n\n",
        HEAD "flag 1 fs", /* cut off */
        HEAD "tries 1 fs\n",
        HEAD "tries\n",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct rpt_numbers numbers = RPT_NUMBERS_USUAL;

        CU_ASSERT(!rpt__numbers_parse(&numbers, texts[i], strlen(texts[i])));
        CU_ASSERT_EQUAL(numbers.measured, 0);
    }
}

static void the_file_of_a_host_must_be_ours_alone(void)
{
    struct rpt_numbers numbers = RPT_NUMBERS_USUAL, read = RPT_NUMBERS_USUAL;
    rpt_options_t *options = options_with(NULL);
    char cache[512], path[RPT_KEPT_PATH_BYTES], aside[1100];

    make_folder();
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(cache, 300));
    strcat(strcat(strcat(cache, "/"), folder), "/cache");
    setenv("XDG_CACHE_HOME", cache, 1);
    CU_ASSERT_FATAL(rpt__kept_find(options, path));
    CU_ASSERT(strncmp(path, cache, strlen(cache)) == 0);
    CU_ASSERT(!rpt__kept_read(path, &read));
    CU_ASSERT(rpt__kept_may_write(path));
    rpt__numbers_set(&numbers, RPT_NUMBER_STEP, 7e-9);
    CU_ASSERT(rpt__kept_write(path, &numbers));
    CU_ASSERT(rpt__kept_read(path, &read));
    CU_ASSERT_DOUBLE_EQUAL(read.seconds[RPT_NUMBER_STEP], 7e-9, 1e-14);
    chmod(path, 0620);
    CU_ASSERT(!rpt__kept_read(path, &read));
    chmod(path, 0600);
    snprintf(aside, sizeof aside, "%s.real", path);
    CU_ASSERT_EQUAL(rename(path, aside), 0);
    CU_ASSERT_EQUAL(symlink(aside, path), 0);
    CU_ASSERT(!rpt__kept_read(path, &read));
    unlink(path);
    CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
    CU_ASSERT(!rpt__kept_read(path, &read)); /* and does not wait */
    unlink(path);
    write_file(path, "nothing of use\n");
    CU_ASSERT(!rpt__kept_read(path, &read));
    unlink(path);
    unlink(aside);
    strcat(cache, "/repartir");
    chmod(cache, 0777);
    CU_ASSERT(!rpt__kept_may_write(path));
    rmdir(cache);
    rmdir(in_folder("cache"));
    rmdir(folder);
    unsetenv("XDG_CACHE_HOME");
    rpt_options_destroy(options);
}

static void *write_again_and_again(void *path)
{
    struct rpt_numbers numbers = RPT_NUMBERS_USUAL;

    rpt__numbers_set(&numbers, RPT_NUMBER_STEP, 7e-9);
    for (int i = 0; i < 300; i++) {
        rpt__kept_write(path, &numbers);
    }
    return NULL;
}

static void readers_never_see_half_of_it(void)
{
    struct rpt_numbers numbers = RPT_NUMBERS_USUAL;
    pthread_t writer;
    char path[128];

    make_folder();
    snprintf(path, sizeof path, "%s/numbers", folder);
    write_again_and_again(path);
    CU_ASSERT_EQUAL_FATAL(
        pthread_create(&writer, NULL, write_again_and_again, path), 0);
    for (int i = 0; i < 300; i++) {
        CU_ASSERT(rpt__kept_read(path, &numbers));
    }
    pthread_join(writer, NULL);
    unlink(path);
    CU_ASSERT_EQUAL(rmdir(folder), 0); /* nothing else is left */
}

/* ---- selection ---- */

/* What `repartir explain` says; settings are options. */
static char *explained(rpt_coll_kind_t kind, size_t count, int n_nodes,
                       const char *const settings[])
{
    const rpt_coll_t coll = { .kind = kind,
                              .count = count,
                              .type = RPT_TYPE_F32 };
    rpt_options_t *options = options_with(settings);
    char *text = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt_coll_explain(&coll, 4, n_nodes, options, &text),
                          RPT_OK);
    rpt_options_destroy(options);
    return text;
}

static void expect(const char *wanted, size_t count, int n_nodes,
                   const char *const settings[])
{
    char *text = explained(RPT_COLL_ALLREDUCE, count, n_nodes, settings);
    char line[32];

    snprintf(line, sizeof line, "\n* %s ", wanted);
    if (strstr(text, line) == NULL) {
        printf("%s", text);
        CU_FAIL("another algorithm is chosen");
    }
    free(text);
}

static void rules_go_before_the_model(void)
{
    const char *settings[] = { "coll.rules", NULL, NULL, NULL, NULL };

    make_folder();
    settings[1] = in_folder("rules");
    write_file(settings[1], "allreduce nodes=1 bytes=0-400 -> sliced\n"
                            "allreduce nodes=1 -> flat\n"
                            "allreduce nodes=2 ranks=4 -> circulant\n"
                            "allreduce -> ring\n");
    expect("sliced", 100, 1, settings);
    expect("flat", 101, 1, settings);
    expect("circulant", 100, 2, settings);
    expect("ring", 100, 3, settings);
    expect("doubling", 1, 3, settings); /* a ring of one element cannot be */
    settings[2] = "coll.reproducible";
    settings[3] = "yes";
    expect("direct", 100, 2, settings);
    settings[2] = "coll.allreduce.algorithm";
    settings[3] = "halving";
    expect("halving", 100, 1, settings);
    unlink(in_folder("rules"));
    rmdir(folder);
}

/* An algorithm that cannot has no summary, but a reason. */
static void a_table_says_why_one_cannot(void)
{
    const char *settings[] = { "coll.rules", "none", NULL };
    char *text = explained(RPT_COLL_ALLREDUCE, 1, 1, settings);

    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\n  halving        cannot do this call: it needs at "
                     "least as many elements as ranks\n"));
    free(text);
    text = explained(RPT_COLL_ALLREDUCE, 100, 2, settings);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\n  flat           cannot do this call: it needs all "
                     "ranks on one node, "));
    free(text);
}

static void it_is_said_why(void)
{
    const char *settings[] = { "coll.rules", NULL, NULL, NULL, NULL };
    char *text;

    make_folder();
    settings[1] = in_folder("rules");
    write_file(settings[1], "# one\nallreduce nodes=2 -> sliced\n"
                            "allreduce nodes=2 -> ring\n");
    text = explained(RPT_COLL_ALLREDUCE, 100, 2, settings);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "/rules:2, since sliced cannot"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "chosen by the rule "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "/rules:3\n"));
    free(text);
    text = explained(RPT_COLL_ALLREDUCE, 100, 1, settings);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "by the model, with usual numbers\n"));
    free(text);
    settings[2] = "coll.allreduce.algorithm";
    settings[3] = "ring";
    text = explained(RPT_COLL_ALLREDUCE, 100, 1, settings);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "forced by option coll.allreduce.algorithm (program)"));
    free(text);
    unlink(in_folder("rules"));
    rmdir(folder);
}

/* A call that suits all: four ranks of one node, with open buffers. */
static struct rpt_case good_case(void)
{
    return (struct rpt_case){
        .n_ranks = 4,
        .count = 100,
        .segment = 100,
        .stage_count = 1000,
        .commutative = true,
        .one_node = true,
        .can_pull = true,
        .element_bytes = 4,
    };
}

static const char *lack_of(rpt_coll_kind_t kind, const char *name,
                           const struct rpt_case *c)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(kind);

    while (*all != NULL && strcmp((*all)->name, name) != 0) {
        all++;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(*all);
    CU_ASSERT_FALSE((*all)->applies(c));
    return rpt__why_not(*all, c);
}

/* Each case is good but for one thing, or two. */
static void it_is_said_what_a_call_lacks(void)
{
    const size_t counts[] = { 1, 2, 3, 4 }, starts[] = { 0, 1, 3, 6, 10 };
    struct rpt_case c = good_case();

    c.can_pull = false;
    CU_ASSERT_STRING_EQUAL(lack_of(RPT_COLL_ALLREDUCE, "pulled", &c),
                           "it needs buffers of rpt_buffer_alloc() on all "
                           "ranks");
    c = good_case();
    c.commutative = false;
    CU_ASSERT_STRING_EQUAL(lack_of(RPT_COLL_ALLREDUCE, "ring", &c),
                           "it needs an operator that commutes");
    c = good_case();
    c.one_node = c.can_pull = false;
    CU_ASSERT_STRING_EQUAL(lack_of(RPT_COLL_ALLREDUCE, "flat", &c),
                           "it needs all ranks on one node, with memory that "
                           "they share");
    c = good_case();
    c.count = 3;
    CU_ASSERT_STRING_EQUAL(lack_of(RPT_COLL_ALLREDUCE, "ring", &c),
                           "it needs at least as many elements as ranks");
    c.commutative = false;
    CU_ASSERT_PTR_NOT_NULL(
        strstr(lack_of(RPT_COLL_ALLREDUCE, "ring", &c), "it needs "));
    c = good_case();
    c.count = 1001;
    CU_ASSERT_STRING_EQUAL(lack_of(RPT_COLL_ALLREDUCE, "flat", &c),
                           "it needs a vector that shared memory has room for");
    c = good_case();
    c.counts = counts;
    c.starts = starts;
    CU_ASSERT_STRING_EQUAL(lack_of(RPT_COLL_ALLTOALL, "bruck", &c),
                           "it needs blocks of one size, one behind the other");
    c = good_case();
    c.n_ranks = 1;
    CU_ASSERT_STRING_EQUAL(lack_of(RPT_COLL_ALLREDUCE, "two-level", &c),
                           "it needs more ranks");
    c.n_ranks = 4;
    CU_ASSERT_STRING_EQUAL(lack_of(RPT_COLL_ALLREDUCE, "two-level", &c),
                           "it needs several nodes with several ranks");
    CU_ASSERT_STRING_EQUAL(lack_of(RPT_COLL_ALLREDUCE, "copy", &c),
                           "it is for one rank alone");
}

static rpt_status_t explain_plan(rpt_context_t *context, void *user)
{
    rpt_coll_t coll = { .kind = RPT_COLL_BARRIER };
    rpt_plan_t *plan;
    char *text;

    (void)user;
    CHECK(rpt_plan_create(rpt_group_world(context), &coll, &plan) == RPT_OK);
    CHECK(rpt_plan_explain(plan, &text) == RPT_OK);
    CHECK(strstr(text, "\n* dissemination ") != NULL);
    CHECK(strstr(text, "chosen by the rule ") != NULL);
    free(text);
    CHECK(rpt_plan_start(plan) == RPT_OK);
    CHECK(rpt_plan_wait(plan) == RPT_OK);
    rpt_plan_destroy(plan);
    return RPT_OK;
}

static void contexts_obey_rules(void)
{
    const char *settings[] = { "coll.rules", NULL, NULL };
    rpt_options_t *options;

    make_folder();
    settings[1] = in_folder("rules");
    write_file(settings[1], "barrier -> dissemination\n");
    options = options_with(settings);
    CU_ASSERT_EQUAL(rpt_local_run(3, options, explain_plan, NULL), RPT_OK);
    write_file(settings[1], "barrier => dissemination\n");
    CU_ASSERT_EQUAL(rpt_local_run(3, options, explain_plan, NULL),
                    RPT_ERR_PARSE);
    rpt_options_destroy(options);
    unlink(in_folder("rules"));
    rmdir(folder);
}

/* Threads can read each other's buffers, so both rules count here. */
static rpt_status_t explain_large(rpt_context_t *context, void *user)
{
    enum { MANY = 1 << 16 };
    float *in = calloc(MANY, sizeof *in), *out = calloc(MANY, sizeof *out);
    const rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                              .in = in,
                              .out = out,
                              .count = MANY,
                              .type = RPT_TYPE_F32,
                              .op = RPT_OP_SUM };
    rpt_plan_t *plan;
    char *text;

    (void)user;
    CHECK(rpt_plan_create(rpt_group_world(context), &coll, &plan) == RPT_OK);
    CHECK(rpt_plan_explain(plan, &text) == RPT_OK);
    CHECK(strstr(text, "\n* ring ") != NULL);
    CHECK(strstr(text, "that all can read (rpt_buffer_alloc): pulled") != NULL);
    free(text);
    rpt_plan_destroy(plan);
    free(in);
    free(out);
    return RPT_OK;
}

static void a_rule_for_own_buffers_leaves_others_alone(void)
{
    const char *settings[] = { "coll.rules", NULL, NULL };
    rpt_options_t *options;

    make_folder();
    settings[1] = in_folder("rules");
    write_file(settings[1], "allreduce -> ring\nallreduce -> pulled\n");
    options = options_with(settings);
    CU_ASSERT_EQUAL(rpt_local_run(3, options, explain_large, NULL), RPT_OK);
    rpt_options_destroy(options);
    unlink(in_folder("rules"));
    rmdir(folder);
}

/* Of one element whose buffers all can read; "" where nothing is found. */
static const char *taken_of_open(const rpt_options_t *options)
{
    struct rpt_case c = good_case();
    struct rpt_question question = { .options = options,
                                     .kind = RPT_COLL_ALLREDUCE,
                                     .c = &c,
                                     .element_bytes = 4 };
    const struct rpt_algorithm *taken = NULL;
    struct rpt_buf brief = RPT_BUF_EMPTY;
    struct rpt_model model;

    CU_ASSERT_EQUAL_FATAL(rpt__policy_look(options, &brief), RPT_OK);
    question.policy = (const struct rpt_policy *)(void *)brief.data;
    model = rpt__numbers_model(&question.policy->numbers, true);
    c.model = &model;
    c.count = 1;
    CU_ASSERT_EQUAL(rpt__select(&question, &taken), RPT_OK);
    rpt__buf_free(&brief);
    return taken != NULL ? taken->name : "";
}

/* For one element the model never takes it. */
static void a_rule_for_open_buffers_is_obeyed(void)
{
    const char *settings[] = { "coll.rules", NULL, NULL };
    rpt_options_t *options;

    make_folder();
    settings[1] = in_folder("rules");
    write_file(settings[1], "allreduce -> ring\n");
    options = options_with(settings);
    CU_ASSERT_STRING_NOT_EQUAL(taken_of_open(options), "pulled");
    write_file(settings[1], "allreduce -> sliced\nallreduce -> pulled\n");
    CU_ASSERT_STRING_EQUAL(taken_of_open(options), "pulled");
    rpt_options_destroy(options);
    unlink(in_folder("rules"));
    rmdir(folder);
}

static void algorithms_can_be_listed(void)
{
    int n = 0;

    while (rpt_coll_algorithm(RPT_COLL_SCAN, n) != NULL) {
        n++;
    }
    CU_ASSERT(n >= 3);
    CU_ASSERT_STRING_EQUAL(rpt_coll_algorithm(RPT_COLL_SCAN, 0), "copy");
    CU_ASSERT_PTR_NULL(rpt_coll_algorithm(RPT_COLL_SCAN, n + 1));
    CU_ASSERT_PTR_NULL(rpt_coll_algorithm(RPT_COLL_SCAN, -1));
    CU_ASSERT_PTR_NULL(rpt_coll_algorithm((rpt_coll_kind_t)11, 0));
}

/* ---- bits ---- */

enum { N_RANKS = 5, COUNT = 1000 };

struct bits {
    rpt_coll_t coll;
    unsigned char out[N_RANKS][COUNT * 8];
    _Atomic bool could;
};

/* Sums whose order shows in the last bits. */
static void fill(void *in, rpt_type_t type, int rank)
{
    for (int i = 0; i < COUNT * N_RANKS; i++) {
        double x = (double)((i * 7 + rank * 13) % 101 + 1) / 97;
        float f = (float)x;
        uint32_t word;

        memcpy(&word, &f, sizeof word);
        if (type == RPT_TYPE_F64) {
            ((double *)in)[i] = x;
        } else if (type == RPT_TYPE_F32) {
            ((float *)in)[i] = f;
        } else { /* bf16: the upper half; as f16 a number, too */
            ((uint16_t *)in)[i] = (uint16_t)(word >> 16);
        }
    }
}

static rpt_status_t find_bits(rpt_context_t *context, void *user)
{
    struct bits *bits = user;
    rpt_coll_t coll = bits->coll;
    int rank = rpt_context_rank(context);
    void *in = calloc(COUNT * N_RANKS, 8), *out = calloc(COUNT * N_RANKS, 8);
    rpt_plan_t *plan;
    rpt_status_t status;

    fill(in, coll.type, rank);
    coll.in = in;
    coll.out = out;
    status = rpt_plan_create(rpt_group_world(context), &coll, &plan);
    CHECK(status == RPT_OK || status == RPT_ERR_UNSUPPORTED);
    if (status == RPT_OK) {
        CHECK(rpt_plan_start(plan) == RPT_OK);
        CHECK(rpt_plan_wait(plan) == RPT_OK);
        rpt_plan_destroy(plan);
        memcpy(bits->out[rank], out, sizeof bits->out[rank]);
        bits->could = true;
    }
    free(in);
    free(out);
    return RPT_OK;
}

static void find_with(struct bits *bits, const char *name)
{
    char option[64];
    const char *settings[] = { option, name, "coll.reproducible", "yes", NULL };
    rpt_options_t *options;

    snprintf(option, sizeof option, "coll.%s.algorithm",
             bits->coll.kind == RPT_COLL_REDUCE_SCATTER
                 ? "reduce_scatter"
                 : rpt_coll_name(bits->coll.kind));
    options = options_with(settings);
    memset(bits->out, 0, sizeof bits->out);
    bits->could = false;
    CU_ASSERT_EQUAL(rpt_local_run(N_RANKS, options, find_bits, bits), RPT_OK);
    rpt_options_destroy(options);
}

/* The number of algorithms that had the same bits. */
static int compare_all(const rpt_coll_t *coll)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(coll->kind);
    struct bits *bits = calloc(2, sizeof *bits);
    int n = 0;

    for (; *all != NULL; all++) {
        struct bits *found = &bits[n > 0];

        found->coll = *coll;
        if (!(*all)->in_rank_order) {
            continue;
        }
        find_with(found, (*all)->name);
        if (!found->could) {
            continue;
        }
        if (n > 0 && memcmp(bits[0].out, found->out, sizeof found->out) != 0) {
            printf("  %s of %s by %s has other bits\n",
                   rpt_coll_name(coll->kind), rpt_type_name(coll->type),
                   (*all)->name);
            CU_FAIL("bits differ");
        }
        n++;
    }
    free(bits);
    return n;
}

static void whichever_is_reproducible_has_the_same_bits(void)
{
    static const rpt_coll_kind_t kinds[] = { RPT_COLL_ALLREDUCE,
                                             RPT_COLL_REDUCE,
                                             RPT_COLL_REDUCE_SCATTER,
                                             RPT_COLL_SCAN, RPT_COLL_EXSCAN };
    static const rpt_type_t types[] = { RPT_TYPE_F32, RPT_TYPE_F64,
                                        RPT_TYPE_BF16, RPT_TYPE_F16 };
    static const rpt_op_t ops[] = { RPT_OP_SUM, RPT_OP_PRODUCT };
    int n = 0;

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t t = 0; t < 4; t++) {
            for (size_t o = 0; o < 2; o++) {
                const rpt_coll_t coll = { .kind = kinds[k],
                                          .count = COUNT,
                                          .type = types[t],
                                          .op = ops[o] };

                n += compare_all(&coll);
            }
        }
    }
    CU_ASSERT(n >= 8 * 9); /* 3, 2, 2, 1 and 1 algorithms */
}

static const struct rpt_test tests[] = {
    RPT_TEST(a_rule_says_which_calls_it_is_for),
    RPT_TEST(bytes_that_nobody_knows_fit_no_range),
    RPT_TEST(a_bad_rule_is_named_with_its_line),
    RPT_TEST(what_is_no_text_is_no_rule),
    RPT_TEST(what_is_no_file_has_no_rules),
    RPT_TEST(numbers_outlive_their_text),
    RPT_TEST(numbers_beyond_belief_are_brought_back),
    RPT_TEST(text_that_has_no_numbers_is_left_alone),
    RPT_TEST(the_file_of_a_host_must_be_ours_alone),
    RPT_TEST(readers_never_see_half_of_it),
    RPT_TEST(rules_go_before_the_model),
    RPT_TEST(it_is_said_why),
    RPT_TEST(a_table_says_why_one_cannot),
    RPT_TEST(it_is_said_what_a_call_lacks),
    RPT_TEST(contexts_obey_rules),
    RPT_TEST(a_rule_for_own_buffers_leaves_others_alone),
    RPT_TEST(a_rule_for_open_buffers_is_obeyed),
    RPT_TEST(algorithms_can_be_listed),
    RPT_TEST(whichever_is_reproducible_has_the_same_bits),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("test_select", tests, 120, argc, argv);
}
