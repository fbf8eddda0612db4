/*
 * results.c - one JSON object a task that ended
 */
#include "cli/results.h"

#include <stdbool.h>
#include <string.h>

static void add_string(struct text *text, const char *key, const char *value)
{
    text_printf(text, ",\"%s\":", key);
    if (value == NULL || value[0] == '\0') {
        text_string(text, "null");
    } else {
        text_json(text, value, strlen(value));
    }
}

static void add_integer(struct text *text, const char *key, bool known,
                        long long value)
{
    if (known) {
        text_printf(text, ",\"%s\":%lld", key, value);
    } else {
        text_printf(text, ",\"%s\":null", key);
    }
}

static void add_argv(struct text *text, const char *const words[])
{
    text_string(text, ",\"argv\":[");
    for (size_t i = 0; words[i] != NULL; i++) {
        if (i > 0) {
            text_char(text, ',');
        }
        text_json(text, words[i], strlen(words[i]));
    }
    text_char(text, ']');
}

static void add_path(struct text *text, const char *key, const char *base,
                     const char *end)
{
    struct text path = { NULL, 0, 0 };

    text_printf(&path, "%s%s", base, end);
    add_string(text, key, path.data);
    text_free(&path);
}

static void add_output(struct text *text, const struct task_spec *spec,
                       const struct captured *captured)
{
    static const char *const keys[] = { "stdout", "stderr" };

    if (spec->output != NULL) {
        add_path(text, "stdout_path", spec->output, ".out");
        add_path(text, "stderr_path", spec->output, ".err");
        return;
    }
    for (int i = 0; i < 2; i++) {
        text_printf(text, ",\"%s\":", keys[i]);
        text_json(text, captured->data[i], captured->bytes[i]);
    }
    for (int i = 0; i < 2; i++) {
        if (captured->dropped[i] > 0) {
            text_printf(text, ",\"%s_dropped\":%llu", keys[i],
                        (unsigned long long)captured->dropped[i]);
        }
    }
}

/* Where there is something to say. */
static void add_saved(struct text *text, const rpt_result_t *r)
{
    if (r->checkpoints > 0 || r->resumed_iteration > 0) {
        text_printf(text, ",\"checkpoints\":%llu,\"resumed_iteration\":%llu",
                    (unsigned long long)r->checkpoints,
                    (unsigned long long)r->resumed_iteration);
    }
    if (r->wasted_s > 0) {
        text_printf(text, ",\"wasted_s\":%.6f", r->wasted_s);
    }
}

void results_json(struct text *text, const struct task_spec *spec,
                  const rpt_result_t *r, const struct captured *captured)
{
    bool ran = r->attempts > 0;

    text_string(text, "{\"id\":");
    text_json(text, r->id, strlen(r->id));
    add_argv(text, spec_shown(spec));
    add_string(text, "status", rpt_outcome_name(r->outcome));
    add_integer(text, "exit_code", r->exit_code >= 0, r->exit_code);
    add_integer(text, "signal", r->signal > 0, r->signal);
    add_integer(text, "attempts", true, r->attempts);
    add_integer(text, "rank", ran && r->rank >= 0, r->rank);
    add_string(text, "host", r->host);
    if (ran) {
        text_printf(text, ",\"start_time\":%.6f,\"duration_s\":%.6f",
                    r->start_time, r->duration_s);
    } else {
        text_string(text, ",\"start_time\":null,\"duration_s\":null");
    }
    add_integer(text, "max_rss_kib", ran, (long long)r->max_rss_kib);
    add_saved(text, r);
    add_output(text, spec, captured);
    if (r->exit_code < 0 && r->signal == 0 && r->message != NULL &&
        r->message[0] != '\0') {
        add_string(text, "message", r->message);
    }
    text_string(text, "}\n");
}
