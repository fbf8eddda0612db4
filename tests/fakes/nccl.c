/*
 * nccl.c - communicators without a network: ranks move data through a file
 *
 * The file, which the first rank makes and all map, has a place for each rank
 * to say that it is there, and a ring of bytes from each to each.  A group of
 * launches becomes one piece of work in the stream, a list of transfers, that
 * moves what the rings take each time it is asked.  Sums are made in the order
 * of ranks, from what all have sent.
 *
 * As the real one: nothing blocks, a launch is in its stream only some time
 * after it was made, two ranks on one device are refused, and a rank that gives
 * up leaves the others waiting.
 */
#include "fake.h"
#include "nccl.h"

#include "collectives/kernel/kernel.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_RANKS = 8, RING_BYTES = 16384, MAX_OPS = 64, MAX_TRANSFERS = 512 };

struct ring {
    _Atomic uint64_t n_written, n_read;
    char data[RING_BYTES];
};

struct file {
    _Atomic int present[MAX_RANKS];          /* 0, or the device + 1 */
    struct ring rings[MAX_RANKS][MAX_RANKS]; /* [from][to] */
};

/* What is in an id. */
struct id {
    int process, fd;
};

struct transfer {
    bool sends;
    int peer;
    char *device; /* where the data is or goes: on the device ... */
    char *host;   /* ... or here */
    size_t bytes, n_done;
};

enum kind {
    ALLREDUCE,
    REDUCE,
    REDUCE_SCATTER,
    BROADCAST,
    ALLGATHER,
    SEND,
    RECV
};

struct op {
    enum kind kind;
    const char *in;
    char *out;
    size_t count; /* bytes where nothing is added up */
    ncclDataType_t type;
    ncclRedOp_t op;
    int peer;
    char *inputs; /* of all ranks, for a sum made here; or NULL */
};

/* A group of launches. */
struct launch {
    struct fake_comm *comm;
    cudaStream_t stream;
    int n_ops, n_transfers;
    bool is_broken; /* it never ends */
    struct op ops[MAX_OPS];
    struct transfer transfers[MAX_TRANSFERS];
};

struct fake_comm {
    struct file *file;
    int rank, n_ranks, device;
    int fd; /* of whom has made the file; else -1 */
    bool is_open, is_aborted;
    ncclResult_t failure;
    struct launch *waiting; /* to be put into its stream */
    int n_running;
};

static bool never_opens;
static int breaks_in;
static bool breaks_quietly;
static _Thread_local int depth;
static _Thread_local struct launch *group;

void fake_nccl_never_opens(bool never)
{
    never_opens = never;
}

void fake_nccl_breaks(int n, bool quietly)
{
    breaks_in = n;
    breaks_quietly = quietly;
}

const char *ncclGetErrorString(ncclResult_t result)
{
    return result == ncclInvalidUsage  ? "invalid usage (fake)"
           : result == ncclRemoteError ? "remote error (fake)"
                                       : "error (fake)";
}

const char *ncclGetLastError(ncclComm_t comm)
{
    return comm->failure == ncclInvalidUsage
               ? "two ranks are on the same device (fake)"
               : "";
}

/* ---- communicators ---- */

ncclResult_t ncclGetUniqueId(ncclUniqueId *id)
{
    struct id own = { (int)getpid(), memfd_create("fake nccl", MFD_CLOEXEC) };

    if (own.fd < 0 || ftruncate(own.fd, sizeof(struct file)) != 0) {
        return ncclSystemError;
    }
    memset(id, 0, sizeof *id);
    memcpy(id, &own, sizeof own);
    return ncclSuccess;
}

