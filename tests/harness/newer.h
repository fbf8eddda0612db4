/*
 * newer.h - a manifest as of a format that this library does not know yet
 */
#ifndef RPT_TESTS_HARNESS_NEWER_H
#define RPT_TESTS_HARNESS_NEWER_H

#include <stdbool.h>

/* Changes the version of the manifest or draft at PATH, and seals it again. */
bool make_newer(const char *path);

#endif /* RPT_TESTS_HARNESS_NEWER_H */
