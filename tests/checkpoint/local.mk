# tests of io/checkpoint: the same tables with ranks as threads (test_checkpoint)
# and in the processes of mpirun (test_checkpoint_mpi)
CHECKPOINT_TESTS = tests/checkpoint/damage.c tests/checkpoint/refusing.c \
	tests/checkpoint/restoring.c tests/checkpoint/saving.c \
	tests/checkpoint/state.c tests/checkpoint/state.h \
	tests/checkpoint/timing.c tests/checkpoint/world.c \
	tests/checkpoint/world.h

check_PROGRAMS += tests/test_checkpoint tests/test_checkpoint_mpi
tests_test_checkpoint_SOURCES = $(CHECKPOINT_TESTS) \
	tests/checkpoint/world_local.c
tests_test_checkpoint_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_checkpoint_LDADD = $(TEST_LIBS)
tests_test_checkpoint_mpi_SOURCES = $(CHECKPOINT_TESTS) \
	tests/checkpoint/world_mpi.c
tests_test_checkpoint_mpi_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_checkpoint_mpi_LDADD = $(TEST_LIBS)

TESTS += tests/checkpoint/under_mpirun tests/checkpoint/order
EXTRA_DIST += tests/checkpoint/under_mpirun tests/checkpoint/order
