/*
 * segment.c - one memfd: a head page, a page and a ring for each rank, an area
 *
 *   | head | control 0 | ring 0 ... | control 1 | ring 1 ... | area |
 *
 * Others reach it as /proc/PID/fd/N of its maker.  That may be another file
 * when the process lives in another PID name space: so the link's name is
 * looked at before it is opened, and size, owner and a random cookie after.
 * The size is sealed, so that nobody's access can fault.  Pages take memory
 * once they are used.
 *
 * A memfd is a file for RLIMIT_FSIZE: the area is what that leaves, if need be.
 */
#include "comm/segment.h"

#include "base/error.h"
#include "base/log.h"
#include "base/size.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMFD_NAME "repartir"
enum { PAGE = 4096, RING_OFFSET = 64 };

struct head {
    uint64_t cookie;
};

static size_t stride(const struct rpt_segment *segment)
{
    return PAGE + segment->ring_bytes;
}

static size_t area_offset(const struct rpt_segment *segment)
{
    return PAGE + (size_t)segment->n_ranks * stride(segment);
}

static char *control(const struct rpt_segment *segment, int index)
{
    return segment->base + PAGE + (size_t)index * stride(segment);
}

static rpt_status_t map(struct rpt_segment *segment)
{
    void *base = mmap(NULL, segment->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                      segment->fd, 0);

    if (base == MAP_FAILED) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno,
                               "%zu bytes of shared memory were not mapped",
                               segment->bytes);
    }
    segment->base = base;
    return RPT_OK;
}

static rpt_status_t measure(int n_ranks, size_t ring_bytes, size_t area_bytes,
                            struct rpt_segment *segment)
{
    size_t rounded = ring_bytes > 0 ? PAGE : 0, all;
    size_t area = area_bytes > 0 ? rpt__area_head_bytes() : 0;

    while (rounded < ring_bytes) {
        rounded *= 2;
    }
    if (!rpt__size_mul((size_t)n_ranks, rounded + PAGE, &all) ||
        !rpt__size_add(all, PAGE + area, &all) ||
        !rpt__size_add(all, area_bytes, &all) || all > (size_t)LONG_MAX) {
        return rpt__fail(RPT_ERR_OVERFLOW,
                         "inboxes of %zu bytes for %d ranks are too large",
                         ring_bytes, n_ranks);
    }
    *segment = (struct rpt_segment){
        .fd = -1,
        .bytes = all,
        .ring_bytes = rounded,
        .area_bytes = area_bytes,
        .n_ranks = n_ranks,
    };
    return RPT_OK;
}

/* A file that grows beyond the limit ends the process by SIGXFSZ: so it is
 * never tried. */
static rpt_status_t keep_to_limit(struct rpt_segment *segment)
{
    size_t least = area_offset(segment), head = rpt__area_head_bytes(), room;
    struct rlimit files;

    if (getrlimit(RLIMIT_FSIZE, &files) != 0 ||
        files.rlim_cur >= segment->bytes) {
        return RPT_OK;
    }
    if (files.rlim_cur < least) {
        rpt__fail(RPT_ERR_SYSTEM, "%zu bytes of shared memory were not made",
                  least);
        rpt__fail_why("no file may have more than %llu bytes (ulimit -f)",
                      (unsigned long long)files.rlim_cur);
        rpt__fail_hint("raise that limit, or set comm.ring_bytes lower");
        return RPT_ERR_SYSTEM;
    }
    room = ((size_t)files.rlim_cur - least) / PAGE * PAGE;
    segment->area_bytes = room > head ? room - head : 0;
    segment->bytes = least + (room > head ? room : 0);
    rpt__log(RPT_LOG_INFO,
             "shared memory of a node for collectives has %zu bytes: no file "
             "may have more than %llu (ulimit -f)",
             segment->area_bytes, (unsigned long long)files.rlim_cur);
    return RPT_OK;
}

static rpt_status_t fill(struct rpt_segment *segment)
{
    rpt_status_t status;
    uint64_t cookie;

    segment->fd = memfd_create(MEMFD_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (segment->fd < 0 || ftruncate(segment->fd, (off_t)segment->bytes) != 0 ||
        fcntl(segment->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0 ||
        getrandom(&cookie, sizeof cookie, 0) != sizeof cookie) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno,
                               "%zu bytes of shared memory were not made",
                               segment->bytes);
    }
    status = map(segment);
    if (status == RPT_OK) {
        ((struct head *)(void *)segment->base)->cookie = cookie;
    }
    if (status == RPT_OK && segment->area_bytes > 0) {
        status = rpt__area_create(segment->base + area_offset(segment),
                                  segment->area_bytes);
    }
    return status;
}

