/*
 * test_policy.c - what a context selects by: where it is read, and its limits
 */
#include "fixture.h"
#include "harness.h"

#include "collectives/pattern/layout.h"
#include "collectives/select/kept.h"
#include "collectives/select/select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a folder, which is the home and the cache too ---- */

static char folder[512];

static void enter(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(folder, 400));
    strcat(folder, "/test_policy.XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    setenv("HOME", folder, 1);
    setenv("XDG_CACHE_HOME", folder, 1);
}

static const char *in_folder(const char *name)
{
    static char path[1024];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void leave(void)
{
    unsetenv("XDG_CACHE_HOME");
    rmdir(in_folder("repartir"));
    CU_ASSERT_EQUAL(rmdir(folder), 0); /* nothing else is left */
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}

typedef rpt_status_t brief_fn(const rpt_options_t *options,
                              struct rpt_buf *brief);

/* To be freed. */
static struct rpt_policy *read_by(brief_fn *brief, const char *const settings[])
{
    rpt_options_t *options = options_with(settings);
    struct rpt_buf data = RPT_BUF_EMPTY;
    struct rpt_policy *policy;

    CU_ASSERT_EQUAL_FATAL(brief(options, &data), RPT_OK);
    policy = malloc(data.bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
    memcpy(policy, data.data, data.bytes);
    rpt__buf_free(&data);
    rpt_options_destroy(options);
    return policy;
}

/* ---- rules ---- */

static void expect_file(const char *wanted, uint64_t n_rules)
{
    static const char *const settings[] = { "coll.rules", "", NULL };
    struct rpt_policy *policy = read_by(rpt__policy_look, settings);

    CU_ASSERT_STRING_EQUAL(policy->file, wanted);
    CU_ASSERT_EQUAL(policy->n_rules, n_rules);
    free(policy);
}

static void rules_of_here_go_before_those_at_home(void)
{
    const char *home;

    if (access("/etc/repartir.rules", R_OK) == 0 ||
        access("repartir.rules", R_OK) == 0) {
        rpt_test_skip("there are rules of somebody else");
        return;
    }
    enter();
    expect_file("", 0);
    mkdir(in_folder(".config"), 0700);
    mkdir(in_folder(".config/repartir"), 0700);
    home = in_folder(".config/repartir/repartir.rules");
    write_file(home, "barrier -> dissemination\n");
    expect_file(home, 1);
    write_file("repartir.rules", "scan -> chain\nexscan -> chain\n");
    expect_file("repartir.rules", 2);
    unlink("repartir.rules");
    unlink(in_folder(".config/repartir/repartir.rules"));
    rmdir(in_folder(".config/repartir"));
    rmdir(in_folder(".config"));
    leave();
}

static void a_name_of_rules_ends_where_its_room_does(void)
{
    char name[513];
    const char *settings[] = { "coll.rules", name, NULL };
    rpt_options_t *options;
    struct rpt_buf brief = RPT_BUF_EMPTY;

    memset(name, 'r', sizeof name - 1);
    name[512] = '\0';
    options = options_with(settings);
    CU_ASSERT_EQUAL(rpt__policy_look(options, &brief), RPT_ERR_PARSE);
    rpt_options_destroy(options);
    name[511] = '\0';
    options = options_with(settings);
    CU_ASSERT_EQUAL(rpt__policy_look(options, &brief), RPT_ERR_IO);
    rpt_options_destroy(options);
    rpt__buf_free(&brief);
}

static void a_line_of_rules_has_511_bytes_at_most(void)
{
    struct rpt_buf rules = RPT_BUF_EMPTY;
    char text[512];

    memset(text, ' ', sizeof text);
    memcpy(text, "scan -> chain", 13);
    CU_ASSERT_EQUAL(rpt__rules_parse("R", text, 511, &rules), RPT_OK);
    CU_ASSERT_EQUAL(rules.bytes, sizeof(struct rpt_rule));
    CU_ASSERT_EQUAL(rpt__rules_parse("R", text, 512, &rules), RPT_ERR_PARSE);
    rpt__buf_free(&rules);
}

/* A part of them is not what was meant. */
static void rules_of_a_mebibyte_are_not_read(void)
{
    struct rpt_buf rules = RPT_BUF_EMPTY;
    const char *path;
    FILE *file;

    enter();
    path = in_folder("rules");
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (int i = 0; i < (1 << 20) / 16; i++) {
        fputs("scan -> chain #\n", file);
    }
    fclose(file);
    CU_ASSERT_EQUAL(rpt__rules_read(path, &rules), RPT_ERR_PARSE);
    CU_ASSERT_EQUAL(rules.bytes, 0);
    CU_ASSERT_EQUAL(truncate(path, (1 << 20) - 16), 0);
    CU_ASSERT_EQUAL(rpt__rules_read(path, &rules), RPT_OK);
    CU_ASSERT_EQUAL(rules.bytes,
                    ((1 << 20) / 16 - 1) * sizeof(struct rpt_rule));
    rpt__buf_free(&rules);
    unlink(path);
    leave();
}

/* ---- which call a rule sees ---- */

/* The algorithm that a rule of this text chooses; the model has no numbers. */
static const char *chosen_by(const char *text, rpt_coll_kind_t kind,
                             const struct rpt_case *c)
{
    const struct rpt_algorithm *algorithm = NULL;
    struct rpt_question question = { .kind = kind,
                                     .c = c,
                                     .element_bytes = c->element_bytes };
    const char *settings[] = { "coll.rules", in_folder("rules"), NULL };
    struct rpt_policy *policy;
    rpt_options_t *options;

    write_file(settings[1], text);
    policy = read_by(rpt__policy_look, settings);
    options = options_with(settings);
    question.policy = policy;
    question.options = options;
    CU_ASSERT_EQUAL_FATAL(rpt__select(&question, &algorithm), RPT_OK);
    rpt_options_destroy(options);
    free(policy);
    unlink(in_folder("rules"));
    return algorithm->name;
}

/* A message costs so much that a ring is never the cheapest. */
static const struct rpt_model slow = { .message_s = 1 };

static struct rpt_case four_ranks(void)
{
    return (struct rpt_case){ .n_ranks = 4,
                              .count = 100,
                              .segment = 100,
                              .commutative = true,
                              .model = &slow,
                              .element_bytes = 4 };
}

/* 4, 8, 0 and 388 elements: 100 in the mean. */
static void a_rule_sees_the_mean_of_blocks(void)
{
    const size_t counts[] = { 4, 8, 0, 388 }, starts[] = { 0, 4, 12, 12, 400 };
    struct rpt_case c = four_ranks();

    enter();
    c.counts = counts;
    c.starts = starts;
    CU_ASSERT_STRING_EQUAL(
        chosen_by("allgather bytes=400 -> ring", RPT_COLL_ALLGATHER, &c),
        "ring");
    CU_ASSERT_STRING_NOT_EQUAL(
        chosen_by("allgather bytes=401- -> ring", RPT_COLL_ALLGATHER, &c),
        "ring");
    CU_ASSERT_STRING_NOT_EQUAL(
        chosen_by("allgather bytes=0-399 -> ring", RPT_COLL_ALLGATHER, &c),
        "ring");
    leave();
}

/* Domains of one node are a layout, too. */
static void domains_are_no_nodes_for_a_rule(void)
{
    struct rpt_case c = four_ranks();
    struct rpt_layout *layout = NULL;

    enter();
    CU_ASSERT_EQUAL_FATAL(rpt__layout_create_even(4, 2, 1, &layout), RPT_OK);
    c.layout = layout;
    CU_ASSERT_STRING_EQUAL(
        chosen_by("allreduce nodes=2 -> ring", RPT_COLL_ALLREDUCE, &c), "ring");
    c.one_node = true;
    CU_ASSERT_STRING_EQUAL(
        chosen_by("allreduce nodes=1 -> ring", RPT_COLL_ALLREDUCE, &c), "ring");
    CU_ASSERT_STRING_NOT_EQUAL(
        chosen_by("allreduce nodes=2 -> ring", RPT_COLL_ALLREDUCE, &c), "ring");
    rpt__layout_destroy(layout);
    leave();
}

/* ---- words ---- */

static void words_of_options_are_what_they_say(void)
{
    static const char *const usual[] = { "coll.check", "usual",
                                         "coll.kernel_copy", "no", NULL };
    static const char *const full[] = { "coll.check", "full",
                                        "coll.kernel_copy", "always", NULL };
    struct rpt_policy *policy = read_by(rpt__policy_look, usual);

    CU_ASSERT_EQUAL(policy->checks_first, 0);
    CU_ASSERT_EQUAL(policy->kernel_copy, RPT_KERNEL_COPY_NEVER);
    free(policy);
    policy = read_by(rpt__policy_look, full);
    CU_ASSERT_EQUAL(policy->checks_first, 1);
    CU_ASSERT_EQUAL(policy->kernel_copy, RPT_KERNEL_COPY_ALWAYS);
    free(policy);
    policy = read_by(rpt__policy_brief_local, full); /* ranks are threads */
    CU_ASSERT_EQUAL(policy->checks_first, 1);
    CU_ASSERT_EQUAL(policy->kernel_copy, RPT_KERNEL_COPY_NEVER);
    free(policy);
}

/* ---- what is measured, and kept ---- */

static const char *const auto_measure[] = { "coll.measure", "auto", NULL };

/* What is kept in the place of a host, for these settings. */
static void keep(const struct rpt_numbers *numbers, char path[])
{
    rpt_options_t *options = options_with(auto_measure);

    CU_ASSERT_FATAL(rpt__kept_find(options, path));
    CU_ASSERT_FATAL(rpt__kept_may_write(path));
    CU_ASSERT_FATAL(rpt__kept_write(path, numbers));
    rpt_options_destroy(options);
}

static uint64_t measures(brief_fn *brief)
{
    struct rpt_policy *policy = read_by(brief, auto_measure);
    uint64_t how = policy->measures;

    free(policy);
    return how;
}

static void what_was_tried_often_is_not_measured_again(void)
{
    struct rpt_numbers numbers = RPT_NUMBERS_USUAL;
    char path[RPT_KEPT_PATH_BYTES];

    enter();
    CU_ASSERT_EQUAL(measures(rpt__policy_brief), RPT_MEASURE_ONCE);
    numbers.n_tries = 4;
    keep(&numbers, path);
    CU_ASSERT_EQUAL(measures(rpt__policy_brief), RPT_MEASURE_ONCE);
    numbers.n_tries = 5;
    keep(&numbers, path);
    CU_ASSERT_EQUAL(measures(rpt__policy_brief), RPT_MEASURE_NOTHING);
    numbers.n_tries = 0;
    for (int i = 0; i < RPT_N_NUMBERS; i++) {
        rpt__numbers_set(&numbers, (enum rpt_number)i, 1e-9);
    }
    keep(&numbers, path);
    CU_ASSERT_EQUAL(measures(rpt__policy_brief), RPT_MEASURE_NOTHING);
    unlink(path);
    leave();
}

static void a_look_leaves_no_trace(void)
{
    enter();
    CU_ASSERT_EQUAL(measures(rpt__policy_look), RPT_MEASURE_NOTHING);
    CU_ASSERT_EQUAL(measures(rpt__policy_brief_local), RPT_MEASURE_NOTHING);
    CU_ASSERT_NOT_EQUAL(access(in_folder("repartir"), F_OK), 0);
    leave();
}

static void find(const char *name, const char *value, char path[])
{
    const char *settings[] = { name, value, NULL };
    rpt_options_t *options = options_with(settings);

    CU_ASSERT_FATAL(rpt__kept_find(options, path));
    rpt_options_destroy(options);
}

/* What makes other numbers has another file. */
static void each_way_of_a_host_has_its_file(void)
{
    static const char *const ways[][2] = { { "comm.shm", "yes" },
                                           { "comm.shm", "no" },
                                           { "comm.shared_bytes", "0" },
                                           { "topo.virtual_nodes", "2" },
                                           { "topo.virtual_domains", "2" } };
    enum { N = sizeof ways / sizeof *ways };
    char paths[N][RPT_KEPT_PATH_BYTES];

    enter();
    for (int i = 0; i < N; i++) {
        find(ways[i][0], ways[i][1], paths[i]);
        for (int k = 0; k < i; k++) {
            CU_ASSERT_STRING_NOT_EQUAL(paths[i], paths[k]);
        }
    }
    setenv("XDG_CACHE_HOME", "not/absolute", 1); /* which does not count */
    find(ways[0][0], ways[0][1], paths[0]);
    CU_ASSERT_EQUAL(
        strncmp(paths[0], in_folder(".cache/repartir/"), strlen(folder) + 17),
        0);
    leave();
}

static void what_cannot_be_kept_leaves_nothing(void)
{
    struct rpt_numbers numbers = RPT_NUMBERS_USUAL;
    char path[RPT_KEPT_PATH_BYTES];

    enter();
    rpt__numbers_set(&numbers, RPT_NUMBER_STEP, 7e-9);
    keep(&numbers, path);
    CU_ASSERT(rpt__kept_read(path, &numbers));
    if (geteuid() == 0) { /* it is somebody else's */
        CU_ASSERT_EQUAL(chown(path, 1, (gid_t)-1), 0);
        CU_ASSERT(!rpt__kept_read(path, &numbers));
    }
    unlink(path);
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0); /* in its place */
    CU_ASSERT(!rpt__kept_write(path, &numbers));
    CU_ASSERT(!rpt__kept_read(path, &numbers));
    rmdir(path);
    leave();
}

/* ---- numbers ---- */

static void numbers_are_merged_with_their_tries(void)
{
    struct rpt_numbers all = RPT_NUMBERS_USUAL, one = RPT_NUMBERS_USUAL;

    rpt__numbers_set(&all, RPT_NUMBER_FLAG, 50e-9);
    rpt__numbers_set(&all, RPT_NUMBER_STEP, 5e-9);
    rpt__numbers_set(&one, RPT_NUMBER_STEP, 7e-9);
    one.n_tries = 3;
    rpt__numbers_merge(&all, &one);
    CU_ASSERT_DOUBLE_EQUAL(all.seconds[RPT_NUMBER_FLAG], 50e-9, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(all.seconds[RPT_NUMBER_STEP], 7e-9, 1e-15);
    CU_ASSERT_EQUAL(all.n_tries, 3);
}

static void near_and_far_have_numbers_of_their_own(void)
{
    struct rpt_numbers numbers = RPT_NUMBERS_USUAL;

    for (int i = 0; i < RPT_N_NUMBERS; i++) {
        numbers.seconds[i] = i + 1;
    }
    CU_ASSERT_EQUAL(rpt__numbers_model(&numbers, true).message_s,
                    RPT_NUMBER_NEAR_MESSAGE + 1);
    CU_ASSERT_EQUAL(rpt__numbers_model(&numbers, true).byte_s,
                    RPT_NUMBER_NEAR_BYTE + 1);
    CU_ASSERT_EQUAL(rpt__numbers_model(&numbers, false).message_s,
                    RPT_NUMBER_FAR_MESSAGE + 1);
    CU_ASSERT_EQUAL(rpt__numbers_model(&numbers, false).byte_s,
                    RPT_NUMBER_FAR_BYTE + 1);
}

/* All that a call needs, and no more. */
static void what_a_call_needs_is_measured_or_not(void)
{
    const uint64_t local = 0xf, near = 0x30, far = 0xc0, across = 0x300;
    struct rpt_numbers n = RPT_NUMBERS_USUAL;

    CU_ASSERT_EQUAL(rpt__numbers_origin(&n, true, true), RPT_FROM_USUAL);
    n.measured = local | near;
    CU_ASSERT_EQUAL(rpt__numbers_origin(&n, true, false), RPT_FROM_MEASURED);
    CU_ASSERT_EQUAL(rpt__numbers_origin(&n, true, true), RPT_FROM_BOTH);
    CU_ASSERT_EQUAL(rpt__numbers_origin(&n, false, false), RPT_FROM_BOTH);
    n.measured = local | near | across;
    CU_ASSERT_EQUAL(rpt__numbers_origin(&n, true, true), RPT_FROM_MEASURED);
    n.measured = local | far;
    CU_ASSERT_EQUAL(rpt__numbers_origin(&n, false, false), RPT_FROM_MEASURED);
    for (int i = 0; i < 4; i++) {
        n.measured = (local & ~(UINT64_C(1) << i)) | near;
        CU_ASSERT_EQUAL(rpt__numbers_origin(&n, true, false), RPT_FROM_BOTH);
    }
    n.measured = across;
    CU_ASSERT_EQUAL(rpt__numbers_origin(&n, true, false), RPT_FROM_USUAL);
}

static const struct rpt_test tests[] = {
    RPT_TEST(rules_of_here_go_before_those_at_home),
    RPT_TEST(a_name_of_rules_ends_where_its_room_does),
    RPT_TEST(a_line_of_rules_has_511_bytes_at_most),
    RPT_TEST(rules_of_a_mebibyte_are_not_read),
    RPT_TEST(a_rule_sees_the_mean_of_blocks),
    RPT_TEST(domains_are_no_nodes_for_a_rule),
    RPT_TEST(words_of_options_are_what_they_say),
    RPT_TEST(what_was_tried_often_is_not_measured_again),
    RPT_TEST(a_look_leaves_no_trace),
    RPT_TEST(each_way_of_a_host_has_its_file),
    RPT_TEST(what_cannot_be_kept_leaves_nothing),
    RPT_TEST(numbers_are_merged_with_their_tries),
    RPT_TEST(near_and_far_have_numbers_of_their_own),
    RPT_TEST(what_a_call_needs_is_measured_or_not),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("policy", tests, 60, argc, argv);
}
