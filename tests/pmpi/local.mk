# A program that knows MPI only: the library is not linked to it.
check_PROGRAMS += tests/pmpi_app_mpi
tests_pmpi_app_mpi_SOURCES = tests/pmpi/app.c tests/pmpi/app.h \
	tests/pmpi/holes.c tests/pmpi/moves.c tests/pmpi/reductions.c
tests_pmpi_app_mpi_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pmpi_app_mpi_LDADD = tests/libharness.la $(CUNIT_LIBS) -lpthread
TESTS += tests/pmpi/under_mpirun
EXTRA_DIST += tests/pmpi/under_mpirun