static struct file *open_file(struct id id)
{
    char path[64];
    void *file;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", id.process, id.fd);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    file = mmap(NULL, sizeof(struct file), PROT_READ | PROT_WRITE, MAP_SHARED,
                fd, 0);
    close(fd);
    return file != MAP_FAILED ? file : NULL;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t *comm, int n_ranks,
                                    ncclUniqueId unique, int rank,
                                    ncclConfig_t *config)
{
    struct fake_comm *made = calloc(1, sizeof *made);
    struct id id;

    memcpy(&id, &unique, sizeof id);
    if (made == NULL || n_ranks > MAX_RANKS || config->blocking != 0) {
        free(made);
        return ncclInvalidArgument;
    }
    made->file = open_file(id);
    if (made->file == NULL) {
        free(made);
        return ncclSystemError;
    }
    made->rank = rank;
    made->n_ranks = n_ranks;
    made->device = fake_current_device();
    made->fd = rank == 0 ? id.fd : -1;
    atomic_store(&made->file->present[rank], made->device + 1);
    fake_lock();
    fake_count()->comms++;
    fake_unlock();
    *comm = made;
    return ncclInProgress;
}

static ncclResult_t look_for_others(struct fake_comm *comm)
{
    for (int r = 0; r < comm->n_ranks; r++) {
        int there = atomic_load(&comm->file->present[r]);

        if (there == 0 || never_opens) {
            return ncclInProgress;
        }
        if (r != comm->rank && there == comm->device + 1) {
            return comm->failure = ncclInvalidUsage;
        }
    }
    comm->is_open = true;
    return ncclSuccess;
}

static bool move_some(void *arg);

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *result)
{
    struct launch *launch;

    fake_lock();
    launch = comm->waiting;
    *result = comm->failure;
    if (comm->failure == ncclSuccess && !comm->is_open) {
        *result = look_for_others(comm);
    } else if (comm->failure == ncclSuccess && launch != NULL) {
        comm->waiting = NULL;
        comm->n_running++;
        *result = ncclInProgress; /* once more */
        if (fake_put(launch->stream, move_some, launch) != cudaSuccess) {
            *result = comm->failure = ncclUnhandledCudaError;
        }
    }
    fake_unlock();
    return ncclSuccess;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm)
{
    return comm->n_running == 0 && comm->waiting == NULL ? ncclSuccess
                                                         : ncclInvalidUsage;
}

static void drop(struct launch *launch)
{
    for (int i = 0; i < launch->n_ops; i++) {
        free(launch->ops[i].inputs);
        launch->ops[i].inputs = NULL;
    }
}

/* Work of its that is still in a stream is freed by the stream, and looks at
 * the communicator first: that stays until then. */
static void forget(struct fake_comm *comm)
{
    if (comm->is_aborted && comm->n_running == 0) {
        free(comm);
    }
}

ncclResult_t ncclCommAbort(ncclComm_t comm)
{
    fake_lock();
    if (comm->waiting != NULL) {
        drop(comm->waiting);
        free(comm->waiting);
    }
    munmap(comm->file, sizeof *comm->file);
    if (comm->fd >= 0) {
        close(comm->fd);
    }
    comm->is_aborted = true;
    fake_count()->comms--;
    forget(comm);
    fake_unlock();
    return ncclSuccess;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm)
{
    return comm->n_running > 0 ? ncclInvalidUsage : ncclCommAbort(comm);
}

/* ---- types ---- */

static const rpt_type_t type_of[] = {
    [ncclInt8] = RPT_TYPE_I8,     [ncclUint8] = RPT_TYPE_U8,
    [ncclInt32] = RPT_TYPE_I32,   [ncclUint32] = RPT_TYPE_U32,
    [ncclInt64] = RPT_TYPE_I64,   [ncclUint64] = RPT_TYPE_U64,
    [ncclFloat16] = RPT_TYPE_F16, [ncclFloat32] = RPT_TYPE_F32,
    [ncclFloat64] = RPT_TYPE_F64, [ncclBfloat16] = RPT_TYPE_BF16,
};

static const rpt_op_t op_of[] = {
    [ncclSum] = RPT_OP_SUM, [ncclProd] = RPT_OP_PRODUCT, [ncclMin] = RPT_OP_MIN,
    [ncclMax] = RPT_OP_MAX, [ncclAvg] = RPT_OP_AVERAGE,
};

static size_t bytes_of(const struct op *op)
{
    return op->count * rpt_type_bytes(type_of[op->type]);
}

/* ---- transfers ---- */

