/*
 * made.c - a checkpoint whose values are formulas, which read.py says once more
 */
#include "made.h"

#include <repartir/types.h>

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct shape {
    const char *name;
    rpt_type_t type;
    int n_dims;
    uint64_t dims[RPT_CHECKPOINT_DIMS];
};

enum { TYPES_N = 1003, BLOB_STEP = 1000 };

static const struct shape shapes[] = {
#define OF_TYPE(name, value, bytes, text)                                      \
    { "types/" text, RPT_TYPE_##name, 1, { TYPES_N } },
    RPT_TYPE_LIST(OF_TYPE)
#undef OF_TYPE
        { "types/opaque", (rpt_type_t)(RPT_TYPE_OPAQUE_0 + 5), 1, { TYPES_N } },
    { "dims/1", RPT_TYPE_F64, 1, { 3001 } },
    { "dims/2", RPT_TYPE_F64, 2, { 13, 64 } },
    { "dims/3", RPT_TYPE_F64, 3, { 8, 9, 10 } },
    { "dims/4", RPT_TYPE_F64, 4, { 1, 5, 3, 40 } },
    { "dims/5", RPT_TYPE_F64, 5, { 2, 3, 2, 3, 2 } },
    { "dims/6", RPT_TYPE_F64, 6, { 3, 1, 2, 3, 2, 4 } },
    { "dims/7", RPT_TYPE_F64, 7, { 2, 1, 2, 1, 2, 3, 5 } },
    { "dims/8", RPT_TYPE_F64, 8, { 2, 1, 3, 2, 2, 1, 2, 3 } },
    { "big", RPT_TYPE_F64, 2, { 401, 1511 } }, /* more than one batch */
    { "i0", RPT_TYPE_F64, 2, { 13, 64 } },
    { "none", RPT_TYPE_F64, 2, { 0, 5 } },
    { "gaps", RPT_TYPE_I16, 2, { 40, 41 } },
    { "values", RPT_TYPE_F64, 1, { 7 } }
};

enum { N_SHAPES = sizeof shapes / sizeof *shapes };

struct c64 {
    float re, im;
};
struct c128 {
    double re, im;
};

#define PAIR(name, type)                                                       \
    struct pair_##name {                                                       \
        type value;                                                            \
        int32_t index;                                                         \
    }
PAIR(f32, float);
PAIR(f64, double);
PAIR(i16, int16_t);
PAIR(i32, int32_t);
PAIR(i64, int64_t);

static uint64_t factor_of(size_t bytes)
{
    return bytes == 1   ? 7
           : bytes == 2 ? 4099
           : bytes == 4 ? 2654435761
                        : UINT64_C(0x9e3779b97f4a7c15);
}

/* Element i of an array of this type. */
static void put(rpt_type_t type, uint64_t i, void *to)
{
    size_t bytes = rpt_type_bytes(type);
    uint64_t integer = i * factor_of(bytes);
    double real = (double)i;

#define PUT(ctype, ...)                                                        \
    do {                                                                       \
        ctype value_ = { __VA_ARGS__ };                                        \
        memcpy(to, &value_, sizeof value_);                                    \
        return;                                                                \
    } while (0)

    switch (type) {
    case RPT_TYPE_F16:
    case RPT_TYPE_BF16:
        PUT(uint16_t, (uint16_t)i);
    case RPT_TYPE_F32:
        PUT(float, (float)i / 3);
    case RPT_TYPE_F64:
        PUT(double, real / 3);
    case RPT_TYPE_C64:
        PUT(struct c64, (float)(real * 0.25), (float)-real);
    case RPT_TYPE_C128:
        PUT(struct c128, real * 0.125, -real);
    case RPT_TYPE_F32_I32:
        PUT(struct pair_f32, (float)(real * 0.5), (int32_t)i + 1);
    case RPT_TYPE_F64_I32:
        PUT(struct pair_f64, real * 0.5, (int32_t)i + 1);
    case RPT_TYPE_I16_I32:
        PUT(struct pair_i16, (int16_t)(i % 1000), (int32_t)i + 1);
    case RPT_TYPE_I32_I32:
        PUT(struct pair_i32, -(int32_t)i, (int32_t)i + 1);
    case RPT_TYPE_I64_I32:
        PUT(struct pair_i64, -(int64_t)i * 1000003, (int32_t)i + 1);
    default:
        break;
    }
    if (type >= RPT_TYPE_OPAQUE_0) {
        for (size_t k = 0; k < bytes; k++) {
            ((unsigned char *)to)[k] = (unsigned char)(i + k);
        }
        return;
    }
    memcpy(to, &integer, bytes); /* the low bytes */
}

