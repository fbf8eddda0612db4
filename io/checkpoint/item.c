/*
 * item.c - the items of a state: arrays, values, blobs, and their attributes
 */
#include "io/checkpoint/item.h"

#include "base/error.h"
#include "base/size.h"
#include "base/table.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES_MAX = 255,
    /* Its index is called repartir/begins/NAME. */
    BLOB_NAME_BYTES_MAX = NAME_BYTES_MAX - 16
};

/* So that adding one costs no more where there are tens of thousands. */
struct rpt_item_names {
    struct rpt_table items;  /* index + 1 of each */
    struct rpt_table groups; /* HDF5's: what stands before a / */
};

static void free_attributes(struct rpt_attributes *attributes)
{
    for (size_t i = 0; i < attributes->n; i++) {
        free(attributes->list[i].name);
        free(attributes->list[i].value);
    }
    free(attributes->list);
    *attributes = (struct rpt_attributes){ NULL, 0 };
}

void rpt__items_free(struct rpt_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        free(items->list[i].name);
        free_attributes(&items->list[i].attributes);
    }
    free(items->list);
    if (items->names != NULL) {
        rpt__table_free(&items->names->items, NULL);
        rpt__table_free(&items->names->groups, NULL);
        free(items->names);
    }
    free_attributes(&items->attributes);
    *items = (struct rpt_items){ .n = 0 };
}

/* ---- what is refused ---- */

static rpt_status_t bad(const char *name, const char *why)
{
    rpt__fail(RPT_ERR_INVALID, "item \"%s\" of a checkpoint is not possible",
              name != NULL ? name : "");
    rpt__fail_why("%s", why);
    return RPT_ERR_INVALID;
}

static const char *why_no_name(const char *name)
{
    if (name != NULL &&
        (strncmp(name, "repartir/", 9) == 0 || strcmp(name, "repartir") == 0)) {
        return "names that begin with repartir/ are the library's";
    }
    return rpt__name_check(name);
}

static struct rpt_item *find(const struct rpt_items *items, const char *name)
{
    void *at = items->names == NULL
                   ? NULL
                   : rpt__table_get(&items->names->items,
                                    rpt__digest(name, strlen(name)));

    return at != NULL ? &items->list[(uintptr_t)at - 1] : NULL;
}

/* The group of a name that is `depth` deep, 1 the outermost; 0 bytes: it has
 * none. */
static size_t group_bytes(const char *name, int depth)
{
    const char *from = name, *slash = NULL;

    for (; depth > 0; depth--) {
        slash = strchr(from, '/');
        if (slash == NULL) {
            return 0;
        }
        from = slash + 1;
    }
    return (size_t)(slash - name);
}

/* HDF5 cannot have "a" as a dataset and as the group of "a/b". */
static bool is_in_the_way(const struct rpt_items *items, const char *name)
{
    size_t bytes;

    if (items->names == NULL) {
        return false;
    }
    for (int depth = 1; (bytes = group_bytes(name, depth)) > 0; depth++) {
        if (rpt__table_get(&items->names->items, rpt__digest(name, bytes)) !=
            NULL) {
            return true;
        }
    }
    return rpt__table_get(&items->names->groups,
                          rpt__digest(name, strlen(name))) != NULL;
}

/* Without memory for one, none is noted: they are in the way of nobody. */
static rpt_status_t note_groups(struct rpt_items *items, const char *name)
{
    rpt_status_t status = RPT_OK;
    size_t bytes;
    int depth = 1, known;

    while ((bytes = group_bytes(name, depth)) > 0 &&
           rpt__table_get(&items->names->groups, rpt__digest(name, bytes)) !=
               NULL) {
        depth++;
    }
    known = depth;
    while ((bytes = group_bytes(name, depth)) > 0 && status == RPT_OK) {
        status = rpt__table_put(&items->names->groups, rpt__digest(name, bytes),
                                items);
        depth++;
    }
    while (status != RPT_OK && --depth >= known) {
        rpt__table_remove(&items->names->groups,
                          rpt__digest(name, group_bytes(name, depth)));
    }
    return status;
}

