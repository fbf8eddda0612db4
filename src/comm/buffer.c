/*
 * buffer.c - pieces of the area that one rank has
 */
#include "comm/buffer.h"

#include "base/error.h"
#include "comm/area.h"
#include "comm/comm_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { PAGE = 4096 };

struct buffer {
    LIST_ENTRY(buffer) link;
    void *memory;
    uint64_t piece; /* its name in the area; 0: ordinary memory */
};

struct rpt_buffers {
    LIST_HEAD(, buffer) all;
    uint64_t n_made;
};

static struct rpt_buffers *buffers_of(struct rpt_comm *comm)
{
    if (comm->buffers == NULL) {
        comm->buffers = calloc(1, sizeof *comm->buffers);
    }
    return comm->buffers;
}

static uint64_t next_piece(struct rpt_comm *comm)
{
    return rpt__area_name(RPT_AREA_BUFFER, (uint64_t)comm->rank,
                          comm->buffers->n_made++);
}

/* Ordinary memory, in whole pages. */
static rpt_status_t take_memory(struct buffer *buffer, size_t bytes)
{
    size_t n = bytes <= SIZE_MAX - PAGE ? (bytes / PAGE + 1) * PAGE : 0;

    buffer->piece = 0;
    buffer->memory = n > 0 ? aligned_alloc(PAGE, n) : NULL;
    return buffer->memory != NULL ? RPT_OK : rpt__fail_nomem(bytes);
}

rpt_status_t rpt__buffer_alloc(struct rpt_comm *comm, size_t bytes,
                               void **buffer_out)
{
    struct buffer *buffer = calloc(1, sizeof *buffer);
    rpt_status_t status = RPT_OK;

    if (buffer == NULL || buffers_of(comm) == NULL) {
        free(buffer);
        return rpt__fail_nomem(sizeof *buffer);
    }
    buffer->piece = next_piece(comm);
    if (rpt__area_take(&comm->area, buffer->piece, bytes > 0 ? bytes : 1, 1,
                       &buffer->memory) != RPT_OK) {
        rpt__area_drop(&comm->area, buffer->piece);
        status = take_memory(buffer, bytes);
    }
    if (status != RPT_OK) {
        free(buffer);
        return status;
    }
    LIST_INSERT_HEAD(&comm->buffers->all, buffer, link);
    *buffer_out = buffer->memory;
    return RPT_OK;
}

static void release(struct rpt_comm *comm, struct buffer *buffer)
{
    if (buffer->piece != 0) {
        rpt__area_drop(&comm->area, buffer->piece);
    } else {
        free(buffer->memory);
    }
    LIST_REMOVE(buffer, link);
    free(buffer);
}

rpt_status_t rpt__buffer_free(struct rpt_comm *comm, void *memory)
{
    struct buffer *buffer = NULL;

    if (comm->buffers != NULL) {
        LIST_FOREACH (buffer, &comm->buffers->all, link) {
            if (buffer->memory == memory) {
                release(comm, buffer);
                return RPT_OK;
            }
        }
    }
    return rpt__fail(RPT_ERR_NOT_FOUND, "this context has no buffer at %p",
                     memory);
}

void rpt__buffers_destroy(struct rpt_comm *comm)
{
    if (comm->buffers == NULL) {
        return;
    }
    while (!LIST_EMPTY(&comm->buffers->all)) {
        release(comm, LIST_FIRST(&comm->buffers->all));
    }
    free(comm->buffers);
    comm->buffers = NULL;
}

/* ---- what others see ---- */

bool rpt__buffer_is_open(const struct rpt_comm *comm, const void *buffer)
{
    bool are_threads = comm->places == NULL;

    return comm->area.head != NULL && buffer != NULL &&
           (are_threads || rpt__area_holds(&comm->area, buffer));
}

uint64_t rpt__buffer_name(const struct rpt_comm *comm, const void *buffer)
{
    return (uint64_t)((uintptr_t)buffer - (uintptr_t)comm->area.head);
}

char *rpt__buffer_find(const struct rpt_comm *comm, uint64_t name)
{
    return (char *)((uintptr_t)comm->area.head + (uintptr_t)name);
}
