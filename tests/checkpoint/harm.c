/*
 * harm.c - a file is changed in every possible place, and put back each time
 */
#include "harm.h"

#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(const char *path, size_t *bytes_out)
{
    struct stat found;
    int fd = open(path, O_RDWR);

    CHECK(fd >= 0 && fstat(fd, &found) == 0);
    *bytes_out = (size_t)found.st_size;
    return fd;
}

static void judge(const struct harm *harm, const char *how, size_t at)
{
    bool good = harm->is_found(harm->user);

    if (good && harm->goes_on != NULL && at % harm->some == 0) {
        good = harm->goes_on(harm->user);
    }
    if (!CHECK(good)) {
        printf("   %s: %s %zu\n", harm->path, how, at);
    }
}

void harm_bytes(const struct harm *harm)
{
    size_t bytes, step = rpt_test_is_short() ? 17 : 1;
    int fd = open_file(harm->path, &bytes);

    for (size_t at = 0; at < bytes; at += step) {
        unsigned char byte;

        CHECK(pread(fd, &byte, 1, (off_t)at) == 1);
        byte ^= (unsigned char)(1 << at % 8);
        CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
        judge(harm, "byte", at);
        byte ^= (unsigned char)(1 << at % 8);
        CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
    }
    close(fd);
    CHECK(!harm->is_found(harm->user));
}

void harm_length(const struct harm *harm)
{
    size_t bytes, step = rpt_test_is_short() ? 17 : 1;
    int fd = open_file(harm->path, &bytes);
    char *all = malloc(bytes + 1);

    CHECK(all != NULL && pread(fd, all, bytes, 0) == (ssize_t)bytes);
    CHECK(ftruncate(fd, (off_t)bytes + 1) == 0);
    judge(harm, "length", bytes + 1);
    for (size_t length = bytes; length > 0;) {
        length -= length < step ? length : step;
        CHECK(ftruncate(fd, (off_t)length) == 0);
        judge(harm, "length", length);
    }
    CHECK(ftruncate(fd, (off_t)bytes) == 0);
    CHECK(pwrite(fd, all, bytes, 0) == (ssize_t)bytes);
    free(all);
    close(fd);
    CHECK(!harm->is_found(harm->user));
}
