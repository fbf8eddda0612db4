/*
 * options.c - one registry for every option
 *
 * A set holds one value a known option, with where it came from.  Sources of
 * higher precedence overwrite; unknown names are answered with the known name
 * at the smallest edit distance.  The only getenv of the library is here.
 */
#include "base/options.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/plain.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

extern char **environ;

enum kind { SWITCH, INTEGER, SIZE, SECONDS, TEXT };

struct option {
    const char *name;
    enum kind kind;
    const char *fallback;
    double min;
    double max;
    const char *level;
    const char *summary;
};

#define USER "user"
#define TUNER "tuner"
#define DEVELOPER "developer"
static const struct option registry[RPT_N_OPTIONS] = {
#define OPTION(id, name, kind, fallback, min, max, level, text)                \
    { name, kind, fallback, (double)(min), (double)(max), level, text },
#include "base/options.def"
#undef OPTION
};

struct value {
    char *text;
    double number; /* parsed; of a text: 0 */
    char *origin;
};

struct rpt_options {
    struct value values[RPT_N_OPTIONS];
};

enum { VARIABLE_BYTES = 80, FILE_LINE_BYTES = 4096 };

/* pool.slots -> RPT_POOL_SLOTS */
static void variable_of(const char *name, char variable[VARIABLE_BYTES])
{
    size_t n = (size_t)snprintf(variable, VARIABLE_BYTES, "RPT_%s", name);

    for (size_t i = 4; i < n && i < VARIABLE_BYTES; i++) {
        variable[i] = variable[i] == '.'
                          ? '_'
                          : (char)toupper((unsigned char)variable[i]);
    }
}

