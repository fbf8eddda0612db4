/*
 * deflate.c - bytes of a chunk, compressed as HDF5's filters do it; the one
 * user of zlib
 *
 * The low bytes of computed numbers are noise, which zlib searches for long and
 * makes no smaller.  So a sample of each plane is tried first: where the search
 * gives nothing the plane is only coded (Huffman), and where that gives nothing
 * it is stored as it is; all inside of the same stream.
 */
#include "io/checkpoint/deflate.h"

#include "base/error.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    PIECE_BYTES = 2048, /* of a sample */
    N_PIECES = 4,
    SAMPLE_BYTES = N_PIECES * PIECE_BYTES,
    PLANE_BYTES = 32768, /* shorter ones are just done */
    SLACK_BYTES = 4096   /* of blocks that end early where the way changes */
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

enum { MEM_LEVEL = 8 }; /* as deflateInit() has it */

/* How a plane is done. */
struct way {
    int level, strategy;
};

struct rpt_deflater {
    z_stream stream;
    z_stream search, code; /* for samples */
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
    error = error == Z_OK ? deflateInit(&d->search, level) : error;
    error = error == Z_OK ? deflateInit2(&d->code, level, Z_DEFLATED, MAX_WBITS,
                                         MEM_LEVEL, Z_HUFFMAN_ONLY)
                          : error;
    if (error != Z_OK) {
        rpt__deflater_destroy(d);
        return failed("begin", error);
    }
    *out = d;
    return RPT_OK;
}

/* What was not begun is no stream, and let alone. */
void rpt__deflater_destroy(struct rpt_deflater *d)
{
    if (d != NULL) {
        deflateEnd(&d->stream);
        deflateEnd(&d->search);
        deflateEnd(&d->code);
        free(d);
    }
}

/* Bytes that a sample becomes; SAMPLE_BYTES: so many, or more. */
static size_t try_sample(z_stream *z, char *sample)
{
    unsigned char to[SAMPLE_BYTES];
    int end;

    deflateReset(z);
    z->next_in = (Bytef *)sample;
    z->avail_in = SAMPLE_BYTES;
    z->next_out = to;
    z->avail_out = sizeof to;
    end = deflate(z, Z_FINISH);
    return end == Z_STREAM_END ? z->total_out : sizeof to;
}

static struct way way_for(struct rpt_deflater *d, const char *plane,
                          size_t bytes)
{
    struct way way = { d->level, Z_DEFAULT_STRATEGY };
    char sample[SAMPLE_BYTES];
    size_t searched, coded;

    if (bytes < PLANE_BYTES) {
        return way;
    }
    for (size_t i = 0; i < N_PIECES; i++) {
        memcpy(sample + i * PIECE_BYTES,
               plane + bytes / N_PIECES * i + bytes / N_PIECES / 2,
               PIECE_BYTES);
    }
    searched = try_sample(&d->search, sample);
    coded = try_sample(&d->code, sample);
    if (coded <= searched + searched / 64) {
        way.strategy = Z_HUFFMAN_ONLY;
        searched = coded;
    }
    if (searched > SAMPLE_BYTES - SAMPLE_BYTES / 64) {
        way = (struct way){ 0, Z_DEFAULT_STRATEGY };
    }
    return way;
}

static int deflate_planes(struct rpt_deflater *d, const char *from,
                          size_t bytes, size_t n_planes, size_t *stored_out)
{
    const struct way first = { d->level, Z_DEFAULT_STRATEGY };
    size_t plane = bytes / n_planes;
    z_stream *z = &d->stream;
    struct way way = first;
    int error = Z_OK;

    for (size_t i = 0; i < n_planes && error == Z_OK; i++) {
        struct way wanted = way_for(d, from + i * plane, plane);

        if (wanted.level != way.level || wanted.strategy != way.strategy) {
            error = deflateParams(z, wanted.level, wanted.strategy);
            way = wanted;
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
    if (way.level != first.level || way.strategy != first.strategy) {
        deflateReset(z); /* or the change would flush */
        deflateParams(z, first.level, first.strategy);
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
