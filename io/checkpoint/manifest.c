/*
 * manifest.c - MANIFEST.json, written and read; the one user of jansson here
 *
 * What is written is JSON whose last line is a digest of all bytes before that
 * line, so that a changed byte is found before anything is believed.
 */
#include "io/checkpoint/format.h"

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "io/checkpoint/slots.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES_MAX = 255 };

static const char *const kinds[] = { "array", "value", "blob" };

const char *rpt__item_kind_name(enum rpt_item_kind kind)
{
    return kinds[kind];
}

/* ---- names ---- */

/* The manifest is JSON, which has no other bytes: a name would come back as
 * another one. */
static const char *why_no_text(const char *name)
{
    const unsigned char *s = (const unsigned char *)name;
    size_t left = strlen(name), n;

    for (; left > 0; s += n, left -= n) {
        n = rpt__utf8_length(s, left);
        if (n == 0) {
            return "its name is no UTF-8";
        }
        if (*s < 0x20 || *s == 0x7f) {
            return "its name has a control character";
        }
    }
    return NULL;
}

/* A relative path of HDF5, without empty parts, "." and "..". */
const char *rpt__name_check(const char *name)
{
    const char *part = name, *why;

    if (name == NULL || name[0] == '\0') {
        return "it has no name";
    }
    if (strlen(name) > NAME_BYTES_MAX) {
        return "its name has more than 255 bytes";
    }
    why = why_no_text(name);
    if (why != NULL) {
        return why;
    }
    for (;;) {
        size_t bytes = strcspn(part, "/");

        if (bytes == 0 || (bytes == 1 && part[0] == '.') ||
            (bytes == 2 && part[0] == '.' && part[1] == '.')) {
            return "its name is a path like \"flow/u\": no empty part, no "
                   "\".\", no \"..\"";
        }
        if (part[bytes] == '\0') {
            return NULL;
        }
        part += bytes + 1;
    }
}

void rpt__id_text(uint64_t id, char text_out[RPT_ID_BYTES])
{
    snprintf(text_out, RPT_ID_BYTES, "%016" PRIx64, id);
}

void rpt__folder_name(uint64_t iteration, uint64_t id,
                      char name_out[RPT_FOLDER_NAME_BYTES])
{
    snprintf(name_out, RPT_FOLDER_NAME_BYTES, "it-%012" PRIu64 "-%016" PRIx64,
             iteration, id);
}

bool rpt__folder_parse(const char *name, uint64_t *iteration_out,
                       uint64_t *id_out)
{
    char again[RPT_FOLDER_NAME_BYTES];
    uint64_t iteration, id;

    if (sscanf(name, "it-%20" SCNu64 "-%16" SCNx64, &iteration, &id) != 2) {
        return false;
    }
    rpt__folder_name(iteration, id, again);
    if (strcmp(name, again) != 0) {
        return false;
    }
    *iteration_out = iteration;
    *id_out = id;
    return true;
}

void rpt__manifest_free(struct rpt_manifest *manifest)
{
    for (size_t i = 0; i < manifest->n_datasets; i++) {
        free(manifest->datasets[i].name);
        rpt__chunk_slots_free(manifest->datasets[i].slots);
    }
    for (size_t i = 0; i < manifest->n_files; i++) {
        free(manifest->files[i].name);
    }
    free(manifest->datasets);
    free(manifest->files);
    free(manifest->task);
    free(manifest->host);
    free(manifest->engine);
    free(manifest->library);
    *manifest = (struct rpt_manifest){ .id = 0 };
}

bool rpt__manifest_has_slots(const struct rpt_manifest *m)
{
    return rpt__format_version(m->datasets, m->n_datasets) > 1;
}

/* ---- writing ---- */

static void write_text(struct rpt_buf *text, const char *key, const char *value)
{
    rpt__buf_printf(text, " \"%s\": ", key);
    rpt__json_string(text, value, strlen(value));
    rpt__buf_printf(text, ",\n");
}

static void write_dims(struct rpt_buf *text, const uint64_t dims[], int n)
{
    rpt__buf_printf(text, "[");
    for (int d = 0; d < n; d++) {
        rpt__buf_printf(text, "%s%" PRIu64, d > 0 ? ", " : "", dims[d]);
    }
    rpt__buf_printf(text, "]");
}

