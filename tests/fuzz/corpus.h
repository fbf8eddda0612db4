/*
 * corpus.h - tries every file of a fuzzer's corpus once, without libFuzzer
 *
 * Included by each fuzz_*.c when it is built for `make check`: what a fuzzer
 * once found stays tested where there is no clang.
 */
#ifndef RPT_TESTS_FUZZ_CORPUS_H
#define RPT_TESTS_FUZZ_CORPUS_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* A bad input ends the process, as under libFuzzer; this is the last name. */
static int rpt_fuzz_one(const char *path)
{
    enum { MOST = 1 << 20 };
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(MOST);
    size_t bytes;

    if (file == NULL || data == NULL) {
        perror(path);
        exit(1);
    }
    printf("     %s\n", path);
    bytes = fread(data, 1, MOST, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, bytes);
    free(data);
    return 1;
}

/* The files that argv names, or those of $SRC/tests/fuzz/corpus/NAME. */
static int rpt_fuzz_corpus(const char *name, int argc, char *argv[])
{
    const char *src = getenv("SRC");
    struct dirent *entry;
    char path[4096];
    DIR *names;
    int n = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(120);
    for (int i = 1; i < argc; i++) {
        n += rpt_fuzz_one(argv[i]);
    }
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s",
             src != NULL ? src : ".", name);
    names = argc > 1 ? NULL : opendir(path);
    if (names == NULL && argc <= 1) {
        perror(path);
        return 1;
    }
    while (names != NULL && (entry = readdir(names)) != NULL) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s/%s",
                     src != NULL ? src : ".", name, entry->d_name);
            n += rpt_fuzz_one(path);
        }
    }
    if (names != NULL) {
        closedir(names);
    }
    printf("== corpus-%s: %d passed, 0 failed, 0 skipped\n", name, n);
    return 0;
}

#endif /* RPT_TESTS_FUZZ_CORPUS_H */
