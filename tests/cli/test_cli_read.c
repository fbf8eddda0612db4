/*
 * test_cli_read.c - what the command reads: lines, JSON, templates, lists
 *
 * Words are compared with what /bin/sh makes of the same line, templates with
 * values written down from GNU parallel.
 */
#include "harness.h"

#include "cli/files.h"
#include "cli/input.h"
#include "cli/template.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct task_list list;
static struct fault fault;

/* Parses a string as a file of that name; gives the code. */
static int parse_as(const char *name, const char *text, size_t bytes,
                    bool shell)
{
    struct input_options options = { .file = name, .shell = shell };
    struct source source = { name, text, bytes };
    int code;

    list_free(&list);
    memset(&fault, 0, sizeof fault);
    code = input_parse(&options, &source, &list, &fault);
    return code == CODE_OK ? check_list(&list, NULL, &fault) : code;
}

static int parse(const char *text)
{
    return parse_as("t", text, strlen(text), false);
}

static int parse_j(const char *text)
{
    return parse_as("t.jsonl", text, strlen(text), false);
}

/* "[a][b c]" of a task's words. */
static const char *words_of(size_t task)
{
    static struct text text;

    text_clear(&text);
    text_string(&text, "");
    for (char **w = list.tasks[task].argv; *w != NULL; w++) {
        text_printf(&text, "[%s]", *w);
    }
    return text.data;
}

static bool says(const char *part)
{
    if (strstr(fault.what, part) == NULL && strstr(fault.why, part) == NULL &&
        strstr(fault.hint, part) == NULL) {
        printf("  it says: %s / %s / %s\n", fault.what, fault.why, fault.hint);
        return false;
    }
    return true;
}

/* ---- lines ---- */

static void a_line_is_split_into_words(void)
{
    CU_ASSERT_EQUAL(parse("cc -c  a.c\t-o a.o\n"), CODE_OK);
    CU_ASSERT_EQUAL(list.n, 1);
    CU_ASSERT_STRING_EQUAL(words_of(0), "[cc][-c][a.c][-o][a.o]");
}

static void words_are_those_of_a_shell(void)
{
    static const char *const lines[] = {
        "a b",       "a 'b c' d",        "a \"b c\" d",
        "a b\\ c d", "a '\"' \"'\"",     "a \"x\\\"y\" \"x\\\\y\" \"x\\ny\"",
        "a 'x\\y'",  "a x'y z'\"p q\"r", "a '' \"\" b",
        "a b#c",     "a b # c",          "a \\# b",
        "a \\\\ b",  "a \"\\$x \\`\"",   "  a\tb  ",
        "a '#' b",   "a \"#x\" #y 'z",   "a '{}' \\{\\}",
    };

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char command[512], expected[512] = "";
        FILE *shell;
        size_t n;

        CU_ASSERT_EQUAL(parse(lines[i]), CODE_OK);
        snprintf(command, sizeof command, "printf '[%%s]' %s", lines[i]);
        shell = popen(command, "r");
        CU_ASSERT_PTR_NOT_NULL_FATAL(shell);
        n = fread(expected, 1, sizeof expected - 1, shell);
        expected[n] = '\0';
        pclose(shell);
        CU_ASSERT_STRING_EQUAL(words_of(0), expected);
    }
}

static void empty_lines_and_comments_are_no_tasks(void)
{
    CU_ASSERT_EQUAL(parse("\n   \n# a\n  # b\n\t\nx\n\n"), CODE_OK);
    CU_ASSERT_EQUAL(list.n, 1);
    CU_ASSERT_EQUAL(list.tasks[0].line, 6);
    CU_ASSERT_EQUAL(parse(""), CODE_OK);
    CU_ASSERT_EQUAL(list.n, 0);
}

static void the_last_line_needs_no_end(void)
{
    CU_ASSERT_EQUAL(parse("a\nb"), CODE_OK);
    CU_ASSERT_EQUAL(list.n, 2);
    CU_ASSERT_STRING_EQUAL(words_of(1), "[b]");
}

