/*
 * options_table.h - the library's options as a table, for people and manuals
 */
#ifndef CLI_OPTIONS_TABLE_H
#define CLI_OPTIONS_TABLE_H

#include "cli/text.h"

#include <repartir/options.h>

/* With values and where they come from. */
void options_text(struct text *text, const rpt_options_t *options);
void options_json(struct text *text, const rpt_options_t *options);

/* As roff, as a sample of repartir.conf, as Markdown. */
void options_man(struct text *text);
void options_conf(struct text *text);
void options_md(struct text *text);

#endif /* CLI_OPTIONS_TABLE_H */
