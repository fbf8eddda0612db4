/*
 * repartir/types.h - element types, and how two elements combine
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_TYPES_H
#define REPARTIR_TYPES_H

#include <repartir/base.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_types Element types and operators
 *
 * Numbers are those of the machine.  A complex number is two of them, real part
 * first.  A value-index pair is a struct of a value and an int32_t, laid out as
 * the C compiler does (and as MPI_FLOAT_INT and its like are).
 *
 * \since 0.1
 *
 * \{
 */

/** All types: name, value, bytes of an element, text. */
#define RPT_TYPE_LIST(X)                                                       \
    X(I8, 0, 1, "i8")                                                          \
    X(U8, 1, 1, "u8")                                                          \
    X(I16, 2, 2, "i16")                                                        \
    X(U16, 3, 2, "u16")                                                        \
    X(I32, 4, 4, "i32")                                                        \
    X(U32, 5, 4, "u32")                                                        \
    X(I64, 6, 8, "i64")                                                        \
    X(U64, 7, 8, "u64")                                                        \
    X(F16, 8, 2, "f16")                                                        \
    X(BF16, 9, 2, "bf16")                                                      \
    X(F32, 10, 4, "f32")                                                       \
    X(F64, 11, 8, "f64")                                                       \
    X(C64, 12, 8, "c64")                                                       \
    X(C128, 13, 16, "c128")                                                    \
    X(F32_I32, 14, 8, "f32-i32")                                               \
    X(F64_I32, 15, 16, "f64-i32")                                              \
    X(I16_I32, 16, 8, "i16-i32")                                               \
    X(I32_I32, 17, 8, "i32-i32")                                               \
    X(I64_I32, 18, 16, "i64-i32")

/** What an element is: e.g. RPT_TYPE_F32, an IEEE 754 binary32. */
typedef enum rpt_type {
#define RPT_TYPE_ENUM(name, value, bytes, text) RPT_TYPE_##name = (value),
    RPT_TYPE_LIST(RPT_TYPE_ENUM)
#undef RPT_TYPE_ENUM
    RPT_TYPE_OPAQUE_0 = 0x10000,   /**< see #RPT_TYPE_OPAQUE */
    RPT_TYPE_OPAQUE_LAST = 0x7fffffff
} rpt_type_t;

/** A type of so many bytes, 1 to 1 GiB, of which no more is known: for moving,
 * and for operators of users. */
#define RPT_TYPE_OPAQUE(bytes) ((rpt_type_t)(RPT_TYPE_OPAQUE_0 + (int)(bytes)))

/** All operators: name, value, text. */
#define RPT_OP_LIST(X)                                                         \
    X(SUM, 0, "sum")                                                           \
    X(PRODUCT, 1, "product")                                                   \
    X(MIN, 2, "min")                                                           \
    X(MAX, 3, "max")                                                           \
    X(AVERAGE, 4, "average")                                                   \
    X(LOGICAL_AND, 5, "logical-and")                                           \
    X(LOGICAL_OR, 6, "logical-or")                                             \
    X(LOGICAL_XOR, 7, "logical-xor")                                           \
    X(BIT_AND, 8, "bit-and")                                                   \
    X(BIT_OR, 9, "bit-or")                                                     \
    X(BIT_XOR, 10, "bit-xor")                                                  \
    X(MIN_INDEX, 11, "min-index")                                              \
    X(MAX_INDEX, 12, "max-index")

/** How elements combine.
 *
 *  | operators | types |
 *  |---|---|
 *  | sum, product | numbers, complex numbers |
 *  | average (sum / number of ranks), not in scans | f16 to f64, complex |
 *  | min, max | numbers; a NaN makes the result NaN |
 *  | logical (0 or 1, of two operands or more), bit | integers |
 *  | min-index, max-index | pairs; of equal values the lower index |
 *
 * An operand that is alone is the result as it is, with a logical operator too,
 * as in MPI: 5 stays 5 on one rank, on rank 0 of a scan and on rank 1 of an
 * exclusive scan.  There is no average in scans (RPT_ERR_UNSUPPORTED).
 * f16 and bf16 are added up in f32 and rounded once, to the nearest even.
 * Integers wrap around.
 */
typedef enum rpt_op {
#define RPT_OP_ENUM(name, value, text) RPT_OP_##name = (value),
    RPT_OP_LIST(RPT_OP_ENUM)
#undef RPT_OP_ENUM
    RPT_OP_USER_0 = 0x10000, /**< the first that rpt_op_create() makes */
    RPT_OP_USER_LAST = 0x10fff
} rpt_op_t;

/** Bytes of an element, 0 when there is no such type.  Not collective. */
RPT_API size_t rpt_type_bytes(rpt_type_t type);

/** Name of a type, e.g. "f32"; "unknown" when there is none.  Not collective.
 * Not to be freed. */
RPT_API const char *rpt_type_name(rpt_type_t type);

/** Name of an operator, e.g. "sum"; "unknown" when there is none.  Not
 * collective.  Not to be freed. */
RPT_API const char *rpt_op_name(rpt_op_t op);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_TYPES_H */
