# tests of pool: the same tables with ranks as threads (test_pool) and in the
# processes of mpirun (test_pool_mpi, see under_mpirun)
POOL_TESTS = tests/pool/world.c tests/pool/world.h tests/pool/world_priv.h \
	tests/pool/tasks.c tests/pool/functions.c tests/pool/programs.c \
	tests/pool/outputs.c

check_PROGRAMS += tests/test_pool tests/test_pool_mpi
tests_test_pool_SOURCES = $(POOL_TESTS) tests/pool/world_local.c
tests_test_pool_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_pool_LDADD = $(TEST_LIBS)
tests_test_pool_mpi_SOURCES = $(POOL_TESTS) tests/pool/world_mpi.c
tests_test_pool_mpi_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_pool_mpi_LDADD = $(TEST_LIBS)
