/*
 * ckpt_priv.h - what the verbs of `repartir ckpt` share
 */
#ifndef CLI_CKPT_PRIV_H
#define CLI_CKPT_PRIV_H

#include "cli/args.h"
#include "cli/ckpt/ckpt.h"
#include "cli/text.h"

#include <repartir/catalog.h>

#include <stdbool.h>

enum { CKPT_KEY = 0x6000 }; /* keys of long options begin here */

/* Parses a command line; CODE_OK: go on.  Else what `code_out` has is the exit
 * code. */
bool ckpt_parse(const struct argp *argp, int argc, char *argv[], void *input,
                int *code_out);

/* Prints the library's last error, and gives the code that fits. */
int ckpt_failed(void);

/* Writes a text to standard output, for a person to see (text_visible()), and
 * releases it; `code` unless that fails. */
int ckpt_print(struct text *text, int code);
/* The same, byte by byte: a path that a script takes. */
int ckpt_print_raw(struct text *text, int code);

/* Opens what a path names, and gives the task and checkpoint in it that are
 * meant: which NULL: that of the path, else the newest.  CODE_OK, or the fault
 * is printed. */
struct ckpt_choice {
    rpt_catalog_t *catalog;
    const rpt_catalog_entry_t *entry;
    rpt_stored_t *stored;
};
int ckpt_choose(const char *path, const char *which,
                struct ckpt_choice *choice);
void ckpt_release(struct ckpt_choice *choice);

/* ---- pieces of tables and of JSON ---- */

/* Seconds since 1970 as local time, "-" for 0. */
void ckpt_add_time(struct text *text, double time_s);
/* 1.5 GiB. */
void ckpt_add_bytes(struct text *text, uint64_t bytes);
/* f64, opaque12. */
void ckpt_add_type(struct text *text, rpt_type_t type);
/* 3x4; "scalar". */
void ckpt_add_dims(struct text *text, const uint64_t dims[], int n_dims);

void ckpt_json_string(struct text *text, const char *key, const char *value);
void ckpt_json_numbers(struct text *text, const char *key,
                       const uint64_t numbers[], int n);
/* null for NaN and infinity. */
void ckpt_json_real(struct text *text, const char *key, double value);
/* A checkpoint, as an object. */
void ckpt_json_entry(struct text *text, const rpt_catalog_entry_t *entry);

#endif /* CLI_CKPT_PRIV_H */
