/*
 * buffer.c - buffers of a context
 */
#include <repartir/buffer.h>

#include "api/api.h"

#include "base/error.h"
#include "comm/buffer.h"

rpt_status_t rpt_buffer_alloc(rpt_context_t *context, size_t bytes,
                              void **buffer_out)
{
    struct rpt_engine *engine;
    rpt_status_t status;

    RPT_REQUIRE(context != NULL, "context is NULL");
    RPT_REQUIRE(buffer_out != NULL, "buffer_out is NULL");
    engine = rpt__comm_engine(context->comm);
    rpt__engine_lock(engine);
    status = rpt__buffer_alloc(context->comm, bytes, buffer_out);
    rpt__engine_unlock(engine);
    return status;
}

rpt_status_t rpt_buffer_free(rpt_context_t *context, void *buffer)
{
    struct rpt_engine *engine;
    rpt_status_t status;

    RPT_REQUIRE(context != NULL, "context is NULL");
    if (buffer == NULL) {
        return RPT_OK;
    }
    engine = rpt__comm_engine(context->comm);
    rpt__engine_lock(engine);
    status = rpt__buffer_free(context->comm, buffer);
    rpt__engine_unlock(engine);
    return status;
}

int rpt_buffer_is_shared(const rpt_context_t *context, const void *memory)
{
    return context != NULL && rpt__buffer_is_open(context->comm, memory);
}