rpt_status_t rpt__segment_create(int n_ranks, size_t ring_bytes,
                                 size_t area_bytes,
                                 struct rpt_segment *segment_out)
{
    struct rpt_segment segment = { .fd = -1 };
    rpt_status_t status = measure(n_ranks, ring_bytes, area_bytes, &segment);

    if (status == RPT_OK) {
        status = keep_to_limit(&segment);
    }
    if (status == RPT_OK) {
        status = fill(&segment);
        if (status != RPT_OK) {
            rpt__segment_release(&segment);
        }
    }
    if (status == RPT_OK) {
        *segment_out = segment;
    }
    return status;
}

void rpt__segment_offer(const struct rpt_segment *segment,
                        struct rpt_segment_offer *offer_out)
{
    *offer_out = (struct rpt_segment_offer){
        .cookie = ((struct head *)(void *)segment->base)->cookie,
        .bytes = segment->bytes,
        .ring_bytes = segment->ring_bytes,
        .area_bytes = segment->area_bytes,
        .n_ranks = segment->n_ranks,
        .pid = (int32_t)getpid(),
        .fd = segment->fd,
    };
}

static rpt_status_t not_ours(const char *path)
{
    return rpt__fail(RPT_ERR_SYSTEM, "%s is not the shared memory offered",
                     path);
}

static rpt_status_t open_offer(const struct rpt_segment_offer *offer,
                               struct rpt_segment *segment)
{
    char path[64], target[64] = "";
    struct stat info;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)offer->pid,
             (int)offer->fd);
    if (readlink(path, target, sizeof target - 1) < 0) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno, "%s was not read", path);
    }
    if (strncmp(target, "/memfd:" MEMFD_NAME, strlen("/memfd:" MEMFD_NAME)) !=
        0) {
        return not_ours(path);
    }
    segment->fd = open(path, O_RDWR | O_CLOEXEC);
    if (segment->fd < 0 || fstat(segment->fd, &info) != 0) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno, "%s was not opened",
                               path);
    }
    if ((uint64_t)info.st_size != offer->bytes || info.st_uid != geteuid()) {
        return not_ours(path);
    }
    return RPT_OK;
}

rpt_status_t rpt__segment_attach(const struct rpt_segment_offer *offer,
                                 struct rpt_segment *segment_out)
{
    struct rpt_segment segment = { .fd = -1,
                                   .bytes = offer->bytes,
                                   .ring_bytes = offer->ring_bytes,
                                   .area_bytes = offer->area_bytes,
                                   .n_ranks = offer->n_ranks };
    rpt_status_t status = open_offer(offer, &segment);

    if (status == RPT_OK) {
        status = map(&segment);
    }
    if (status == RPT_OK &&
        ((struct head *)(void *)segment.base)->cookie != offer->cookie) {
        status = rpt__fail(RPT_ERR_SYSTEM,
                           "shared memory of another job was met");
    }
    if (status != RPT_OK) {
        rpt__segment_release(&segment);
        return status;
    }
    *segment_out = segment;
    return RPT_OK;
}

void rpt__segment_release(struct rpt_segment *segment)
{
    if (segment->base != NULL) {
        munmap(segment->base, segment->bytes);
    }
    if (segment->bytes > 0 && segment->fd >= 0) {
        close(segment->fd);
    }
    *segment = (struct rpt_segment){ .fd = -1 };
}

size_t rpt__segment_bell_offset(const struct rpt_segment *segment, int index)
{
    return (size_t)(control(segment, index) - segment->base);
}

struct rpt_bell *rpt__segment_bell(const struct rpt_segment *segment, int index)
{
    return (struct rpt_bell *)(void *)control(segment, index);
}

void rpt__segment_ring(const struct rpt_segment *segment, int index,
                       struct rpt_ring *ring_out)
{
    char *at = control(segment, index);

    rpt__ring_view(ring_out,
                   (struct rpt_ring_shared *)(void *)(at + RING_OFFSET),
                   at + PAGE, segment->ring_bytes);
}

void rpt__segment_area(const struct rpt_segment *segment,
                       struct rpt_area *area_out)
{
    *area_out = (struct rpt_area){ NULL, NULL, -1, 0 };
    if (segment->area_bytes > 0) {
        size_t offset = area_offset(segment);

        rpt__area_view(area_out, segment->base + offset, segment->fd, offset);
    }
}