static void write_slots(struct rpt_buf *text, const struct rpt_dataset *set)
{
    const struct rpt_chunk_slots *slots = set->slots;

    rpt__buf_printf(text, ",\n    \"filters\": [\"shuffle\", \"deflate\"], "
                          "\"chunk\": ");
    write_dims(text, slots->chunk, set->n_dims);
    rpt__buf_printf(text, ", \"slot_bytes\": %" PRIu64 ", \"slots\": [",
                    slots->bytes);
    for (size_t i = 0; i < slots->n_runs; i++) {
        rpt__buf_printf(text, "%s[%" PRIu64 ", %" PRIu64 "]", i > 0 ? ", " : "",
                        slots->runs[i].n, slots->runs[i].offset);
    }
    rpt__buf_printf(text, "]");
}

static void write_dataset(struct rpt_buf *text, const struct rpt_dataset *set)
{
    rpt__buf_printf(text, "\n  { \"name\": ");
    rpt__json_string(text, set->name, strlen(set->name));
    rpt__buf_printf(text, ", \"kind\": \"%s\", \"type\": ", kinds[set->kind]);
    if (set->type >= RPT_TYPE_OPAQUE_0) {
        rpt__buf_printf(text, "\"opaque%zu\"", rpt_type_bytes(set->type));
    } else {
        rpt__buf_printf(text, "\"%s\"", rpt_type_name(set->type));
    }
    rpt__buf_printf(text, ", \"dims\": ");
    write_dims(text, set->dims, set->is_scalar ? 0 : set->n_dims);
    rpt__buf_printf(text, ", \"offset\": %" PRIu64 ", \"bytes\": %" PRIu64,
                    set->offset, set->bytes);
    if (set->slots != NULL) {
        write_slots(text, set);
    }
    rpt__buf_printf(text, " }");
}

static void write_files(struct rpt_buf *text, const struct rpt_routed files[],
                        size_t n)
{
    rpt__buf_printf(text, " \"files\": [");
    for (size_t i = 0; i < n; i++) {
        rpt__buf_printf(text, "%s\n  { \"name\": ", i > 0 ? "," : "");
        rpt__json_string(text, files[i].name, strlen(files[i].name));
        rpt__buf_printf(text,
                        ", \"rank\": %d, \"bytes\": %" PRIu64
                        ", \"digest\": \"%016" PRIx64 "%016" PRIx64 "\" }",
                        files[i].rank, files[i].bytes, files[i].digest.high,
                        files[i].digest.low);
    }
    rpt__buf_printf(text, "],\n");
}

static void write_seal(struct rpt_buf *text)
{
    struct rpt_digest seal;

    if (!text->failed) {
        seal = rpt__digest(text->data, text->bytes);
        rpt__buf_printf(text, " \"seal\": \"%016" PRIx64 "%016" PRIx64 "\"}\n",
                        seal.high, seal.low);
    }
}

void rpt__manifest_write(const struct rpt_manifest *m, bool is_draft,
                         struct rpt_buf *text)
{
    char id[RPT_ID_BYTES];

    rpt__id_text(m->id, id);
    rpt__buf_printf(text,
                    "{\"format\": \"repartir-checkpoint\",\n"
                    " \"version\": %" PRIu32 ",\n \"id\": \"%s\",\n",
                    rpt__format_version(m->datasets, m->n_datasets), id);
    write_text(text, "task", m->task);
    rpt__buf_printf(text,
                    " \"iteration\": %" PRIu64 ",\n \"time\": ", m->iteration);
    rpt__json_number(text, m->time_s);
    rpt__buf_printf(text, ",\n \"ranks\": %d,\n", m->n_ranks);
    write_text(text, "host", m->host);
    write_text(text, "engine", m->engine);
    write_text(text, "library", m->library);
    rpt__buf_printf(text,
                    " \"file\": \"" RPT_STATE_FILE "\",\n"
                    " \"file_bytes\": %" PRIu64 ",\n \"block_bytes\": %d,\n"
                    " \"blocks\": \"" RPT_BLOCKS "\",\n"
                    " \"blocks_bytes\": %" PRIu64 ",\n",
                    m->file_bytes, RPT_BLOCK_BYTES, m->blocks_bytes);
    if (!is_draft) {
        rpt__buf_printf(
            text, " \"blocks_digest\": \"%016" PRIx64 "%016" PRIx64 "\",\n",
            m->blocks_digest.high, m->blocks_digest.low);
    }
    rpt__buf_printf(text, " \"datasets\": [");
    for (size_t i = 0; i < m->n_datasets; i++) {
        rpt__buf_printf(text, "%s", i > 0 ? "," : "");
        write_dataset(text, &m->datasets[i]);
    }
    rpt__buf_printf(text, "],\n");
    if (!is_draft) {
        write_files(text, m->files, m->n_files);
    }
    write_seal(text);
}

