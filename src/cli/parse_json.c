/*
 * parse_json.c - one JSON object a line
 *
 *   {"id": "a", "argv": ["cc", "-c", "a.c"], "after": ["b"], "retries": 2}
 *
 * A table names each key and the function that takes its value; the schema of
 * the manual (doc/tasks.schema.json) has the same keys, which a test checks.
 * Empty lines and lines that begin with # are left out.
 */
#include "cli/parse.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RETRIES = 1000000, MOST_SLOTS = 65536, RESOURCE_NAME_BYTES = 32 };

/* Takes a value; NULL, or what the value ought to be. */
typedef const char *(*take_fn)(struct task_spec *spec, const json_t *value);

static const char *take_string(char **target, const json_t *value)
{
    if (!json_is_string(value) || json_string_length(value) == 0) {
        return "a string that is not empty";
    }
    *target = copy_string(json_string_value(value));
    return NULL;
}

static const char *take_id(struct task_spec *spec, const json_t *value)
{
    static const char expected[] =
        "a string that is not empty, without control characters";

    if (!json_is_string(value) || json_string_length(value) == 0) {
        return expected;
    }
    for (const char *c = json_string_value(value); *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c)) {
            return expected;
        }
    }
    spec->id = copy_string(json_string_value(value));
    return NULL;
}

static const char *take_argv(struct task_spec *spec, const json_t *value)
{
    static const char expected[] =
        "an array of strings, the first one not empty";
    struct text strings = { NULL, 0, 0 };
    const char *problem = NULL;
    size_t i, n = json_array_size(value);
    const json_t *word;

    if (n == 0 || json_string_length(json_array_get(value, 0)) == 0) {
        return expected;
    }
    json_array_foreach(value, i, word)
    {
        if (!json_is_string(word)) {
            problem = expected;
            break;
        }
        text_add(&strings, json_string_value(word),
                 json_string_length(word) + 1);
    }
    if (problem == NULL) {
        spec->argv = make_vector(strings.data, strings.bytes, n);
    }
    text_free(&strings);
    return problem;
}

static const char *take_shell(struct task_spec *spec, const json_t *value)
{
    struct text strings = { NULL, 0, 0 };

    if (!json_is_string(value) || json_string_length(value) == 0) {
        return "a string that is not empty";
    }
    text_add(&strings, "/bin/sh\0-c", 11);
    text_add(&strings, json_string_value(value), json_string_length(value) + 1);
    spec->argv = make_vector(strings.data, strings.bytes, 3);
    text_free(&strings);
    return NULL;
}

static const char *take_env(struct task_spec *spec, const json_t *value)
{
    static const char expected[] =
        "an object of strings or null, with names that have no =";
    struct task_more *more = spec_more(spec);
    const char *name;
    json_t *entry;

    if (!json_is_object(value)) {
        return expected;
    }
    more->env = get_memory(json_object_size(value) * sizeof *more->env);
    json_object_foreach((json_t *)(uintptr_t)value, name, entry)
    {
        if (name[0] == '\0' || strchr(name, '=') != NULL ||
            !(json_is_string(entry) || json_is_null(entry))) {
            return expected;
        }
        more->env[more->n_env++] = (struct task_env){
            copy_string(name),
            json_is_null(entry) ? NULL : copy_string(json_string_value(entry))
        };
    }
    return NULL;
}

static const char *take_cwd(struct task_spec *spec, const json_t *value)
{
    return take_string(&spec_more(spec)->cwd, value);
}

static const char *take_stdin(struct task_spec *spec, const json_t *value)
{
    struct task_more *more = spec_more(spec);

    if (!json_is_string(value)) {
        return "a string";
    }
    more->stdin_data = copy_string(json_string_value(value));
    more->stdin_bytes = json_string_length(value);
    return NULL;
}

