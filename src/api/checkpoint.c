/*
 * checkpoint.c - the public functions of checkpoints
 */
#include "api/api.h"

#include "base/error.h"
#include "io/checkpoint/checkpoint.h"

#include <repartir/checkpoint.h>

/* What all ranks do together is checked together, so that nobody waits for a
 * rank that gave something else. */
rpt_status_t rpt_checkpoint_open(rpt_group_t *group, const char *directory,
                                 const char *task, const rpt_options_t *options,
                                 rpt_checkpoint_t **checkpoint_out)
{
    RPT_REQUIRE(group != NULL && checkpoint_out != NULL, "NULL argument");
    return rpt__checkpoint_open(group, directory != NULL ? directory : "",
                                task != NULL ? task : "", options,
                                checkpoint_out);
}

void rpt_checkpoint_close(rpt_checkpoint_t *checkpoint)
{
    if (checkpoint != NULL) {
        rpt__checkpoint_close(checkpoint);
    }
}

rpt_status_t rpt_checkpoint_add_array(rpt_checkpoint_t *checkpoint,
                                      const rpt_checkpoint_array_t *array)
{
    RPT_REQUIRE(checkpoint != NULL && array != NULL, "NULL argument");
    return rpt__items_add_array(rpt__checkpoint_items(checkpoint), array);
}

rpt_status_t rpt_checkpoint_add_value(rpt_checkpoint_t *checkpoint,
                                      const char *name, rpt_type_t type,
                                      size_t count, void *data)
{
    RPT_REQUIRE(checkpoint != NULL, "NULL argument");
    return rpt__items_add_value(rpt__checkpoint_items(checkpoint), name, type,
                                count, data);
}

rpt_status_t rpt_checkpoint_add_blob(rpt_checkpoint_t *checkpoint,
                                     const rpt_checkpoint_blob_t *blob)
{
    RPT_REQUIRE(checkpoint != NULL && blob != NULL, "NULL argument");
    return rpt__items_add_blob(rpt__checkpoint_items(checkpoint), blob);
}

rpt_status_t rpt_checkpoint_set_attribute(rpt_checkpoint_t *checkpoint,
                                          const char *item, const char *name,
                                          rpt_type_t type, size_t count,
                                          const void *value)
{
    struct rpt_attribute attribute = { (char *)(uintptr_t)name, false, type,
                                       count, (void *)(uintptr_t)value };

    RPT_REQUIRE(checkpoint != NULL, "NULL argument");
    return rpt__items_set_attribute(rpt__checkpoint_items(checkpoint), item,
                                    &attribute);
}

rpt_status_t rpt_checkpoint_set_text(rpt_checkpoint_t *checkpoint,
                                     const char *item, const char *name,
                                     const char *text)
{
    struct rpt_attribute attribute = { (char *)(uintptr_t)name, true,
                                       RPT_TYPE_U8, 0,
                                       (void *)(uintptr_t)text };

    RPT_REQUIRE(checkpoint != NULL, "NULL argument");
    return rpt__items_set_attribute(rpt__checkpoint_items(checkpoint), item,
                                    &attribute);
}

rpt_status_t rpt_checkpoint_due(rpt_checkpoint_t *checkpoint,
                                uint64_t iteration, int *due_out)
{
    RPT_REQUIRE(checkpoint != NULL && due_out != NULL, "NULL argument");
    return rpt__checkpoint_due(checkpoint, iteration, due_out);
}

rpt_status_t rpt_checkpoint_begin(rpt_checkpoint_t *checkpoint,
                                  uint64_t iteration)
{
    RPT_REQUIRE(checkpoint != NULL, "NULL argument");
    return rpt__checkpoint_begin(checkpoint, iteration);
}

rpt_status_t rpt_checkpoint_route(rpt_checkpoint_t *checkpoint,
                                  const char *name, char **path_out)
{
    RPT_REQUIRE(checkpoint != NULL && path_out != NULL, "NULL argument");
    return rpt__checkpoint_route(checkpoint, name, path_out);
}

rpt_status_t rpt_checkpoint_file(rpt_checkpoint_t *checkpoint, const char *name,
                                 char **path_out)
{
    RPT_REQUIRE(checkpoint != NULL && path_out != NULL, "NULL argument");
    return rpt__checkpoint_file(checkpoint, name, path_out);
}

rpt_status_t rpt_checkpoint_restored_path(const rpt_checkpoint_t *checkpoint,
                                          char **path_out)
{
    RPT_REQUIRE(checkpoint != NULL && path_out != NULL, "NULL argument");
    return rpt__checkpoint_restored_path(checkpoint, path_out);
}

rpt_status_t rpt_checkpoint_save(rpt_checkpoint_t *checkpoint,
                                 uint64_t iteration)
{
    RPT_REQUIRE(checkpoint != NULL, "NULL argument");
    return rpt__checkpoint_save(checkpoint, iteration, true);
}

rpt_status_t rpt_checkpoint_save_async(rpt_checkpoint_t *checkpoint,
                                       uint64_t iteration)
{
    RPT_REQUIRE(checkpoint != NULL, "NULL argument");
    return rpt__checkpoint_save(checkpoint, iteration, false);
}

rpt_status_t rpt_checkpoint_test(rpt_checkpoint_t *checkpoint)
{
    RPT_REQUIRE(checkpoint != NULL, "NULL argument");
    return rpt__checkpoint_test(checkpoint);
}

rpt_status_t rpt_checkpoint_wait(rpt_checkpoint_t *checkpoint)
{
    RPT_REQUIRE(checkpoint != NULL, "NULL argument");
    return rpt__checkpoint_wait(checkpoint);
}

rpt_status_t rpt_checkpoint_restore(rpt_checkpoint_t *checkpoint,
                                    uint64_t *iteration_out)
{
    RPT_REQUIRE(checkpoint != NULL && iteration_out != NULL, "NULL argument");
    return rpt__checkpoint_restore(checkpoint, iteration_out);
}

rpt_status_t rpt_checkpoint_stats(const rpt_checkpoint_t *checkpoint,
                                  rpt_checkpoint_stats_t *stats_out)
{
    RPT_REQUIRE(checkpoint != NULL && stats_out != NULL, "NULL argument");
    *stats_out = rpt__checkpoint_stats(checkpoint);
    return RPT_OK;
}
