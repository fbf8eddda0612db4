# tests of exec
EXEC_CLIENT = tests/exec/client.c tests/exec/client.h
check_PROGRAMS += tests/test_exec_run tests/test_exec_io \
	tests/test_exec_end tests/test_exec_parts tests/test_exec_mpi
tests_test_exec_run_SOURCES = tests/exec/test_exec_run.c $(EXEC_CLIENT)
tests_test_exec_run_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_exec_run_LDADD = $(TEST_LIBS)
tests_test_exec_io_SOURCES = tests/exec/test_exec_io.c $(EXEC_CLIENT)
tests_test_exec_io_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_exec_io_LDADD = $(TEST_LIBS)
tests_test_exec_end_SOURCES = tests/exec/test_exec_end.c $(EXEC_CLIENT)
tests_test_exec_end_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_exec_end_LDADD = $(TEST_LIBS)
tests_test_exec_mpi_SOURCES = tests/exec/test_exec_mpi.c $(EXEC_CLIENT)
tests_test_exec_mpi_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_exec_mpi_LDADD = $(TEST_LIBS)

# Parts of the keeper, which the library does not hold.
tests_test_exec_parts_SOURCES = tests/exec/test_exec_parts.c \
	src/pool/exec/env.c src/pool/exec/which.c
tests_test_exec_parts_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_exec_parts_LDADD = $(TEST_LIBS)

TESTS += tests/exec/under_mpirun
EXTRA_DIST += tests/exec/under_mpirun