static const char *take_after(struct task_spec *spec, const json_t *value)
{
    static const char expected[] = "an array of ids";
    struct task_more *more = spec_more(spec);
    const json_t *id;
    size_t i;

    if (!json_is_array(value)) {
        return expected;
    }
    more->after = get_memory(json_array_size(value) * sizeof *more->after);
    json_array_foreach(value, i, id)
    {
        if (json_string_length(id) == 0) {
            return expected;
        }
        more->after[more->n_after++] = copy_string(json_string_value(id));
    }
    return NULL;
}

static const char *take_priority(struct task_spec *spec, const json_t *value)
{
    const char *name = json_string_value(value);

    for (rpt_priority_t p = RPT_PRIORITY_HIGH;
         name != NULL && p <= RPT_PRIORITY_LOW; p++) {
        if (strcmp(name, priority_name(p)) == 0) {
            spec_more(spec)->priority = p;
            return NULL;
        }
    }
    return "\"high\", \"normal\" or \"low\"";
}

static const char *take_timeout(struct task_spec *spec, const json_t *value)
{
    double seconds = json_number_value(value);

    if (!json_is_number(value) || !isfinite(seconds) || seconds < 0) {
        return "a number of seconds, 0 (no limit) or more";
    }
    spec->timeout_s = seconds > 0 ? seconds : 0; /* no minus zero */
    return NULL;
}

static const char *take_checkpoint(struct task_spec *spec, const json_t *value)
{
    double seconds = json_number_value(value);

    if (!json_is_number(value) || !isfinite(seconds) || seconds < 0) {
        return "a number of seconds, 0 (no checkpoints) or more";
    }
    spec_more(spec)->checkpoint_s = seconds > 0 ? seconds : 0;
    return NULL;
}

static bool take_integer(const json_t *value, long long least, long long most,
                         long long *target)
{
    long long number = json_integer_value(value);

    if (!json_is_integer(value) || number < least || number > most) {
        return false;
    }
    *target = number;
    return true;
}

static const char *take_retries(struct task_spec *spec, const json_t *value)
{
    long long number;

    if (!take_integer(value, 0, MOST_RETRIES, &number)) {
        return "an integer from 0 to 1000000";
    }
    spec->retries = (int)number;
    return NULL;
}

static const char *take_slots(struct task_spec *spec, const json_t *value)
{
    long long number;

    if (!take_integer(value, 1, MOST_SLOTS, &number)) {
        return "an integer from 1 to 65536";
    }
    spec->slots = (int)number;
    return NULL;
}

static const char *take_memory(struct task_spec *spec, const json_t *value)
{
    long long number;

    if (!take_integer(value, 0, 1LL << 39, &number)) {
        return "an integer number of MiB, 0 or more";
    }
    spec_more(spec)->memory_mib = (uint64_t)number;
    return NULL;
}

static bool is_resource_name(const char *name)
{
    if (!isalpha((unsigned char)name[0]) ||
        strlen(name) >= RESOURCE_NAME_BYTES) {
        return false;
    }
    while (isalnum((unsigned char)*name) || *name == '_') {
        name++;
    }
    return *name == '\0';
}

static const char *take_resources(struct task_spec *spec, const json_t *value)
{
    static const char expected[] =
        "an object of integers, 1 or more; a name is a letter, then letters, "
        "digits and _, at most 31 in all";
    struct task_more *more = spec_more(spec);
    const char *name;
    json_t *entry;

    if (!json_is_object(value)) {
        return expected;
    }
    more->needs = get_memory(json_object_size(value) * sizeof *more->needs);
    json_object_foreach((json_t *)(uintptr_t)value, name, entry)
    {
        long long units;

        if (!is_resource_name(name) ||
            !take_integer(entry, 1, 1000000, &units)) {
            return expected;
        }
        more->needs[more->n_needs++] = (struct task_need){ copy_string(name),
                                                           (int)units };
    }
    return NULL;
}

/* json_keys[i] is taken by takers[i]. */
/* clang-format off */
const char *const json_keys[] = {
    "id",        "argv",      "shell",   "env",   "cwd",
    "stdin",     "after",     "priority", "timeout_s", "retries",
    "slots",     "resources", "memory_mib", "checkpoint_interval"
};
const size_t n_json_keys = sizeof json_keys / sizeof *json_keys;

