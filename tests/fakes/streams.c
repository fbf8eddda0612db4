/*
 * streams.c - streams and events that do nothing until somebody asks
 *
 * Work waits in its stream.  A question how far a stream has come does one
 * piece and answers "not ready" as long as that was not the last one.  So who
 * does not wait finds that nothing was done.
 */
#include "fake.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct work {
    STAILQ_ENTRY(work) link;
    fake_work_fn fn;
    void *arg;
};

struct fake_stream {
    STAILQ_HEAD(, work) queue;
    int device;
};

/* Counted: the owner, and all work that speaks of it. */
struct fake_event {
    int n_users;
    unsigned long n_recorded; /* how often it was */
    unsigned long n_reached;
    struct fake_stream *stream; /* it was recorded in */
};

/* Streams are of all devices here: the one of the program is one for all. */
static struct fake_stream default_stream = {
    STAILQ_HEAD_INITIALIZER(default_stream.queue), -1
};

static struct fake_stream *stream_of(cudaStream_t stream)
{
    return stream != NULL ? stream : &default_stream;
}

static bool is_foreign(const struct fake_stream *stream)
{
    return stream->device >= 0 && stream->device != fake_current_device();
}

/* One piece of work; whether nothing is left. */
static bool advance(struct fake_stream *stream)
{
    struct work *work = STAILQ_FIRST(&stream->queue);

    if (work != NULL && work->fn(work->arg)) {
        STAILQ_REMOVE_HEAD(&stream->queue, link);
        free(work->arg);
        free(work);
    }
    return STAILQ_EMPTY(&stream->queue);
}

cudaError_t fake_put(cudaStream_t stream, fake_work_fn fn, void *arg)
{
    struct fake_stream *to = stream_of(stream);
    struct work *work = malloc(sizeof *work);

    if (work == NULL || arg == NULL) {
        abort();
    }
    if (is_foreign(to)) {
        free(work);
        free(arg);
        return cudaErrorInvalidResourceHandle;
    }
    work->fn = fn;
    work->arg = arg;
    STAILQ_INSERT_TAIL(&to->queue, work, link);
    return cudaSuccess;
}

/* ---- streams ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    struct fake_stream *made = calloc(1, sizeof *made);
    bool fails;

    fake_lock();
    fails = made == NULL || flags != cudaStreamNonBlocking ||
            fake_fails("cudaStreamCreateWithFlags");
    fake_count()->streams += !fails;
    fake_unlock();
    if (fails) {
        free(made);
        return cudaErrorInvalidValue;
    }
    STAILQ_INIT(&made->queue);
    made->device = fake_current_device();
    *stream = made;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    fake_lock();
    while (!advance(stream)) {
    }
    fake_count()->streams--;
    fake_unlock();
    free(stream);
    return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    struct fake_stream *of = stream_of(stream);
    cudaError_t error = cudaErrorInvalidResourceHandle;
    bool was_empty;

    fake_lock();
    if (fake_fails("cudaStreamQuery")) {
        error = cudaErrorInvalidValue;
    } else if (!is_foreign(of)) {
        was_empty = STAILQ_EMPTY(&of->queue);
        advance(of);
        error = was_empty ? cudaSuccess : cudaErrorNotReady;
    }
    fake_unlock();
    return error;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    struct fake_stream *of = stream_of(stream);
    bool fails;

    fake_lock();
    while (!advance(of)) {
    }
    fails = fake_fails("cudaStreamSynchronize");
    fake_unlock();
    return fails ? cudaErrorInvalidValue : cudaSuccess;
}

/* ---- events ---- */

static void leave(struct fake_event *event)
{
    if (--event->n_users == 0) {
        free(event);
    }
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    struct fake_event *made = calloc(1, sizeof *made);

    if (made == NULL || flags != cudaEventDisableTiming) {
        free(made);
        return cudaErrorInvalidValue;
    }
    made->n_users = 1;
    fake_lock();
    fake_count()->events++;
    fake_unlock();
    *event = made;
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    fake_lock();
    fake_count()->events--;
    leave(event);
    fake_unlock();
    return cudaSuccess;
}