static void line_ends_of_windows_are_no_part_of_a_word(void)
{
    CU_ASSERT_EQUAL(parse("\xef\xbb\xbf"
                          "a b\r\nc\r\n"),
                    CODE_OK);
    CU_ASSERT_STRING_EQUAL(words_of(0), "[a][b]");
    CU_ASSERT_STRING_EQUAL(words_of(1), "[c]");
    CU_ASSERT_EQUAL(parse_as("t", "a b\r\n", 5, true), CODE_OK);
    CU_ASSERT_STRING_EQUAL(words_of(0), "[/bin/sh][-c][a b]");
}

static void an_open_quote_is_named_with_line_and_column(void)
{
    CU_ASSERT_EQUAL(parse("a\nb 'c\nd\n"), CODE_INPUT);
    CU_ASSERT(says("t:2:3:") && says("single quote"));
    CU_ASSERT_EQUAL(parse("b \"c\n"), CODE_INPUT);
    CU_ASSERT(says("t:1:3:") && says("double quote"));
    CU_ASSERT_EQUAL(parse("b c\\\n"), CODE_INPUT);
    CU_ASSERT(says("t:1:4:") && says("backslash"));
    CU_ASSERT_EQUAL(parse("'' a\n"), CODE_INPUT);
    CU_ASSERT(says("t:1:") && says("program is empty"));
}

static void a_nul_byte_is_an_error_with_its_place(void)
{
    CU_ASSERT_EQUAL(parse_as("t", "a\nb \0c\n", 7, false), CODE_INPUT);
    CU_ASSERT(says("t:2:3:") && says("NUL"));
    CU_ASSERT_EQUAL(parse_as("t", "a\nb \0c\n", 7, true), CODE_INPUT);
    CU_ASSERT(says("t:2:3:"));
    CU_ASSERT_EQUAL(parse_as("t.jsonl", "{\"argv\":[\"a\0\"]}\n", 16, false),
                    CODE_INPUT);
    CU_ASSERT(says("t.jsonl:1:12:") && says("NUL"));
    CU_ASSERT_EQUAL(parse_as("t", "\0\0\0\0", 4, false), CODE_INPUT);
    CU_ASSERT(says("t:1:1:"));
}