/* As the last one. */
static rpt_status_t append(struct rpt_items *items, struct rpt_item item)
{
    struct rpt_digest key = rpt__digest(item.name, strlen(item.name));
    struct rpt_item *list = realloc(items->list, (items->n + 1) * sizeof *list);
    rpt_status_t status;

    if (list == NULL) {
        return rpt__fail_nomem((items->n + 1) * sizeof *list);
    }
    items->list = list;
    if (items->names == NULL) {
        items->names = calloc(1, sizeof *items->names);
    }
    if (items->names == NULL) {
        return rpt__fail_nomem(sizeof *items->names);
    }
    status = rpt__table_put(&items->names->items, key, (void *)(items->n + 1));
    if (status == RPT_OK) {
        status = note_groups(items, item.name);
        if (status != RPT_OK) {
            rpt__table_remove(&items->names->items, key);
        }
    }
    if (status == RPT_OK) {
        list[items->n++] = item;
        items->changed = true;
    }
    return status;
}

/* ---- adding ---- */

/* Whether both lie in the file alike. */
static bool is_same(const struct rpt_item *a, const struct rpt_item *b)
{
    return a->kind == b->kind && a->type == b->type && a->n_dims == b->n_dims &&
           memcmp(a->dims, b->dims, (size_t)a->n_dims * sizeof a->dims[0]) ==
               0 &&
           rpt__box_equals(&a->box, &b->box, a->n_dims);
}

/* In place of one of this name, or as the last. */
static rpt_status_t put(struct rpt_items *items, struct rpt_item item,
                        const char *name)
{
    const char *why = why_no_name(name);
    struct rpt_item *old;
    rpt_status_t status;

    if (why != NULL) {
        return bad(name, why);
    }
    if (is_in_the_way(items, name)) {
        return bad(name, "another item's name is a part of its path");
    }
    old = find(items, name);
    if (old != NULL) {
        item.name = old->name;
        item.attributes = old->attributes;
        item.blob_bytes = old->blob_bytes;
        /* Other memory is no other layout. */
        items->changed |= !is_same(&item, old);
        *old = item;
        return RPT_OK;
    }
    item.name = strdup(name);
    if (item.name == NULL) {
        return rpt__fail_nomem(strlen(name) + 1);
    }
    status = append(items, item);
    if (status != RPT_OK) {
        free(item.name);
    }
    return status;
}

/* The memory of an array: its own extents, or those of the block. */
static const char *take_memory(const rpt_checkpoint_array_t *a,
                               struct rpt_item *item)
{
    bool is_given = false;

    for (int d = 0; d < a->n_dims; d++) {
        is_given |= a->memory_dims[d] != 0;
    }
    for (int d = 0; d < a->n_dims; d++) {
        uint64_t extent = is_given ? a->memory_dims[d] : a->count[d];
        uint64_t begin = is_given ? a->memory_start[d] : 0;

        if (begin > extent || a->count[d] > extent - begin) {
            return "the block does not lie in the memory (memory_dims, "
                   "memory_start)";
        }
        /* In coordinates of the array; may wrap around, and back. */
        item->memory.whole.start[d] = a->start[d] - begin;
        item->memory.whole.count[d] = extent;
    }
    item->memory.data = a->data;
    return NULL;
}

static const char *take_array(const rpt_checkpoint_array_t *a,
                              struct rpt_item *item)
{
    struct rpt_box whole = { { 0 }, { 0 } };
    uint64_t volume, bytes;