void rpt__routed_write(const struct rpt_routed files[], size_t n,
                       struct rpt_buf *text)
{
    rpt__buf_printf(text, "{");
    write_files(text, files, n);
    write_seal(text);
}

/* ---- reading ---- */

static rpt_status_t corrupt(const char *name, const char *why)
{
    rpt__fail(RPT_ERR_CORRUPT, "%s is damaged", name);
    rpt__fail_why("%s", why);
    return RPT_ERR_CORRUPT;
}

/* Takes no memory: without any a good file must not seem damaged. */
static bool is_sealed(const char *text, size_t bytes)
{
    /* The line has always this length. */
    enum { SEAL_LINE_BYTES = 45 };
    char line[SEAL_LINE_BYTES + 1];
    struct rpt_digest seal;

    if (bytes <= SEAL_LINE_BYTES) {
        return false;
    }
    seal = rpt__digest(text, bytes - SEAL_LINE_BYTES);
    snprintf(line, sizeof line,
             " \"seal\": \"%016" PRIx64 "%016" PRIx64 "\"}\n", seal.high,
             seal.low);
    return memcmp(text + bytes - SEAL_LINE_BYTES, line, SEAL_LINE_BYTES) == 0;
}

/* Whether it has no more values than such a text may have: a parsed one takes
 * some hundred bytes of memory. */
static bool is_modest(const char *text, size_t bytes)
{
    size_t n = 0;
    bool in_string = false;

    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '"') {
            in_string = !in_string;
        } else if (in_string && text[i] == '\\') {
            i++;
        } else if (!in_string) {
            n += strchr("{[,", text[i]) != NULL;
        }
    }
    return n <= 64 + bytes / 4;
}

/* What is missing or of another type leaves `ok` false. */
static uint64_t take_number(const json_t *object, const char *key, bool *ok)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        *ok = false;
        return 0;
    }
    return (uint64_t)json_integer_value(value);
}

static const char *take_text(const json_t *object, const char *key, bool *ok)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_string(value) ||
        strlen(json_string_value(value)) != json_string_length(value)) {
        *ok = false;
        return "";
    }
    return json_string_value(value);
}

static struct rpt_digest take_digest(const json_t *object, const char *key,
                                     bool *ok)
{
    const char *text = take_text(object, key, ok);
    struct rpt_digest digest = { 0, 0 };

    if (strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32 ||
        sscanf(text, "%16" SCNx64 "%16" SCNx64, &digest.high, &digest.low) !=
            2) {
        *ok = false;
    }
    return digest;
}

static rpt_type_t take_type(const json_t *object, bool *ok)
{
    const char *text = take_text(object, "type", ok);
    char again[32];
    unsigned bytes;

#define RPT_TYPE_IF(name, value, bytes, label)                                 \
    if (strcmp(text, label) == 0) {                                            \
        return RPT_TYPE_##name;                                                \
    }
    RPT_TYPE_LIST(RPT_TYPE_IF)
#undef RPT_TYPE_IF
    if (sscanf(text, "opaque%9u", &bytes) == 1 && bytes > 0 &&
        rpt_type_bytes(RPT_TYPE_OPAQUE(bytes)) == bytes) {
        snprintf(again, sizeof again, "opaque%u", bytes);
        if (strcmp(text, again) == 0) {
            return RPT_TYPE_OPAQUE(bytes);
        }
    }
    *ok = false;
    return RPT_TYPE_U8;
}

static enum rpt_item_kind take_kind(const json_t *object, bool *ok)
{
    const char *text = take_text(object, "kind", ok);

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(text, kinds[i]) == 0) {
            return (enum rpt_item_kind)i;
        }
    }
    *ok = false;
    return RPT_ITEM_VALUE;
}

