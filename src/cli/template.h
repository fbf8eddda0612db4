/*
 * template.h - {} and its relatives, as in GNU parallel
 */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include "cli/list.h"

#include <stdbool.h>

/* {} the value, {.} without its extension, {/} its last part, {//} its
 * directory, {/.} the last part without extension, {#} the number of the task.
 * Appends `word` with these replaced; {%} stays.  With `quote` each replaced
 * part is quoted for a shell. */
struct template_value {
    const char *value;
    size_t number;
    bool quote;
};
void template_word(struct text *text, const char *word,
                   const struct template_value *value);

/* One of {} {.} {/} {//} {/.} {#} {%} occurs in the word. */
bool template_has(const char *word);

/* Fills argv and, for {%}, shown.  Where no word has one of the strings above,
 * the value becomes one more word. */
void template_fill(struct task_spec *spec, const char *const words[],
                   bool shell, const char *value, size_t number);

#endif /* CLI_TEMPLATE_H */
