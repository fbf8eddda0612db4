/*
 * deflate.c - bytes of a chunk, compressed as HDF5's filters do it; the one user
 * of zlib
 *
 * The low bytes of computed numbers are noise, which zlib searches for long and
 * makes no smaller: a plane of which a sample looks like that, and does not
 * become shorter when it is tried, is stored as it is inside of the same stream.
 */
#include "io/checkpoint/deflate.h"

#include "base/error.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    SAMPLE_BYTES = 4096, /* that are counted              */
    TRIAL_BYTES = 8192,  /* that are compressed, to see   */
    PLANE_BYTES = 32768, /* shorter ones are just done    */
    SLACK_BYTES = 4096   /* of blocks that end early where the level changes */
};

uint64_t rpt__deflate_bound(uint64_t bytes)
{
    return (uint64_t)compressBound((uLong)bytes) + SLACK_BYTES;
}

/* ---- shuffle ---- */

/* Some elements at a time, so that what is read from and written to is near. */
enum { ELEMENTS = 256 };

void rpt__shuffle(const char *from, size_t bytes, size_t type_bytes, char *to)
{
    size_t n = bytes / type_bytes;

    for (size_t at = 0; at < n; at += ELEMENTS) {
        size_t end = n - at < ELEMENTS ? n : at + ELEMENTS;

        for (size_t b = 0; b < type_bytes; b++) {
            const char *source = from + b;
            char *target = to + b * n;

            for (size_t i = at; i < end; i++) {
                target[i] = source[i * type_bytes];
            }
        }
    }
}

void rpt__unshuffle(const char *from, size_t bytes, size_t type_bytes, char *to)
{
    size_t n = bytes / type_bytes;

    for (size_t at = 0; at < n; at += ELEMENTS) {
        size_t end = n - at < ELEMENTS ? n : at + ELEMENTS;

        for (size_t b = 0; b < type_bytes; b++) {
            const char *source = from + b * n;
            char *target = to + b;

            for (size_t i = at; i < end; i++) {
                target[i * type_bytes] = source[i];
            }
        }
    }
}

/* ---- deflate ---- */

struct rpt_deflater {
    z_stream stream;
    z_stream trial;
    int level;
};

static rpt_status_t failed(const char *what, int error)
{
    if (error == Z_MEM_ERROR) {
        return rpt__fail_nomem(1 << 18);
    }
    return rpt__fail(RPT_ERR_INTERNAL, "zlib %s cannot %s: error %d",
                     zlibVersion(), what, error);
}

rpt_status_t rpt__deflater_create(int level, struct rpt_deflater **out)
{
    struct rpt_deflater *d = calloc(1, sizeof *d);
    int error;

    if (d == NULL) {
        return rpt__fail_nomem(sizeof *d);
    }
    d->level = level;
    error = deflateInit(&d->stream, level);
    if (error == Z_OK) {
        error = deflateInit(&d->trial, 1);
        if (error != Z_OK) {
            deflateEnd(&d->stream);
        }
    }
    if (error != Z_OK) {
        free(d);
        return failed("begin", error);
    }
    *out = d;
    return RPT_OK;
}

void rpt__deflater_destroy(struct rpt_deflater *d)
{
    if (d != NULL) {
        deflateEnd(&d->stream);
        deflateEnd(&d->trial);
        free(d);
    }
}

/* Whether all bytes come about as often as others. */
static bool looks_random(const unsigned char *plane, size_t bytes)
{
    uint32_t count[256] = { 0 };
    size_t step = bytes / SAMPLE_BYTES;
    uint64_t sum = 0;

    step |= 1; /* no power of two: fields often have such a period */
    for (size_t i = 0; i < SAMPLE_BYTES; i++) {
        count[plane[i * step % bytes]]++;
    }
    for (int i = 0; i < 256; i++) {
        sum += (uint64_t)count[i] * count[i];
    }
    /* Of noise it is n + n (n - 1) / 256. */
    return sum < SAMPLE_BYTES + (uint64_t)SAMPLE_BYTES * SAMPLE_BYTES / 200;
}