static void transfer(struct launch *l, bool sends, int peer, const char *device,
                     char *host, size_t bytes)
{
    if (l->n_transfers == MAX_TRANSFERS) {
        abort();
    }
    l->transfers[l->n_transfers++] = (struct transfer){
        sends, peer, (char *)(uintptr_t)device, host, bytes, 0
    };
}

static void send(struct launch *l, int to, const char *from, size_t bytes)
{
    transfer(l, true, to, from, NULL, bytes);
}

/* Those of all ranks come here, to be added up. */
static void collect(struct launch *l, struct op *op, size_t bytes)
{
    op->inputs = malloc(bytes * (size_t)l->comm->n_ranks + 1);
    for (int r = 0; r < l->comm->n_ranks; r++) {
        transfer(l, false, r, NULL, op->inputs + (size_t)r * bytes, bytes);
    }
}

static void plan(struct launch *l, struct op *op)
{
    const struct fake_comm *comm = l->comm;
    size_t bytes = bytes_of(op);

    for (int r = 0; r < comm->n_ranks; r++) {
        bool is_root = op->peer == comm->rank, is_peer = op->peer == r;

        if (op->kind == ALLREDUCE || op->kind == ALLGATHER ||
            (op->kind == REDUCE && is_peer) ||
            (op->kind == BROADCAST && is_root) ||
            (op->kind == SEND && is_peer)) {
            send(l, r, op->in, bytes);
        } else if (op->kind == REDUCE_SCATTER) {
            send(l, r, op->in + (size_t)r * bytes, bytes);
        }
        if (op->kind == ALLGATHER) {
            transfer(l, false, r, op->out + (size_t)r * bytes, NULL, bytes);
        } else if ((op->kind == BROADCAST || op->kind == RECV) && is_peer) {
            transfer(l, false, r, op->out, NULL, bytes);
        }
    }
    if (op->kind == ALLREDUCE || op->kind == REDUCE_SCATTER ||
        (op->kind == REDUCE && op->peer == comm->rank)) {
        collect(l, op, bytes);
    }
}

/* As many bytes as the ring takes, or has. */
static void move(struct fake_comm *comm, struct transfer *t)
{
    struct ring *ring = t->sends ? &comm->file->rings[comm->rank][t->peer]
                                 : &comm->file->rings[t->peer][comm->rank];
    uint64_t written = atomic_load(&ring->n_written);
    uint64_t taken = atomic_load(&ring->n_read);
    char *data = t->host != NULL || t->bytes == 0
                     ? t->host
                     : fake_reach(t->device, t->bytes);

    while (t->n_done < t->bytes &&
           (t->sends ? written - taken < RING_BYTES : written > taken)) {
        if (t->sends) {
            ring->data[written++ % RING_BYTES] = data[t->n_done++];
        } else {
            data[t->n_done++] = ring->data[taken++ % RING_BYTES];
        }
    }
    if (t->sends) {
        atomic_store(&ring->n_written, written);
    } else {
        atomic_store(&ring->n_read, taken);
    }
}

static void add_up(const struct launch *l, const struct op *op)
{
    const struct rpt_kernels *kernels = rpt__kernels();
    rpt_type_t type = type_of[op->type];
    rpt_op_t how = op_of[op->op];
    size_t bytes = bytes_of(op);
    const void *inputs[MAX_RANKS];
    void *out = fake_reach(op->out, bytes);

    for (int r = 0; r < l->comm->n_ranks; r++) {
        inputs[r] = op->inputs + (size_t)r * bytes;
    }
    kernels->reduce[type][how](out, inputs, l->comm->n_ranks, op->count);
    if (how == RPT_OP_AVERAGE) {
        kernels->divide[type](out, op->count, l->comm->n_ranks);
    }
}

/* Transfers with a rank go in their order. */
static bool move_all(struct launch *l)
{
    bool busy[2][MAX_RANKS] = { { false } }, all = true;

    for (int i = 0; i < l->n_transfers; i++) {
        struct transfer *t = &l->transfers[i];

        if (t->n_done < t->bytes && !busy[t->sends][t->peer]) {
            move(l->comm, t);
        }
        busy[t->sends][t->peer] |= t->n_done < t->bytes;
        all = all && t->n_done == t->bytes;
    }
    return all;
}

