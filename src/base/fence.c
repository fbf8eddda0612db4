/*
 * fence.c - membarrier(2), among the processes that have registered
 */
#include "base/fence.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<linux/membarrier.h>)
#include <linux/membarrier.h>
#define RPT_HAVE_MEMBARRIER 1
#endif
#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_registered;

#ifdef RPT_HAVE_MEMBARRIER
static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

static void ask(void)
{
    is_registered = membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0 &&
                    membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED) == 0;
}
#else
static void ask(void) {}
#endif

bool rpt__fence_register(void)
{
    pthread_once(&once, ask);
    return is_registered;
}

void rpt__fence_heavy(void)
{
#ifdef RPT_HAVE_MEMBARRIER
    if (rpt__fence_register()) {
        membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
    }
#endif
    atomic_thread_fence(memory_order_seq_cst);
}
