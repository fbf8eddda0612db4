/*
 * allocations.c - functions that the linker puts before those of libc
 */
#include "allocations.h"

#include <stdlib.h>

_Thread_local unsigned rpt_test_n_allocated;
_Thread_local unsigned rpt_test_fails_in;
_Thread_local bool rpt_test_fails_on, rpt_test_is_out;
atomic_uint rpt_test_fails_behind;
_Thread_local bool rpt_test_is_in_front;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

static bool fails_behind(void)
{
    unsigned left = atomic_load(&rpt_test_fails_behind);

    while (left > 0 && !atomic_compare_exchange_weak(&rpt_test_fails_behind,
                                                     &left, left - 1)) {
    }
    return left == 1;
}

static bool fails(void)
{
    rpt_test_n_allocated++;
    if (!rpt_test_is_in_front && fails_behind()) {
        return true;
    }
    if (rpt_test_fails_in > 0 && --rpt_test_fails_in == 0) {
        rpt_test_is_out = rpt_test_fails_on;
        return true;
    }
    return rpt_test_is_out;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
    return fails() ? NULL : __real_calloc(n, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    return fails() ? NULL : __real_realloc(memory, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, bytes);
}

void *rpt_test_json_malloc(size_t bytes)
{
    bool is_doubled = bytes >= 32 && (bytes & (bytes - 1)) == 0;

    return is_doubled ? __real_malloc(bytes) : __wrap_malloc(bytes);
}

void rpt_test_json_free(void *memory)
{
    free(memory);
}