static const take_fn takers[] = {
    take_id,     take_argv,      take_shell,    take_env,     take_cwd,
    take_stdin,  take_after,     take_priority, take_timeout, take_retries,
    take_slots,  take_resources, take_memory,   take_checkpoint
};
/* clang-format on */
_Static_assert(sizeof takers / sizeof *takers ==
                   sizeof json_keys / sizeof *json_keys,
               "a function for each key");

struct place {
    const char *file;
    uint32_t line;
};

static int unknown_key(const char *key, const struct place *place,
                       struct fault *fault)
{
    const char *near = nearest_word(key, json_keys, n_json_keys);

    fault_set(fault, CODE_INPUT, "%s:%u: there is no key \"%s\"", place->file,
              place->line, key);
    if (near != NULL) {
        fault_hint(fault, "did you mean \"%s\"?", near);
    } else {
        fault_hint(fault, "the keys are listed in repartir-run(1)");
    }
    return CODE_INPUT;
}

static int take_key(struct task_spec *spec, const char *key,
                    const json_t *value, const struct place *place,
                    struct fault *fault)
{
    const char *expected;
    size_t i = 0;

    while (i < n_json_keys && strcmp(json_keys[i], key) != 0) {
        i++;
    }
    if (i == n_json_keys) {
        return unknown_key(key, place, fault);
    }
    if (spec->argv != NULL &&
        (takers[i] == take_argv || takers[i] == take_shell)) {
        fault_set(fault, CODE_INPUT,
                  "%s:%u: both \"argv\" and \"shell\" are given", place->file,
                  place->line);
        fault_hint(fault, "give one of them");
        return CODE_INPUT;
    }
    expected = takers[i](spec, value);
    if (expected != NULL) {
        fault_set(fault, CODE_INPUT, "%s:%u: \"%s\" must be %s", place->file,
                  place->line, key, expected);
        return CODE_INPUT;
    }
    return CODE_OK;
}

static int take_object(struct task_list *list, json_t *object,
                       const struct place *place, struct fault *fault)
{
    struct task_spec *spec;
    const char *key;
    json_t *value;

    if (!json_is_object(object)) {
        fault_set(fault, CODE_INPUT, "%s:%u: not a JSON object", place->file,
                  place->line);
        fault_hint(fault, "write one object, { … }, on each line; "
                          "no array around them");
        return CODE_INPUT;
    }
    spec = list_add(list, place->line);
    json_object_foreach(object, key, value)
    {
        if (take_key(spec, key, value, place, fault) != CODE_OK) {
            return CODE_INPUT;
        }
    }
    if (spec->argv == NULL) {
        fault_set(fault, CODE_INPUT, "%s:%u: neither \"argv\" nor \"shell\"",
                  place->file, place->line);
        fault_hint(fault, "say what to run: \"argv\": [\"program\", …]");
        return CODE_INPUT;
    }
    return CODE_OK;
}

static int bad_json(const json_error_t *error, const struct place *place,
                    struct fault *fault)
{
    fault_set(fault, CODE_INPUT, "%s:%u:%d: not valid JSON", place->file,
              place->line, error->position);
    fault_why(fault, "%s", error->text);
    fault_hint(fault, "write one object, { … }, on each line");
    return CODE_INPUT;
}

int parse_json(const struct source *source, struct task_list *list,
               struct fault *fault)
{
    struct line_reader reader = { .source = source };
    int code = CODE_OK;

    while (code == CODE_OK && line_next(&reader)) {
        struct place place = { source->name, reader.number };
        json_error_t error;
        json_t *object;

        code = line_check(&reader, fault);
        if (code != CODE_OK || line_is_empty(&reader)) {
            continue;
        }
        object = json_loadb(reader.line, reader.bytes,
                            JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
        code = object == NULL ? bad_json(&error, &place, fault)
                              : take_object(list, object, &place, fault);
        json_decref(object);
    }
    return code;
}
