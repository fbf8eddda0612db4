/*
 * plan.c - the tables of an export, and what their files say beside the rows
 */
#include "io/export/export_priv.h"

#include "base/error.h"
#include "base/plain.h"
#include "io/checkpoint/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char own_prefix[] = "repartir/"; /* items of the library */

bool rpt__export_wants(const struct rpt_export *e,
                       const struct rpt_dataset *set)
{
    const char *const *names = e->config->names;

    if (strncmp(set->name, own_prefix, sizeof own_prefix - 1) == 0) {
        return false;
    }
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(*names, set->name) == 0) {
            return true;
        }
    }
    return e->config->names == NULL;
}

uint64_t rpt__export_elements(const struct rpt_dataset *set)
{
    uint64_t n = 1;

    for (int d = 0; d < set->n_dims; d++) {
        n *= set->dims[d];
    }
    return n;
}

void rpt__export_type_text(rpt_type_t type, char text_out[32])
{
    if (type >= RPT_TYPE_OPAQUE_0) {
        snprintf(text_out, 32, "opaque%zu", rpt_type_bytes(type));
    } else {
        snprintf(text_out, 32, "%s", rpt_type_name(type));
    }
}

/* ---- names of folders ---- */

static bool is_taken(const struct rpt_export *e, const char *folder)
{
    static const char *const ours[] = { "values", "blobs", "checkpoints" };

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (strcmp(folder, ours[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < e->n_list; i++) {
        if (strcmp(folder, e->list[i].folder) == 0) {
            return true;
        }
    }
    return false;
}

/* "flow/u" is flow.u; what would have the name of another one, flow.u-2. */
static char *folder_of(const struct rpt_export *e, const char *name)
{
    size_t bytes = strlen(name) + 24;
    char *folder = malloc(bytes);

    for (unsigned n = 1; folder != NULL && (n == 1 || is_taken(e, folder));
         n++) {
        snprintf(folder, bytes, n == 1 ? "%s" : "%s-%u", name, n);
        for (char *c = folder; *c != '\0'; c++) {
            *c = *c == '/' ? '.' : *c;
        }
    }
    return folder;
}

static void dims_text(const struct rpt_dataset *set, struct rpt_buf *text)
{
    for (int d = 0; d < set->n_dims; d++) {
        rpt__buf_printf(text, "%s%" PRIu64, d > 0 ? "x" : "", set->dims[d]);
    }
}

/* ---- tables ---- */

static rpt_status_t add_table(struct rpt_export *e, char *folder,
                              const struct rpt_export_ops *ops,
                              struct rpt_export_table **table_out)
{
    struct rpt_export_table *list = realloc(e->list,
                                            (e->n_list + 1) * sizeof *list);

    if (list != NULL) {
        e->list = list;
    }
    if (list == NULL || folder == NULL) {
        free(folder);
        return rpt__fail_nomem((e->n_list + 1) * sizeof *list);
    }
    list[e->n_list] = (struct rpt_export_table){ folder, ops, NULL, 0 };
    *table_out = &list[e->n_list++];
    return RPT_OK;
}

static rpt_status_t add_set(struct rpt_export_table *table,
                            const struct rpt_dataset *set)
{
    const struct rpt_dataset **sets = realloc(table->sets, (table->n_sets + 1) *
                                                               sizeof *sets);

    if (sets == NULL) {
        return rpt__fail_nomem((table->n_sets + 1) * sizeof *sets);
    }
    table->sets = sets;
    sets[table->n_sets++] = set;
    return RPT_OK;
}

/* Whether columns of one could be called as columns of the other: u is a pair,
 * and there is u_value. */
static bool may_clash(const char *a, const char *b)
{
    static const char *const ends[] = { "", "_re", "_im", "_value", "_index" };
    size_t n = strlen(a);

    if (strncmp(a, b, n) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (strcmp(b + n, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool fits(const struct rpt_export_table *table,
                 const struct rpt_dataset *set)
{
    if (table->ops != &rpt__export_arrays ||
        table->sets[0]->n_dims != set->n_dims ||
        memcmp(table->sets[0]->dims, set->dims,
               (size_t)set->n_dims * sizeof set->dims[0]) != 0) {
        return false;
    }
    for (size_t i = 0; i < table->n_sets; i++) {
        if (may_clash(table->sets[i]->name, set->name) ||
            may_clash(set->name, table->sets[i]->name)) {
            return false;
        }
    }
    return true;
}

static rpt_status_t add_array(struct rpt_export *e,
                              const struct rpt_dataset *set)
{
    bool together = (e->config->flags & RPT_EXPORT_TOGETHER) != 0;
    struct rpt_export_table *table = NULL;
    struct rpt_buf name = RPT_BUF_EMPTY;
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; together && table == NULL && i < e->n_list; i++) {
        table = fits(&e->list[i], set) ? &e->list[i] : NULL;
    }
    if (table == NULL) {
        if (together) {
            dims_text(set, &name);
        } else {
            rpt__buf_printf(&name, "%s", set->name);
        }
        status = rpt__buf_status(&name);
        if (status == RPT_OK) {
            status = add_table(e, folder_of(e, name.data), &rpt__export_arrays,
                               &table);
        }
    }
    rpt__buf_free(&name);
    return status == RPT_OK ? add_set(table, set) : status;
}

/* All values, or all blobs, in one table. */
static rpt_status_t add_others(struct rpt_export *e, enum rpt_item_kind kind,
                               const struct rpt_export_ops *ops)
{
    const struct rpt_manifest *m = &e->opened.manifest;
    struct rpt_export_table *table = NULL;
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < m->n_datasets && status == RPT_OK; i++) {
        const struct rpt_dataset *set = &m->datasets[i];

        if (set->kind != kind || !rpt__export_wants(e, set)) {
            continue;
        }
        if (table == NULL) {
            status = add_table(e, strdup(ops->name), ops, &table);
        }
        if (status == RPT_OK) {
            status = add_set(table, set);
        }
    }
    return status;
}

static rpt_status_t check_names(const struct rpt_export *e)
{
    const char *const *names = e->config->names;

    for (; e->has_opened && names != NULL && *names != NULL; names++) {
        if (rpt__dataset_find(&e->opened.manifest, *names) == NULL) {
            rpt__fail(RPT_ERR_NOT_FOUND, "there is no \"%s\" in %s", *names,
                      e->opened.dir.path);
            rpt__fail_hint("MANIFEST.json there names what it has");
            return RPT_ERR_NOT_FOUND;
        }
    }
    return RPT_OK;
}

rpt_status_t rpt__export_plan(struct rpt_export *e)
{
    const struct rpt_manifest *m = &e->opened.manifest;
    struct rpt_export_table *table;
    rpt_status_t status = check_names(e);

    for (size_t i = 0; i < m->n_datasets && status == RPT_OK &&
                       (e->tables & RPT_EXPORT_ARRAYS) != 0;
         i++) {
        const struct rpt_dataset *set = &m->datasets[i];

        if (set->kind == RPT_ITEM_ARRAY && rpt__export_wants(e, set)) {
            status = add_array(e, set);
        }
    }
    if (status == RPT_OK && (e->tables & RPT_EXPORT_VALUES) != 0) {
        status = add_others(e, RPT_ITEM_VALUE, &rpt__export_values);
    }
    if (status == RPT_OK && (e->tables & RPT_EXPORT_BLOBS) != 0) {
        status = add_others(e, RPT_ITEM_BLOB, &rpt__export_blobs);
    }
    if (status == RPT_OK && (e->tables & RPT_EXPORT_CHECKPOINTS) != 0) {
        status = add_table(e, strdup(rpt__export_stored.name),
                           &rpt__export_stored, &table);
    }
    return status;
}

void rpt__export_plan_free(struct rpt_export *e)
{
    for (size_t i = 0; i < e->n_list; i++) {
        free(e->list[i].folder);
        free(e->list[i].sets);
    }
    free(e->list);
    e->list = NULL;
    e->n_list = 0;
}

/* ---- entries ---- */

/* Keys and values one after another, each with its 0. */
static void add_entry(struct rpt_export_entries *entries, const char *key,
                      const char *name, const char *value)
{
    rpt__buf_printf(&entries->text, "repartir.%s%s", key, name);
    rpt__buf_u8(&entries->text, 0);
    rpt__buf_printf(&entries->text, "%s", value);
    rpt__buf_u8(&entries->text, 0);
    entries->n++;
}

static void describe_checkpoint(const struct rpt_manifest *m,
                                struct rpt_export_entries *entries)
{
    char text[64];

    rpt__id_text(m->id, text);
    add_entry(entries, "checkpoint", "", text);
    snprintf(text, sizeof text, "%" PRIu64, m->iteration);
    add_entry(entries, "iteration", "", text);
    rpt__plain_print(text, sizeof text, "%.6f", m->time_s);
    add_entry(entries, "time", "", text);
    snprintf(text, sizeof text, "%d", m->n_ranks);
    add_entry(entries, "ranks", "", text);
    add_entry(entries, "library", "", m->library);
}

static void describe_arrays(const struct rpt_export_table *table,
                            struct rpt_export_entries *entries)
{
    struct rpt_buf dims = RPT_BUF_EMPTY;
    char text[32];

    dims_text(table->sets[0], &dims);
    add_entry(entries, "dims", "", dims.data != NULL ? dims.data : "");
    entries->text.failed |= dims.failed;
    rpt__buf_free(&dims);
    for (size_t i = 0; i < table->n_sets; i++) {
        rpt__export_type_text(table->sets[i]->type, text);
        add_entry(entries, "type.", table->sets[i]->name, text);
    }
}

rpt_status_t rpt__export_entries(const struct rpt_export *e,
                                 const struct rpt_export_table *table,
                                 struct rpt_export_entries *entries_out)
{
    struct rpt_export_entries entries = { NULL, 0, RPT_BUF_EMPTY };
    const char *at;

    add_entry(&entries, "version", "", rpt_version_text());
    add_entry(&entries, "table", "", table->ops->name);
    add_entry(&entries, "task", "", e->task);
    if (table->ops != &rpt__export_stored) {
        describe_checkpoint(&e->opened.manifest, &entries);
    }
    if (table->ops == &rpt__export_arrays) {
        describe_arrays(table, &entries);
    }
    entries.list = calloc((size_t)entries.n, sizeof *entries.list);
    if (entries.list == NULL || entries.text.failed) {
        rpt__export_entries_free(&entries);
        return rpt__fail_nomem((size_t)entries.n * sizeof *entries.list);
    }
    at = entries.text.data;
    for (int i = 0; i < entries.n; i++) {
        entries.list[i].key = at;
        at += strlen(at) + 1;
        entries.list[i].value = at;
        at += strlen(at) + 1;
    }
    *entries_out = entries;
    return RPT_OK;
}

void rpt__export_entries_free(struct rpt_export_entries *entries)
{
    free(entries->list);
    rpt__buf_free(&entries->text);
    *entries = (struct rpt_export_entries){ NULL, 0, RPT_BUF_EMPTY };
}
