/*
 * types.c - operators and element types of reductions
 *
 * MPI lets operators of its own work on types of its own only, and a type of a
 * reduction is the same on all ranks, so what is not in these tables passes
 * through on all of them.
 *
 * Cost: a walk through a short table, the usual ones first.
 */
#include "collectives/pmpi/shim.h"

#include <complex.h>

enum kind {
    SIGNED,
    UNSIGNED,
    FLOATING,
    COMPLEX,
    LOGICAL,
    BYTES,
    SIGNED_PAIR,
    FLOATING_PAIR
};

/* `bytes`: of the value of a pair; 0: MPI knows. */
struct known {
    MPI_Datatype mpi;
    enum kind kind;
    size_t bytes;
};

/* clang-format off */
static const struct known table[] = {
    { MPI_DOUBLE,             FLOATING, sizeof(double) },
    { MPI_INT,                SIGNED,   sizeof(int) },
    { MPI_FLOAT,              FLOATING, sizeof(float) },
    { MPI_LONG,               SIGNED,   sizeof(long) },
    { MPI_UNSIGNED,           UNSIGNED, sizeof(unsigned) },
    { MPI_UNSIGNED_LONG,      UNSIGNED, sizeof(unsigned long) },
    { MPI_LONG_LONG_INT,      SIGNED,   sizeof(long long) },
    { MPI_UNSIGNED_LONG_LONG, UNSIGNED, sizeof(unsigned long long) },
    { MPI_INT64_T,            SIGNED,   8 },
    { MPI_UINT64_T,           UNSIGNED, 8 },
    { MPI_INT32_T,            SIGNED,   4 },
    { MPI_UINT32_T,           UNSIGNED, 4 },
    { MPI_INT16_T,            SIGNED,   2 },
    { MPI_UINT16_T,           UNSIGNED, 2 },
    { MPI_INT8_T,             SIGNED,   1 },
    { MPI_UINT8_T,            UNSIGNED, 1 },
    { MPI_SHORT,              SIGNED,   sizeof(short) },
    { MPI_UNSIGNED_SHORT,     UNSIGNED, sizeof(unsigned short) },
    { MPI_SIGNED_CHAR,        SIGNED,   1 },
    { MPI_UNSIGNED_CHAR,      UNSIGNED, 1 },
    { MPI_BYTE,               BYTES,    1 },
    { MPI_C_BOOL,             LOGICAL,  sizeof(_Bool) },
    { MPI_AINT,               SIGNED,   sizeof(MPI_Aint) },
    { MPI_COUNT,              SIGNED,   sizeof(MPI_Count) },
    { MPI_OFFSET,             SIGNED,   sizeof(MPI_Offset) },
    { MPI_C_FLOAT_COMPLEX,    COMPLEX,  sizeof(float complex) },
    { MPI_C_DOUBLE_COMPLEX,   COMPLEX,  sizeof(double complex) },
    { MPI_DOUBLE_INT,         FLOATING_PAIR, sizeof(double) },
    { MPI_FLOAT_INT,          FLOATING_PAIR, sizeof(float) },
    { MPI_2INT,               SIGNED_PAIR,   sizeof(int) },
    { MPI_LONG_INT,           SIGNED_PAIR,   sizeof(long) },
    { MPI_SHORT_INT,          SIGNED_PAIR,   sizeof(short) },
    /* Fortran's. */
    { MPI_DOUBLE_PRECISION,   FLOATING, 0 },
    { MPI_INTEGER,            SIGNED,   0 },
    { MPI_REAL,               FLOATING, 0 },
    { MPI_COMPLEX,            COMPLEX,  0 },
    { MPI_DOUBLE_COMPLEX,     COMPLEX,  0 },
    { MPI_2INTEGER,           SIGNED_PAIR, sizeof(MPI_Fint) },
    { MPI_INTEGER1,           SIGNED,   1 },
    { MPI_INTEGER2,           SIGNED,   2 },
    { MPI_INTEGER4,           SIGNED,   4 },
    { MPI_INTEGER8,           SIGNED,   8 },
    { MPI_REAL4,              FLOATING, 4 },
    { MPI_REAL8,              FLOATING, 8 },
    { MPI_COMPLEX8,           COMPLEX,  8 },
    { MPI_COMPLEX16,          COMPLEX,  16 },
};
/* clang-format on */

