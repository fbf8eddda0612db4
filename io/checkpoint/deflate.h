/*
 * deflate.h - bytes of a chunk, compressed as HDF5's filters do it
 *
 * shuffle puts the first bytes of all elements together, then the second ones,
 * and so on; deflate makes a stream of zlib of that.  Whoever has HDF5 can read
 * it.
 */
#ifndef RPT_IO_CHECKPOINT_DEFLATE_H
#define RPT_IO_CHECKPOINT_DEFLATE_H

#include <repartir/base.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A stream has no more bytes than this. */
uint64_t rpt__deflate_bound(uint64_t bytes);

void rpt__shuffle(const char *from, size_t bytes, size_t type_bytes, char *to);
void rpt__unshuffle(const char *from, size_t bytes, size_t type_bytes,
                    char *to);

/* Kept for many chunks. */
struct rpt_deflater;
rpt_status_t rpt__deflater_create(int level, struct rpt_deflater **out);
void rpt__deflater_destroy(struct rpt_deflater *deflater);
/* Compresses shuffled bytes, of n_planes planes of the same length; to: of
 * rpt__deflate_bound() bytes. */
rpt_status_t rpt__deflate(struct rpt_deflater *deflater, const char *from,
                          size_t bytes, size_t n_planes, char *to, size_t room,
                          size_t *stored_out);

/* The other way, from a stream that comes in pieces. */
struct rpt_inflater;
rpt_status_t rpt__inflater_create(struct rpt_inflater **out);
void rpt__inflater_destroy(struct rpt_inflater *inflater);
/* A stream of which just `bytes` bytes shall come out, and no more are written
 * to `to`. */
rpt_status_t rpt__inflate_begin(struct rpt_inflater *inflater, char *to,
                                size_t bytes);
/* The next piece.  RPT_PENDING: the stream goes on; RPT_OK: it has ended, all
 * bytes are there; RPT_ERR_CORRUPT (nothing recorded): it is none, or of other
 * length. */
rpt_status_t rpt__inflate(struct rpt_inflater *inflater, const char *from,
                          size_t bytes);

#endif /* RPT_IO_CHECKPOINT_DEFLATE_H */