/* Up to `most` numbers; how many. */
static size_t take_list(const json_t *list, size_t most, uint64_t numbers[],
                        bool *ok)
{
    size_t n = json_array_size(list);

    *ok = *ok && json_is_array(list) && n <= most;
    for (size_t i = 0; *ok && i < n; i++) {
        const json_t *value = json_array_get(list, i);

        *ok = json_is_integer(value) && json_integer_value(value) >= 0;
        numbers[i] = *ok ? (uint64_t)json_integer_value(value) : 0;
    }
    return n;
}

static void take_dims(const json_t *object, struct rpt_dataset *set, bool *ok)
{
    struct rpt_box box = { { 0 }, { 1 } };
    size_t n = take_list(json_object_get(object, "dims"), RPT_BOX_DIMS,
                         box.count, ok);
    uint64_t volume, bytes = rpt_type_bytes(set->type);

    set->is_scalar = n == 0;
    set->n_dims = n == 0 || !*ok ? 1 : (int)n;
    if (!*ok) {
        return;
    }
    memcpy(set->dims, box.count, sizeof set->dims);
    volume = rpt__box_volume(&box, set->n_dims);
    *ok = volume != UINT64_MAX &&
          !__builtin_mul_overflow(volume, bytes, &bytes) && bytes == set->bytes;
}

static bool are_filters(const json_t *filters)
{
    static const char *const known[] = { "shuffle", "deflate" };
    bool ok = json_array_size(filters) == 2;

    for (size_t i = 0; ok && i < 2; i++) {
        const json_t *name = json_array_get(filters, i);

        ok = json_is_string(name) &&
             strcmp(json_string_value(name), known[i]) == 0;
    }
    return ok;
}

/* Chunks that could be: no larger than the dataset, and not so large that who
 * reads one takes much memory.  Slots may be somewhat longer. */
static bool are_chunks(const struct rpt_dataset *set, const uint64_t chunk[],
                       size_t n, uint64_t slot_bytes)
{
    uint64_t bytes;

    if (set->is_scalar || set->bytes == 0 || n != (size_t)set->n_dims) {
        return false;
    }
    for (size_t d = 0; d < n; d++) {
        if (chunk[d] < 1 || chunk[d] > set->dims[d]) {
            return false;
        }
    }
    bytes = rpt__chunk_bytes(set, chunk);
    return bytes <= RPT_CHUNK_BYTES_MAX && slot_bytes >= 1 &&
           slot_bytes <= 2 * bytes + RPT_BLOCK_BYTES;
}

/* A dataset without "slots" has none. */
static rpt_status_t take_slots(const json_t *object, uint64_t file_bytes,
                               struct rpt_dataset *set, bool *ok)
{
    const json_t *runs = json_object_get(object, "slots");
    const json_t *filters = json_object_get(object, "filters");
    uint64_t chunk[RPT_BOX_DIMS] = { 0 }, run[2] = { 0, 0 }, bytes;
    rpt_status_t status = RPT_OK;
    size_t n;

    if (runs == NULL && filters == NULL) {
        return RPT_OK;
    }
    n = take_list(json_object_get(object, "chunk"), RPT_BOX_DIMS, chunk, ok);
    bytes = take_number(object, "slot_bytes", ok);
    *ok = *ok && json_is_array(runs) && are_filters(filters) &&
          are_chunks(set, chunk, n, bytes);
    set->slots = *ok ? rpt__chunk_slots_create(set, chunk) : NULL;
    if (*ok && set->slots == NULL) {
        return rpt__fail_nomem(sizeof *set->slots);
    }
    for (size_t i = 0; *ok && status == RPT_OK && i < json_array_size(runs);
         i++) {
        set->slots->bytes = bytes;
        *ok = take_list(json_array_get(runs, i), 2, run, ok) == 2 && *ok &&
              run[1] < INT64_MAX / 2;
        status = *ok ? rpt__chunk_slots_add(set->slots, run[1], run[0])
                     : RPT_OK;
    }
    *ok = *ok && rpt__chunk_slots_are_all(set->slots, file_bytes) &&
          set->offset == set->slots->runs[0].offset;
    return status;
}

static rpt_status_t take_dataset(const json_t *object, uint64_t file_bytes,
                                 struct rpt_dataset *set, bool *ok)
{
    const char *name = take_text(object, "name", ok);
    rpt_status_t status;

