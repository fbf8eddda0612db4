/*
 * keepbits.h - numbers with fewer bits, for a compressor to find less in them
 */
#ifndef RPT_IO_PARQUET_KEEPBITS_H
#define RPT_IO_PARQUET_KEEPBITS_H

#include <stddef.h>

enum { RPT_KEEPBITS_F32 = 23, RPT_KEEPBITS_F64 = 52 }; /* all there are */

/* The numbers with `keep` bits of their mantissas, of 1 to all; to may be
 * from. */
void rpt__keepbits_f32(float *to, const float *from, size_t n, int keep);
void rpt__keepbits_f64(double *to, const double *from, size_t n, int keep);

#endif /* RPT_IO_PARQUET_KEEPBITS_H */
