/*
 * dense.c - whether the bytes of a type lie as they are sent
 *
 * Types of MPI do, and rows and copies of such.  It does not look into structs
 * and vectors that happen to have no holes.
 */
#include "collectives/pmpi/shim.h"

enum { N_NESTED = 16 };

bool rpt__pmpi_type_is_named(MPI_Datatype type)
{
    int n_ints, n_addresses, n_types, combiner = MPI_COMBINER_NAMED;

    PMPI_Type_get_envelope(type, &n_ints, &n_addresses, &n_types, &combiner);
    return combiner == MPI_COMBINER_NAMED;
}

static bool is_dense(MPI_Datatype type, int depth);

/* Of a type that is made of one other. */
static bool inner_is_dense(MPI_Datatype type, int n_ints, int n_addresses,
                           int depth)
{
    int ints[4], n[4];
    MPI_Aint addresses[4];
    MPI_Datatype inner = MPI_DATATYPE_NULL;
    int combiner = MPI_COMBINER_NAMED;
    bool dense;

    PMPI_Type_get_contents(type, n_ints, n_addresses, 1, ints, addresses,
                           &inner);
    dense = is_dense(inner, depth + 1);
    PMPI_Type_get_envelope(inner, &n[0], &n[1], &n[2], &combiner);
    if (combiner != MPI_COMBINER_NAMED &&
        combiner != MPI_COMBINER_F90_INTEGER &&
        combiner != MPI_COMBINER_F90_REAL &&
        combiner != MPI_COMBINER_F90_COMPLEX) {
        PMPI_Type_free(&inner);
    }
    return dense;
}

/* That size and extent are the same is not enough: the parts of an element may
 * be sent in another order than they lie, or one of them twice. */
static bool is_dense(MPI_Datatype type, int depth)
{
    MPI_Aint lower = 0, extent = 0;
    MPI_Count size = 0;
    int n_ints = 0, n_addresses = 0, n_types = 0, combiner = 0;

    PMPI_Type_get_extent(type, &lower, &extent);
    PMPI_Type_size_x(type, &size);
    if (lower != 0 || (MPI_Count)extent != size) {
        return false;
    }
    PMPI_Type_get_envelope(type, &n_ints, &n_addresses, &n_types, &combiner);
    switch (combiner) {
    case MPI_COMBINER_NAMED:
    case MPI_COMBINER_F90_INTEGER:
    case MPI_COMBINER_F90_REAL:
    case MPI_COMBINER_F90_COMPLEX:
        return true;
    case MPI_COMBINER_DUP:
    case MPI_COMBINER_CONTIGUOUS:
    case MPI_COMBINER_RESIZED:
        return depth < N_NESTED && n_ints <= 4 && n_addresses <= 4 &&
               n_types == 1 && inner_is_dense(type, n_ints, n_addresses, depth);
    default:
        return false;
    }
}

bool rpt__pmpi_type_is_dense(MPI_Datatype type)
{
    return is_dense(type, 0);
}
