/*
 * kernels.cu - sums of vectors in the memory of a device
 *
 * One thread an element: it reads all inputs of its element from the left and
 * writes the result once, so that `to` may be one of them.  Numbers of 16 bits
 * are added up in f32 and rounded once; integers wrap around; a NaN is the
 * minimum and the maximum, as in the kernels of the host.  Complex numbers and
 * pairs are not done here.
 */
#include "device/kernels.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <stdint.h>

namespace {

enum { THREADS = 256, BLOCKS_MAX = 4096 };

/* What an element is in between. */
template <typename T> struct wide {
    using type = T;
    static __device__ type from(T x) { return x; }
    static __device__ T to(type x) { return x; }
};
template <> struct wide<__half> {
    using type = float;
    static __device__ float from(__half x) { return __half2float(x); }
    static __device__ __half to(float x) { return __float2half_rn(x); }
};
template <> struct wide<__nv_bfloat16> {
    using type = float;
    static __device__ float from(__nv_bfloat16 x)
    {
        return __bfloat162float(x);
    }
    static __device__ __nv_bfloat16 to(float x)
    {
        return __float2bfloat16_rn(x);
    }
};

/* Signed overflow is not defined: integers are unsigned in between. */
template <typename T> struct bits {
    using type = T;
};
template <> struct bits<int8_t> {
    using type = uint32_t;
};
template <> struct bits<int16_t> {
    using type = uint32_t;
};
template <> struct bits<uint8_t> {
    using type = uint32_t;
};
template <> struct bits<uint16_t> {
    using type = uint32_t;
};
template <> struct bits<int32_t> {
    using type = uint32_t;
};
template <> struct bits<int64_t> {
    using type = uint64_t;
};

struct sum {
    template <typename T> static __device__ T of(T x, T y)
    {
        using U = typename bits<T>::type;
        return (T)((U)x + (U)y);
    }
};
struct product {
    template <typename T> static __device__ T of(T x, T y)
    {
        using U = typename bits<T>::type;
        return (T)((U)x * (U)y);
    }
};
struct least {
    template <typename T> static __device__ T of(T x, T y)
    {
        return x < y || x != x ? x : y;
    }
};
struct most {
    template <typename T> static __device__ T of(T x, T y)
    {
        return x > y || x != x ? x : y;
    }
};
struct logical_and {
    template <typename T> static __device__ T of(T x, T y)
    {
        return (T)(x != 0 && y != 0);
    }
};
struct logical_or {
    template <typename T> static __device__ T of(T x, T y)
    {
        return (T)(x != 0 || y != 0);
    }
};
struct logical_xor {
    template <typename T> static __device__ T of(T x, T y)
    {
        return (T)((x != 0) != (y != 0));
    }
};
struct bit_and {
    template <typename T> static __device__ T of(T x, T y)
    {
        return (T)(x & y);
    }
};
struct bit_or {
    template <typename T> static __device__ T of(T x, T y)
    {
        return (T)(x | y);
    }
};
struct bit_xor {
    template <typename T> static __device__ T of(T x, T y)
    {
        return (T)(x ^ y);
    }
};

struct inputs {
    const void *at[RPT_DEVICE_INPUTS_MAX];
    int n;
};

template <typename T, typename Op>
__global__ void reduce(T *to, inputs in, size_t count)
{
    size_t step = (size_t)gridDim.x * blockDim.x;
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;

    for (; i < count; i += step) {
        typename wide<T>::type x = wide<T>::from(((const T *)in.at[0])[i]);

        for (int k = 1; k < in.n; k++) {
            x = Op::of(x, wide<T>::from(((const T *)in.at[k])[i]));
        }
        to[i] = wide<T>::to(x);
    }
}

template <typename T> __global__ void divide(T *data, size_t count, int n)
{
    size_t step = (size_t)gridDim.x * blockDim.x;
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;

    for (; i < count; i += step) {
        data[i] = wide<T>::to(wide<T>::from(data[i]) /
                              (typename wide<T>::type)n);
    }
}

unsigned blocks_for(size_t count)
{
    size_t n = (count + THREADS - 1) / THREADS;

    return (unsigned)(n < BLOCKS_MAX ? n : BLOCKS_MAX);
}

template <typename T, typename Op>
cudaError_t launch(cudaStream_t stream, const rpt_device_reduction *r)
{
    inputs in;

    for (int k = 0; k < r->n_inputs; k++) {
        in.at[k] = r->inputs[k];
    }
    in.n = r->n_inputs;
    reduce<T, Op><<<blocks_for(r->count), THREADS, 0, stream>>>((T *)r->to, in,
                                                                r->count);
    return cudaGetLastError();
}

template <typename T>
cudaError_t reduce_numbers(cudaStream_t stream, const rpt_device_reduction *r)
{
    switch (r->op) {
    case RPT_OP_SUM:
    case RPT_OP_AVERAGE:
        return launch<T, sum>(stream, r);
    case RPT_OP_PRODUCT:
        return launch<T, product>(stream, r);
    case RPT_OP_MIN:
        return launch<T, least>(stream, r);
    case RPT_OP_MAX:
        return launch<T, most>(stream, r);
    default:
        return cudaErrorInvalidValue;
    }
}

template <typename T>
cudaError_t reduce_integers(cudaStream_t stream, const rpt_device_reduction *r)
{
    switch (r->op) {
    case RPT_OP_LOGICAL_AND:
        return launch<T, logical_and>(stream, r);
    case RPT_OP_LOGICAL_OR:
        return launch<T, logical_or>(stream, r);
    case RPT_OP_LOGICAL_XOR:
        return launch<T, logical_xor>(stream, r);
    case RPT_OP_BIT_AND:
        return launch<T, bit_and>(stream, r);
    case RPT_OP_BIT_OR:
        return launch<T, bit_or>(stream, r);
    case RPT_OP_BIT_XOR:
        return launch<T, bit_xor>(stream, r);
    default:
        return reduce_numbers<T>(stream, r);
    }
}

template <typename T>
cudaError_t divide_all(cudaStream_t stream, void *data, size_t count, int n)
{
    divide<T><<<blocks_for(count), THREADS, 0, stream>>>((T *)data, count, n);
    return cudaGetLastError();
}

} // namespace

