/*
 * parse.h - readers of task files; each is pure: bytes in, a list out
 *
 * All give CODE_OK, or CODE_INPUT with a fault that begins "FILE:LINE: ".
 */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include "cli/fault.h"
#include "cli/list.h"

#include <stdbool.h>

/* The bytes of a file and its name for messages. */
struct source {
    const char *name;
    const char *data;
    size_t bytes;
};

/* Walks over the lines of a source. */
struct line_reader {
    const struct source *source;
    size_t next;     /* offset of the next line */
    uint32_t number; /* of this line, from 1    */
    const char *line;
    size_t bytes; /* without its line end    */
};

/* The next line; false at the end. */
bool line_next(struct line_reader *reader);
/* CODE_INPUT when this line has a NUL byte. */
int line_check(const struct line_reader *reader, struct fault *fault);
/* Offset of the first byte from `from` on that is no blank; `bytes`: none. */
size_t line_skip(const struct line_reader *reader, size_t from);
/* Nothing but blanks, or a comment. */
bool line_is_empty(const struct line_reader *reader);

/* Splits a line into words as a shell does: '…', "…", \ and # comments; no
 * variables, patterns or operators.  On success `words` holds them one after
 * another, each with its 0; else *problem_out says what is wrong at byte
 * *where_out (from 0). */
bool split_words(const char *line, size_t bytes, struct text *words,
                 size_t *n_words_out, const char **problem_out,
                 size_t *where_out);

/* The first unquoted word that only a shell would understand (|, >, &&, …) or
 * NAME=value in front; NULL when there is none.  For a warning. */
bool looks_like_shell(const char *line, size_t bytes, size_t *where_out);

/* One command a line; with `shell` each line is left to /bin/sh. */
int parse_lines(const struct source *source, bool shell, struct task_list *list,
                struct fault *fault);

/* One JSON object a line (doc/tasks.schema.json). */
int parse_json(const struct source *source, struct task_list *list,
               struct fault *fault);

/* The keys of such an object. */
extern const char *const json_keys[];
extern const size_t n_json_keys;

/* One value a line, put into a template (template.h). */
int parse_each(const struct source *source, const char *const words[],
               bool shell, struct task_list *list, struct fault *fault);

/* An id that may be what the pool calls a task without one. */
bool id_is_number(const char *id);

/* Ids are given once, dependencies exist and form no cycle.  `known`, if not
 * NULL, has ids that exist elsewhere. */
struct map;
int check_list(const struct task_list *list, const struct map *known,
               struct fault *fault);

#endif /* CLI_PARSE_H */