static void a_line_of_a_megabyte_is_read(void)
{
    size_t bytes = 1 << 20;
    char *line = malloc(bytes + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    for (size_t i = 0; i < bytes; i++) {
        line[i] = i % 8 == 7 ? ' ' : 'x';
    }
    line[bytes] = '\0';
    CU_ASSERT_EQUAL(parse(line), CODE_OK);
    CU_ASSERT_EQUAL(list.n, 1);
    CU_ASSERT_EQUAL(strlen(list.tasks[0].argv[131071]), 7);
    CU_ASSERT_PTR_NULL(list.tasks[0].argv[131072]);
    free(line);
}

static void with_shell_a_line_is_left_to_it(void)
{
    const char *text = "a | b > 'c\n  # no\nd # e\n";

    CU_ASSERT_EQUAL(parse_as("t", text, strlen(text), true), CODE_OK);
    CU_ASSERT_EQUAL(list.n, 2);
    CU_ASSERT_STRING_EQUAL(words_of(0), "[/bin/sh][-c][a | b > 'c]");
    CU_ASSERT_STRING_EQUAL(words_of(1), "[/bin/sh][-c][d # e]");
}

static void what_looks_like_a_shell_line_is_noticed(void)
{
    size_t where = 99;

    CU_ASSERT(looks_like_shell("a | b", 5, &where) && where == 2);
    CU_ASSERT(looks_like_shell("a >  b", 6, &where) && where == 2);
    CU_ASSERT(looks_like_shell("X=1 a", 5, &where) && where == 0);
    CU_ASSERT(looks_like_shell("a && b", 6, &where) && where == 2);
    CU_ASSERT_FALSE(looks_like_shell("a b=c --d=e", 11, &where));
    CU_ASSERT_FALSE(looks_like_shell("a '|' b", 7, &where));
    CU_ASSERT_FALSE(looks_like_shell("a x|y", 5, &where));
    CU_ASSERT_FALSE(looks_like_shell("", 0, &where));
}

/* ---- JSON ---- */

static void every_key_of_an_object_is_taken(void)
{
    const struct task_spec *s;

    CU_ASSERT_EQUAL(
        parse_j("{\"id\":\"b\",\"argv\":[\"p\"]}\n"
                "{\"id\":\"a\",\"argv\":[\"p\",\"x y\",\"\"],"
                "\"env\":{\"A\":\"1\",\"B\":null},\"cwd\":\"/tmp\","
                "\"stdin\":\"in\",\"after\":[\"b\"],\"priority\":\"high\","
                "\"timeout_s\":2.5,\"retries\":3,\"slots\":4,"
                "\"resources\":{\"gpu\":2},\"memory_mib\":100,"
                "\"checkpoint_interval\":0.5}\n"),
        CODE_OK);
    CU_ASSERT_EQUAL_FATAL(list.n, 2);
    s = &list.tasks[1];
    CU_ASSERT_STRING_EQUAL(s->id, "a");
    CU_ASSERT_STRING_EQUAL(words_of(1), "[p][x y][]");
    CU_ASSERT_EQUAL(s->timeout_s, 2.5);
    CU_ASSERT_EQUAL(s->retries, 3);
    CU_ASSERT_EQUAL(s->slots, 4);
    CU_ASSERT_EQUAL(s->line, 2);
    CU_ASSERT_STRING_EQUAL(s->more->env[0].name, "A");
    CU_ASSERT_STRING_EQUAL(s->more->env[0].value, "1");
    CU_ASSERT_PTR_NULL(s->more->env[1].value);
    CU_ASSERT_STRING_EQUAL(s->more->cwd, "/tmp");
    CU_ASSERT_STRING_EQUAL(s->more->stdin_data, "in");
    CU_ASSERT_EQUAL(s->more->stdin_bytes, 2);
    CU_ASSERT_STRING_EQUAL(s->more->after[0], "b");
    CU_ASSERT_EQUAL(s->more->priority, RPT_PRIORITY_HIGH);
    CU_ASSERT_STRING_EQUAL(s->more->needs[0].name, "gpu");
    CU_ASSERT_EQUAL(s->more->needs[0].units, 2);
    CU_ASSERT_EQUAL(s->more->memory_mib, 100);
    CU_ASSERT_EQUAL(s->more->checkpoint_s, 0.5);
}

static void a_shell_key_is_a_line_for_the_shell(void)
{
    CU_ASSERT_EQUAL(parse_j("\n# comment\n{\"shell\":\"a | b\"}\n"), CODE_OK);
    CU_ASSERT_EQUAL_FATAL(list.n, 1);
    CU_ASSERT_STRING_EQUAL(words_of(0), "[/bin/sh][-c][a | b]");
    CU_ASSERT_PTR_NULL(list.tasks[0].id);
    CU_ASSERT_PTR_NULL(list.tasks[0].more);
    CU_ASSERT(list.tasks[0].timeout_s < 0 && list.tasks[0].retries < 0);
}

static void an_unknown_key_is_answered_with_the_nearest(void)
{
    CU_ASSERT_EQUAL(parse_j("{\"argv\":[\"a\"]}\n{\"arvg\":[\"a\"]}\n"),
                    CODE_INPUT);
    CU_ASSERT(says("t.jsonl:2:") && says("\"arvg\"") &&
              says("did you mean \"argv\""));
    CU_ASSERT_EQUAL(parse_j("{\"argv\":[\"a\"],\"timeout\":1}"), CODE_INPUT);
    CU_ASSERT(says("timeout_s"));
    CU_ASSERT_EQUAL(parse_j("{\"argv\":[\"a\"],\"zzzzzz\":1}"), CODE_INPUT);
    CU_ASSERT(says("zzzzzz") && !strstr(fault.hint, "did you mean"));
}

static void values_of_the_wrong_type_are_errors(void)
{
    static const char *const bad[] = {
        "\"id\":1",
        "\"id\":\"\"",
        "\"id\":\"a\\nb\"",
        "\"env\":[]",
        "\"env\":{\"a\":1}",
        "\"env\":{\"a=b\":\"\"}",
        "\"env\":{\"\":\"\"}",
        "\"cwd\":\"\"",
        "\"cwd\":1",
        "\"stdin\":null",
        "\"after\":\"a\"",
        "\"after\":[1]",
        "\"after\":[\"\"]",
        "\"priority\":\"urgent\"",
        "\"priority\":1",
        "\"timeout_s\":\"1\"",
        "\"timeout_s\":-1",
        "\"retries\":1.5",
        "\"retries\":-1",
        "\"retries\":1000001",
        "\"slots\":0",
        "\"slots\":\"4\"",
        "\"slots\":65537",
        "\"resources\":{\"gpu\":0}",
        "\"resources\":[]",
        "\"resources\":{\"1gpu\":1}",
        "\"resources\":{\"g-u\":1}",
        "\"memory_mib\":-1",
        "\"memory_mib\":1.5",
        "\"checkpoint_interval\":-0.5",
        "\"checkpoint_interval\":\"60 s\"",
        "\"shell\":\"x\"",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[128], key[32];

        snprintf(line, sizeof line, "\n{\"argv\":[\"p\"],%s}", bad[i]);
        CU_ASSERT_EQUAL(parse_j(line), CODE_INPUT);
        CU_ASSERT(says("t.jsonl:2:"));
        snprintf(key, sizeof key, "%.*s", (int)strcspn(bad[i] + 1, "\"") + 2,
                 bad[i]);
        CU_ASSERT(says(key));
    }
}

static void what_to_run_must_be_said_once(void)
{
    static const char *const bad[] = {
        "{}",
        "{\"id\":\"a\"}",
        "{\"argv\":[]}",
        "{\"argv\":[\"\"]}",
        "{\"argv\":\"ls\"}",
        "{\"argv\":[\"a\",1]}",
        "{\"shell\":\"\"}",
        "{\"shell\":[\"a\"]}",
        "{\"shell\":\"a\",\"argv\":[\"b\"]}",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_EQUAL(parse_j(bad[i]), CODE_INPUT);
        CU_ASSERT(says("t.jsonl:1:"));
    }
}

static void bad_json_is_named_with_its_place(void)
{
    CU_ASSERT_EQUAL(parse_j("{\"argv\":[\"a\"]}\n{\"argv\":[\"a\"]\n"),
                    CODE_INPUT);
    CU_ASSERT(says("t.jsonl:2:") && says("JSON"));
    CU_ASSERT_EQUAL(parse_j("[\"a\"]"), CODE_INPUT);
    CU_ASSERT(says("object"));
    CU_ASSERT_EQUAL(parse_j("1"), CODE_INPUT);
    CU_ASSERT_EQUAL(parse_j("{\"argv\":[\"a\"]} {\"argv\":[\"b\"]}"),
                    CODE_INPUT);
    CU_ASSERT_EQUAL(parse_j("{\"argv\":[\"a\"],\"argv\":[\"b\"]}"), CODE_INPUT);
    CU_ASSERT(says("duplicate"));
    CU_ASSERT_EQUAL(parse_j("{\"argv\":[\"a\\u0000b\"]}"), CODE_INPUT);
    CU_ASSERT_EQUAL(parse_j("{\"argv\":[\"\xff\"]}"), CODE_INPUT);
}

static void json_is_told_from_lines(void)
{
    static const struct {
        const char *name, *text;
        bool shell;
        enum input_format format;
    } cases[] = {
        { "t", "{\"argv\":[\"a\"]}", false, FORMAT_JSON },
        { "t", "\n# c\n  { \"argv\":1}", false, FORMAT_JSON },
        { "t", "{}", false, FORMAT_JSON },
        { "t", "{ a; b; }", false, FORMAT_LINES },
        { "t", "{ a; b; }", true, FORMAT_LINES },
        { "t", "{ \"a\" b; }", true, FORMAT_JSON },
        { "t", "a {\"b\"}", false, FORMAT_LINES },
        { "t", "", false, FORMAT_LINES },
        { "t", "\n\n", false, FORMAT_LINES },
        { "t.json", "a", false, FORMAT_JSON },
        { "t.JSONL", "", false, FORMAT_JSON },
        { "t.ndjson", "a", true, FORMAT_JSON },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source source = { cases[i].name, cases[i].text,
                                 strlen(cases[i].text) };

        CU_ASSERT_EQUAL(input_guess(&source, cases[i].shell), cases[i].format);
    }
}

static void the_schema_of_the_manual_has_our_keys(void)
{
    const char *top = getenv("SRC");
    char path[4096];
    json_t *schema;
    const json_t *keys;

    snprintf(path, sizeof path, "%s/doc/tasks.schema.json",
             top != NULL ? top : ".");
    schema = json_load_file(path, 0, NULL);
    keys = json_object_get(schema, "properties");
    CU_ASSERT_PTR_NOT_NULL_FATAL(keys);
    CU_ASSERT_EQUAL(json_object_size(keys), n_json_keys);
    for (size_t i = 0; i < n_json_keys; i++) {
        CU_ASSERT_PTR_NOT_NULL(json_object_get(keys, json_keys[i]));
    }
    json_decref(schema);
}

static void canonical_lines_read_back_as_the_same_task(void)
{
    static const char text[] =
        "{\"id\":\"b\",\"argv\":[\"p\"]}\n"
        "{\"argv\":[\"p\",\"\\u00e9\\n\\\"\"],\"id\":\"a\",\"timeout_s\":2.5,"
        "\"retries\":3,\"slots\":4,\"env\":{\"A\":\"1\",\"B\":null},"
        "\"cwd\":\"/tmp\",\"stdin\":\"in\",\"after\":[\"b\"],"
        "\"priority\":\"low\",\"resources\":{\"gpu\":2},\"memory_mib\":100,"
        "\"checkpoint_interval\":60}\n";
    struct text first = { NULL, 0, 0 }, second = { NULL, 0, 0 };

    CU_ASSERT_EQUAL_FATAL(parse_j(text), CODE_OK);
    spec_json(&first, &list.tasks[0]);
    spec_json(&first, &list.tasks[1]);
    CU_ASSERT_EQUAL_FATAL(parse_j(first.data), CODE_OK);
    CU_ASSERT_STRING_EQUAL(words_of(1), "[p][\xc3\xa9\n\"]");
    CU_ASSERT_EQUAL(list.tasks[1].more->priority, RPT_PRIORITY_LOW);
    CU_ASSERT_EQUAL(list.tasks[1].timeout_s, 2.5);
    spec_json(&second, &list.tasks[0]);
    spec_json(&second, &list.tasks[1]);
    CU_ASSERT_STRING_EQUAL(first.data, second.data);
    text_free(&first);
    text_free(&second);
}

/* ---- lists ---- */

static void an_id_given_twice_names_both_lines(void)
{
    CU_ASSERT_EQUAL(parse_j("{\"id\":\"a\",\"argv\":[\"p\"]}\n"
                            "{\"id\":\"b\",\"argv\":[\"p\"]}\n"
                            "{\"id\":\"a\",\"argv\":[\"p\"]}\n"),
                    CODE_INPUT);
    CU_ASSERT(says("t.jsonl:3:") && says("\"a\"") && says("line 1"));
}

static void an_unknown_dependency_is_answered_with_the_nearest(void)
{
    CU_ASSERT_EQUAL(parse_j("{\"id\":\"mesh\",\"argv\":[\"p\"]}\n"
                            "{\"id\":\"b\",\"argv\":[\"p\"],"
                            "\"after\":[\"mehs\"]}\n"),
                    CODE_INPUT);
    CU_ASSERT(says("t.jsonl:2:") && says("\"mehs\"") &&
              says("did you mean \"mesh\""));
}

static void a_cycle_of_dependencies_is_spelled_out(void)
{
    CU_ASSERT_EQUAL(
        parse_j("{\"id\":\"x\",\"argv\":[\"p\"],\"after\":[\"a\"]}\n"
                "{\"id\":\"a\",\"argv\":[\"p\"],\"after\":[\"b\"]}\n"
                "{\"id\":\"b\",\"argv\":[\"p\"],\"after\":[\"c\"]}\n"
                "{\"id\":\"c\",\"argv\":[\"p\"],\"after\":[\"a\"]}\n"),
        CODE_INPUT);
    CU_ASSERT(says("cycle") && says("\"a\" (line 2)") &&
              says("\"b\" (line 3)") && says("\"c\" (line 4)"));
    CU_ASSERT_FALSE(strstr(fault.why, "\"x\"") != NULL);
    CU_ASSERT_EQUAL(
        parse_j("{\"id\":\"s\",\"argv\":[\"p\"],\"after\":[\"s\"]}\n"),
        CODE_INPUT);
    CU_ASSERT(says("cycle"));
}

static void a_long_chain_is_no_cycle(void)
{
    enum { N = 200000 };
    struct text text = { NULL, 0, 0 };

    /* Each task waits for the next one: the deepest walk there is. */
    for (int i = 0; i < N; i++) {
        text_printf(&text, "{\"id\":\"%d\",\"argv\":[\"p\"],\"after\":[", i);
        text_printf(&text, i + 1 < N ? "\"%d\"]}\n" : "]}\n", i + 1);
    }
    CU_ASSERT_EQUAL(parse_as("t.jsonl", text.data, text.bytes, false), CODE_OK);
    CU_ASSERT_EQUAL(list.n, N);
    text_free(&text);
}

static void ids_of_a_running_job_are_known_too(void)
{
    struct map known = { NULL, 0, 0 };

    CU_ASSERT_EQUAL(parse_j("{\"id\":\"b\",\"argv\":[\"p\"]}"), CODE_OK);
    map_set_string(&known, "a", 0);
    CU_ASSERT_EQUAL(check_list(&list, &known, &fault), CODE_OK);
    map_set_string(&known, "b", 1);
    CU_ASSERT_EQUAL(check_list(&list, &known, &fault), CODE_INPUT);
    CU_ASSERT(says("already"));
    map_free(&known);
    CU_ASSERT_EQUAL(parse_j("{\"argv\":[\"p\"],\"after\":[\"a\"]}"),
                    CODE_INPUT);
    map_set_string(&known, "a", 0);
    CU_ASSERT_EQUAL(check_list(&list, &known, &fault), CODE_OK);
    map_free(&known);
}

/* ---- templates ---- */

static const char *expand(const char *word, const char *value, bool quote)
{
    static struct text text;
    const struct template_value v = { value, 7, quote };

    text_clear(&text);
    text_string(&text, "");
    template_word(&text, word, &v);
    return text.data;
}

/* Written down from: parallel -q printf … {} {.} {/} {//} {/.} ::: VALUE */
static void templates_are_those_of_gnu_parallel(void)
{
    static const char *const cases[][6] = {
        { "a", "a", "a", "a", ".", "a" },
        { "a.b", "a.b", "a", "a.b", ".", "a" },
        { "a/b.c", "a/b.c", "a/b", "b.c", "a", "b" },
        { "a/b.c/", "a/b.c/", "a/b.c/", "", "a", "" },
        { "/a", "/a", "/a", "a", "/", "a" },
        { ".", ".", "", ".", ".", "" },
        { "a.", "a.", "a", "a.", ".", "a" },
        { "..", "..", ".", "..", ".", "." },
        { ".bashrc", ".bashrc", "", ".bashrc", ".", "" },
        { "a.b/c", "a.b/c", "a.b/c", "c", "a.b", "c" },
        { "/x/", "/x/", "/x/", "", "/", "" },
        { "//", "//", "//", "", "/", "" },
        { "a b.txt", "a b.txt", "a b", "a b.txt", ".", "a b" },
        { "a.tar.gz", "a.tar.gz", "a.tar", "a.tar.gz", ".", "a.tar" },
        { "", "", "", "", ".", "" },
        { "a/.b", "a/.b", "a/", ".b", "a", "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const *c = cases[i];

        CU_ASSERT_STRING_EQUAL(expand("{}", c[0], false), c[1]);
        CU_ASSERT_STRING_EQUAL(expand("{.}", c[0], false), c[2]);
        CU_ASSERT_STRING_EQUAL(expand("{/}", c[0], false), c[3]);
        CU_ASSERT_STRING_EQUAL(expand("{//}", c[0], false), c[4]);
        CU_ASSERT_STRING_EQUAL(expand("{/.}", c[0], false), c[5]);
    }
    CU_ASSERT_STRING_EQUAL(expand("x{}-{#}{", "{.}", false), "x{.}-7{");
    CU_ASSERT_STRING_EQUAL(expand("{x}{{}}", "v", false), "{x}{v}");
}

static void quoted_values_are_safe_for_a_shell(void)
{
    CU_ASSERT_STRING_EQUAL(expand("cp {} {.}.bak", "a b.c", true),
                           "cp 'a b.c' 'a b'.bak");
    CU_ASSERT_STRING_EQUAL(expand("{}", "it's; rm -rf /", true),
                           "'it'\\''s; rm -rf /'");
    CU_ASSERT_STRING_EQUAL(expand("{}", "", true), "''");
    CU_ASSERT_STRING_EQUAL(expand("{%}{#}", "x", true), "\"$RPT_TASK_SLOT\"7");
}

static int each(const char *const words[], bool shell, const char *text)
{
    struct input_options options = {
        .file = "v", .each = true, .words = words, .shell = shell
    };
    struct source source = { "v", text, strlen(text) };

    list_free(&list);
    memset(&fault, 0, sizeof fault);
    return input_parse(&options, &source, &list, &fault);
}

static void a_template_is_filled_for_each_line(void)
{
    static const char *const words[] = {
        "p", "-o", "{.}.o", "{}", "{#}", NULL
    };
    static const char *const bare[] = { "p", "x", NULL };
    static const char *const program[] = { "{}", NULL };

    CU_ASSERT_EQUAL(each(words, false, "a.c\nb c.c\n\n"), CODE_OK);
    CU_ASSERT_EQUAL_FATAL(list.n, 3);
    CU_ASSERT_STRING_EQUAL(words_of(0), "[p][-o][a.o][a.c][1]");
    CU_ASSERT_STRING_EQUAL(words_of(1), "[p][-o][b c.o][b c.c][2]");
    CU_ASSERT_STRING_EQUAL(words_of(2), "[p][-o][.o][][3]");
    CU_ASSERT_EQUAL(each(bare, false, "a b\n"), CODE_OK);
    CU_ASSERT_STRING_EQUAL(words_of(0), "[p][x][a b]");
    CU_ASSERT_EQUAL(each(program, false, "a\n\n"), CODE_INPUT);
    CU_ASSERT(says("v:2:"));
    CU_ASSERT_EQUAL(each(bare, true, "a b\n"), CODE_OK);
    CU_ASSERT_STRING_EQUAL(words_of(0), "[/bin/sh][-c][p x 'a b']");
}

/* The words are run by a real shell, as a task would, in slot 5. */
static void the_slot_comes_from_the_environment(void)
{
    static const char *const words[] = { "printf", "[%s]", "{}",    "a{%}b{%}",
                                         "{%}",    "",     "$HOME", "`x`",
                                         "\"",     NULL };
    struct text command = { NULL, 0, 0 };
    char out[256] = "";
    FILE *shell;
    size_t n;

    CU_ASSERT_EQUAL(each(words, false, "it's {%} $(x)\n"), CODE_OK);
    text_string(&command, "RPT_TASK_SLOT=5 ");
    text_command(&command, (const char *const *)list.tasks[0].argv);
    shell = popen(command.data, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(shell);
    n = fread(out, 1, sizeof out - 1, shell);
    out[n] = '\0';
    pclose(shell);
    CU_ASSERT_STRING_EQUAL(out, "[it's {%} $(x)][a5b5][5][][$HOME][`x`][\"]");
    CU_ASSERT_STRING_EQUAL(spec_shown(&list.tasks[0])[3], "a{%}b{%}");
    text_free(&command);
}

/* ---- names ---- */

static void the_nearest_word_is_found_or_none(void)
{
    static const char *const known[] = { "timeout", "retries", "slots" };

    CU_ASSERT_STRING_EQUAL(nearest_word("timout", known, 3), "timeout");
    CU_ASSERT_STRING_EQUAL(nearest_word("slot", known, 3), "slots");
    CU_ASSERT_PTR_NULL(nearest_word("qqqqqqqq", known, 3));
    CU_ASSERT_PTR_NULL(nearest_word("x", known, 0));
}

static void files_are_named_for_what_the_task_is(void)
{
    struct occurrences o = { { NULL, 0, 0 }, NULL, 0, 0 };
    char *first, *second, *third;

    CU_ASSERT_EQUAL(parse_j("{\"id\":\"a/../b c\",\"argv\":[\"p\"]}\n"
                            "{\"argv\":[\"/bin/ls\",\"x\"]}\n"
                            "{\"argv\":[\"/bin/ls\",\"x\"]}\n"
                            "{\"argv\":[\"/bin/ls\",\"y\"]}\n"
                            "{\"id\":\"..\",\"argv\":[\"p\"]}\n"
                            "{\"argv\":[\"/bin/ls\",\"x\"]}\n"),
                    CODE_OK);
    files_name(&list, 0, "/d", &o);
    CU_ASSERT_STRING_EQUAL(list.tasks[0].output, "/d/a%2F..%2Fb%20c");
    CU_ASSERT_STRING_EQUAL(list.tasks[4].output, "/d/%2E.");
    first = list.tasks[1].output;
    second = list.tasks[2].output;
    CU_ASSERT(strncmp(first, "/d/ls-", 6) == 0);
    CU_ASSERT_EQUAL(strncmp(first, second, strlen(first) - 1), 0);
    CU_ASSERT_EQUAL(first[strlen(first) - 1], '1');
    CU_ASSERT_EQUAL(second[strlen(second) - 1], '2');
    CU_ASSERT_NOT_EQUAL(strcmp(list.tasks[3].output, first), 0);
    third = list.tasks[5].output;
    CU_ASSERT_EQUAL(third[strlen(third) - 1], '3');
    occurrences_free(&o);
}

static void a_map_finds_what_was_put_into_it(void)
{
    enum { N = 5000 };
    static char keys[N][8];
    struct map map = { NULL, 0, 0 };
    size_t wrong = 0;

    for (size_t i = 0; i < N; i++) {
        snprintf(keys[i], sizeof keys[i], "k%zu", i);
        map_set_string(&map, keys[i], i);
    }
    map_set_string(&map, "k7", 70);
    for (size_t i = 0; i < N; i++) {
        wrong += map_find_string(&map, keys[i]) != (i == 7 ? 70 : i);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(map_find_string(&map, "k5000"), MAP_NONE);
    map_free(&map);
    for (size_t i = 0; i < N; i++) {
        map_set_address(&map, keys[i], i);
    }
    for (size_t i = 0; i < N; i++) {
        wrong += map_find_address(&map, keys[i]) != i;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(map_find_address(&map, &map), MAP_NONE);
    map_free(&map);
}

static void a_missing_file_is_an_error_that_says_why(void)
{
    struct input_options options = { .file = "/nonexistent/tasks" };

    list_free(&list);
    CU_ASSERT_EQUAL(input_read(&options, &list, &fault), CODE_INPUT);
    CU_ASSERT(says("/nonexistent/tasks") && says("No such file"));
    options.file = "/";
    CU_ASSERT_EQUAL(input_read(&options, &list, &fault), CODE_INPUT);
    CU_ASSERT(says("directory"));
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(a_line_is_split_into_words),
        RPT_TEST(words_are_those_of_a_shell),
        RPT_TEST(empty_lines_and_comments_are_no_tasks),
        RPT_TEST(the_last_line_needs_no_end),
        RPT_TEST(line_ends_of_windows_are_no_part_of_a_word),
        RPT_TEST(an_open_quote_is_named_with_line_and_column),
        RPT_TEST(a_nul_byte_is_an_error_with_its_place),
        RPT_TEST(a_line_of_a_megabyte_is_read),
        RPT_TEST(with_shell_a_line_is_left_to_it),
        RPT_TEST(what_looks_like_a_shell_line_is_noticed),
        RPT_TEST(every_key_of_an_object_is_taken),
        RPT_TEST(a_shell_key_is_a_line_for_the_shell),
        RPT_TEST(an_unknown_key_is_answered_with_the_nearest),
        RPT_TEST(values_of_the_wrong_type_are_errors),
        RPT_TEST(what_to_run_must_be_said_once),
        RPT_TEST(bad_json_is_named_with_its_place),
        RPT_TEST(json_is_told_from_lines),
        RPT_TEST(the_schema_of_the_manual_has_our_keys),
        RPT_TEST(canonical_lines_read_back_as_the_same_task),
        RPT_TEST(an_id_given_twice_names_both_lines),
        RPT_TEST(an_unknown_dependency_is_answered_with_the_nearest),
        RPT_TEST(a_cycle_of_dependencies_is_spelled_out),
        RPT_TEST(a_long_chain_is_no_cycle),
        RPT_TEST(ids_of_a_running_job_are_known_too),
        RPT_TEST(templates_are_those_of_gnu_parallel),
        RPT_TEST(quoted_values_are_safe_for_a_shell),
        RPT_TEST(a_template_is_filled_for_each_line),
        RPT_TEST(the_slot_comes_from_the_environment),
        RPT_TEST(the_nearest_word_is_found_or_none),
        RPT_TEST(files_are_named_for_what_the_task_is),
        RPT_TEST(a_map_finds_what_was_put_into_it),
        RPT_TEST(a_missing_file_is_an_error_that_says_why),
        RPT_TEST_END
    };
    int code;

    say_quiet(true);
    code = rpt_test_main("cli_read", tests, 60, argc, argv);
    list_free(&list);
    return code;
}
