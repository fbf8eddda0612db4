/*
 * fence.h - a barrier of two sides, of which one is nearly free
 *
 *   writer, often          sleeper, seldom
 *   flag = 1               asleep = 1
 *   rpt__fence_light()     rpt__fence_heavy()
 *   asleep? wake           flag? do not sleep
 *
 * One of them sees what the other has written.  With two full barriers the
 * writer would wait each time until its line is here; the heavy side makes one
 * on all processors that run such a process instead (membarrier(2)).  Where the
 * system has no such call both are full barriers.
 *
 * All writers and sleepers must have called rpt__fence_register(), and must
 * have been given the same answer.
 */
#ifndef RPT_BASE_FENCE_H
#define RPT_BASE_FENCE_H

#include <stdatomic.h>
#include <stdbool.h>

/* Of the process; whether the light side is light.  The same every time. */
bool rpt__fence_register(void);

/* is_light: what rpt__fence_register() has answered to all of them. */
static inline void rpt__fence_light(bool is_light)
{
    if (is_light) {
        atomic_signal_fence(memory_order_seq_cst);
    } else {
        atomic_thread_fence(memory_order_seq_cst);
    }
}

/* A system call where it was registered. */
void rpt__fence_heavy(void);

#endif /* RPT_BASE_FENCE_H */
