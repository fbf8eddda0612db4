/*
 * options_table.c - the library's options as a table, for people and manuals
 *
 * The registry is asked, one option after another: what is printed here is
 * what the library knows.
 */
#include "cli/options_table.h"

#include <string.h>

static const char *value_of(const rpt_options_t *options, const char *name)
{
    const char *value = "";

    rpt_options_get(options, name, &value);
    return value;
}

static const char *or_none(const char *text)
{
    return text[0] != '\0' ? text : "\"\"";
}

void options_text(struct text *text, const rpt_options_t *options)
{
    const rpt_option_info_t *info;

    for (size_t i = 0; rpt_option_info(i, &info) == RPT_OK; i++) {
        text_printf(text, "  %-26s %-12s %-10s %s\n", info->name,
                    or_none(value_of(options, info->name)),
                    rpt_options_origin(options, info->name), info->summary);
    }
}

static void add_member(struct text *text, const char *key, const char *value)
{
    text_printf(text, ",\"%s\":", key);
    text_json(text, value, strlen(value));
}

void options_json(struct text *text, const rpt_options_t *options)
{
    const rpt_option_info_t *info;

    text_char(text, '[');
    for (size_t i = 0; rpt_option_info(i, &info) == RPT_OK; i++) {
        text_string(text, i > 0 ? ",{\"name\":" : "{\"name\":");
        text_json(text, info->name, strlen(info->name));
        add_member(text, "variable", info->variable);
        add_member(text, "type", info->type);
        add_member(text, "default", info->fallback);
        add_member(text, "value", value_of(options, info->name));
        add_member(text, "origin", rpt_options_origin(options, info->name));
        add_member(text, "level", info->level);
        add_member(text, "summary", info->summary);
        text_char(text, '}');
    }
    text_char(text, ']');
}

/* Text for roff: hyphens and backslashes as they are. */
static void add_roff(struct text *text, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '-' || *s == '\\') {
            text_string(text, *s == '-' ? "\\-" : "\\e");
        } else {
            text_char(text, *s);
        }
    }
}

void options_man(struct text *text)
{
    const rpt_option_info_t *info;

    for (size_t i = 0; rpt_option_info(i, &info) == RPT_OK; i++) {
        text_string(text, ".TP\n.B ");
        add_roff(text, info->name);
        text_char(text, '\n');
        add_roff(text, info->summary);
        text_printf(text, ".\n%s; default ", info->type);
        add_roff(text, info->fallback[0] != '\0' ? info->fallback : "empty");
        text_string(text, "; ");
        add_roff(text, info->variable);
        text_printf(text, "; for the %s.\n", info->level);
    }
}

void options_conf(struct text *text)
{
    const rpt_option_info_t *info;

    text_string(
        text, "# Options of librepartir, each with its default.  Copy what\n"
              "# you change to ./repartir.conf, to\n"
              "# ~/.config/repartir/repartir.conf or to /etc/repartir.conf.\n");
    for (size_t i = 0; rpt_option_info(i, &info) == RPT_OK; i++) {
        text_printf(text, "\n# %s (%s, %s)\n#%s = %s\n", info->summary,
                    info->type, info->level, info->name, info->fallback);
    }
}

void options_md(struct text *text)
{
    const rpt_option_info_t *info;

    text_string(text, "# Options\n\n"
                      "| option | variable | type | default | for | what |\n"
                      "|---|---|---|---|---|---|\n");
    for (size_t i = 0; rpt_option_info(i, &info) == RPT_OK; i++) {
        text_printf(text, "| `%s` | `%s` | %s | %s | %s | %s |\n", info->name,
                    info->variable, info->type, info->fallback, info->level,
                    info->summary);
    }
}
