/*
 * print.c - what the verbs of `repartir ckpt` share: the choice of a
 * checkpoint, pieces of tables and of JSON
 */
#include "cli/ckpt/ckpt_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool ckpt_parse(const struct argp *argp, int argc, char *argv[], void *input,
                int *code_out)
{
    int code = args_parse(argp, argc, argv, input);

    *code_out = code == ARGS_ANSWERED ? CODE_OK : code;
    return code == CODE_OK;
}

int ckpt_failed(void)
{
    struct fault fault = { 0 };
    int code = fault_library(&fault);

    fault_print(&fault);
    return code;
}

/* Names come from files that anybody may have made; JSON has nothing that is
 * changed here. */
static void add_lines(struct text *to, const struct text *from)
{
    const char *line = from->data, *end = line + from->bytes;

    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t bytes = (size_t)((stop != NULL ? stop : end) - line);

        text_visible(to, line, bytes);
        text_string(to, stop != NULL ? "\n" : "");
        line += bytes + (stop != NULL);
    }
}

int ckpt_print_raw(struct text *text, int code)
{
    if ((text->bytes > 0 &&
         fwrite(text->data, 1, text->bytes, stdout) < text->bytes) ||
        fflush(stdout) != 0) {
        say("standard output cannot be written");
        code = CODE_IO;
    }
    text_free(text);
    return code;
}

int ckpt_print(struct text *text, int code)
{
    struct text shown = { NULL, 0, 0 };

    if (text->bytes > 0) {
        add_lines(&shown, text);
    }
    text_free(text);
    return ckpt_print_raw(&shown, code);
}

int ckpt_choose(const char *path, const char *which, struct ckpt_choice *choice)
{
    struct ckpt_choice c = { NULL, NULL, NULL };

    if (rpt_catalog_open(path, &c.catalog) != RPT_OK ||
        rpt_catalog_find(c.catalog, NULL, which, &c.entry) != RPT_OK ||
        rpt_stored_open(c.catalog, c.entry, &c.stored) != RPT_OK) {
        int code = ckpt_failed();

        ckpt_release(&c);
        return code;
    }
    *choice = c;
    return CODE_OK;
}

void ckpt_release(struct ckpt_choice *choice)
{
    rpt_stored_close(choice->stored);
    rpt_catalog_close(choice->catalog);
}

/* ---- tables ---- */

void ckpt_add_time(struct text *text, double time_s)
{
    char when[32] = "-";
    time_t seconds = (time_t)time_s;
    struct tm parts;

    if (time_s > 0 && localtime_r(&seconds, &parts) != NULL) {
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &parts);
    }
    text_printf(text, "%-19s", when);
}

void ckpt_add_bytes(struct text *text, uint64_t bytes)
{
    static const char *const units[] = { "B",   "KiB", "MiB", "GiB",
                                         "TiB", "PiB", "EiB" };
    double value = (double)bytes;
    size_t i = 0;

    while (value >= 1024 && i + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        i++;
    }
    text_printf(text, i > 0 ? "%6.1f %-3s" : "%6.0f %-3s", value, units[i]);
}

void ckpt_add_type(struct text *text, rpt_type_t type)
{
    char name[32];

    snprintf(name, sizeof name, "opaque%zu", rpt_type_bytes(type));
    text_printf(text, "%-9s",
                type >= RPT_TYPE_OPAQUE_0 ? name : rpt_type_name(type));
}

void ckpt_add_dims(struct text *text, const uint64_t dims[], int n_dims)
{
    if (n_dims == 0) {
        text_string(text, "scalar");
    }
    for (int d = 0; d < n_dims; d++) {
        text_printf(text, "%s%" PRIu64, d > 0 ? "x" : "", dims[d]);
    }
}

/* ---- JSON ---- */

void ckpt_json_string(struct text *text, const char *key, const char *value)
{
    text_printf(text, "\"%s\":", key);
    text_json(text, value, strlen(value));
}

void ckpt_json_numbers(struct text *text, const char *key,
                       const uint64_t numbers[], int n)
{
    text_printf(text, "\"%s\":[", key);
    for (int i = 0; i < n; i++) {
        text_printf(text, "%s%" PRIu64, i > 0 ? "," : "", numbers[i]);
    }
    text_char(text, ']');
}

void ckpt_json_real(struct text *text, const char *key, double value)
{
    text_printf(text, isfinite(value) ? "\"%s\":%.17g" : "\"%s\":null", key,
                value);
}

void ckpt_json_entry(struct text *text, const rpt_catalog_entry_t *e)
{
    text_char(text, '{');
    ckpt_json_string(text, "task", e->task);
    text_char(text, ',');
    ckpt_json_string(text, "name", e->name);
    text_printf(text, ",\"id\":\"%016" PRIx64 "\",\"iteration\":%" PRIu64 ",",
                e->id, e->iteration);
    ckpt_json_real(text, "time", e->time_s);
    text_printf(text, ",\"ranks\":%d,", e->n_ranks);
    ckpt_json_string(text, "engine", e->engine);
    text_char(text, ',');
    ckpt_json_string(text, "host", e->host);
    text_char(text, ',');
    ckpt_json_string(text, "library", e->library);
    text_printf(text,
                ",\"bytes\":%" PRIu64 ",\"datasets\":%" PRIu64
                ",\"files\":%" PRIu64 ",",
                e->bytes, e->n_datasets, e->n_files);
    ckpt_json_string(text, "state", rpt_stored_state_name(e->state));
    text_char(text, ',');
    ckpt_json_string(text, "why", e->why);
    text_char(text, '}');
}
