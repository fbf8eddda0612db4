/*
 * fuzz_tasks.c - task files of command lines, and templates, of any bytes
 *
 * The first byte of the input says what the rest is:
 *
 *   0  command lines            1  lines for a shell
 *   2  a template (the first line, words parted by blanks), then its values
 *   3  the same for a shell     4  whatever it looks like
 *
 * What is read without a complaint must be tasks that can be run, and must come
 * back as it is from the canonical JSON lines that are made of it.
 *
 * fuzz-sources: src/base src/cli/check.c src/cli/fault.c src/cli/input.c
 * fuzz-sources: src/cli/list.c src/cli/map.c src/cli/parse_json.c
 * fuzz-sources: src/cli/parse_lines.c src/cli/template.c src/cli/text.c
 * fuzz-packages: libxxhash jansson
 */
#include "fuzz_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { MOST_WORDS = 32 };

/* Takes the words off the first line; gives what follows it. */
static const char *take_template(char *text, const char *words[])
{
    char *end = strchr(text, '\n');
    size_t n = 0;

    if (end != NULL) {
        *end = '\0';
    }
    for (char *word = strtok(text, " "); word != NULL && n < MOST_WORDS;
         word = strtok(NULL, " ")) {
        words[n++] = word;
    }
    words[n] = NULL;
    return n > 0 && end != NULL ? end + 1 : NULL;
}

static void try_template(const uint8_t *data, size_t bytes, bool shell)
{
    const char *words[MOST_WORDS + 1];
    char *text = malloc(bytes + 1);
    const char *values;

    if (text == NULL) {
        return;
    }
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    values = take_template(text, words);
    if (values != NULL) {
        struct input_options options = {
            .file = "f", .each = true, .words = words, .shell = shell
        };

        try_input(&options, values, bytes - (size_t)(values - text));
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct input_options options = { .file = "f", .format = FORMAT_LINES };

    if (bytes == 0) {
        return 0;
    }
    say_quiet(true);
    switch (data[0] % 5) {
    case 2:
    case 3:
        try_template(data + 1, bytes - 1, data[0] % 5 == 3);
        return 0;
    case 4:
        options.format = FORMAT_AUTO;
        break;
    default:
        options.shell = data[0] % 5 == 1;
    }
    try_input(&options, (const char *)data + 1, bytes - 1);
    return 0;
}

#ifndef RPT_LIBFUZZER
#include "corpus.h"

int main(int argc, char *argv[])
{
    return rpt_fuzz_corpus("tasks", argc, argv);
}
#endif
