/*
 * beside.h - programs of ours that are installed with the library
 */
#ifndef RPT_BASE_BESIDE_H
#define RPT_BASE_BESIDE_H

#include <limits.h>
#include <stdbool.h>

/* Looks for a program beside the library (or the program that holds it), so
 * that an installed tree may be moved:
 *
 *   PREFIX/lib/librepartir.so   -> PREFIX/libexec/repartir/NAME
 *   BUILD/.libs/librepartir.so  -> BUILD/NAME, before installation
 */
bool rpt__beside_library(const char *name, char path_out[PATH_MAX]);

#endif /* RPT_BASE_BESIDE_H */
