/*
 * parse_lines.c - one command a line, words quoted as in a shell
 *
 *   cc -c "my file.c" -o 'out dir'/my\ file.o    # a comment
 *
 * Single quotes keep everything; in double quotes \ stands before " \ $ and `
 * only; outside, \ keeps the next byte; # begins a comment where a word could
 * begin.  A line is a command: quotes end on their line.  Nothing is expanded.
 * Cost: one pass over the bytes.
 */
#include "cli/parse.h"

#include <string.h>

bool line_next(struct line_reader *reader)
{
    const struct source *source = reader->source;
    const char *start, *end;
    size_t left;

    if (reader->next >= source->bytes) {
        return false;
    }
    start = source->data + reader->next;
    left = source->bytes - reader->next;
    end = memchr(start, '\n', left);
    reader->line = start;
    reader->bytes = end != NULL ? (size_t)(end - start) : left;
    reader->next += reader->bytes + 1;
    reader->number++;
    return true;
}

int line_check(const struct line_reader *reader, struct fault *fault)
{
    const char *nul = memchr(reader->line, '\0', reader->bytes);

    if (nul == NULL) {
        return CODE_OK;
    }
    fault_set(fault, CODE_INPUT, "%s:%u:%zu: a NUL byte", reader->source->name,
              reader->number, (size_t)(nul - reader->line) + 1);
    fault_why(fault, "no argument of a program can contain one");
    fault_hint(fault, "the file may be binary or UTF-16; give plain text");
    return CODE_INPUT;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

size_t line_skip(const struct line_reader *reader, size_t from)
{
    while (from < reader->bytes && is_blank(reader->line[from])) {
        from++;
    }
    return from;
}

bool line_is_empty(const struct line_reader *reader)
{
    size_t i = line_skip(reader, 0);

    return i == reader->bytes || reader->line[i] == '#';
}

/* A cursor in a line, and what was found. */
struct splitter {
    const char *line;
    size_t bytes;
    size_t i;
    struct text *words;
    const char *problem;
    size_t where;
};

static void stop(struct splitter *s, size_t where, const char *problem)
{
    s->problem = problem;
    s->where = where;
}

/* From behind the opening quote to behind the closing one. */
static void take_quoted(struct splitter *s, char quote)
{
    size_t opened = s->i - 1;

    while (s->i < s->bytes && s->line[s->i] != quote) {
        char c = s->line[s->i++];

        if (quote == '"' && c == '\\' && s->i < s->bytes &&
            memchr("\"\\$`", s->line[s->i], 4) != NULL) {
            c = s->line[s->i++];
        }
        text_char(s->words, c);
    }
    if (s->i == s->bytes) {
        stop(s, opened,
             quote == '"' ? "this double quote is never closed"
                          : "this single quote is never closed");
        return;
    }
    s->i++;
}

static void take_word(struct splitter *s)
{
    while (s->i < s->bytes && !is_blank(s->line[s->i]) && s->problem == NULL) {
        char c = s->line[s->i++];

        if (c == '\'' || c == '"') {
            take_quoted(s, c);
        } else if (c == '\\' && s->i == s->bytes) {
            stop(s, s->i - 1, "a backslash at the end of a line");
        } else {
            text_char(s->words, c == '\\' ? s->line[s->i++] : c);
        }
    }
    text_char(s->words, '\0');
}

bool split_words(const char *line, size_t bytes, struct text *words,
                 size_t *n_words_out, const char **problem_out,
                 size_t *where_out)
{
    struct splitter s = { line, bytes, 0, words, NULL, 0 };
    size_t n = 0;

    for (;;) {
        while (s.i < bytes && is_blank(line[s.i])) {
            s.i++;
        }
        if (s.i == bytes || line[s.i] == '#' || s.problem != NULL) {
            break;
        }
        take_word(&s);
        n++;
    }
    if (s.problem != NULL) {
        *problem_out = s.problem;
        *where_out = s.where;
        return false;
    }
    *n_words_out = n;
    return true;
}

/* The unquoted word of n bytes means something to a shell only. */
static bool is_operator(const char *word, size_t n, bool first)
{
    static const char *const operators[] = { "|",  "||",   "&",  "&&",
                                             ";",  ">",    ">>", "<",
                                             "2>", "2>&1", "&>", "<<" };
    size_t i = 0;

    for (size_t k = 0; k < sizeof operators / sizeof *operators; k++) {
        if (strlen(operators[k]) == n && memcmp(operators[k], word, n) == 0) {
            return true;
        }
    }
    while (i < n && (word[i] == '_' || (word[i] >= 'A' && word[i] <= 'Z') ||
                     (word[i] >= 'a' && word[i] <= 'z') ||
                     (i > 0 && word[i] >= '0' && word[i] <= '9'))) {
        i++;
    }
    return first && i > 0 && i < n && word[i] == '=';
}

bool looks_like_shell(const char *line, size_t bytes, size_t *where_out)
{
    bool first = true;
    size_t i = 0;

    while (i < bytes) {
        size_t start;

        while (i < bytes && is_blank(line[i])) {
            i++;
        }
        start = i;
        while (i < bytes && !is_blank(line[i])) {
            if (line[i] == '\'' || line[i] == '"' || line[i] == '\\' ||
                line[i] == '#') {
                return false; /* too clever for a guess */
            }
            i++;
        }
        if (is_operator(line + start, i - start, first)) {
            *where_out = start;
            return true;
        }
        first = false;
    }
    return false;
}

static void add_shell_line(struct task_list *list,
                           const struct line_reader *reader)
{
    struct text strings = { NULL, 0, 0 };
    size_t bytes = reader->bytes;

    if (bytes > 0 && reader->line[bytes - 1] == '\r') {
        bytes--;
    }
    text_add(&strings, "/bin/sh\0-c", 11);
    text_add(&strings, reader->line, bytes);
    text_char(&strings, '\0');
    list_add(list, reader->number)->argv = make_vector(strings.data,
                                                       strings.bytes, 3);
    text_free(&strings);
}

static int add_line(struct task_list *list, const struct line_reader *reader,
                    struct text *words, struct fault *fault)
{
    const char *problem;
    size_t n = 0, where;

    text_clear(words);
    if (!split_words(reader->line, reader->bytes, words, &n, &problem,
                     &where)) {
        fault_set(fault, CODE_INPUT, "%s:%u:%zu: %s", reader->source->name,
                  reader->number, where + 1, problem);
        fault_hint(fault, "put it in quotes or write a backslash before it; "
                          "a command stands on one line");
        return CODE_INPUT;
    }
    if (n > 0 && words->data[0] == '\0') {
        fault_set(fault, CODE_INPUT, "%s:%u: the name of the program is empty",
                  reader->source->name, reader->number);
        return CODE_INPUT;
    }
    if (n > 0) {
        list_add(list, reader->number)->argv = make_vector(words->data,
                                                           words->bytes, n);
    }
    return CODE_OK;
}

/* Said once a file. */
static void warn_of_shell(const struct line_reader *reader)
{
    size_t where;

    if (looks_like_shell(reader->line, reader->bytes, &where)) {
        size_t end = where;

        while (end < reader->bytes && !is_blank(reader->line[end])) {
            end++;
        }
        say("%s:%u:%zu: \"%.*s\" goes to the program as it is; "
            "--shell would let a shell read the line",
            reader->source->name, reader->number, where + 1, (int)(end - where),
            reader->line + where);
    }
}

int parse_lines(const struct source *source, bool shell, struct task_list *list,
                struct fault *fault)
{
    struct line_reader reader = { .source = source };
    struct text words = { NULL, 0, 0 };
    bool warned = false;
    int code = CODE_OK;
    size_t where;

    while (code == CODE_OK && line_next(&reader)) {
        code = line_check(&reader, fault);
        if (code != CODE_OK || line_is_empty(&reader)) {
            continue;
        }
        if (shell) {
            add_shell_line(list, &reader);
            continue;
        }
        if (!warned && looks_like_shell(reader.line, reader.bytes, &where)) {
            warned = true;
            warn_of_shell(&reader);
        }
        code = add_line(list, &reader, &words, fault);
    }
    text_free(&words);
    return code;
}