    item->type_bytes = rpt_type_bytes(a->type);
    if (item->type_bytes == 0) {
        return "there is no such type";
    }
    if (a->n_dims < 1 || a->n_dims > RPT_CHECKPOINT_DIMS) {
        return "it has not 1 to 8 dimensions";
    }
    for (int d = 0; d < a->n_dims; d++) {
        item->dims[d] = whole.count[d] = a->dims[d];
        item->box.start[d] = a->start[d];
        item->box.count[d] = a->count[d];
        if (a->start[d] > a->dims[d] ||
            a->count[d] > a->dims[d] - a->start[d]) {
            return "the block does not lie in the array";
        }
    }
    volume = rpt__box_volume(&whole, a->n_dims);
    if (volume == UINT64_MAX ||
        __builtin_mul_overflow(volume, item->type_bytes, &bytes) ||
        bytes > INT64_MAX) {
        return "it has more bytes than a file can have";
    }
    if (a->data == NULL && !rpt__box_is_empty(&item->box, a->n_dims)) {
        return "data is NULL";
    }
    item->type = a->type;
    item->n_dims = a->n_dims;
    return take_memory(a, item);
}

rpt_status_t rpt__items_add_array(struct rpt_items *items,
                                  const rpt_checkpoint_array_t *array)
{
    struct rpt_item item = { .kind = RPT_ITEM_ARRAY };
    const char *why;

    if (array->size != sizeof *array) {
        return bad(array->size > sizeof array->size ? array->name : NULL,
                   "size is not sizeof(rpt_checkpoint_array_t)");
    }
    why = take_array(array, &item);
    return why != NULL ? bad(array->name, why) : put(items, item, array->name);
}

rpt_status_t rpt__items_add_value(struct rpt_items *items, const char *name,
                                  rpt_type_t type, size_t count, void *data)
{
    struct rpt_item item = { .kind = RPT_ITEM_VALUE,
                             .type = type,
                             .type_bytes = rpt_type_bytes(type),
                             .n_dims = 1 };
    size_t bytes;

    if (item.type_bytes == 0) {
        return bad(name, "there is no such type");
    }
    if (!rpt__size_mul(count, item.type_bytes, &bytes) || bytes > INT64_MAX) {
        return bad(name, "it has more bytes than a file can have");
    }
    if (data == NULL && count > 0) {
        return bad(name, "data is NULL");
    }
    item.dims[0] = item.box.count[0] = item.memory.whole.count[0] = count;
    item.memory.data = data;
    return put(items, item, name);
}

rpt_status_t rpt__items_add_blob(struct rpt_items *items,
                                 const rpt_checkpoint_blob_t *blob)
{
    struct rpt_item item = {
        .kind = RPT_ITEM_BLOB, .type = RPT_TYPE_U8, .type_bytes = 1, .n_dims = 1
    };

    if (blob->size != sizeof *blob) {
        return bad(NULL, "size is not sizeof(rpt_checkpoint_blob_t)");
    }
    if (blob->measure == NULL || blob->pack == NULL || blob->unpack == NULL) {
        return bad(blob->name, "measure, pack or unpack is NULL");
    }
    if ((int)blob->policy < RPT_BLOB_SAME_RANKS ||
        (int)blob->policy > RPT_BLOB_ALL) {
        return bad(blob->name, "there is no such policy");
    }
    if (blob->name != NULL && strlen(blob->name) > BLOB_NAME_BYTES_MAX) {
        return bad(blob->name, "the name of a blob has more than 239 bytes");
    }
    item.blob = *blob;
    item.blob.name = NULL;
    return put(items, item, blob->name);
}

/* ---- attributes ---- */

static rpt_status_t copy_attribute(const struct rpt_attribute *from,
                                   struct rpt_attribute *to)
{
    size_t bytes = from->is_text ? strlen(from->value) + 1
                                 : from->count * rpt_type_bytes(from->type);

    *to = *from;
    to->name = strdup(from->name);
    to->value = malloc(bytes);
    if (to->name == NULL || to->value == NULL) {
        free(to->name);
        free(to->value);
        return rpt__fail_nomem(bytes);
    }
    memcpy(to->value, from->value, bytes);
    return RPT_OK;
}

