/*
 * buf.h - a growing byte buffer, and the packing of records into bytes
 *
 * Writers append to a buffer; when memory runs out the buffer is marked
 * failed, later calls do nothing, and the caller asks once at the end.
 * Readers never run past the end: they mark themselves failed and give zeros,
 * and the caller asks once at the end.  Numbers are little-endian.
 */
#ifndef RPT_BASE_BUF_H
#define RPT_BASE_BUF_H

#include <repartir/base.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpt_buf {
    char *data;
    size_t bytes;
    size_t capacity;
    bool failed;
};

#define RPT_BUF_EMPTY { NULL, 0, 0, false }

void rpt__buf_free(struct rpt_buf *buf);

/* Keeps the memory, forgets content and failure. */
void rpt__buf_clear(struct rpt_buf *buf);

/* Room for so many more bytes at the end; NULL when memory runs out. */
void *rpt__buf_reserve(struct rpt_buf *buf, size_t bytes);

/* RPT_OK, or RPT_ERR_NOMEM recorded as the last error. */
rpt_status_t rpt__buf_status(const struct rpt_buf *buf);

void rpt__buf_add(struct rpt_buf *buf, const void *data, size_t bytes);
void rpt__buf_printf(struct rpt_buf *buf, const char *format, ...)
    RPT_PRINTF(2, 3);
void rpt__buf_u8(struct rpt_buf *buf, uint8_t value);
void rpt__buf_u32(struct rpt_buf *buf, uint32_t value);
void rpt__buf_u64(struct rpt_buf *buf, uint64_t value);
void rpt__buf_f64(struct rpt_buf *buf, double value);
/* A length (u64) and the bytes. */
void rpt__buf_blob(struct rpt_buf *buf, const void *data, size_t bytes);
/* A blob with the ending 0; NULL is written as an empty blob. */
void rpt__buf_str(struct rpt_buf *buf, const char *text);

struct rpt_reader {
    const char *next;
    const char *end;
    bool failed;
};

static inline struct rpt_reader rpt__reader(const void *data, size_t bytes)
{
    const char *p = (const char *)data;

    return (struct rpt_reader){ p, bytes > 0 ? p + bytes : p, false };
}

uint8_t rpt__read_u8(struct rpt_reader *reader);
uint32_t rpt__read_u32(struct rpt_reader *reader);
uint64_t rpt__read_u64(struct rpt_reader *reader);
double rpt__read_f64(struct rpt_reader *reader);
/* Points into the bytes that are read; NULL when nothing is left. */
const void *rpt__read_bytes(struct rpt_reader *reader, size_t bytes);
const void *rpt__read_blob(struct rpt_reader *reader, size_t *bytes_out);
/* What rpt__buf_str() wrote: text, or NULL.  Fails when the 0 is missing. */
const char *rpt__read_str(struct rpt_reader *reader);

#endif /* RPT_BASE_BUF_H */