    *ok = *ok && rpt__name_check(name) == NULL;
    set->kind = take_kind(object, ok);
    set->type = take_type(object, ok);
    set->offset = take_number(object, "offset", ok);
    set->bytes = take_number(object, "bytes", ok);
    take_dims(object, set, ok);
    set->name = strdup(name);
    if (set->name == NULL) {
        return rpt__fail_nomem(strlen(name) + 1);
    }
    status = take_slots(object, file_bytes, set, ok);
    if (*ok && status == RPT_OK && set->slots == NULL) {
        *ok = set->offset <= file_bytes &&
              set->bytes <= file_bytes - set->offset;
    }
    return status;
}

static rpt_status_t copy_text(const json_t *root, const char *key, bool *ok,
                              char **copy_out)
{
    const char *text = take_text(root, key, ok);

    for (const char *c = text; *c != '\0'; c++) {
        *ok = *ok && (unsigned char)*c >= 0x20 && (unsigned char)*c != 0x7f;
    }
    *copy_out = strdup(text);
    return *copy_out != NULL ? RPT_OK : rpt__fail_nomem(strlen(text) + 1);
}

static rpt_status_t take_datasets(const json_t *root, struct rpt_manifest *m,
                                  bool *ok)
{
    const json_t *sets = json_object_get(root, "datasets");
    size_t n = json_array_size(sets);
    rpt_status_t status = RPT_OK;

    *ok = *ok && json_is_array(sets);
    m->datasets = calloc(n + 1, sizeof *m->datasets);
    if (m->datasets == NULL) {
        return rpt__fail_nomem((n + 1) * sizeof *m->datasets);
    }
    for (size_t i = 0; status == RPT_OK && *ok && i < n; i++) {
        status = take_dataset(json_array_get(sets, i), m->file_bytes,
                              &m->datasets[i], ok);
        m->n_datasets = i + 1;
    }
    if (status == RPT_OK && *ok && rpt__format_version(m->datasets, n) > 1) {
        status = rpt__chunk_slots_are_apart(m->datasets, n, ok);
    }
    return status;
}

static rpt_status_t take_files(const json_t *root, struct rpt_manifest *m,
                               bool *ok)
{
    const json_t *list = json_object_get(root, "files");
    size_t n = json_array_size(list);
    struct rpt_routed *files;

    if (!json_is_array(list)) {
        *ok = false;
        return RPT_OK;
    }
    files = realloc(m->files, (m->n_files + n + 1) * sizeof *files);
    if (files == NULL) {
        return rpt__fail_nomem((m->n_files + n + 1) * sizeof *files);
    }
    m->files = files;
    for (size_t i = 0; *ok && i < n; i++) {
        const json_t *object = json_array_get(list, i);
        const char *name = take_text(object, "name", ok);
        uint64_t rank = take_number(object, "rank", ok);
        struct rpt_routed file = { NULL, (int)rank,
                                   take_number(object, "bytes", ok),
                                   take_digest(object, "digest", ok) };

        *ok = *ok && rpt__name_check(name) == NULL &&
              rank < (uint64_t)m->n_ranks;
        file.name = strdup(name);
        if (file.name == NULL) {
            return rpt__fail_nomem(strlen(name) + 1);
        }
        files[m->n_files++] = file;
    }
    return RPT_OK;
}

static rpt_status_t take_all(const json_t *root, bool is_draft,
                             struct rpt_manifest *m, bool *ok)
{
    const json_t *time = json_object_get(root, "time");
    const char *id = take_text(root, "id", ok);
    uint64_t n_ranks = take_number(root, "ranks", ok);
    rpt_status_t status;