enum { N_KNOWN = sizeof table / sizeof table[0] };

static const struct {
    MPI_Op mpi;
    rpt_op_t op;
} ops[] = {
    { MPI_SUM, RPT_OP_SUM },          { MPI_MAX, RPT_OP_MAX },
    { MPI_MIN, RPT_OP_MIN },          { MPI_PROD, RPT_OP_PRODUCT },
    { MPI_LOR, RPT_OP_LOGICAL_OR },   { MPI_LAND, RPT_OP_LOGICAL_AND },
    { MPI_LXOR, RPT_OP_LOGICAL_XOR }, { MPI_BOR, RPT_OP_BIT_OR },
    { MPI_BAND, RPT_OP_BIT_AND },     { MPI_BXOR, RPT_OP_BIT_XOR },
    { MPI_MINLOC, RPT_OP_MIN_INDEX }, { MPI_MAXLOC, RPT_OP_MAX_INDEX },
};

bool rpt__pmpi_op(MPI_Op op, rpt_op_t *op_out)
{
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (ops[i].mpi == op) {
            *op_out = ops[i].op;
            return true;
        }
    }
    return false;
}

/* What MPI allows and the library can do. */
static bool is_for(rpt_op_t op, enum kind kind)
{
    switch ((int)op) {
    case RPT_OP_SUM:
    case RPT_OP_PRODUCT:
        return kind <= COMPLEX;
    case RPT_OP_MIN:
    case RPT_OP_MAX:
        return kind <= FLOATING;
    case RPT_OP_LOGICAL_AND:
    case RPT_OP_LOGICAL_OR:
    case RPT_OP_LOGICAL_XOR:
        return kind <= UNSIGNED || kind == LOGICAL;
    case RPT_OP_BIT_AND:
    case RPT_OP_BIT_OR:
    case RPT_OP_BIT_XOR:
        return kind <= UNSIGNED || kind == BYTES;
    case RPT_OP_MIN_INDEX:
    case RPT_OP_MAX_INDEX:
        return kind >= SIGNED_PAIR;
    default:
        return false;
    }
}

static bool of_kind(enum kind kind, size_t bytes, rpt_type_t *type_out)
{
    static const struct {
        enum kind kind;
        size_t bytes;
        rpt_type_t type;
    } all[] = {
        { SIGNED, 1, RPT_TYPE_I8 },
        { SIGNED, 2, RPT_TYPE_I16 },
        { SIGNED, 4, RPT_TYPE_I32 },
        { SIGNED, 8, RPT_TYPE_I64 },
        { UNSIGNED, 1, RPT_TYPE_U8 },
        { UNSIGNED, 2, RPT_TYPE_U16 },
        { UNSIGNED, 4, RPT_TYPE_U32 },
        { UNSIGNED, 8, RPT_TYPE_U64 },
        { FLOATING, 4, RPT_TYPE_F32 },
        { FLOATING, 8, RPT_TYPE_F64 },
        { COMPLEX, 8, RPT_TYPE_C64 },
        { COMPLEX, 16, RPT_TYPE_C128 },
        { LOGICAL, 1, RPT_TYPE_U8 },
        { BYTES, 1, RPT_TYPE_U8 },
        { SIGNED_PAIR, 2, RPT_TYPE_I16_I32 },
        { SIGNED_PAIR, 4, RPT_TYPE_I32_I32 },
        { SIGNED_PAIR, 8, RPT_TYPE_I64_I32 },
        { FLOATING_PAIR, 4, RPT_TYPE_F32_I32 },
        { FLOATING_PAIR, 8, RPT_TYPE_F64_I32 },
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].kind == kind && all[i].bytes == bytes) {
            *type_out = all[i].type;
            return true;
        }
    }
    return false;
}

bool rpt__pmpi_type(MPI_Datatype type, rpt_op_t op, rpt_type_t *type_out)
{
    for (size_t i = 0; i < N_KNOWN; i++) {
        const struct known *known = &table[i];
        int bytes = (int)known->bytes;

        if (known->mpi != type) {
            continue;
        }
        if (bytes == 0) {
            PMPI_Type_size(type, &bytes);
        }
        return is_for(op, known->kind) &&
               of_kind(known->kind, (size_t)bytes, type_out);
    }
    return false;
}
