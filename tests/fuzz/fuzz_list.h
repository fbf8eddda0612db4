/*
 * fuzz_list.h - what must hold of any list of tasks that was read
 */
#ifndef RPT_TESTS_FUZZ_LIST_H
#define RPT_TESTS_FUZZ_LIST_H

#include "cli/input.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void canonical(const struct task_list *list, struct text *text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->tasks[i].argv[0] == NULL ||
            list->tasks[i].argv[0][0] == '\0' || list->tasks[i].line == 0) {
            abort();
        }
        spec_json(text, &list->tasks[i]);
    }
}

/* Canonical lines are read without a complaint and give themselves again. */
static void come_back(const struct text *lines)
{
    struct input_options options = { .file = "f", .format = FORMAT_JSON };
    struct source source = { "f", lines->data, lines->bytes };
    struct task_list list = { NULL, NULL, 0, 0 };
    struct text again = { NULL, 0, 0 };
    struct fault fault;

    if (input_parse(&options, &source, &list, &fault) != CODE_OK) {
        abort();
    }
    canonical(&list, &again);
    if (again.bytes != lines->bytes ||
        (again.bytes > 0 && memcmp(again.data, lines->data, again.bytes))) {
        abort();
    }
    text_free(&again);
    list_free(&list);
}

static void try_input(const struct input_options *options, const char *data,
                      size_t bytes)
{
    struct source source = { "f", data, bytes };
    struct task_list list = { NULL, NULL, 0, 0 };
    struct text lines = { NULL, 0, 0 };
    struct fault fault;
    int code = input_parse(options, &source, &list, &fault);

    if (code == CODE_OK) {
        code = check_list(&list, NULL, &fault);
        canonical(&list, &lines);
        come_back(&lines);
    }
    if (code != CODE_OK && (code != CODE_INPUT || fault.what[0] == '\0')) {
        abort();
    }
    text_free(&lines);
    list_free(&list);
}

#endif /* RPT_TESTS_FUZZ_LIST_H */