static bool move_some(void *arg)
{
    struct launch *l = arg;

    if (!l->comm->is_aborted) {
        if (l->is_broken) {
            l->comm->failure = breaks_quietly ? ncclSuccess : ncclRemoteError;
            return false;
        }
        if (!move_all(l)) {
            return false;
        }
        for (int i = 0; i < l->n_ops; i++) {
            if (l->ops[i].inputs != NULL) {
                add_up(l, &l->ops[i]);
            }
        }
    }
    drop(l);
    l->comm->n_running--;
    forget(l->comm);
    return true;
}

/* ---- launches ---- */

ncclResult_t ncclGroupStart(void)
{
    depth++;
    return ncclSuccess;
}

ncclResult_t ncclGroupEnd(void)
{
    struct launch *launch = group;

    if (depth == 0) {
        return ncclInvalidUsage;
    }
    depth--;
    if (depth > 0 || launch == NULL) {
        return ncclSuccess;
    }
    group = NULL;
    fake_lock();
    for (int i = 0; i < launch->n_ops; i++) {
        plan(launch, &launch->ops[i]);
    }
    launch->is_broken = breaks_in > 0 && --breaks_in == 0;
    launch->comm->waiting = launch;
    fake_unlock();
    return ncclInProgress;
}

static ncclResult_t add(ncclComm_t comm, cudaStream_t stream, struct op op)
{
    if (depth == 0 || !comm->is_open || comm->waiting != NULL) {
        return ncclInvalidUsage;
    }
    if (group == NULL) {
        group = calloc(1, sizeof *group);
        if (group == NULL) {
            return ncclSystemError;
        }
        group->comm = comm;
        group->stream = stream;
    }
    if (group->comm != comm || group->n_ops == MAX_OPS) {
        return ncclInvalidUsage;
    }
    group->ops[group->n_ops++] = op;
    return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void *in, void *out, size_t count,
                           ncclDataType_t type, ncclRedOp_t op, ncclComm_t comm,
                           cudaStream_t stream)
{
    return add(comm, stream,
               (struct op){ ALLREDUCE, in, out, count, type, op, 0, NULL });
}

ncclResult_t ncclReduce(const void *in, void *out, size_t count,
                        ncclDataType_t type, ncclRedOp_t op, int root,
                        ncclComm_t comm, cudaStream_t stream)
{
    return add(comm, stream,
               (struct op){ REDUCE, in, out, count, type, op, root, NULL });
}

ncclResult_t ncclReduceScatter(const void *in, void *out, size_t count,
                               ncclDataType_t type, ncclRedOp_t op,
                               ncclComm_t comm, cudaStream_t stream)
{
    return add(
        comm, stream,
        (struct op){ REDUCE_SCATTER, in, out, count, type, op, 0, NULL });
}

ncclResult_t ncclBroadcast(const void *in, void *out, size_t count,
                           ncclDataType_t type, int root, ncclComm_t comm,
                           cudaStream_t stream)
{
    return add(
        comm, stream,
        (struct op){ BROADCAST, in, out, count, type, ncclSum, root, NULL });
}

ncclResult_t ncclAllGather(const void *in, void *out, size_t count,
                           ncclDataType_t type, ncclComm_t comm,
                           cudaStream_t stream)
{
    return add(
        comm, stream,
        (struct op){ ALLGATHER, in, out, count, type, ncclSum, 0, NULL });
}

ncclResult_t ncclSend(const void *in, size_t count, ncclDataType_t type,
                      int peer, ncclComm_t comm, cudaStream_t stream)
{
    return add(comm, stream,
               (struct op){ SEND, in, NULL, count, type, ncclSum, peer, NULL });
}

ncclResult_t ncclRecv(void *out, size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, cudaStream_t stream)
{
    return add(
        comm, stream,
        (struct op){ RECV, NULL, out, count, type, ncclSum, peer, NULL });
}
