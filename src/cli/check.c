/*
 * check.c - the tasks of a list fit together: ids, dependencies, no cycle
 *
 * Cycles: a depth-first walk with a stack of our own (a chain of 10^6 tasks
 * must not need 10^6 frames).  Cost: linear in tasks and dependencies.
 */
#include "cli/map.h"
#include "cli/parse.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int check_ids(const struct task_list *list, const struct map *known,
                     struct map *ids, struct fault *fault)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct task_spec *spec = &list->tasks[i];
        size_t other;

        if (spec->id == NULL) {
            continue;
        }
        other = map_find_string(ids, spec->id);
        if (other != MAP_NONE) {
            fault_set(fault, CODE_INPUT, "%s:%u: the id \"%s\" is given twice",
                      list->source, spec->line, spec->id);
            fault_why(fault, "line %u has it already", list->tasks[other].line);
            return CODE_INPUT;
        }
        if (known != NULL && map_find_string(known, spec->id) != MAP_NONE) {
            fault_set(fault, CODE_INPUT,
                      "%s:%u: the job has a task \"%s\" already", list->source,
                      spec->line, spec->id);
            return CODE_INPUT;
        }
        map_set_string(ids, spec->id, i);
    }
    return CODE_OK;
}

bool id_is_number(const char *id)
{
    return id[0] >= '1' && id[0] <= '9' && strlen(id) < 20 &&
           strspn(id, "0123456789") == strlen(id);
}

/* A task without id is known by a number, which must be no other's id. */
static int check_numbers(const struct task_list *list, struct fault *fault)
{
    const struct task_spec *number = NULL;
    bool all_have_ids = true;

    for (size_t i = 0; i < list->n; i++) {
        const struct task_spec *spec = &list->tasks[i];

        all_have_ids = all_have_ids && spec->id != NULL;
        if (number == NULL && spec->id != NULL && id_is_number(spec->id)) {
            number = spec;
        }
    }
    if (all_have_ids || number == NULL) {
        return CODE_OK;
    }
    fault_set(fault, CODE_INPUT,
              "%s:%u: the id \"%s\" may be the number of a task without id",
              list->source, number->line, number->id);
    fault_why(fault, "tasks without id are known by their number");
    fault_hint(fault, "give every task an id, or ids that are no numbers");
    return CODE_INPUT;
}

static const char *nearest_id(const struct task_list *list, const char *id)
{
    const char **ids = get_memory(list->n * sizeof *ids);
    const char *best;
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (list->tasks[i].id != NULL && list->tasks[i].id != id) {
            ids[n++] = list->tasks[i].id;
        }
    }
    best = nearest_word(id, ids, n);
    free(ids);
    return best;
}

static int unknown_dependency(const struct task_list *list,
                              const struct task_spec *spec, const char *id,
                              struct fault *fault)
{
    const char *near = nearest_id(list, id);

    fault_set(fault, CODE_INPUT,
              "%s:%u: this task comes after \"%s\", but there is no such task",
              list->source, spec->line, id);
    if (near != NULL) {
        fault_hint(fault, "did you mean \"%s\"?", near);
    }
    return CODE_INPUT;
}

static int check_dependencies(const struct task_list *list,
                              const struct map *known, const struct map *ids,
                              struct fault *fault)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct task_more *more = list->tasks[i].more;

        for (size_t k = 0; more != NULL && k < more->n_after; k++) {
            const char *id = more->after[k];

            if (map_find_string(ids, id) == MAP_NONE &&
                (known == NULL || map_find_string(known, id) == MAP_NONE)) {
                return unknown_dependency(list, &list->tasks[i], id, fault);
            }
        }
    }
    return CODE_OK;
}

/* The walk: a path from a task to what it waits for, and so on. */
struct walk {
    const struct task_list *list;
    const struct map *ids;
    unsigned char *state; /* 0 new, 1 on the path, 2 done */
    struct step {
        size_t task;
        size_t next; /* dependency to look at */
    } * path;
    size_t n;
};

static void push(struct walk *walk, size_t task)
{
    walk->state[task] = 1;
    walk->path[walk->n++] = (struct step){ task, 0 };
}

static int report_cycle(const struct walk *walk, size_t task,
                        struct fault *fault)
{
    const struct task_spec *first = &walk->list->tasks[task];
    struct text cycle = { NULL, 0, 0 };
    size_t i = 0, shown = 0;

    while (walk->path[i].task != task) {
        i++;
    }
    for (; i < walk->n && shown < 10; i++, shown++) {
        const struct task_spec *spec = &walk->list->tasks[walk->path[i].task];

        text_printf(&cycle, "\"%s\" (line %u) comes after ", spec->id,
                    spec->line);
    }
    if (i < walk->n) {
        text_printf(&cycle, "… %zu more … after ", walk->n - i);
    }
    fault_set(fault, CODE_INPUT, "%s:%u: the dependencies form a cycle",
              walk->list->source, first->line);
    fault_why(fault, "%s\"%s\"", cycle.data, first->id);
    fault_hint(fault, "take one of these dependencies away");
    text_free(&cycle);
    return CODE_INPUT;
}

static int walk_from(struct walk *walk, size_t start, struct fault *fault)
{
    push(walk, start);
    while (walk->n > 0) {
        struct step *step = &walk->path[walk->n - 1];
        const struct task_more *more = walk->list->tasks[step->task].more;
        size_t next;

        if (more == NULL || step->next == more->n_after) {
            walk->state[step->task] = 2;
            walk->n--;
            continue;
        }
        next = map_find_string(walk->ids, more->after[step->next++]);
        if (next == MAP_NONE || walk->state[next] == 2) {
            continue;
        }
        if (walk->state[next] == 1) {
            return report_cycle(walk, next, fault);
        }
        push(walk, next);
    }
    return CODE_OK;
}

static int check_cycles(const struct task_list *list, const struct map *ids,
                        struct fault *fault)
{
    struct walk walk = { list, ids, NULL, NULL, 0 };
    int code = CODE_OK;

    walk.state = get_memory(list->n);
    walk.path = get_memory(list->n * sizeof *walk.path);
    for (size_t i = 0; i < list->n && code == CODE_OK; i++) {
        if (walk.state[i] == 0 && list->tasks[i].more != NULL) {
            code = walk_from(&walk, i, fault);
        }
    }
    free(walk.state);
    free(walk.path);
    return code;
}

int check_list(const struct task_list *list, const struct map *known,
               struct fault *fault)
{
    struct map ids = { NULL, 0, 0 };
    int code = check_ids(list, known, &ids, fault);

    if (code == CODE_OK) {
        code = check_numbers(list, fault);
    }
    if (code == CODE_OK) {
        code = check_dependencies(list, known, &ids, fault);
    }
    if (code == CODE_OK) {
        code = check_cycles(list, &ids, fault);
    }
    map_free(&ids);
    return code;
}
