/*
 * dense.c - whether the bytes of a type lie as they are sent
 *
 * Types of MPI do, and rows and copies of such.  It does not look into structs
 * and vectors that happen to have no holes.
 */
#include "config.h"

#include "collectives/pmpi/shim.h"

enum { N_NESTED = 16, MOST = 4 };

/* ---- what a type was made of ---- */

struct makeup {
    int combiner;
    MPI_Count n_ints, n_addresses, n_counts, n_types;
};

#ifdef HAVE_MPI_ALLREDUCE_C

/* Only these tell of types that were made with counts above int. */
static struct makeup makeup_of(MPI_Datatype type)
{
    struct makeup made = { .combiner = MPI_COMBINER_NAMED };

    PMPI_Type_get_envelope_c(type, &made.n_ints, &made.n_addresses,
                             &made.n_counts, &made.n_types, &made.combiner);
    return made;
}

static MPI_Datatype inner_of(MPI_Datatype type, struct makeup made)
{
    int ints[MOST];
    MPI_Aint addresses[MOST];
    MPI_Count counts[MOST];
    MPI_Datatype inner = MPI_DATATYPE_NULL;

    PMPI_Type_get_contents_c(type, made.n_ints, made.n_addresses, made.n_counts,
                             1, ints, addresses, counts, &inner);
    return inner;
}

#else

static struct makeup makeup_of(MPI_Datatype type)
{
    int n_ints = 0, n_addresses = 0, n_types = 0;
    int combiner = MPI_COMBINER_NAMED;

    PMPI_Type_get_envelope(type, &n_ints, &n_addresses, &n_types, &combiner);
    return (struct makeup){ combiner, n_ints, n_addresses, 0, n_types };
}

static MPI_Datatype inner_of(MPI_Datatype type, struct makeup made)
{
    int ints[MOST];
    MPI_Aint addresses[MOST];
    MPI_Datatype inner = MPI_DATATYPE_NULL;

    PMPI_Type_get_contents(type, (int)made.n_ints, (int)made.n_addresses, 1,
                           ints, addresses, &inner);
    return inner;
}

#endif

/* ---- questions ---- */

bool rpt__pmpi_type_is_named(MPI_Datatype type)
{
    return makeup_of(type).combiner == MPI_COMBINER_NAMED;
}

static bool is_dense(MPI_Datatype type, int depth);

/* Of a type that is made of one other. */
static bool inner_is_dense(MPI_Datatype type, struct makeup made, int depth)
{
    MPI_Datatype inner = inner_of(type, made);
    bool dense = is_dense(inner, depth + 1);
    int combiner = makeup_of(inner).combiner;

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
    struct makeup made;

    PMPI_Type_get_extent(type, &lower, &extent);
    PMPI_Type_size_x(type, &size);
    if (lower != 0 || (MPI_Count)extent != size) {
        return false;
    }
    made = makeup_of(type);
    switch (made.combiner) {
    case MPI_COMBINER_NAMED:
    case MPI_COMBINER_F90_INTEGER:
    case MPI_COMBINER_F90_REAL:
    case MPI_COMBINER_F90_COMPLEX:
        return true;
    case MPI_COMBINER_DUP:
    case MPI_COMBINER_CONTIGUOUS:
    case MPI_COMBINER_RESIZED:
        return depth < N_NESTED && made.n_ints <= MOST &&
               made.n_addresses <= MOST && made.n_counts <= MOST &&
               made.n_types == 1 && inner_is_dense(type, made, depth);
    default:
        return false;
    }
}

bool rpt__pmpi_type_is_dense(MPI_Datatype type)
{
    return is_dense(type, 0);
}
