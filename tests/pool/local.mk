# tests of pool: the same tables with ranks as threads (test_pool) and in the
# processes of mpirun (test_pool_mpi; alone it is a job of one rank, the script
# starts it in every other way)
POOL_TESTS = tests/pool/world.c tests/pool/world.h tests/pool/world_priv.h \
	tests/pool/arguments.c tests/pool/cancel.c tests/pool/checkpoint.c \
	tests/pool/checkpoint_bad.c tests/pool/checkpoint_programs.c \
	tests/pool/checkpoint_refused.c tests/pool/saving.c \
	tests/pool/saving.h tests/pool/depend.c \
	tests/pool/directory.c tests/pool/ending.c tests/pool/ends.c \
	tests/pool/faults.c tests/pool/functions.c tests/pool/futures.c \
	tests/pool/gangs.c tests/pool/gangs_mpi.c tests/pool/giving.c \
	tests/pool/gpus.c tests/pool/groups.c tests/pool/inside.c \
	tests/pool/order.c tests/pool/outputs.c tests/pool/programs.c \
	tests/pool/resources.c tests/pool/resume.c tests/pool/spmd.c \
	tests/pool/staging.c tests/pool/state.c tests/pool/submit.c tests/pool/tasks.c

check_PROGRAMS += tests/test_pool tests/test_pool_mpi tests/test_engine
tests_test_pool_SOURCES = $(POOL_TESTS) tests/pool/world_local.c
tests_test_pool_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_pool_LDADD = $(TEST_LIBS)
tests_test_pool_mpi_SOURCES = $(POOL_TESTS) tests/pool/world_mpi.c
tests_test_pool_mpi_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_pool_mpi_LDADD = $(TEST_LIBS)
tests_test_engine_SOURCES = tests/pool/test_engine.c
tests_test_engine_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_engine_LDADD = $(TEST_LIBS)

TESTS += tests/pool/under_mpirun tests/pool/checkpoint-jobs \
	tests/pool/checkpoint-leftovers
EXTRA_DIST += tests/pool/under_mpirun tests/pool/checkpoint-jobs \
	tests/pool/checkpoint-leftovers