static int find(const char *name)
{
    for (int i = 0; i < RPT_N_OPTIONS; i++) {
        if (strcmp(registry[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* Levenshtein distance, for short names. */
static size_t distance(const char *a, const char *b)
{
    size_t row[VARIABLE_BYTES];
    size_t n = strlen(b) < VARIABLE_BYTES - 1 ? strlen(b) : VARIABLE_BYTES - 1;

    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t change = diagonal + (a[i] != b[j]);
            size_t best = row[j] < row[j + 1] ? row[j] : row[j + 1];

            diagonal = row[j + 1];
            row[j + 1] = best + 1 < change ? best + 1 : change;
        }
    }
    return row[n];
}

static const char *nearest(const char *name)
{
    const char *best = registry[0].name;
    size_t least = distance(name, best);

    for (int i = 1; i < RPT_N_OPTIONS; i++) {
        size_t d = distance(name, registry[i].name);

        if (d < least) {
            least = d;
            best = registry[i].name;
        }
    }
    return best;
}

struct unit {
    const char *name;
    double factor;
};

static const struct unit size_units[] = { { "", 1 },
                                          { "b", 1 },
                                          { "kib", 1024.0 },
                                          { "k", 1024.0 },
                                          { "mib", 1048576.0 },
                                          { "m", 1048576.0 },
                                          { "gib", 1073741824.0 },
                                          { "g", 1073741824.0 },
                                          { "tib", 1099511627776.0 },
                                          { "kb", 1e3 },
                                          { "mb", 1e6 },
                                          { "gb", 1e9 },
                                          { NULL, 0 } };

static const struct unit time_units[] = {
    { "", 1 },   { "s", 1 },    { "ms", 1e-3 }, { "us", 1e-6 }, { "min", 60 },
    { "m", 60 }, { "h", 3600 }, { "d", 86400 }, { NULL, 0 }
};

static bool apply_unit(const struct unit *units, const char *rest,
                       double *number)
{
    while (isspace((unsigned char)*rest)) {
        rest++;
    }
    for (; units->name != NULL; units++) {
        if (strcasecmp(units->name, rest) == 0) {
            *number *= units->factor;
            return true;
        }
    }
    return false;
}

static bool parse_switch(const char *text, double *number)
{
    static const char *const yes[] = { "yes", "on", "true", "1" };
    static const char *const no[] = { "no", "off", "false", "0" };

    for (size_t i = 0; i < 4; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *number = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static bool parse(const struct option *option, const char *text,
                  double *number_out)
{
    static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };
    double number;
    char *rest;

    if (option->kind == TEXT) {
        *number_out = 0;
        return true;
    }
    if (option->kind == SWITCH) {
        return parse_switch(text, number_out);
    }
    errno = 0;
    number = rpt__plain_number(text, &rest);
    if (rest == text || errno != 0 ||
        !apply_unit(option->kind == SIZE      ? size_units
                    : option->kind == SECONDS ? time_units
                                              : no_units,
                    rest, &number)) {
        return false;
    }
    if (!(number >= option->min && number <= option->max)) {
        return false; /* nor is it "nan" */
    }
    if (option->kind != SECONDS && number != (double)(int64_t)number) {
        return false;
    }
    *number_out = number;
    return true;
}

static const char *const kind_names[] = { "switch", "integer", "size",
                                          "seconds", "text" };

static rpt_status_t bad_value(const struct option *option, const char *value,
                              const char *origin)
{
    rpt__fail(RPT_ERR_PARSE, "option %s cannot be \"%s\" (from %s)",
              option->name, value, origin);
    if (option->kind == SWITCH) {
        rpt__fail_why("it is a switch");
        rpt__fail_hint("give yes or no");
    } else {
        rpt__fail_why("it is of type %s, from %g to %g",
                      kind_names[option->kind], option->min, option->max);
        rpt__fail_hint("give a value in that range, such as %s",
                       option->fallback);
    }
    return RPT_ERR_PARSE;
}

static rpt_status_t store(rpt_options_t *options, int index, const char *value,
                          const char *origin)
{
    const struct option *option = &registry[index];
    struct value new = { NULL, 0, NULL };

    if (!parse(option, value, &new.number)) {
        return bad_value(option, value, origin);
    }
    new.text = strdup(value);
    new.origin = strdup(origin);
    if (new.text == NULL || new.origin == NULL) {
        free(new.text);
        free(new.origin);
        return rpt__fail_nomem(strlen(value));
    }
    free(options->values[index].text);
    free(options->values[index].origin);
    options->values[index] = new;
    return RPT_OK;
}

static char *trim(char *text)
{
    char *end;

    while (isspace((unsigned char)*text)) {
        text++;
    }
    end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1])) {
        *--end = '\0';
    }
    return text;
}

static rpt_status_t read_line(rpt_options_t *options, char *line,
                              const char *origin)
{
    char *equals, *name;
    int index;

    line[strcspn(line, "#")] = '\0';
    equals = strchr(line, '=');
    name = trim(line);
    if (*name == '\0') {
        return RPT_OK;
    }
    if (equals == NULL) {
        rpt__log_rank0(RPT_LOG_WARN, "%s: ignored \"%s\": not name = value",
                       origin, name);
        return RPT_OK;
    }
    *equals = '\0';
    name = trim(name);
    index = find(name);
    if (index < 0) {
        rpt__log_rank0(RPT_LOG_WARN,
                       "%s: there is no option %s; did you mean %s?", origin,
                       name, nearest(name));
        return RPT_OK;
    }
    return store(options, index, trim(equals + 1), origin);
}

static rpt_status_t read_file(rpt_options_t *options, const char *path)
{
    const char *why = NULL;
    FILE *file = rpt__file_open(path, &why);
    char line[FILE_LINE_BYTES], origin[FILE_LINE_BYTES];
    rpt_status_t status = RPT_OK;

    if (why != NULL) {
        rpt__log_rank0(RPT_LOG_WARN, "%s sets no options: %s", path, why);
    }
    if (file == NULL) {
        return RPT_OK; /* none there */
    }
    for (int n = 1; status == RPT_OK && fgets(line, sizeof line, file); n++) {
        snprintf(origin, sizeof origin, "file %s line %d", path, n);
        status = read_line(options, line, origin);
    }
    fclose(file);
    return status;
}

static rpt_status_t read_files(rpt_options_t *options)
{
    const char *home = getenv("HOME");
    char path[FILE_LINE_BYTES];
    rpt_status_t status = read_file(options, "/etc/repartir.conf");

    if (status == RPT_OK && home != NULL) {
        snprintf(path, sizeof path, "%s/.config/repartir/repartir.conf", home);
        status = read_file(options, path);
    }
    return status == RPT_OK ? read_file(options, "repartir.conf") : status;
}

/* Warns of RPT_ variables that name no option. */
static void check_environment(void)
{
    for (char **entry = environ; *entry != NULL; entry++) {
        char name[VARIABLE_BYTES] = "", variable[VARIABLE_BYTES];
        size_t n = strcspn(*entry, "=");
        bool known = false;

        /* Not options: what it tells its tasks, the shim's, and the tests. */
        if (strncmp(*entry, "RPT_", 4) != 0 || n >= VARIABLE_BYTES ||
            strncmp(*entry, "RPT_TASK_", 9) == 0 ||
            strncmp(*entry, "RPT_RESOURCE_", 13) == 0 ||
            strncmp(*entry, "RPT_PMPI_", 9) == 0 ||
            strncmp(*entry, "RPT_TEST_", 9) == 0) {
            continue;
        }
        for (int i = 0; i < RPT_N_OPTIONS && !known; i++) {
            variable_of(registry[i].name, variable);
            known = strlen(variable) == n && strncmp(variable, *entry, n) == 0;
        }
        if (!known) {
            for (size_t i = 4; i < n; i++) {
                name[i - 4] = (*entry)[i] == '_'
                                  ? '.'
                                  : (char)tolower((unsigned char)(*entry)[i]);
            }
            variable_of(nearest(name), variable);
            rpt__log_rank0(RPT_LOG_WARN,
                           "environment: there is no option %.*s; did you "
                           "mean %s?",
                           (int)n, *entry, variable);
        }
    }
}

static rpt_status_t read_environment(rpt_options_t *options)
{
    rpt_status_t status = RPT_OK;

    for (int i = 0; i < RPT_N_OPTIONS && status == RPT_OK; i++) {
        char variable[VARIABLE_BYTES];
        const char *value;

        variable_of(registry[i].name, variable);
        value = getenv(variable);
        if (value != NULL) {
            status = store(options, i, value, "environment");
        }
    }
    check_environment();
    return status;
}

rpt_status_t rpt_options_create(rpt_options_t **options_out)
{
    rpt_options_t *options;
    rpt_status_t status = RPT_OK;

    if (options_out == NULL) {
        return rpt__fail(RPT_ERR_INVALID, "options_out is NULL");
    }
    options = calloc(1, sizeof *options);
    if (options == NULL) {
        return rpt__fail_nomem(sizeof *options);
    }
    for (int i = 0; i < RPT_N_OPTIONS && status == RPT_OK; i++) {
        status = store(options, i, registry[i].fallback, "default");
    }
    if (status == RPT_OK) {
        status = read_files(options);
    }
    if (status == RPT_OK) {
        status = read_environment(options);
    }
    if (status != RPT_OK) {
        rpt_options_destroy(options);
        return status;
    }
    *options_out = options;
    return RPT_OK;
}

const char *rpt__environment(const char *name)
{
    return getenv(name);
}

rpt_status_t rpt__options_copy(const rpt_options_t *options,
                               rpt_options_t **copy_out)
{
    rpt_options_t *copy;

    if (options == NULL) {
        return rpt_options_create(copy_out);
    }
    copy = calloc(1, sizeof *copy);
    if (copy == NULL) {
        return rpt__fail_nomem(sizeof *copy);
    }
    for (int i = 0; i < RPT_N_OPTIONS; i++) {
        rpt_status_t status = store(copy, i, options->values[i].text,
                                    options->values[i].origin);

        if (status != RPT_OK) {
            rpt_options_destroy(copy);
            return status;
        }
    }
    *copy_out = copy;
    return RPT_OK;
}

static rpt_status_t no_option(const char *name)
{
    rpt__fail(RPT_ERR_NOT_FOUND, "there is no option \"%s\"", name);
    rpt__fail_hint("did you mean %s?", nearest(name));
    return RPT_ERR_NOT_FOUND;
}

rpt_status_t rpt_options_set(rpt_options_t *options, const char *name,
                             const char *value)
{
    int index;

    if (options == NULL || name == NULL || value == NULL) {
        return rpt__fail(RPT_ERR_INVALID, "rpt_options_set: NULL argument");
    }
    index = find(name);
    return index < 0 ? no_option(name)
                     : store(options, index, value, "program");
}

rpt_status_t rpt_options_get(const rpt_options_t *options, const char *name,
                             const char **value_out)
{
    int index;

    if (options == NULL || name == NULL || value_out == NULL) {
        return rpt__fail(RPT_ERR_INVALID, "rpt_options_get: NULL argument");
    }
    index = find(name);
    if (index < 0) {
        return no_option(name);
    }
    *value_out = options->values[index].text;
    return RPT_OK;
}

const char *rpt_options_origin(const rpt_options_t *options, const char *name)
{
    int index = options != NULL && name != NULL ? find(name) : -1;

    return index < 0 ? NULL : options->values[index].origin;
}

rpt_status_t rpt_option_info(size_t index, const rpt_option_info_t **info_out)
{
    static _Thread_local rpt_option_info_t info;
    static _Thread_local char variable[VARIABLE_BYTES];

    if (info_out == NULL) {
        return rpt__fail(RPT_ERR_INVALID, "info_out is NULL");
    }
    if (index >= RPT_N_OPTIONS) {
        return RPT_END;
    }
    variable_of(registry[index].name, variable);
    info = (rpt_option_info_t){ sizeof info,
                                registry[index].name,
                                variable,
                                kind_names[registry[index].kind],
                                registry[index].fallback,
                                registry[index].level,
                                registry[index].summary };
    *info_out = &info;
    return RPT_OK;
}

void rpt_options_destroy(rpt_options_t *options)
{
    if (options == NULL) {
        return;
    }
    for (int i = 0; i < RPT_N_OPTIONS; i++) {
        free(options->values[i].text);
        free(options->values[i].origin);
    }
    free(options);
}

bool rpt__option_switch(const rpt_options_t *options, enum rpt_option option)
{
    return options->values[option].number != 0;
}

int64_t rpt__option_integer(const rpt_options_t *options,
                            enum rpt_option option)
{
    return (int64_t)options->values[option].number;
}

uint64_t rpt__option_size(const rpt_options_t *options, enum rpt_option option)
{
    return (uint64_t)options->values[option].number;
}

double rpt__option_seconds(const rpt_options_t *options, enum rpt_option option)
{
    return options->values[option].number;
}

uint64_t rpt__options_hash(const rpt_options_t *options, enum rpt_option first,
                           enum rpt_option last)
{
    uint64_t hash = 0;

    for (int i = (int)first; i <= (int)last; i++) {
        const struct value *value = &options->values[i];

        /* 1 KiB and 1024 are the same. */
        hash = registry[i].kind == TEXT
                   ? rpt__hash64(value->text, strlen(value->text), hash)
                   : rpt__hash64(&value->number, sizeof value->number, hash);
    }
    return hash;
}

const char *rpt__option_text(const rpt_options_t *options,
                             enum rpt_option option)
{
    return options->values[option].text;
}

const char *rpt__option_name(enum rpt_option option)
{
    return registry[option].name;
}
