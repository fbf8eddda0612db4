/*
 * files.h - names of the files of --output=files
 */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "cli/fault.h"
#include "cli/list.h"
#include "cli/map.h"

/* Makes a directory and those above it; the absolute path is released with
 * free().  CODE_IO. */
int make_directory(const char *path, char **absolute_out, struct fault *fault);

/* How often each task without an id occurred so far. */
struct occurrences {
    struct map map;
    char **keys;
    size_t n, room;
};

/* Sets `output` of the tasks from the index `first` on. */
void files_name(struct task_list *list, size_t first, const char *directory,
                struct occurrences *occurrences);

void occurrences_free(struct occurrences *occurrences);

#endif /* CLI_FILES_H */
