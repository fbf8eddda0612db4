/*
 * stream.h - copies past the caches
 *
 * A usual store first fetches the line, and where another core has it, that is
 * a trip there and back: between distant cores 3 GB/s, while these stores do
 * 30.  They only pay for what the writer does not read again soon.
 */
#ifndef RPT_COLLECTIVES_KERNEL_STREAM_H
#define RPT_COLLECTIVES_KERNEL_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { STREAM_LINE = 64 };

/* One aligned line. */
static inline void stream_line(char *to, const char *from)
{
#if defined(__AVX512F__)
    _mm512_stream_si512((void *)to, _mm512_loadu_si512(from));
#elif defined(__AVX__)
    for (int i = 0; i < STREAM_LINE; i += 32) {
        _mm256_stream_si256(
            (__m256i *)(void *)(to + i),
            _mm256_loadu_si256((const __m256i *)(const void *)(from + i)));
    }
#elif defined(__x86_64__)
    for (int i = 0; i < STREAM_LINE; i += 16) {
        _mm_stream_si128(
            (__m128i *)(void *)(to + i),
            _mm_loadu_si128((const __m128i *)(const void *)(from + i)));
    }
#else
    memcpy(to, from, STREAM_LINE);
#endif
}

/* As memcpy(); other processors see it before any store that follows. */
static void stream(void *to, const void *from, size_t bytes)
{
    char *t = to;
    const char *f = from;
    size_t head = (STREAM_LINE - (uintptr_t)t % STREAM_LINE) % STREAM_LINE;

    if (bytes < head + STREAM_LINE) {
        memcpy(t, f, bytes);
        return;
    }
    memcpy(t, f, head);
    for (bytes -= head, t += head, f += head; bytes >= STREAM_LINE;
         bytes -= STREAM_LINE, t += STREAM_LINE, f += STREAM_LINE) {
        stream_line(t, f);
    }
    memcpy(t, f, bytes);
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

#endif /* RPT_COLLECTIVES_KERNEL_STREAM_H */
