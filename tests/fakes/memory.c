/*
 * memory.c - memory of devices that are not there
 *
 * Each device is a file of its own.  Its addresses are mapped without any
 * right, so that the host cannot follow them; the fake reaches the same bytes
 * by a second mapping.  Another process opens the file for IPC.
 */
#include "fake.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { N_DEVICES = 8, ALIGNMENT = 256, MAX_BLOCKS = 4096, MAX_REGIONS = 64 };

#define DEVICE_BYTES ((size_t)1 << 30)

struct block {
    size_t at, bytes;
};

/* A device of this process, or memory of another one's that is open here. */
struct region {
    char *shown; /* no right to touch; NULL: none */
    char *real;
    int device;
    int fd;
    int n_blocks;
    struct block *blocks; /* by address */
};

struct handle {
    int process, fd, device;
    size_t at, bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct region regions[MAX_REGIONS]; /* the first ones are devices */
static struct fake_live live;
static char failing[64];
static int fails_in;
static _Thread_local int current;
static _Thread_local cudaError_t last;

void fake_lock(void)
{
    pthread_mutex_lock(&lock);
}

void fake_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

struct fake_live *fake_count(void)
{
    return &live;
}

struct fake_live fake_live(void)
{
    struct fake_live copy;

    fake_lock();
    copy = live;
    fake_unlock();
    return copy;
}

void fake_fail(const char *name, int n)
{
    fake_lock();
    snprintf(failing, sizeof failing, "%s", name != NULL ? name : "");
    fails_in = n;
    fake_unlock();
}

bool fake_fails(const char *name)
{
    return fails_in > 0 && strcmp(name, failing) == 0 && --fails_in == 0;
}

static void end(const char *why, const void *address)
{
    fprintf(stderr, "fake CUDA: %s (%p)\n", why, address);
    abort();
}

/* ---- regions ---- */

static bool map(struct region *region, int fd)
{
    void *shown = mmap(NULL, DEVICE_BYTES, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    void *real = mmap(NULL, DEVICE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                      fd, 0);

    region->blocks = calloc(MAX_BLOCKS, sizeof *region->blocks);
    if (shown == MAP_FAILED || real == MAP_FAILED || region->blocks == NULL) {
        return false;
    }
    region->shown = shown;
    region->real = real;
    region->fd = fd;
    return true;
}

static struct region *device_region(int device)
{
    struct region *region = &regions[device];
    int fd;

    if (region->shown == NULL) {
        fd = memfd_create("fake device", MFD_CLOEXEC);
        if (fd < 0 || ftruncate(fd, (off_t)DEVICE_BYTES) != 0 ||
            !map(region, fd)) {
            end("no memory for a device", NULL);
        }
        region->device = device;
    }
    return region;
}

static struct region *region_of(const void *address)
{
    const char *at = address;

    for (int i = 0; i < MAX_REGIONS; i++) {
        struct region *region = &regions[i];

        if (region->shown != NULL && at >= region->shown &&
            at < region->shown + DEVICE_BYTES) {
            return region;
        }
    }
    return NULL;
}

int fake_owner(const void *address)
{
    const struct region *region = region_of(address);

    return region != NULL ? region->device : -1;
}

static int block_of(const struct region *region, const void *address)
{
    size_t at = (size_t)((const char *)address - region->shown);

    for (int i = 0; i < region->n_blocks; i++) {
        if (at >= region->blocks[i].at &&
            at < region->blocks[i].at + region->blocks[i].bytes) {
            return i;
        }
    }
    return -1;
}

void *fake_reach(const void *address, size_t bytes)
{
    const struct region *region = region_of(address);
    const struct block *block;
    size_t at;
    int i;

    if (region == NULL) {
        return (void *)(uintptr_t)address;
    }
    i = block_of(region, address);
    if (i < 0) {
        end("memory that was not taken, or was given back", address);
    }
    block = &region->blocks[i];
    at = (size_t)((const char *)address - region->shown);
    if (bytes > block->at + block->bytes - at) {
        end("more than what was taken", address);
    }
    return region->real + at;
}

/* ---- devices ---- */

static cudaError_t result(cudaError_t error)
{
    if (error != cudaSuccess) {
        last = error;
    }
    return error;
}

const char *cudaGetErrorString(cudaError_t error)
{
    return error == cudaErrorMemoryAllocation ? "out of memory (fake)"
                                              : "an error (fake)";
}

cudaError_t cudaGetLastError(void)
{
    cudaError_t error = last;

    last = cudaSuccess;
    return error;
}

int fake_current_device(void)
{
    return current;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = N_DEVICES;
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int *device)
{
    *device = current;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device)
{
    if (device < 0 || device >= N_DEVICES) {
        return result(cudaErrorInvalidDevice);
    }
    current = device;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties,
                                    int device)
{
    memset(properties, 0, sizeof *properties);
    properties->uuid.bytes[0] = 'f';
    properties->uuid.bytes[1] = (char)device;
    return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *attributes,
                                     const void *address)
{
    fake_lock();
    attributes->device = fake_owner(address);
    fake_unlock();
    attributes->type = attributes->device >= 0 ? cudaMemoryTypeDevice
                                               : cudaMemoryTypeUnregistered;
    return cudaSuccess;
}

/* ---- memory ---- */

/* The first gap that is large enough; the place of the block in the list. */
static int find_gap(const struct region *region, size_t bytes, size_t *at_out)
{
    size_t at = ALIGNMENT;

    for (int i = 0; i < region->n_blocks; i++) {
        const struct block *block = &region->blocks[i];

        if (block->at - at >= bytes + ALIGNMENT) {
            *at_out = at;
            return i;
        }
        at = (block->at + block->bytes + 2 * ALIGNMENT - 1) / ALIGNMENT *
             ALIGNMENT;
    }
    *at_out = at;
    return bytes <= DEVICE_BYTES - at ? region->n_blocks : -1;
}

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    struct region *region;
    cudaError_t error = cudaErrorMemoryAllocation;
    size_t at = 0;
    int i;

    fake_lock();
    region = device_region(current);
    i = bytes > 0 && bytes < DEVICE_BYTES - 2 * ALIGNMENT
            ? find_gap(region, bytes, &at)
            : -1;
    if (i >= 0 && region->n_blocks < MAX_BLOCKS && !fake_fails("cudaMalloc")) {
        memmove(&region->blocks[i + 1], &region->blocks[i],
                (size_t)(region->n_blocks - i) * sizeof *region->blocks);
        region->blocks[i] = (struct block){ at, bytes };
        region->n_blocks++;
        live.memory++;
        *memory = region->shown + at;
        memset(region->real + at, 0xa5, bytes); /* nobody may count on zeros */
        error = cudaSuccess;
    }
    fake_unlock();
    return result(error);
}

static void forget(struct region *region, int i)
{
    region->n_blocks--;
    memmove(&region->blocks[i], &region->blocks[i + 1],
            (size_t)(region->n_blocks - i) * sizeof *region->blocks);
}

cudaError_t cudaFree(void *memory)
{
    struct region *region;
    int i;

    fake_lock();
    region = region_of(memory);
    i = region != NULL && region - regions < N_DEVICES
            ? block_of(region, memory)
            : -1;
    if (i < 0 || region->shown + region->blocks[i].at != memory) {
        end("cudaFree() of what cudaMalloc() did not give", memory);
    }
    forget(region, i);
    live.memory--;
    fake_unlock();
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **memory, size_t bytes)
{
    bool fails;

    fake_lock();
    fails = fake_fails("cudaMallocHost");
    live.host_memory += !fails;
    fake_unlock();
    if (fails) {
        return result(cudaErrorMemoryAllocation);
    }
    *memory = malloc(bytes);
    return *memory != NULL ? cudaSuccess : result(cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void *memory)
{
    fake_lock();
    live.host_memory--;
    fake_unlock();
    free(memory);
    return cudaSuccess;
}

/* ---- other processes ---- */

cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t *handle, void *memory)
{
    struct handle own;
    const struct region *region;

    fake_lock();
    region = region_of(memory);
    if (region == NULL) {
        end("memory of the host, for IPC", memory);
    }
    fake_reach(memory, 1);
    own = (struct handle){ (int)getpid(), region->fd, region->device,
                           (size_t)((char *)memory - region->shown), 0 };
    own.bytes = region->blocks[block_of(region, memory)].bytes;
    fake_unlock();
    memset(handle, 0, sizeof *handle);
    memcpy(handle, &own, sizeof own);
    return cudaSuccess;
}

static struct region *free_region(void)
{
    for (int i = N_DEVICES; i < MAX_REGIONS; i++) {
        if (regions[i].shown == NULL) {
            return &regions[i];
        }
    }
    end("too many open pieces of memory", NULL);
    return NULL;
}

cudaError_t cudaIpcOpenMemHandle(void **memory, cudaIpcMemHandle_t handle,
                                 unsigned flags)
{
    struct region *region;
    struct handle other;
    char path[64];
    int fd;

    (void)flags;
    memcpy(&other, &handle, sizeof other);
    snprintf(path, sizeof path, "/proc/%d/fd/%d", other.process, other.fd);
    fake_lock();
    fd = other.process == getpid() || fake_fails("cudaIpcOpenMemHandle")
             ? -1
             : open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        region = free_region();
        if (!map(region, fd)) {
            end("no addresses for memory of another process", NULL);
        }
        region->device = other.device;
        region->blocks[0] = (struct block){ other.at, other.bytes };
        region->n_blocks = 1;
        live.opened++;
        *memory = region->shown + other.at;
    }
    fake_unlock();
    return fd >= 0 ? cudaSuccess : result(cudaErrorInvalidValue);
}

cudaError_t cudaIpcCloseMemHandle(void *memory)
{
    struct region *region;

    fake_lock();
    region = region_of(memory);
    if (region == NULL || region - regions < N_DEVICES) {
        end("cudaIpcCloseMemHandle() of what was not opened", memory);
    }
    munmap(region->shown, DEVICE_BYTES);
    munmap(region->real, DEVICE_BYTES);
    close(region->fd);
    free(region->blocks);
    *region = (struct region){ .shown = NULL };
    live.opened--;
    fake_unlock();
    return cudaSuccess;
}
