/*
 * text.h - bytes that grow, and memory that is there or ends the command
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <repartir/base.h>

#include <stddef.h>

/* Memory, or a message and the end of this process: a command has nothing to
 * go on with.  What a job has committed is safe in its state directory. */
void *get_memory(size_t bytes);
void *get_more(void *old, size_t bytes);
char *copy_string(const char *string);

/* Always followed by a 0 that does not count; data is NULL while empty. */
struct text {
    char *data;
    size_t bytes;
    size_t room;
};

void text_add(struct text *text, const void *data, size_t bytes);
void text_string(struct text *text, const char *string);
void text_char(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...) RPT_PRINTF(2, 3);

/* As a JSON string; bytes that are no UTF-8 become U+FFFD. */
void text_json(struct text *text, const char *data, size_t bytes);

/* What could move the cursor of a terminal, or is no UTF-8, is written as \n,
 * \x1b or \u009b. */
void text_visible(struct text *text, const char *data, size_t bytes);

/* As a word for the shell: as it is, or in single quotes where needed. */
void text_shell(struct text *text, const char *word);
/* Several, with spaces between; ends with NULL. */
void text_command(struct text *text, const char *const words[]);

/* Empties; the memory stays. */
void text_clear(struct text *text);
void text_free(struct text *text);

#endif /* CLI_TEXT_H */