static bool is_noise(struct rpt_deflater *d, const char *plane, size_t bytes)
{
    unsigned char to[TRIAL_BYTES];
    z_stream *trial = &d->trial;
    int end;

    if (bytes < PLANE_BYTES ||
        !looks_random((const unsigned char *)plane, bytes)) {
        return false;
    }
    deflateReset(trial);
    trial->next_in = (Bytef *)(uintptr_t)(plane + (bytes - TRIAL_BYTES) / 2);
    trial->avail_in = TRIAL_BYTES;
    trial->next_out = to;
    trial->avail_out = TRIAL_BYTES - TRIAL_BYTES / 32;
    end = deflate(trial, Z_FINISH);
    return end != Z_STREAM_END;
}

static int deflate_planes(struct rpt_deflater *d, const char *from,
                          size_t bytes, size_t n_planes, size_t *stored_out)
{
    size_t plane = bytes / n_planes;
    z_stream *z = &d->stream;
    int level = d->level, error = Z_OK;

    for (size_t i = 0; i < n_planes && error == Z_OK; i++) {
        int wanted = is_noise(d, from + i * plane, plane) ? 0 : d->level;

        if (wanted != level) {
            error = deflateParams(z, wanted, Z_DEFAULT_STRATEGY);
            level = wanted;
        }
        z->next_in = (Bytef *)(uintptr_t)(from + i * plane);
        z->avail_in = (uInt)plane;
        if (error == Z_OK) {
            error = deflate(z, Z_NO_FLUSH);
        }
    }
    if (error == Z_OK) {
        error = deflate(z, Z_FINISH);
    }
    *stored_out = z->total_out;
    if (level != d->level) {
        deflateReset(z); /* or the change would flush */
        deflateParams(z, d->level, Z_DEFAULT_STRATEGY);
    }
    return error;
}

rpt_status_t rpt__deflate(struct rpt_deflater *d, const char *from,
                          size_t bytes, size_t n_planes, char *to, size_t room,
                          size_t *stored_out)
{
    int error = deflateReset(&d->stream);

    d->stream.next_out = (Bytef *)to;
    d->stream.avail_out = (uInt)room;
    if (error == Z_OK) {
        error = deflate_planes(d, from, bytes, n_planes, stored_out);
    }
    return error == Z_STREAM_END ? RPT_OK : failed("compress a chunk", error);
}

/* ---- inflate ---- */

struct rpt_inflater {
    z_stream stream;
};

rpt_status_t rpt__inflater_create(struct rpt_inflater **out)
{
    struct rpt_inflater *i = calloc(1, sizeof *i);
    int error;

    if (i == NULL) {
        return rpt__fail_nomem(sizeof *i);
    }
    error = inflateInit(&i->stream);
    if (error != Z_OK) {
        free(i);
        return failed("begin", error);
    }
    *out = i;
    return RPT_OK;
}

void rpt__inflater_destroy(struct rpt_inflater *i)
{
    if (i != NULL) {
        inflateEnd(&i->stream);
        free(i);
    }
}

rpt_status_t rpt__inflate_begin(struct rpt_inflater *i, char *to, size_t bytes)
{
    int error = inflateReset(&i->stream);

    i->stream.next_out = (Bytef *)to;
    i->stream.avail_out = (uInt)bytes;
    return error == Z_OK ? RPT_OK : failed("begin", error);
}

rpt_status_t rpt__inflate(struct rpt_inflater *i, const char *from,
                          size_t bytes)
{
    int error;

    i->stream.next_in = (Bytef *)(uintptr_t)from;
    i->stream.avail_in = (uInt)bytes;
    error = inflate(&i->stream, Z_NO_FLUSH);
    if (error == Z_STREAM_END) {
        return i->stream.avail_out == 0 ? RPT_OK : RPT_ERR_CORRUPT;
    }
    if (error == Z_MEM_ERROR) {
        return failed("expand a chunk", error);
    }
    /* All of the piece is taken, or there would be more than shall come out. */
    return error == Z_OK && i->stream.avail_in == 0 ? RPT_PENDING
                                                    : RPT_ERR_CORRUPT;
}