    *ok = *ok && json_is_number(time) && strlen(id) == 16 &&
          strspn(id, "0123456789abcdef") == 16 && n_ranks >= 1 &&
          n_ranks <= INT32_MAX &&
          strcmp(take_text(root, "file", ok), RPT_STATE_FILE) == 0 &&
          strcmp(take_text(root, "blocks", ok), RPT_BLOCKS) == 0 &&
          take_number(root, "block_bytes", ok) == RPT_BLOCK_BYTES;
    m->id = strtoull(id, NULL, 16);
    m->time_s = json_number_value(time);
    m->n_ranks = (int)n_ranks;
    m->iteration = take_number(root, "iteration", ok);
    m->file_bytes = take_number(root, "file_bytes", ok);
    m->blocks_bytes = take_number(root, "blocks_bytes", ok);
    *ok = *ok && m->blocks_bytes <= RPT_BLOCKS_BYTES_MAX;
    if (!is_draft) {
        m->blocks_digest = take_digest(root, "blocks_digest", ok);
    }
    status = copy_text(root, "task", ok, &m->task);
    if (status == RPT_OK) {
        status = copy_text(root, "host", ok, &m->host);
    }
    if (status == RPT_OK) {
        status = copy_text(root, "engine", ok, &m->engine);
    }
    if (status == RPT_OK) {
        status = copy_text(root, "library", ok, &m->library);
    }
    if (status == RPT_OK) {
        status = take_datasets(root, m, ok);
    }
    return status == RPT_OK && !is_draft ? take_files(root, m, ok) : status;
}

static rpt_status_t read_list(const char *name, const char *text, size_t bytes,
                              struct rpt_manifest *m)
{
    json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
    size_t before = m->n_files;
    bool ok = true;
    rpt_status_t status = take_files(root, m, &ok);

    json_decref(root);
    if (status == RPT_OK && ok) {
        return RPT_OK;
    }
    while (m->n_files > before) {
        free(m->files[--m->n_files].name);
    }
    return status == RPT_OK ? corrupt(name, "it is no list of files") : status;
}

rpt_status_t rpt__routed_read(const char *name, const char *text, size_t bytes,
                              struct rpt_manifest *manifest)
{
    rpt_status_t status;

    if (!is_sealed(text, bytes)) {
        return corrupt(name, "its last line is not the digest of those before");
    }
    if (!is_modest(text, bytes)) {
        return corrupt(name, "it has more values than a list of files has");
    }
    status = RPT_ERR_CORRUPT;
    for (int looks = 0; status == RPT_ERR_CORRUPT && looks < 2; looks++) {
        status = rpt__json_has_room(bytes)
                     ? read_list(name, text, bytes, manifest)
                     : rpt__fail_nomem(bytes);
    }
    return status;
}

static rpt_status_t read_manifest(const char *name, const char *text,
                                  size_t bytes, bool is_draft,
                                  struct rpt_manifest *manifest_out)
{
    struct rpt_manifest m = { .id = 0 };
    rpt_status_t status;
    json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
    bool ok = true;

    if (!json_is_object(root) ||
        strcmp(take_text(root, "format", &ok), "repartir-checkpoint") != 0) {
        json_decref(root);
        return corrupt(name, "it is no manifest of a checkpoint");
    }
    if (take_number(root, "version", &ok) > RPT_FORMAT_VERSION) {
        json_decref(root);
        rpt__fail(RPT_ERR_VERSION, "%s is of a newer format than %d", name,
                  RPT_FORMAT_VERSION);
        rpt__fail_hint("use the librepartir that wrote it, or a newer one");
        return RPT_ERR_VERSION;
    }
    status = take_all(root, is_draft, &m, &ok);
    ok = ok && take_number(root, "version", &ok) ==
                   rpt__format_version(m.datasets, m.n_datasets);
    json_decref(root);
    if (status == RPT_OK && !ok) {
        status = corrupt(name, "a field is missing, or is no such value");
    }
    if (status != RPT_OK) {
        rpt__manifest_free(&m);
        return status;
    }
    *manifest_out = m;
    return RPT_OK;
}

rpt_status_t rpt__manifest_read(const char *name, const char *text,
                                size_t bytes, bool is_draft,
                                struct rpt_manifest *manifest_out)
{
    rpt_status_t status;

    if (!is_sealed(text, bytes)) {
        return corrupt(name, "its last line is not the digest of those before");
    }
    if (bytes > RPT_MANIFEST_BYTES_MAX || !is_modest(text, bytes)) {
        return corrupt(name, "it has more values than a manifest has");
    }
    status = RPT_ERR_CORRUPT;
    for (int looks = 0; status == RPT_ERR_CORRUPT && looks < 2; looks++) {
        status = rpt__json_has_room(bytes)
                     ? read_manifest(name, text, bytes, is_draft, manifest_out)
                     : rpt__fail_nomem(bytes);
    }
    return status;
}