static rpt_status_t set_in(struct rpt_attributes *attributes,
                           const struct rpt_attribute *attribute)
{
    struct rpt_attribute copy, *list;
    rpt_status_t status = copy_attribute(attribute, &copy);

    if (status != RPT_OK) {
        return status;
    }
    for (size_t i = 0; i < attributes->n; i++) {
        if (strcmp(attributes->list[i].name, copy.name) == 0) {
            free(attributes->list[i].name);
            free(attributes->list[i].value);
            attributes->list[i] = copy;
            return RPT_OK;
        }
    }
    list = realloc(attributes->list, (attributes->n + 1) * sizeof *list);
    if (list == NULL) {
        free(copy.name);
        free(copy.value);
        return rpt__fail_nomem((attributes->n + 1) * sizeof *list);
    }
    attributes->list = list;
    list[attributes->n++] = copy;
    return RPT_OK;
}

rpt_status_t rpt__items_set_attribute(struct rpt_items *items, const char *item,
                                      const struct rpt_attribute *attribute)
{
    struct rpt_item *owner = item != NULL ? find(items, item) : NULL;
    size_t bytes;

    if (attribute->name == NULL || attribute->name[0] == '\0' ||
        attribute->value == NULL) {
        return bad(item, "an attribute needs a name and a value");
    }
    if (strlen(attribute->name) > NAME_BYTES_MAX) {
        return bad(item, "the name of an attribute has more than 255 bytes");
    }
    if (!attribute->is_text &&
        (attribute->count == 0 ||
         !rpt__size_mul(attribute->count, rpt_type_bytes(attribute->type),
                        &bytes) ||
         bytes == 0 || bytes > 60000)) {
        return bad(item, "an attribute has 1 to 60000 bytes; what is longer "
                         "can be a value");
    }
    if (attribute->is_text && strlen(attribute->value) > 60000) {
        return bad(item, "a text has at most 60000 bytes");
    }
    if (!rpt__is_utf8(attribute->name) ||
        (attribute->is_text && !rpt__is_utf8(attribute->value))) {
        return bad(item, "the name or the text of an attribute is no UTF-8");
    }
    if (item != NULL && owner == NULL) {
        rpt__fail(RPT_ERR_NOT_FOUND, "there is no item \"%s\"", item);
        rpt__fail_hint("add it before its attributes");
        return RPT_ERR_NOT_FOUND;
    }
    items->changed = true;
    return set_in(owner != NULL ? &owner->attributes : &items->attributes,
                  attribute);
}

/* ---- functions of the program ---- */

/* What is > 0 means something to our callers, such as that there is nothing to
 * restore: so it must not come from here. */
rpt_status_t rpt__item_judge(const struct rpt_item *item, const char *function,
                             const char *was, rpt_status_t returned)
{
    rpt_status_t status = returned > 0 ? RPT_ERR_INVALID : returned;

    if (status == RPT_OK) {
        return RPT_OK;
    }
    rpt__fail(status, "blob \"%s\" was not %s", item->name, was);
    rpt__fail_why("its function %s() returned %s (%d)", function,
                  rpt_status_name(returned), (int)returned);
    return status;
}

/* ---- do all ranks say the same? ---- */

/* Without memory of its own, so that who has none left does not seem to have
 * other items. */
uint64_t rpt__items_hash(const struct rpt_items *items)
{
    uint64_t hash = items->n;

    for (size_t i = 0; i < items->n; i++) {
        const struct rpt_item *item = &items->list[i];
        uint64_t numbers[4 + RPT_BOX_DIMS] = { (uint64_t)item->kind,
                                               (uint64_t)item->type,
                                               (uint64_t)item->n_dims,
                                               (uint64_t)item->blob.policy };

        for (int d = 0; item->kind != RPT_ITEM_BLOB && d < item->n_dims; d++) {
            numbers[4 + d] = item->dims[d];
        }
        hash = rpt__hash64(item->name, strlen(item->name), hash);
        hash = rpt__hash64(numbers, sizeof numbers, hash);
    }
    return hash;
}
