/*
 * fortran.h - Fortran's arguments as those of C
 *
 * Open MPI's Fortran calls PMPI_*, which passes the shim by.  So the shim has
 * functions of its own for Fortran: they convert, call MPI_*, which is the
 * shim's, and convert back.  mpif.h and `use mpi` call mpi_x_(); mpi_f08 calls
 * ompi_x_f() or pmpi_x_() with the same arguments.
 *
 * MPICH's Fortran calls MPI_*, and needs none of this; but see f08.c.
 *
 * INTEGER is int: configure has looked.
 */
#ifndef RPT_PMPI_FORTRAN_H
#define RPT_PMPI_FORTRAN_H

#include "collectives/pmpi/fortran/values.h"

/* The other name of a function. */
#define BOTH_NAMES(name)                                                       \
    extern __typeof__(mpi_##name##_) ompi_##name##_f                           \
        __attribute__((alias("mpi_" #name "_")));

/* The same where mpi_f08 takes another one: of functions with a LOGICAL. */
#define BOTH_NAMES_OF_TEST(name)                                               \
    extern __typeof__(mpi_##name##_) pmpi_##name##_                            \
        __attribute__((alias("mpi_" #name "_")));

enum { F_STATUS_INTS = sizeof(MPI_Status) / sizeof(MPI_Fint) };

/* Fortran's constants are addresses. */
extern MPI_Fint mpi_fortran_in_place_;
extern MPI_Fint mpi_fortran_bottom_;
extern MPI_Fint mpi_fortran_status_ignore_;
extern MPI_Fint mpi_fortran_statuses_ignore_;

static inline void *f_buffer(void *buffer)
{
    if (buffer == &mpi_fortran_in_place_) {
        return MPI_IN_PLACE;
    }
    return buffer == &mpi_fortran_bottom_ ? MPI_BOTTOM : buffer;
}

#endif /* RPT_PMPI_FORTRAN_H */