/* This rank's rows; of "gaps" only columns 3 to 32. */
static void add_array(struct world *w, rpt_checkpoint_t *c,
                      const struct shape *shape, void **memory_out)
{
    rpt_checkpoint_array_t a = { .size = sizeof a,
                                 .name = shape->name,
                                 .type = shape->type,
                                 .n_dims = shape->n_dims };
    size_t bytes = rpt_type_bytes(shape->type);
    bool has_gaps = strcmp(shape->name, "gaps") == 0;
    uint64_t rank = (uint64_t)w->rank, size = (uint64_t)w->size, row = 1, n = 1;
    char *data;

    memcpy(a.dims, shape->dims, sizeof a.dims);
    memcpy(a.count, shape->dims, sizeof a.count);
    a.start[0] = a.dims[0] * rank / size;
    a.count[0] = a.dims[0] * (rank + 1) / size - a.start[0];
    for (int d = 1; d < a.n_dims; d++) {
        row *= a.dims[d];
    }
    if (has_gaps) {
        a.start[1] = 3;
        a.count[1] = 30;
    }
    for (int d = 0; d < a.n_dims; d++) {
        n *= a.count[d];
    }
    a.data = data = malloc(n * bytes + 1);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = a.start[0] * row + i;

        if (has_gaps) {
            at = (a.start[0] + i / 30) * row + 3 + i % 30;
        }
        put(a.type, at, data + i * bytes);
    }
    WORKS(rpt_checkpoint_add_array(c, &a));
    *memory_out = data;
}

/* ---- blobs: rank r has r * 1000 + 500 bytes; nobody has some of "no" ---- */

struct packing {
    int rank;
    bool is_empty;
};

static rpt_status_t measure(void *user, uint64_t *bytes_out)
{
    const struct packing *p = user;

    *bytes_out = p->is_empty ? 0 : (uint64_t)p->rank * BLOB_STEP + 500;
    return RPT_OK;
}

static rpt_status_t pack(void *user, void *bytes, uint64_t n_bytes)
{
    const struct packing *p = user;

    for (uint64_t i = 0; i < n_bytes; i++) {
        ((unsigned char *)bytes)[i] = (unsigned char)(i * 7 +
                                                      (unsigned)p->rank);
    }
    return RPT_OK;
}

static rpt_status_t unpack(void *user, const void *bytes, uint64_t n_bytes,
                           int from, int n_from)
{
    (void)user;
    (void)bytes;
    (void)n_bytes;
    (void)from;
    (void)n_from;
    return RPT_OK;
}

