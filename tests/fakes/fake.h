/*
 * fake.h - a CUDA and an NCCL without a GPU, for tests
 *
 *   memory.c    memory of devices: addresses that the host cannot touch
 *   streams.c   streams and events: work is done when somebody asks for it
 *   nccl.c      communicators: ranks move data through a shared file
 *   kernels.c   sums of vectors, by the kernels of the host
 *
 * src/device/cuda.c and collectives/nccl/ are compiled with the headers beside
 * this one and linked with these, so that all of them run in every build.  What
 * a program would get away with on a good day fails here: a pointer of a device
 * that the host follows, a result that is read before anybody waited for it,
 * memory that is used after it was given back, a stream of another device than
 * the thread's.
 */
#ifndef RPT_TESTS_FAKES_FAKE_H
#define RPT_TESTS_FAKES_FAKE_H

#include "cuda_runtime_api.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- for tests ---- */

/* The n-th call of a function from now on fails, n from 1; name NULL: none. */
void fake_fail(const char *name, int n);
/* Communicators are never opened. */
void fake_nccl_never_opens(bool never);
/* The n-th launch of this process never ends, 0: none does so; quietly: nor
 * says its communicator that anything is wrong. */
void fake_nccl_breaks(int n, bool quietly);

/* What was taken and not given back by this process. */
struct fake_live {
    int memory, host_memory, opened, streams, events, comms;
};
struct fake_live fake_live(void);
/* Copies that were put into streams by this process. */
unsigned long fake_n_copies(void);

/* ---- for each other; the lock is held ---- */

void fake_lock(void);
void fake_unlock(void);
/* Whether this call shall fail. */
bool fake_fails(const char *name);
/* Takes or gives back one of these. */
struct fake_live *fake_count(void);

/* Where so many bytes of a device are for the host; an address of the host is
 * left as it is.  Ends the program when they are not all one's own. */
void *fake_reach(const void *address, size_t bytes);
/* The device of an address, -1: it is the host's. */
int fake_owner(const void *address);
int fake_current_device(void);

/* Work in a stream: gives true when it is done, false: not yet.  `arg` is freed
 * then by the stream. */
typedef bool (*fake_work_fn)(void *arg);
cudaError_t fake_put(cudaStream_t stream, fake_work_fn work, void *arg);

#endif /* RPT_TESTS_FAKES_FAKE_H */
