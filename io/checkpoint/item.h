/*
 * item.h - what a program has said its state is, on this rank
 */
#ifndef RPT_IO_CHECKPOINT_ITEM_H
#define RPT_IO_CHECKPOINT_ITEM_H

#include "io/checkpoint/format.h"

#include <repartir/checkpoint.h>

struct rpt_attribute {
    char *name;
    bool is_text;
    rpt_type_t type;
    size_t count;
    void *value; /* a copy; a text ends with 0 */
};

struct rpt_attributes {
    struct rpt_attribute *list;
    size_t n;
};

struct rpt_ferry;
struct rpt_item_names;

struct rpt_item {
    char *name;
    enum rpt_item_kind kind;
    rpt_type_t type;
    size_t type_bytes;
    int n_dims;
    uint64_t dims[RPT_BOX_DIMS];
    struct rpt_box box;           /* this rank's                          */
    struct rpt_box_memory memory; /* with its box, in array coordinates   */
    struct rpt_ferry *ferry; /* NULL: the memory is of the host; see ferry.h */
    rpt_checkpoint_blob_t blob;
    uint64_t blob_bytes; /* of the last save                     */
    struct rpt_attributes attributes;
};

struct rpt_items {
    struct rpt_item *list;
    size_t n;
    struct rpt_item_names *names;     /* NULL before the first */
    struct rpt_attributes attributes; /* of the file */
    bool changed;                     /* since the layout was made */
};

void rpt__items_free(struct rpt_items *items);

/* Arguments of the public functions, checked here. */
rpt_status_t rpt__items_add_array(struct rpt_items *items,
                                  const rpt_checkpoint_array_t *array);
rpt_status_t rpt__items_add_value(struct rpt_items *items, const char *name,
                                  rpt_type_t type, size_t count, void *data);
rpt_status_t rpt__items_add_blob(struct rpt_items *items,
                                 const rpt_checkpoint_blob_t *blob);
/* text: count is not looked at. */
rpt_status_t rpt__items_set_attribute(struct rpt_items *items, const char *item,
                                      const struct rpt_attribute *attribute);

/* What a function of a blob returned, as a failure or RPT_OK; was: "packed" or
 * the like. */
rpt_status_t rpt__item_judge(const struct rpt_item *item, const char *function,
                             const char *was, rpt_status_t returned);

/* The same on all ranks that described the same items. */
uint64_t rpt__items_hash(const struct rpt_items *items);

#endif /* RPT_IO_CHECKPOINT_ITEM_H */
