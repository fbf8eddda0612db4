/*
 * checker_main.c - the program repartir-checker: opens a file that may be made
 * to harm, for somebody who must not be harmed
 *
 * It limits itself before it looks at anything: memory, processor time, no core
 * dump, nothing written, one more open file and no other.  Then HDF5 may do
 * what it likes; when it crashes there is no answer, which is one.
 */
#include "io/hdf5/checker.h"
#include "io/hdf5/file.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1 /* has terabytes of addresses */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

enum { EXIT_USAGE = 64 };

static int answer(rpt_status_t status, const char *why)
{
    char text[RPT_CHECKER_ANSWER_BYTES];
    int n = snprintf(text, sizeof text - 1, "%d %s", (int)status, why);
    size_t bytes = n < (int)sizeof text - 1 ? (size_t)n : sizeof text - 2;

    for (size_t i = 0; i < bytes; i++) {
        text[i] = text[i] == '\n' ? ' ' : text[i];
    }
    text[bytes++] = '\n';
    return write(RPT_CHECKER_ANSWER, text, bytes) == (ssize_t)bytes ? 0 : 1;
}

/* ---- limits ---- */

static void limit(int what, rlim_t most)
{
    struct rlimit both;

    if (getrlimit((__rlimit_resource_t)what, &both) == 0) {
        both.rlim_cur = both.rlim_max < most ? both.rlim_max : most;
        both.rlim_max = both.rlim_cur;
        setrlimit((__rlimit_resource_t)what, &both);
    }
}

static void limit_all(const char *memory, const char *cpu)
{
    /* 0 would still start a program that collects dumps; 1 does not. */
    limit(RLIMIT_CORE, 1);
    limit(RLIMIT_CPU, (rlim_t)strtoull(cpu, NULL, 10));
    limit(RLIMIT_FSIZE, 0);
#ifndef IS_SANITIZED
    limit(RLIMIT_AS, (rlim_t)strtoull(memory, NULL, 10));
#else
    (void)memory;
#endif
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/* ---- the request ---- */

static char *read_all(size_t *bytes_out)
{
    struct stat file;
    size_t bytes, at = 0;
    char *data;

    if (fstat(RPT_CHECKER_REQUEST, &file) != 0) {
        return NULL;
    }
    bytes = (size_t)file.st_size;
    data = malloc(bytes + 1);
    while (data != NULL && at < bytes) {
        ssize_t n = pread(RPT_CHECKER_REQUEST, data + at, bytes - at,
                          (off_t)at);

        if (n <= 0) {
            free(data);
            return NULL;
        }
        at += (size_t)n;
    }
    if (data != NULL) {
        data[bytes] = '\0';
    }
    *bytes_out = bytes;
    return data;
}

/* NULL: there is no memory, or no such runs.  They live as long as the program.
 */
static char *take_slots(char *at, const char *end, struct rpt_hdf5_dataset *set)
{
    struct rpt_hdf5_run *runs;

    set->slot_bytes = strtoull(at, &at, 10);
    if (set->slot_bytes == 0) {
        return at;
    }
    for (int d = 0; d < set->n_dims; d++) {
        set->chunk[d] = strtoull(at, &at, 10);
        if (set->chunk[d] == 0) {
            return NULL;
        }
    }
    set->n_runs = (size_t)strtoull(at, &at, 10);
    if (set->n_runs > (size_t)(end - at)) {
        return NULL;
    }
    runs = calloc(set->n_runs + 1, sizeof *runs);
    for (size_t i = 0; runs != NULL && i < set->n_runs; i++) {
        runs[i].n = strtoull(at, &at, 10);
        runs[i].offset = strtoull(at, &at, 10);
    }
    set->runs = runs;
    return runs != NULL ? at : NULL;
}

/* One line; NULL: it is none. */
static char *take_line(char *at, const char *end, struct rpt_hdf5_dataset *set)
{
    unsigned long long bytes;

    set->type = (rpt_type_t)strtol(at, &at, 10);
    set->n_dims = (int)strtol(at, &at, 10);
    if (set->n_dims < 0 || set->n_dims > RPT_HDF5_DIMS) {
        return NULL;
    }
    for (int d = 0; d < set->n_dims; d++) {
        set->dims[d] = strtoull(at, &at, 10);
    }
    set->offset = strtoull(at, &at, 10);
    at = take_slots(at, end, set);
    if (at == NULL) {
        return NULL;
    }
    bytes = strtoull(at, &at, 10);
    if (*at != ' ' || bytes >= (unsigned long long)(end - at) - 1 ||
        at[bytes + 1] != '\n') {
        return NULL;
    }
    set->name = at + 1;
    at[bytes + 1] = '\0';
    return at + bytes + 2;
}

static struct rpt_hdf5_dataset *take_all(char *data, size_t bytes,
                                         size_t *n_out)
{
    struct rpt_hdf5_dataset *sets = NULL, *more;
    char *at = data, *end = data + bytes;
    size_t n = 0, room = 0;

    while (at != NULL && at < end) {
        if (n == room) {
            room = 2 * room + 16;
            more = realloc(sets, room * sizeof *sets);
            if (more == NULL) {
                break;
            }
            sets = more;
        }
        memset(&sets[n], 0, sizeof sets[n]);
        at = take_line(at, end, &sets[n++]);
    }
    if (at != end) {
        free(sets);
        return NULL;
    }
    *n_out = n;
    return sets;
}

/* ---- HDF5 ---- */

static const struct rpt_hdf5_ops *load(const char *name, const char **why_out)
{
    *why_out = "it is of another version";
#ifdef RPT_HDF5_INSIDE
    (void)name;
    return rpt_hdf5_open(RPT_HDF5_INTERFACE);
#else
    rpt_hdf5_open_fn *open = NULL;
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL), *symbol;

    symbol = library != NULL ? dlsym(library, RPT_HDF5_OPEN) : NULL;
    if (symbol == NULL) {
        *why_out = dlerror();
        return NULL;
    }
    *(void **)&open = symbol;
    return open(RPT_HDF5_INTERFACE);
#endif
}

int main(int argc, char *argv[])
{
    const struct rpt_hdf5_ops *ops;
    struct rpt_hdf5_dataset *sets;
    const char *why;
    char *data, path[64];
    size_t bytes = 0, n = 0;
    rpt_status_t status;

    if (argc != 4) {
        fprintf(stderr, "repartir-checker is started by librepartir\n");
        return EXIT_USAGE;
    }
    limit_all(argv[2], argv[3]);
    ops = load(argv[1], &why);
    if (ops == NULL) {
        return answer(RPT_ERR_UNSUPPORTED, why);
    }
    data = read_all(&bytes);
    sets = data != NULL ? take_all(data, bytes, &n) : NULL;
    if (sets == NULL && bytes > 0) {
        return answer(RPT_ERR_INTERNAL, "the request makes no sense");
    }
    /* The file is opened once more, under a name that cannot be replaced. */
    limit(RLIMIT_NOFILE, RPT_CHECKER_FILE + 2);
    snprintf(path, sizeof path, "/proc/self/fd/%d", RPT_CHECKER_FILE);
    status = ops->check(path, sets, n);
    return answer(status, status == RPT_OK ? "" : ops->why());
}
