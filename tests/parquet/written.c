/*
 * written.c - where files of the tests are, and who reads them
 */
#include "written.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 512 };

static const char *variable(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : otherwise;
}

static const char *library(void)
{
    static char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/.libs/librepartir-parquet.so",
             variable("BUILD", "."));
    return path;
}

bool has_library(void)
{
    bool is_here = access(library(), R_OK) == 0;

    if (!is_here) {
        rpt_test_skip("this build has no librepartir-parquet (see configure)");
    }
    return is_here;
}

static char folder[PATH_BYTES];

static void remove_folder(void)
{
    char command[PATH_BYTES + 16];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) {
        perror(folder);
    }
}

const char *scratch(void)
{
    if (folder[0] == '\0') {
        snprintf(folder, sizeof folder, "%s/rpt-parquet.XXXXXX",
                 variable("TMPDIR", "/tmp"));
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
        atexit(remove_folder);
    }
    return folder;
}

const char *in_scratch(const char *name)
{
    static char paths[4][PATH_BYTES + 64];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", scratch(), name);
    return path;
}

rpt_status_t open_file(const char *path,
                       const struct rpt_parquet_schema *schema,
                       const struct rpt_parquet_settings *settings,
                       struct rpt_parquet **writer_out)
{
    rpt_options_t *options = NULL;
    rpt_status_t status;

    CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
    CU_ASSERT_EQUAL_FATAL(
        rpt_options_set(options, "io.parquet.library", library()), RPT_OK);
    status = rpt__parquet_open(path, schema, settings, options, writer_out);
    rpt_options_destroy(options);
    return status;
}

rpt_status_t open_numbers(const char *path,
                          const struct rpt_parquet_settings *settings,
                          struct rpt_parquet **writer_out)
{
    static const struct rpt_parquet_column column = { .name = "x",
                                                      .type = RPT_TYPE_F64 };
    static const struct rpt_parquet_schema schema = { &column, 1, NULL, 0 };

    return open_file(path, &schema, settings, writer_out);
}

rpt_status_t append_numbers(struct rpt_parquet *writer, const double *values,
                            int64_t n)
{
    struct rpt_parquet_data data = { values, NULL };

    return rpt__parquet_append(writer, n, &data);
}

void python(const char *check, const char *path, const char *arguments)
{
    char command[2048], line[512] = "no output";
    static const char missing[] = "missing: ";
    const size_t n = sizeof missing - 1;
    FILE *output;
    int status;

    snprintf(command, sizeof command,
             "'%s' '%s/tests/parquet/read.py' %s '%s' %s 2>&1",
             variable("PYTHON", "python3"), variable("SRC", "."), check, path,
             arguments);
    output = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(output);
    while (fgets(line, sizeof line, output) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, missing, n) != 0) {
            printf("  %s\n", line);
        }
    }
    status = pclose(output);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        rpt_test_skip(strncmp(line, missing, n) == 0 ? line + n : line);
        return;
    }
    CU_ASSERT_EQUAL(status, 0);
}

bool says(const char *what)
{
    bool found = strstr(rpt_last_error_text(), what) != NULL;

    if (!found) {
        printf("  \"%s\" is not in: %s\n", what, rpt_last_error_text());
    }
    return found;
}

bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(fputs(text, file) >= 0);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

bool holds(const char *path, const char *text)
{
    char found[64] = "";
    FILE *file = fopen(path, "r");
    bool is_same = file != NULL && fgets(found, sizeof found, file) != NULL &&
                   strcmp(found, text) == 0;

    if (file != NULL) {
        fclose(file);
    }
    return is_same;
}
