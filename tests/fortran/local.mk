# What Fortran sees of the library.
TESTS += tests/fortran/under_mpirun
EXTRA_DIST += tests/fortran/under_mpirun tests/fortran/app.f90
