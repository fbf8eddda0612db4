# A program that knows MPI only: the library is not linked to it.  What tests
# the collectives is compiled for each of their forms (forms.h).
check_PROGRAMS += tests/pmpi_app_mpi
tests_pmpi_app_mpi_SOURCES = tests/pmpi/app.c tests/pmpi/app.h \
	tests/pmpi/attributes.c tests/pmpi/endings.c tests/pmpi/failures.c \
	tests/pmpi/forms.h tests/pmpi/holes.c tests/pmpi/large.c \
	tests/pmpi/layouts.c tests/pmpi/lifetimes.c tests/pmpi/missing.c \
	tests/pmpi/moves.c tests/pmpi/reductions.c tests/pmpi/requests.c
tests_pmpi_app_mpi_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pmpi_app_mpi_LDADD = tests/libpmpi_started.la \
	tests/libpmpi_persistent.la tests/libharness.la $(CUNIT_LIBS) -lpthread

check_LTLIBRARIES += tests/libpmpi_started.la tests/libpmpi_persistent.la
tests_libpmpi_started_la_SOURCES = tests/pmpi/holes.c tests/pmpi/layouts.c \
	tests/pmpi/moves.c tests/pmpi/reductions.c
tests_libpmpi_started_la_CPPFLAGS = $(TEST_CPPFLAGS) -DFORM_STARTED
tests_libpmpi_persistent_la_SOURCES = $(tests_libpmpi_started_la_SOURCES)
tests_libpmpi_persistent_la_CPPFLAGS = $(TEST_CPPFLAGS) -DFORM_PERSISTENT

if MPI_LARGE_COUNTS
check_LTLIBRARIES += tests/libpmpi_large.la tests/libpmpi_large_started.la \
	tests/libpmpi_large_persistent.la
tests_libpmpi_large_la_SOURCES = $(tests_libpmpi_started_la_SOURCES)
tests_libpmpi_large_la_CPPFLAGS = $(TEST_CPPFLAGS) -DFORM_LARGE
tests_libpmpi_large_started_la_SOURCES = $(tests_libpmpi_started_la_SOURCES)
tests_libpmpi_large_started_la_CPPFLAGS = $(TEST_CPPFLAGS) -DFORM_LARGE \
	-DFORM_STARTED
tests_libpmpi_large_persistent_la_SOURCES = $(tests_libpmpi_started_la_SOURCES)
tests_libpmpi_large_persistent_la_CPPFLAGS = $(TEST_CPPFLAGS) -DFORM_LARGE \
	-DFORM_PERSISTENT
tests_pmpi_app_mpi_LDADD += tests/libpmpi_large.la \
	tests/libpmpi_large_started.la tests/libpmpi_large_persistent.la
endif

TESTS += tests/pmpi/under_mpirun tests/pmpi/fortran_under_mpirun \
	tests/pmpi/others_under_mpirun
EXTRA_DIST += tests/pmpi/under_mpirun tests/pmpi/fortran_under_mpirun \
	tests/pmpi/others_under_mpirun tests/pmpi/app.f90 tests/pmpi/app.cc \
	tests/pmpi/app.py
