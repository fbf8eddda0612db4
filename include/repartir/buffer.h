/*
 * repartir/buffer.h - memory that collectives use where it is
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_BUFFER_H
#define REPARTIR_BUFFER_H

#include <repartir/base.h>
#include <repartir/context.h>

#include <stddef.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_buffer Buffers
 *
 * Collectives work on any memory.  Inside a node they first copy what is in
 * private memory to a place that the others can read.  Memory from here can be
 * read by all ranks of the node where it is: a large collective (32 KiB and
 * more) of which all ranks use such memory copies less.
 *
 * \since 0.1
 *
 * \{
 */

/** Memory that the other ranks of the node can read.
 *
 * Not collective.  Returns at once.  The memory is aligned to a page, what is
 * in it is not defined, and it is the caller's until rpt_buffer_free(), or
 * until the context is destroyed.  It is taken from the shared memory of the
 * node (option `comm.shared_bytes`); when there is not enough left, or none, it
 * is ordinary memory, which works everywhere but is not faster.
 *
 * \param bytes       0 is allowed
 * \param buffer_out  set on success
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_buffer_alloc(rpt_context_t *context, size_t bytes,
                                      void **buffer_out);

/** Release a buffer.
 *
 * Not collective.  No collective is using it.  NULL is allowed.
 *
 * \retval RPT_ERR_NOT_FOUND  it is no buffer of this context
 * \since 0.1
 */
RPT_API rpt_status_t rpt_buffer_free(rpt_context_t *context, void *buffer);

/** Whether the other ranks of the node can read this memory: 1 or 0.
 *
 * Not collective.  \a memory may lie inside a buffer, or be any other address.
 * Ranks that are threads of one process can read everything.
 * \since 0.1
 */
RPT_API int rpt_buffer_is_shared(const rpt_context_t *context,
                                 const void *memory);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_BUFFER_H */
