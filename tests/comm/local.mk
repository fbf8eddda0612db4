COMM_FIXTURE = tests/comm/fixture.c tests/comm/fixture.h \
	tests/comm/groups.c tests/comm/messages.c tests/comm/messages.h

check_PROGRAMS += tests/test_area tests/test_ring tests/test_comm tests/test_group
tests_test_area_SOURCES = tests/comm/test_area.c
tests_test_area_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_area_LDADD = $(TEST_LIBS)
tests_test_ring_SOURCES = tests/comm/test_ring.c
tests_test_ring_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_ring_LDADD = $(TEST_LIBS)
tests_test_comm_SOURCES = tests/comm/test_comm.c $(COMM_FIXTURE)
tests_test_comm_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_comm_LDADD = $(TEST_LIBS)
tests_test_group_SOURCES = tests/comm/test_group.c $(COMM_FIXTURE)
tests_test_group_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_group_LDADD = $(TEST_LIBS)

# Alone it is a job of one rank; the script starts it in every other way.
check_PROGRAMS += tests/test_comm_mpi
tests_test_comm_mpi_SOURCES = tests/comm/test_comm_mpi.c $(COMM_FIXTURE)
tests_test_comm_mpi_CPPFLAGS = $(TEST_CPPFLAGS)
# It counts how often a wait drives the MPI.
tests_test_comm_mpi_LDFLAGS = -Wl,--wrap=PMPI_Iprobe
tests_test_comm_mpi_LDADD = $(TEST_LIBS)
TESTS += tests/comm/under_mpirun
EXTRA_DIST += tests/comm/under_mpirun
