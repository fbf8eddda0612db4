/*
 * values.h - errors, indices and logicals as Fortran has them
 */
#ifndef RPT_PMPI_FORTRAN_VALUES_H
#define RPT_PMPI_FORTRAN_VALUES_H

#include "collectives/pmpi/shim.h"

#include <dlfcn.h>
#include <stdatomic.h>

/* Where mpi_f08 leaves the error out there may be no place for it. */
static inline void f_error(MPI_Fint *error_out, int code)
{
    if (error_out != NULL) {
        *error_out = code;
    }
}

static inline MPI_Fint f_index(int index)
{
    return index == MPI_UNDEFINED ? index : index + 1;
}

/* .TRUE., as the MPI's Fortran has it; `name` is its MPI_INITIALIZED. */
static inline MPI_Fint f_truth(const char *name)
{
    static _Atomic MPI_Fint known;
    MPI_Fint value = atomic_load(&known), error = 0;
    void (*is_initialized)(MPI_Fint * flag_out, MPI_Fint * error_out);

    if (value == 0) {
        *(void **)&is_initialized = dlsym(RTLD_DEFAULT, name);
        if (is_initialized != NULL) {
            is_initialized(&value, &error);
        }
        value = value != 0 ? value : 1;
        atomic_store(&known, value);
    }
    return value;
}

#endif /* RPT_PMPI_FORTRAN_VALUES_H */
