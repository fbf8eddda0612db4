/*
 * futex.h - sleep until a 32-bit word changes; works across processes
 */
#ifndef RPT_BASE_FUTEX_H
#define RPT_BASE_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

/* Sleeps while *word == seen, at most timeout_s (negative: no limit).  May
 * return early; the caller looks again. */
void rpt__futex_wait(_Atomic uint32_t *word, uint32_t seen, double timeout_s);

/* Wakes up to n sleepers. */
void rpt__futex_wake(_Atomic uint32_t *word, int n);

/* Tells the processor that this is a spin loop. */
static inline void rpt__cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Asks for a line of memory that is read, or written, soon. */
static inline void rpt__fetch_to_read(const void *line)
{
    __builtin_prefetch(line);
}

static inline void rpt__fetch_to_write(void *line)
{
#if defined(__x86_64__) /* without an option the builtin would only read */
    __asm__ volatile("prefetchw %0" : : "m"(*(char *)line));
#else
    __builtin_prefetch(line, 1);
#endif
}

#endif /* RPT_BASE_FUTEX_H */
