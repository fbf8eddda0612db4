/*
 * png.h - writes a square of numbers 0 … 255 as a picture with 256 colours
 *
 * Black, purple, red, yellow, white: each is lighter than the one before, so
 * that a print in grey shows the same.  The data are not compressed, so this
 * needs no library: a PNG is chunks with a checksum (CRC-32), the pixels are a
 * stream of zlib's format whose blocks may be "stored" (RFC 1950, 1951, 2083).
 */
#ifndef PNG_H
#define PNG_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void png_u32(unsigned char *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (unsigned char)(value >> (24 - 8 * i));
    }
}

static uint32_t png_crc(uint32_t crc, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
        }
    }
    return crc;
}

static void png_chunk(FILE *file, const char *name, const unsigned char *bytes,
                      size_t n)
{
    unsigned char head[8], tail[4];
    uint32_t crc;

    png_u32(head, (uint32_t)n);
    memcpy(head + 4, name, 4);
    crc = png_crc(png_crc(0xffffffffu, head + 4, 4), bytes, n);
    png_u32(tail, ~crc);
    fwrite(head, 1, sizeof head, file);
    fwrite(bytes, 1, n, file);
    fwrite(tail, 1, sizeof tail, file);
}

/* Colours between five given ones. */
static void png_palette(unsigned char palette[256 * 3])
{
    static const unsigned char given[5][3] = { { 0, 0, 4 },
                                               { 87, 16, 110 },
                                               { 188, 55, 84 },
                                               { 249, 142, 9 },
                                               { 252, 255, 220 } };

    for (int i = 0; i < 256; i++) {
        int below = i < 255 ? i * 4 / 255 : 3, part = i * 4 - below * 255;

        for (int c = 0; c < 3; c++) {
            palette[3 * i + c] = (unsigned char)(given[below][c] +
                                                 (given[below + 1][c] -
                                                  given[below][c]) *
                                                     part / 255);
        }
    }
}

/* A stored block for each row of pixels; NULL: no memory. */
static unsigned char *png_stream(const unsigned char *pixels, unsigned side,
                                 size_t *n_out)
{
    const unsigned bytes = side + 1; /* a row begins with its filter: none */
    unsigned char *stream = malloc(6 + (size_t)side * (5 + bytes));
    unsigned char *to = stream;
    uint32_t a = 1, b = 0; /* Adler-32 */

    if (stream == NULL) {
        return NULL;
    }
    *to++ = 0x78;
    *to++ = 0x01;
    for (unsigned y = 0; y < side; y++) {
        *to++ = y + 1 == side; /* whether it is the last block */
        *to++ = (unsigned char)bytes;
        *to++ = (unsigned char)(bytes >> 8);
        *to++ = (unsigned char)~bytes;
        *to++ = (unsigned char)(~bytes >> 8);
        *to = 0;
        memcpy(to + 1, pixels + (size_t)y * side, side);
        for (unsigned i = 0; i < bytes; i++) {
            a = (a + *to++) % 65521;
            b = (b + a) % 65521;
        }
    }
    png_u32(to, b << 16 | a);
    *n_out = (size_t)(to + 4 - stream);
    return stream;
}

/* side: 1 … 65534.  Returns 0, or -1 with errno set. */
static int png_write(const char *path, const unsigned char *pixels,
                     unsigned side)
{
    static const unsigned char signature[] = { 137, 'P',  'N', 'G',
                                               13,  '\n', 26,  '\n' };
    /* 8 bits a pixel, which are numbers of colours. */
    unsigned char head[13] = { [8] = 8, [9] = 3 }, palette[256 * 3], *stream;
    size_t n = 0;
    FILE *file;
    int failed;

    stream = png_stream(pixels, side, &n);
    file = stream != NULL ? fopen(path, "wb") : NULL;
    if (file == NULL) {
        free(stream);
        return -1;
    }
    png_u32(head, side);
    png_u32(head + 4, side);
    png_palette(palette);
    fwrite(signature, 1, sizeof signature, file);
    png_chunk(file, "IHDR", head, sizeof head);
    png_chunk(file, "PLTE", palette, sizeof palette);
    png_chunk(file, "IDAT", stream, n);
    png_chunk(file, "IEND", head, 0);
    free(stream);
    failed = ferror(file);
    return fclose(file) != 0 || failed ? -1 : 0;
}

#endif /* PNG_H */
