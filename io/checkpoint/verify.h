/*
 * verify.h - one block of a checkpoint, read and checked
 */
#ifndef RPT_IO_CHECKPOINT_VERIFY_H
#define RPT_IO_CHECKPOINT_VERIFY_H

#include "io/checkpoint/commit.h"

/* Reads block k of the stream of a part from state.h5, which is open as fd,
 * into RPT_BLOCK_BYTES of memory; of a part in chunks it looks at chunk k, and
 * block_out is not used.  RPT_ERR_CORRUPT: it is not what was written, the
 * error says which block; RPT_ERR_IO. */
rpt_status_t rpt__verify_block(const struct rpt_opened *opened, int fd,
                               const struct rpt_written *written, uint64_t k,
                               char *block_out);

#endif /* RPT_IO_CHECKPOINT_VERIFY_H */
