/*
 * input.c - reads a file or standard input to its end, then parses it
 *
 * Everything is read and checked before anything runs: a mistake in line
 * 9 999 costs no half-done job.  JSON is told from command lines by the file's
 * name (.json, .jsonl, .ndjson) or by its first line.
 */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 18 };

static int unreadable(const char *name, int error, struct fault *fault)
{
    fault_set(fault, CODE_INPUT, "the task file %s cannot be read", name);
    fault_why(fault, "%s", strerror(error));
    if (error == ENOENT) {
        fault_hint(fault, "give the name of a file, or - for standard input");
    }
    return CODE_INPUT;
}

static int read_all(int fd, const char *name, struct text *text,
                    struct fault *fault)
{
    char *block = get_memory(READ_BYTES);
    int code = CODE_OK;

    for (;;) {
        ssize_t n = read(fd, block, READ_BYTES);

        if (n > 0) {
            text_add(text, block, (size_t)n);
        } else if (n == 0) {
            break;
        } else if (errno != EINTR) {
            code = unreadable(name, errno, fault);
            break;
        }
    }
    free(block);
    return code;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n >= m && strcasecmp(name + n - m, end) == 0;
}

/* The first line that says something is an object's beginning.  For a shell
 * "{ " begins a group of commands. */
static bool begins_object(const struct source *source, bool shell)
{
    struct line_reader reader = { .source = source };
    size_t i;

    do {
        if (!line_next(&reader)) {
            return false;
        }
    } while (line_is_empty(&reader));
    i = line_skip(&reader, 0);
    if (reader.line[i] != '{') {
        return false;
    }
    i = line_skip(&reader, i + 1);
    if (i == reader.bytes) {
        return !shell;
    }
    return reader.line[i] == '"' || (!shell && reader.line[i] == '}');
}

enum input_format input_guess(const struct source *source, bool shell)
{
    if (ends_with(source->name, ".json") || ends_with(source->name, ".jsonl") ||
        ends_with(source->name, ".ndjson")) {
        return FORMAT_JSON;
    }
    return begins_object(source, shell) ? FORMAT_JSON : FORMAT_LINES;
}

int input_parse(const struct input_options *options,
                const struct source *source, struct task_list *list,
                struct fault *fault)
{
    enum input_format format = options->format;
    struct source text = *source;

    list->source = source->name;
    if (text.bytes >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        text.data += 3; /* a byte order mark */
        text.bytes -= 3;
    }
    if (options->each) {
        return parse_each(&text, options->words, options->shell, list, fault);
    }
    if (format == FORMAT_AUTO) {
        format = input_guess(&text, options->shell);
    }
    return format == FORMAT_JSON
               ? parse_json(&text, list, fault)
               : parse_lines(&text, options->shell, list, fault);
}

int input_read(const struct input_options *options, struct task_list *list,
               struct fault *fault)
{
    bool standard = strcmp(options->file, "-") == 0;
    const char *name = standard ? "(standard input)" : options->file;
    int fd = standard ? STDIN_FILENO
                      : open(options->file, O_RDONLY | O_CLOEXEC);
    struct text text = { NULL, 0, 0 };
    int code;

    if (fd < 0) {
        return unreadable(name, errno, fault);
    }
    code = read_all(fd, name, &text, fault);
    if (!standard) {
        close(fd);
    }
    if (code == CODE_OK) {
        struct source source = { name, text.data, text.bytes };

        code = input_parse(options, &source, list, fault);
    }
    text_free(&text);
    return code;
}
