/*
 * newer.c - another version, and the seal of the changed text
 */
#include "newer.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

#define VERSION "\"version\": "
#define SEAL " \"seal\""

bool make_newer(const char *path)
{
    char text[1 << 16], *version, *seal;
    struct rpt_digest digest;
    FILE *file = fopen(path, "r+");
    size_t bytes = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    bool good = false;

    text[bytes] = '\0';
    version = strstr(text, VERSION "1");
    seal = strstr(text, SEAL);
    if (version != NULL && seal != NULL) {
        version[strlen(VERSION)] = '7';
        digest = rpt__digest(text, (size_t)(seal - text));
        rewind(file);
        good = fwrite(text, 1, (size_t)(seal - text), file) ==
                   (size_t)(seal - text) &&
               fprintf(file, SEAL ": \"%016llx%016llx\"}\n",
                       (unsigned long long)digest.high,
                       (unsigned long long)digest.low) > 0;
    }
    return (file == NULL || fclose(file) == 0) && good;
}
