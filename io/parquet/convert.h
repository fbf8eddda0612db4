/*
 * convert.h - values as they are in memory, to values as they are in a column
 */
#ifndef RPT_IO_PARQUET_CONVERT_H
#define RPT_IO_PARQUET_CONVERT_H

#include <stddef.h>

/* Elements of so many bytes, which lie `stride` apart from each other. */
void rpt__parquet_gather(void *to, const void *from, size_t n, size_t bytes,
                         size_t stride);

/* f32 of f16 and of bf16: every value of these is one, NaN with their bits. */
void rpt__parquet_from_f16(float *to, const void *from, size_t n);
void rpt__parquet_from_bf16(float *to, const void *from, size_t n);

#endif /* RPT_IO_PARQUET_CONVERT_H */
