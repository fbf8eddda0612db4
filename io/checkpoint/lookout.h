/*
 * lookout.h - a thread that sees whether a rank comes back from MPI-IO
 *
 * It is there while all ranks write together, and only then.
 */
#ifndef RPT_IO_CHECKPOINT_LOOKOUT_H
#define RPT_IO_CHECKPOINT_LOOKOUT_H

#include "io/checkpoint/checkpoint_priv.h"

struct rpt_lookout;

/* path: of the file, belongs to the caller until the end. */
rpt_status_t rpt__lookout_start(struct rpt_checkpoint *c, const char *path,
                                struct rpt_lookout **lookout_out);
/* From now on this rank is in a step that may not end, as messages name it
 * (constant); NULL: in none.  failed: why it is in none any more, while others
 * may be; NULL: it has not failed. */
void rpt__lookout_step(struct rpt_lookout *lookout, const char *step,
                       const char *failed);
/* NULL is ignored. */
void rpt__lookout_stop(struct rpt_lookout *lookout);

#endif /* RPT_IO_CHECKPOINT_LOOKOUT_H */
