/*
 * template.c - --each FILE -- program {} …
 *
 * What the strings mean was checked against GNU parallel.  The slot of {%} is
 * known only when a task starts: the keeper tells the child by RPT_TASK_SLOT.
 * A task with {%} therefore runs as
 *
 *   /bin/sh -c 'exec "${1}" "${2}${RPT_TASK_SLOT}${3}"' sh prog out- .txt
 *
 * so that all other bytes are handed on untouched.
 */
#include "cli/template.h"

#include "cli/parse.h"

#include <stdlib.h>
#include <string.h>

enum string { NONE, VALUE, NO_EXT, BASE, DIR, BASE_NO_EXT, NUMBER, SLOT };

static const struct {
    const char *text;
    enum string string;
} strings[] = { { "{}", VALUE }, { "{.}", NO_EXT },       { "{/}", BASE },
                { "{//}", DIR }, { "{/.}", BASE_NO_EXT }, { "{#}", NUMBER },
                { "{%}", SLOT } };

static enum string string_at(const char *at, size_t *bytes_out)
{
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        size_t n = strlen(strings[i].text);

        if (strncmp(at, strings[i].text, n) == 0) {
            *bytes_out = n;
            return strings[i].string;
        }
    }
    return NONE;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* Bytes before the extension: from the last dot behind the last slash on. */
static size_t stem_bytes(const char *path)
{
    const char *dot = strrchr(base_of(path), '.');

    return dot != NULL ? (size_t)(dot - path) : strlen(path);
}

/* The directory of a path, as dirname(1) says it. */
static size_t directory_bytes(const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    while (n > 0 && path[n - 1] != '/') {
        n--;
    }
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    return n;
}

static void add_quoted(struct text *text, const char *data, size_t bytes,
                       bool quote)
{
    struct text copy = { NULL, 0, 0 };

    if (!quote) {
        text_add(text, data, bytes);
        return;
    }
    text_add(&copy, data, bytes);
    text_shell(text, copy.data);
    text_free(&copy);
}

static void add_string(struct text *text, enum string string,
                       const struct template_value *v)
{
    const char *base = base_of(v->value);
    size_t n;

    switch (string) {
    case NO_EXT:
        add_quoted(text, v->value, stem_bytes(v->value), v->quote);
        break;
    case BASE:
        add_quoted(text, base, strlen(base), v->quote);
        break;
    case DIR:
        n = directory_bytes(v->value);
        add_quoted(text, n > 0 ? v->value : ".", n > 0 ? n : 1, v->quote);
        break;
    case BASE_NO_EXT:
        add_quoted(text, base, stem_bytes(base), v->quote);
        break;
    case NUMBER:
        text_printf(text, "%zu", v->number);
        break;
    case SLOT:
        text_string(text, v->quote ? "\"$RPT_TASK_SLOT\"" : "{%}");
        break;
    default:
        add_quoted(text, v->value, strlen(v->value), v->quote);
    }
}

void template_word(struct text *text, const char *word,
                   const struct template_value *value)
{
    while (*word != '\0') {
        size_t bytes = 1;
        enum string string = string_at(word, &bytes);

        if (string == NONE) {
            text_char(text, *word);
        } else {
            add_string(text, string, value);
        }
        word += bytes;
    }
}

bool template_has(const char *word)
{
    size_t bytes;

    while (*word != '\0' && string_at(word, &bytes) == NONE) {
        word++;
    }
    return *word != '\0';
}

static bool any_has(const char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (template_has(words[i])) {
            return true;
        }
    }
    return false;
}

static bool any_slot(const char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strstr(words[i], "{%}") != NULL) {
            return true;
        }
    }
    return false;
}

