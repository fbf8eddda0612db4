/*
 * nccl.c - the table of collective functions by NCCL
 *
 * Part of librepartir-gpu, and the only file that sees nccl.h.
 */
#include "collectives/nccl/ops.h"

#include <nccl.h>

#include <stdio.h>
#include <string.h>

#if NCCL_VERSION_CODE < NCCL_VERSION(2, 18, 0)
#error "NCCL 2.18 or newer is needed: communicators that do not block"
#endif

_Static_assert(sizeof(ncclUniqueId) == RPT_NCCL_ID_BYTES,
               "an id of NCCL has 128 bytes");

static _Thread_local char text[512];

static rpt_status_t status_of(ncclResult_t result, const char *call)
{
    if (result == ncclSuccess) {
        return RPT_OK;
    }
    if (result == ncclInProgress) {
        return RPT_PENDING;
    }
    snprintf(text, sizeof text, "%s: %s", call, ncclGetErrorString(result));
    return result == ncclRemoteError ? RPT_ERR_PEER : RPT_ERR_SYSTEM;
}

#define TRY(call, ...) status_of(call(__VA_ARGS__), #call)

static const char *why(void *comm)
{
    static _Thread_local char both[1024];
    const char *more = comm != NULL ? ncclGetLastError(comm) : NULL;

    if (more == NULL || more[0] == '\0') {
        return text;
    }
    snprintf(both, sizeof both, "%s; %s", text, more);
    return both;
}

/* ---- communicators ---- */

static rpt_status_t make_id(char id_out[RPT_NCCL_ID_BYTES])
{
    ncclUniqueId id;
    rpt_status_t status = TRY(ncclGetUniqueId, &id);

    if (status == RPT_OK) {
        memcpy(id_out, &id, sizeof id);
    }
    return status;
}

static rpt_status_t open(const char id[RPT_NCCL_ID_BYTES], int n_ranks,
                         int rank, void **comm_out)
{
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    ncclComm_t comm = NULL;
    ncclUniqueId copy;
    rpt_status_t status;

    memcpy(&copy, id, sizeof copy);
    config.blocking = 0;
    status = TRY(ncclCommInitRankConfig, &comm, n_ranks, copy, rank, &config);
    if (status >= RPT_OK) {
        *comm_out = comm;
    }
    return status;
}

static rpt_status_t comm_status(void *comm)
{
    ncclResult_t result = ncclSuccess;
    rpt_status_t status = TRY(ncclCommGetAsyncError, comm, &result);

    return status == RPT_OK ? status_of(result, "NCCL") : status;
}

static rpt_status_t finish(void *comm)
{
    return TRY(ncclCommFinalize, comm);
}

static void close(void *comm)
{
    TRY(ncclCommDestroy, comm);
}

static void abort_comm(void *comm)
{
    TRY(ncclCommAbort, comm);
}

/* ---- types and operators ---- */

static const int type_of[] = {
    [RPT_TYPE_I8] = ncclInt8,     [RPT_TYPE_U8] = ncclUint8,
    [RPT_TYPE_I16] = -1,          [RPT_TYPE_U16] = -1,
    [RPT_TYPE_I32] = ncclInt32,   [RPT_TYPE_U32] = ncclUint32,
    [RPT_TYPE_I64] = ncclInt64,   [RPT_TYPE_U64] = ncclUint64,
    [RPT_TYPE_F16] = ncclFloat16, [RPT_TYPE_BF16] = ncclBfloat16,
    [RPT_TYPE_F32] = ncclFloat32, [RPT_TYPE_F64] = ncclFloat64,
};

static const ncclRedOp_t op_of[] = {
    [RPT_OP_SUM] = ncclSum, [RPT_OP_PRODUCT] = ncclProd, [RPT_OP_MIN] = ncclMin,
    [RPT_OP_MAX] = ncclMax, [RPT_OP_AVERAGE] = ncclAvg,
};

static bool can_reduce(rpt_type_t type, rpt_op_t op)
{
    return type >= RPT_TYPE_I8 && type <= RPT_TYPE_F64 && type_of[type] >= 0 &&
           op >= RPT_OP_SUM && op <= RPT_OP_AVERAGE &&
           (op != RPT_OP_AVERAGE || type >= RPT_TYPE_F16);
}

static ncclDataType_t type_in(const struct rpt_nccl_vector *v)
{
    return (ncclDataType_t)type_of[v->type];
}

/* ---- launches ---- */

static rpt_status_t begin(void)
{
    return TRY(ncclGroupStart);
}

static rpt_status_t end(void)
{
    return TRY(ncclGroupEnd);
}

static rpt_status_t allreduce(struct rpt_nccl_place p,
                              const struct rpt_nccl_vector *v)
{
    return TRY(ncclAllReduce, v->in, v->out, v->count, type_in(v), op_of[v->op],
               p.comm, p.stream);
}

static rpt_status_t reduce(struct rpt_nccl_place p,
                           const struct rpt_nccl_vector *v)
{
    return TRY(ncclReduce, v->in, v->out, v->count, type_in(v), op_of[v->op],
               v->peer, p.comm, p.stream);
}

static rpt_status_t reduce_scatter(struct rpt_nccl_place p,
                                   const struct rpt_nccl_vector *v)
{
    return TRY(ncclReduceScatter, v->in, v->out, v->count, type_in(v),
               op_of[v->op], p.comm, p.stream);
}

static rpt_status_t broadcast(struct rpt_nccl_place p,
                              const struct rpt_nccl_vector *v)
{
    return TRY(ncclBroadcast, v->in, v->out, v->count, ncclUint8, v->peer,
               p.comm, p.stream);
}

static rpt_status_t allgather(struct rpt_nccl_place p,
                              const struct rpt_nccl_vector *v)
{
    return TRY(ncclAllGather, v->in, v->out, v->count, ncclUint8, p.comm,
               p.stream);
}

static rpt_status_t send(struct rpt_nccl_place p,
                         const struct rpt_nccl_vector *v)
{
    return TRY(ncclSend, v->in, v->count, ncclUint8, v->peer, p.comm, p.stream);
}

static rpt_status_t receive(struct rpt_nccl_place p,
                            const struct rpt_nccl_vector *v)
{
    return TRY(ncclRecv, v->out, v->count, ncclUint8, v->peer, p.comm,
               p.stream);
}

const struct rpt_nccl_ops rpt__nccl_ops = {
    .size = sizeof(struct rpt_nccl_ops),
    .why = why,
    .make_id = make_id,
    .open = open,
    .status = comm_status,
    .finish = finish,
    .close = close,
    .abort = abort_comm,
    .can_reduce = can_reduce,
    .begin = begin,
    .end = end,
    .allreduce = allreduce,
    .reduce = reduce,
    .reduce_scatter = reduce_scatter,
    .broadcast = broadcast,
    .allgather = allgather,
    .send = send,
    .receive = receive,
};
