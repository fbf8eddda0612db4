/*
 * fuzz_json.c - JSON lines of tasks made of any bytes
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct input_options options = { .file = "f", .format = FORMAT_JSON };

    say_quiet(true);
    try_input(&options, (const char *)data, bytes);
    return 0;
}

#ifndef RPT_LIBFUZZER
#include "corpus.h"

int main(int argc, char *argv[])
{
    return rpt_fuzz_corpus("json", argc, argv);
}
#endif