extern "C" bool rpt__gpu_can_reduce(rpt_type_t type, rpt_op_t op)
{
    if (type < RPT_TYPE_I8 || type > RPT_TYPE_F64) {
        return false;
    }
    if (op == RPT_OP_AVERAGE) {
        return type >= RPT_TYPE_F16;
    }
    return op <= (type < RPT_TYPE_F16 ? RPT_OP_BIT_XOR : RPT_OP_MAX);
}

extern "C" int rpt__gpu_reduce(void *stream, const rpt_device_reduction *r)
{
    cudaStream_t s = (cudaStream_t)stream;

    switch (r->type) {
    case RPT_TYPE_I8:
        return reduce_integers<int8_t>(s, r);
    case RPT_TYPE_U8:
        return reduce_integers<uint8_t>(s, r);
    case RPT_TYPE_I16:
        return reduce_integers<int16_t>(s, r);
    case RPT_TYPE_U16:
        return reduce_integers<uint16_t>(s, r);
    case RPT_TYPE_I32:
        return reduce_integers<int32_t>(s, r);
    case RPT_TYPE_U32:
        return reduce_integers<uint32_t>(s, r);
    case RPT_TYPE_I64:
        return reduce_integers<int64_t>(s, r);
    case RPT_TYPE_U64:
        return reduce_integers<uint64_t>(s, r);
    case RPT_TYPE_F16:
        return reduce_numbers<__half>(s, r);
    case RPT_TYPE_BF16:
        return reduce_numbers<__nv_bfloat16>(s, r);
    case RPT_TYPE_F32:
        return reduce_numbers<float>(s, r);
    case RPT_TYPE_F64:
        return reduce_numbers<double>(s, r);
    default:
        return cudaErrorInvalidValue;
    }
}

extern "C" int rpt__gpu_divide(void *stream, void *data, size_t count,
                               rpt_type_t type, int n)
{
    cudaStream_t s = (cudaStream_t)stream;

    switch (type) {
    case RPT_TYPE_F16:
        return divide_all<__half>(s, data, count, n);
    case RPT_TYPE_BF16:
        return divide_all<__nv_bfloat16>(s, data, count, n);
    case RPT_TYPE_F32:
        return divide_all<float>(s, data, count, n);
    case RPT_TYPE_F64:
        return divide_all<double>(s, data, count, n);
    default:
        return cudaErrorInvalidValue;
    }
}