void make_checkpoint(struct world *w, const char *task, uint64_t iteration)
{
    rpt_checkpoint_t *c = NULL;
    void *memory[N_SHAPES];
    double time = 0.1 * (double)iteration;
    int32_t table[5] = { 1, -2, 3, -4, 5 };
    uint64_t huge = UINT64_MAX;
    struct c128 two[2] = { { 1.5, -2.5 }, { 3, 4 } };
    unsigned char bytes[3] = { 0x00, 0xab, 0xff };
    struct packing some = { w->rank, false }, no = { w->rank, true };
    rpt_checkpoint_blob_t blob = { sizeof blob, "rng", measure,        pack,
                                   unpack,      &some, RPT_BLOB_SPREAD };

    if (!WORKS(rpt_checkpoint_open(w->group, w->folder, task, NULL, &c))) {
        return;
    }
    for (int i = 0; i < N_SHAPES; i++) {
        add_array(w, c, &shapes[i], &memory[i]);
    }
    WORKS(rpt_checkpoint_add_value(c, "time", RPT_TYPE_F64, 1, &time));
    WORKS(rpt_checkpoint_add_value(c, "t/able", RPT_TYPE_I32, 5, table));
    WORKS(rpt_checkpoint_add_value(c, "empty", RPT_TYPE_F64, 0, NULL));
    WORKS(rpt_checkpoint_add_value(c, "huge", RPT_TYPE_U64, 1, &huge));
    WORKS(rpt_checkpoint_add_value(c, "two", RPT_TYPE_C128, 2, two));
    WORKS(rpt_checkpoint_add_value(
        c, "bytes", (rpt_type_t)(RPT_TYPE_OPAQUE_0 + 3), 1, bytes));
    WORKS(rpt_checkpoint_add_blob(c, &blob));
    blob.name = "no";
    blob.user = &no;
    WORKS(rpt_checkpoint_add_blob(c, &blob));
    WORKS(rpt_checkpoint_save(c, iteration));
    rpt_checkpoint_close(c);
    for (int i = 0; i < N_SHAPES; i++) {
        free(memory[i]);
    }
}

/* ---- around it ---- */

static const char *variable(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : otherwise;
}

static const char *library(void)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/.libs/librepartir-parquet.so",
             variable("BUILD", "."));
    return path;
}

bool has_parquet(void)
{
    bool is_here = access(library(), R_OK) == 0;

    if (!is_here) {
        rpt_test_skip("this build has no librepartir-parquet (see configure)");
    }
    return is_here;
}

const char *with_library(const char *settings)
{
    static char text[1024];

    snprintf(text, sizeof text, "io.parquet.library=%s %s", library(),
             settings != NULL ? settings : "");
    return text;
}

rpt_export_config_t config_to(const char *output)
{
    static _Thread_local char paths[8][1024];
    static _Thread_local int next;
    char *path = paths[next++ % 8];
    rpt_export_config_t config = { .size = sizeof config, .output = path };

    snprintf(path, sizeof paths[0], "%s", output);

    return config;
}

/* Exit code; the output is shown when that is neither 0 nor 77. */
static int run_reader(const char *arguments)
{
    char command[8192], line[512], first[512] = "";
    FILE *from;
    int code;

    snprintf(command, sizeof command, "'%s' '%s/tests/export/read.py' %s 2>&1",
             variable("PYTHON", "python3"), variable("SRC", "."), arguments);
    from = popen(command, "r");
    if (from == NULL) {
        return 1;
    }
    while (fgets(line, sizeof line, from) != NULL) {
        if (first[0] == '\0') {
            snprintf(first, sizeof first, "%s", line);
        }
        if (strncmp(line, "missing:", 8) != 0) {
            fputs(line, stderr);
        }
    }
    code = pclose(from);
    code = WIFEXITED(code) ? WEXITSTATUS(code) : 1;
    if (code == 77) {
        first[strcspn(first, "\n")] = '\0';
        rpt_test_skip(first);
    }
    return code;
}

void read_by(const char *check, const char *argument, ...)
{
    char text[4096];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", check);
    va_list list;
    int code;

    va_start(list, argument);
    while (argument != NULL && used < sizeof text) {
        used += (size_t)snprintf(text + used, sizeof text - used, " '%s'",
                                 argument);
        argument = va_arg(list, const char *);
    }
    va_end(list);
    code = run_reader(text);
    CHECK(code == 0 || code == 77);
}

bool is_there(const struct world *w, const char *name)
{
    return access(path_of(w, name, NULL), F_OK) == 0;
}

int count_in(const struct world *w, const char *start)
{
    DIR *dir = opendir(w->folder);
    struct dirent *entry;
    int n = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        n += strncmp(entry->d_name, start, strlen(start)) == 0;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return n;
}
