/*
 * buf.c - a growing byte buffer, and the packing of records into bytes
 */
#include "base/buf.h"

#include "base/error.h"
#include "base/size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "records are little-endian; this machine needs byte swaps in buf.c"
#endif

void rpt__buf_free(struct rpt_buf *buf)
{
    free(buf->data);
    *buf = (struct rpt_buf)RPT_BUF_EMPTY;
}

void rpt__buf_clear(struct rpt_buf *buf)
{
    buf->bytes = 0;
    buf->failed = false;
}

void *rpt__buf_reserve(struct rpt_buf *buf, size_t bytes)
{
    size_t needed;

    if (buf->failed || !rpt__size_add(buf->bytes, bytes, &needed)) {
        buf->failed = true;
        return NULL;
    }
    if (needed > buf->capacity) {
        size_t capacity = buf->capacity > 0 ? buf->capacity : 64;
        char *data;

        while (capacity < needed) {
            capacity = capacity > SIZE_MAX / 2 ? needed : 2 * capacity;
        }
        data = realloc(buf->data, capacity);
        if (data == NULL) {
            buf->failed = true;
            return NULL;
        }
        buf->data = data;
        buf->capacity = capacity;
    }
    return buf->data + buf->bytes;
}

rpt_status_t rpt__buf_status(const struct rpt_buf *buf)
{
    return buf->failed ? rpt__fail_nomem(buf->bytes) : RPT_OK;
}

void rpt__buf_add(struct rpt_buf *buf, const void *data, size_t bytes)
{
    void *end = bytes > 0 ? rpt__buf_reserve(buf, bytes) : NULL;

    if (end != NULL) {
        memcpy(end, data, bytes);
        buf->bytes += bytes;
    }
}

void rpt__buf_printf(struct rpt_buf *buf, const char *format, ...)
{
    va_list args;
    int n;
    char *end;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        buf->failed = true;
        return;
    }
    end = rpt__buf_reserve(buf, (size_t)n + 1);
    if (end != NULL) {
        va_start(args, format);
        vsnprintf(end, (size_t)n + 1, format, args);
        va_end(args);
        buf->bytes += (size_t)n;
    }
}

void rpt__buf_u8(struct rpt_buf *buf, uint8_t value)
{
    rpt__buf_add(buf, &value, sizeof value);
}

void rpt__buf_u32(struct rpt_buf *buf, uint32_t value)
{
    rpt__buf_add(buf, &value, sizeof value);
}

void rpt__buf_u64(struct rpt_buf *buf, uint64_t value)
{
    rpt__buf_add(buf, &value, sizeof value);
}

void rpt__buf_f64(struct rpt_buf *buf, double value)
{
    rpt__buf_add(buf, &value, sizeof value);
}

void rpt__buf_blob(struct rpt_buf *buf, const void *data, size_t bytes)
{
    rpt__buf_u64(buf, bytes);
    rpt__buf_add(buf, data, bytes);
}

void rpt__buf_str(struct rpt_buf *buf, const char *text)
{
    rpt__buf_blob(buf, text, text != NULL ? strlen(text) + 1 : 0);
}

const void *rpt__read_bytes(struct rpt_reader *reader, size_t bytes)
{
    const char *start = reader->next;

    if (reader->failed || (size_t)(reader->end - start) < bytes) {
        reader->failed = true;
        return NULL;
    }
    if (bytes > 0) {
        reader->next += bytes;
    }
    return start;
}

static void read_number(struct rpt_reader *reader, void *value, size_t bytes)
{
    const void *start = rpt__read_bytes(reader, bytes);

    if (start != NULL) {
        memcpy(value, start, bytes);
    } else {
        memset(value, 0, bytes);
    }
}

uint8_t rpt__read_u8(struct rpt_reader *reader)
{
    uint8_t value;

    read_number(reader, &value, sizeof value);
    return value;
}

uint32_t rpt__read_u32(struct rpt_reader *reader)
{
    uint32_t value;

    read_number(reader, &value, sizeof value);
    return value;
}

uint64_t rpt__read_u64(struct rpt_reader *reader)
{
    uint64_t value;

    read_number(reader, &value, sizeof value);
    return value;
}

double rpt__read_f64(struct rpt_reader *reader)
{
    double value;

    read_number(reader, &value, sizeof value);
    return value;
}

const void *rpt__read_blob(struct rpt_reader *reader, size_t *bytes_out)
{
    uint64_t bytes = rpt__read_u64(reader);
    const void *data = rpt__read_bytes(reader, (size_t)bytes);

    *bytes_out = data != NULL ? (size_t)bytes : 0;
    return data;
}

const char *rpt__read_str(struct rpt_reader *reader)
{
    size_t bytes;
    const char *text = rpt__read_blob(reader, &bytes);

    if (text == NULL || bytes == 0) {
        return NULL;
    }
    if (memchr(text, '\0', bytes) != text + bytes - 1) {
        reader->failed = true;
        return NULL;
    }
    return text;
}