/* Of an event: that it was reached so often. */
struct mark {
    struct fake_event *event;
    unsigned long n;
};

static struct mark *mark_of(struct fake_event *event)
{
    struct mark *mark = malloc(sizeof *mark);

    if (mark == NULL) {
        abort();
    }
    *mark = (struct mark){ event, event->n_recorded };
    event->n_users++;
    return mark;
}

static bool reach(void *arg)
{
    struct mark *mark = arg;

    mark->event->n_reached = mark->n;
    leave(mark->event);
    return true;
}

static bool wait_for(void *arg)
{
    struct mark *mark = arg;

    if (mark->event->n_reached < mark->n) {
        advance(mark->event->stream);
        return false;
    }
    leave(mark->event);
    return true;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    cudaError_t error;

    fake_lock();
    event->n_recorded++;
    event->stream = stream_of(stream);
    error = fake_put(stream, reach, mark_of(event));
    fake_unlock();
    return error;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event,
                                unsigned flags)
{
    cudaError_t error;

    (void)flags;
    fake_lock();
    error = fake_put(stream, wait_for, mark_of(event));
    fake_unlock();
    return error;
}

/* ---- copies ---- */

struct copy {
    void *to;
    const void *from;
    size_t bytes;
};

static bool do_copy(void *arg)
{
    const struct copy *copy = arg;

    memmove(fake_reach(copy->to, copy->bytes),
            fake_reach(copy->from, copy->bytes), copy->bytes);
    return true;
}

/* Of all copies; the lock is held. */
static unsigned long n_copies;

unsigned long fake_n_copies(void)
{
    unsigned long n;

    fake_lock();
    n = n_copies;
    fake_unlock();
    return n;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes,
                            enum cudaMemcpyKind kind, cudaStream_t stream)
{
    struct copy *copy = malloc(sizeof *copy);
    cudaError_t error = cudaErrorInvalidValue;

    if (copy == NULL) {
        abort();
    }
    *copy = (struct copy){ to, from, bytes };
    fake_lock();
    if (kind == cudaMemcpyDefault && !fake_fails("cudaMemcpyAsync")) {
        error = fake_put(stream, do_copy, copy);
        n_copies++;
    } else {
        free(copy);
    }
    fake_unlock();
    return error;
}

static bool do_copy_block(void *arg)
{
    const struct cudaMemcpy3DParms *p = arg;
    size_t bytes = p->extent.width;

    for (size_t i = 0; i < p->extent.depth * p->extent.height; i++) {
        size_t slice = i / p->extent.height, row = i % p->extent.height;
        size_t to = (slice * p->dstPtr.ysize + row) * p->dstPtr.pitch;
        size_t from = (slice * p->srcPtr.ysize + row) * p->srcPtr.pitch;

        memmove(fake_reach((char *)p->dstPtr.ptr + to, bytes),
                fake_reach((char *)p->srcPtr.ptr + from, bytes), bytes);
    }
    return true;
}

/* What CUDA asks of the memory on one side. */
static bool holds(const struct cudaPitchedPtr *memory,
                  const struct cudaExtent *extent)
{
    return memory->pitch >= extent->width && memory->pitch <= INT_MAX &&
           (extent->depth == 1 || memory->ysize >= extent->height);
}

cudaError_t cudaMemcpy3DAsync(const struct cudaMemcpy3DParms *parameters,
                              cudaStream_t stream)
{
    struct cudaMemcpy3DParms *copy = malloc(sizeof *copy);
    cudaError_t error = cudaErrorInvalidValue;

    if (copy == NULL) {
        abort();
    }
    *copy = *parameters;
    fake_lock();
    if (copy->kind == cudaMemcpyDefault &&
        holds(&copy->srcPtr, &copy->extent) &&
        holds(&copy->dstPtr, &copy->extent) &&
        !fake_fails("cudaMemcpy3DAsync")) {
        error = fake_put(stream, do_copy_block, copy);
        n_copies++;
    } else {
        free(copy);
    }
    fake_unlock();
    return error;
}
