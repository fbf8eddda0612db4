/*
 * options.h - typed reading of the options registry (see options.def)
 */
#ifndef RPT_BASE_OPTIONS_H
#define RPT_BASE_OPTIONS_H

#include <repartir/options.h>

#include <stdbool.h>

enum rpt_option {
#define OPTION(id, name, type, fallback, min, max, level, text) RPT_OPT_##id,
#include "base/options.def"
#undef OPTION
    RPT_N_OPTIONS
};

/* Values are checked when they are set, so reading cannot fail. */
bool rpt__option_switch(const rpt_options_t *options, enum rpt_option option);
int64_t rpt__option_integer(const rpt_options_t *options,
                            enum rpt_option option);
uint64_t rpt__option_size(const rpt_options_t *options,
                          enum rpt_option option);
double rpt__option_seconds(const rpt_options_t *options,
                           enum rpt_option option);
const char *rpt__option_text(const rpt_options_t *options,
                             enum rpt_option option);

const char *rpt__option_name(enum rpt_option option);

/* The same number for the same values of all options from first to last. */
uint64_t rpt__options_hash(const rpt_options_t *options, enum rpt_option first,
                           enum rpt_option last);

/* A variable that is no option of ours, such as what a batch system set; NULL
 * when there is none. */
const char *rpt__environment(const char *name);

/* A copy; of NULL: the values of files and environment. */
rpt_status_t rpt__options_copy(const rpt_options_t *options,
                               rpt_options_t **copy_out);

#endif /* RPT_BASE_OPTIONS_H */