/* The template as one line for a shell. */
static void fill_shell(struct task_spec *spec, const char *const words[],
                       const struct template_value *value, bool append)
{
    struct text line = { NULL, 0, 0 };

    text_add(&line, "/bin/sh\0-c", 11);
    for (size_t i = 0; words[i] != NULL; i++) {
        if (i > 0) {
            text_char(&line, ' ');
        }
        template_word(&line, words[i], value);
    }
    if (append) {
        text_char(&line, ' ');
        text_shell(&line, value->value);
    }
    text_char(&line, '\0');
    spec->argv = make_vector(line.data, line.bytes, 3);
    text_free(&line);
}

/* One word of the template with {%}: appends "${1}${RPT_TASK_SLOT}${2}" to the
 * script and the pieces between to `pieces`.  The word is split before the
 * value is put in, so that a {%} in the value stays as it is. */
static void add_slot_word(struct text *script, struct text *pieces, size_t *n,
                          const char *word, const struct template_value *value)
{
    const char *slot;

    text_string(script, " \"");
    do {
        struct text part = { NULL, 0, 0 };

        slot = strstr(word, "{%}");
        text_add(&part, word,
                 slot != NULL ? (size_t)(slot - word) : strlen(word));
        if (part.bytes > 0) {
            text_printf(script, "${%zu}", ++*n);
            template_word(pieces, part.data, value);
            text_char(pieces, '\0');
        }
        text_free(&part);
        if (slot != NULL) {
            text_string(script, "${RPT_TASK_SLOT}");
            word = slot + 3;
        }
    } while (slot != NULL);
    text_char(script, '"');
}

static void fill_slot(struct task_spec *spec, const char *const words[],
                      const struct template_value *value)
{
    struct text script = { NULL, 0, 0 }, pieces = { NULL, 0, 0 };
    struct text all = { NULL, 0, 0 };
    size_t n = 0;

    text_string(&script, "exec");
    for (size_t i = 0; words[i] != NULL; i++) {
        add_slot_word(&script, &pieces, &n, words[i], value);
    }
    text_add(&all, "/bin/sh\0-c", 11);
    text_add(&all, script.data, script.bytes + 1);
    text_add(&all, "sh", 3);
    text_add(&all, pieces.data, pieces.bytes);
    spec->argv = make_vector(all.data, all.bytes, n + 4);
    text_free(&script);
    text_free(&pieces);
    text_free(&all);
}

static char **fill_plain(const char *const words[],
                         const struct template_value *value, bool append)
{
    struct text all = { NULL, 0, 0 };
    char **vector;
    size_t n = 0;

    for (; words[n] != NULL; n++) {
        template_word(&all, words[n], value);
        text_char(&all, '\0');
    }
    if (append) {
        text_add(&all, value->value, strlen(value->value) + 1);
        n++;
    }
    vector = make_vector(all.data, all.bytes, n);
    text_free(&all);
    return vector;
}

void template_fill(struct task_spec *spec, const char *const words[],
                   bool shell, const char *value, size_t number)
{
    const struct template_value v = { value, number, shell };
    bool append = !any_has(words);

    if (shell) {
        fill_shell(spec, words, &v, append);
    } else if (any_slot(words)) {
        fill_slot(spec, words, &v);
        spec->shown = fill_plain(words, &v, append);
    } else {
        spec->argv = fill_plain(words, &v, append);
    }
}

int parse_each(const struct source *source, const char *const words[],
               bool shell, struct task_list *list, struct fault *fault)
{
    struct line_reader reader = { .source = source };
    struct text value = { NULL, 0, 0 };
    int code = CODE_OK;

    while (code == CODE_OK && line_next(&reader)) {
        struct task_spec *spec;

        code = line_check(&reader, fault);
        if (code != CODE_OK) {
            break;
        }
        text_clear(&value);
        text_add(&value, reader.line, reader.bytes);
        spec = list_add(list, reader.number);
        template_fill(spec, words, shell, value.data, list->n);
        if (spec->argv[0][0] == '\0') {
            fault_set(fault, CODE_INPUT,
                      "%s:%u: the name of the program is empty", source->name,
                      reader.number);
            code = CODE_INPUT;
        }
    }
    text_free(&value);
    return code;
}
