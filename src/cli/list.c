/*
 * list.c - the tasks that were read, and the same as canonical JSON lines
 *
 * A task of a plain command line costs one struct and one piece of memory;
 * what few tasks have (environment, dependencies, …) stands apart.
 */
#include "cli/list.h"

#include <stdlib.h>
#include <string.h>

struct task_spec *list_add(struct task_list *list, uint32_t line)
{
    struct task_spec *spec;

    if (list->n == list->room) {
        list->room = list->room > 0 ? list->room * 2 : 64;
        list->tasks = get_more(list->tasks, list->room * sizeof *list->tasks);
    }
    spec = &list->tasks[list->n++];
    memset(spec, 0, sizeof *spec);
    spec->line = line;
    spec->timeout_s = -1;
    spec->retries = -1;
    return spec;
}

struct task_more *spec_more(struct task_spec *spec)
{
    if (spec->more == NULL) {
        spec->more = get_memory(sizeof *spec->more);
        spec->more->priority = RPT_PRIORITY_NORMAL;
    }
    return spec->more;
}

char **make_vector(const char *strings, size_t bytes, size_t n)
{
    size_t head = (n + 1) * sizeof(char *);
    char **vector = get_memory(head + bytes);
    char *copy = (char *)vector + head;

    if (bytes > 0) {
        memcpy(copy, strings, bytes);
    }
    for (size_t i = 0; i < n; i++) {
        vector[i] = copy;
        copy += strlen(copy) + 1;
    }
    return vector;
}

const char *const *spec_shown(const struct task_spec *spec)
{
    char **words = spec->shown != NULL ? spec->shown : spec->argv;

    return (const char *const *)words;
}

const char *priority_name(rpt_priority_t priority)
{
    static const char *const names[] = { "high", "normal", "low" };

    return names[priority];
}

static void add_string(struct text *text, const char *key, const char *value)
{
    text_printf(text, ",\"%s\":", key);
    text_json(text, value, strlen(value));
}

static void add_strings(struct text *text, char *const *strings, size_t n)
{
    text_char(text, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            text_char(text, ',');
        }
        text_json(text, strings[i], strlen(strings[i]));
    }
    text_char(text, ']');
}

static void add_env(struct text *text, const struct task_more *more)
{
    text_string(text, ",\"env\":{");
    for (size_t i = 0; i < more->n_env; i++) {
        const struct task_env *env = &more->env[i];

        if (i > 0) {
            text_char(text, ',');
        }
        text_json(text, env->name, strlen(env->name));
        text_char(text, ':');
        if (env->value == NULL) {
            text_string(text, "null");
        } else {
            text_json(text, env->value, strlen(env->value));
        }
    }
    text_char(text, '}');
}

static void add_needs(struct text *text, const struct task_more *more)
{
    text_string(text, ",\"resources\":{");
    for (size_t i = 0; i < more->n_needs; i++) {
        text_printf(text, "%s\"%s\":%d", i > 0 ? "," : "", more->needs[i].name,
                    more->needs[i].units);
    }
    text_char(text, '}');
}

static void add_more(struct text *text, const struct task_more *more)
{
    if (more->n_env > 0) {
        add_env(text, more);
    }
    if (more->cwd != NULL) {
        add_string(text, "cwd", more->cwd);
    }
    if (more->stdin_data != NULL) {
        text_string(text, ",\"stdin\":");
        text_json(text, more->stdin_data, more->stdin_bytes);
    }
    if (more->n_after > 0) {
        text_string(text, ",\"after\":");
        add_strings(text, more->after, more->n_after);
    }
    if (more->priority != RPT_PRIORITY_NORMAL) {
        add_string(text, "priority", priority_name(more->priority));
    }
    if (more->n_needs > 0) {
        add_needs(text, more);
    }
    if (more->memory_mib > 0) {
        text_printf(text, ",\"memory_mib\":%llu",
                    (unsigned long long)more->memory_mib);
    }
    if (more->checkpoint_s > 0) {
        text_printf(text, ",\"checkpoint_interval\":%.17g", more->checkpoint_s);
    }
}

void spec_json(struct text *text, const struct task_spec *spec)
{
    size_t n = 0;

    while (spec->argv[n] != NULL) {
        n++;
    }
    text_string(text, "{\"argv\":");
    add_strings(text, spec->argv, n);
    if (spec->id != NULL) {
        add_string(text, "id", spec->id);
    }
    if (spec->timeout_s >= 0) {
        text_printf(text, ",\"timeout_s\":%.17g", spec->timeout_s);
    }
    if (spec->retries >= 0) {
        text_printf(text, ",\"retries\":%d", spec->retries);
    }
    if (spec->slots > 0) {
        text_printf(text, ",\"slots\":%d", spec->slots);
    }
    if (spec->more != NULL) {
        add_more(text, spec->more);
    }
    text_string(text, "}\n");
}

static void free_more(struct task_more *more)
{
    if (more == NULL) {
        return;
    }
    for (size_t i = 0; i < more->n_env; i++) {
        free(more->env[i].name);
        free(more->env[i].value);
    }
    for (size_t i = 0; i < more->n_after; i++) {
        free(more->after[i]);
    }
    for (size_t i = 0; i < more->n_needs; i++) {
        free(more->needs[i].name);
    }
    free(more->env);
    free(more->after);
    free(more->needs);
    free(more->cwd);
    free(more->stdin_data);
    free(more);
}

void list_free(struct task_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        struct task_spec *spec = &list->tasks[i];

        free(spec->argv);
        free(spec->shown);
        free(spec->id);
        free(spec->output);
        free_more(spec->more);
    }
    free(list->tasks);
    *list = (struct task_list){ list->source, NULL, 0, 0 };
}
