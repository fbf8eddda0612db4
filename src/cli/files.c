/*
 * files.c - names of the files of --output=files
 *
 *   DIR/ID.out, ID.err                  a task with an id
 *   DIR/PROGRAM-HASH-K.out, .err        one without: the K-th that runs this
 *
 * The name says what the task is, not where it stands in its file: after the
 * file was edited, a resumed task still has the files that it wrote.
 */
#include "cli/files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ID_BYTES = 180, NAME_BYTES = 40 };

int make_directory(const char *path, char **absolute_out, struct fault *fault)
{
    char *copy = copy_string(path);
    char *absolute = NULL;
    int error = 0;

    for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL) {
            *slash = '\0';
        }
        error = mkdir(copy, 0777) == 0 || errno == EEXIST ? 0 : errno;
        if (slash == NULL) {
            break;
        }
        *slash = '/';
    }
    free(copy);
    if (error == 0) {
        absolute = realpath(path, NULL);
        error = absolute == NULL ? errno : 0;
    }
    if (error != 0) {
        fault_set(fault, CODE_IO, "the directory %s cannot be made", path);
        fault_why(fault, "%s", strerror(error));
        return CODE_IO;
    }
    *absolute_out = absolute;
    return CODE_OK;
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || strchr("._+-", c) != NULL;
}

/* A name that is one part of a path; other bytes become %XX, a long one is
 * cut and told apart by its hash. */
static void add_name(struct text *text, const char *name, size_t most)
{
    size_t start = text->bytes;

    for (const char *c = name; *c != '\0'; c++) {
        if (is_plain(*c) && !(*c == '.' && c == name)) {
            text_char(text, *c);
        } else {
            text_printf(text, "%%%02X", (unsigned)(unsigned char)*c);
        }
    }
    if (text->bytes - start > most) {
        text->bytes = start + most;
        text_printf(
            text, "-%016llx",
            (unsigned long long)map_hash(MAP_HASH_START, name, strlen(name)));
    }
}

static size_t next_occurrence(struct occurrences *o, const char *key)
{
    size_t n = map_find_string(&o->map, key);

    if (n != MAP_NONE) {
        map_set_string(&o->map, key, n + 1);
        return n + 1;
    }
    if (o->n == o->room) {
        o->room = o->room > 0 ? o->room * 2 : 64;
        o->keys = get_more(o->keys, o->room * sizeof *o->keys);
    }
    o->keys[o->n] = copy_string(key);
    map_set_string(&o->map, o->keys[o->n++], 1);
    return 1;
}

static void add_anonymous(struct text *path, const struct task_spec *spec,
                          struct occurrences *occurrences)
{
    const char *program = strrchr(spec->argv[0], '/');
    struct text json = { NULL, 0, 0 };
    size_t start = path->bytes;

    spec_json(&json, spec);
    add_name(path, program != NULL ? program + 1 : spec->argv[0], NAME_BYTES);
    text_printf(
        path, "-%016llx",
        (unsigned long long)map_hash(MAP_HASH_START, json.data, json.bytes));
    text_printf(path, "-%zu", next_occurrence(occurrences, path->data + start));
    text_free(&json);
}

void files_name(struct task_list *list, size_t first, const char *directory,
                struct occurrences *occurrences)
{
    for (size_t i = first; i < list->n; i++) {
        struct task_spec *spec = &list->tasks[i];
        struct text path = { NULL, 0, 0 };

        text_printf(&path, "%s/", directory);
        if (spec->id != NULL) {
            add_name(&path, spec->id, ID_BYTES);
        } else {
            add_anonymous(&path, spec, occurrences);
        }
        spec->output = path.data;
    }
}

void occurrences_free(struct occurrences *occurrences)
{
    for (size_t i = 0; i < occurrences->n; i++) {
        free(occurrences->keys[i]);
    }
    free(occurrences->keys);
    map_free(&occurrences->map);
}
