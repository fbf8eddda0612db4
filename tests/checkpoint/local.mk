# tests of io/checkpoint: the same tables with ranks as threads (test_checkpoint)
# and in the processes of mpirun (test_checkpoint_mpi)
CHECKPOINT_TESTS = tests/checkpoint/chunks.c tests/checkpoint/comma.c \
	tests/checkpoint/damage.c \
	tests/checkpoint/damage_more.c tests/checkpoint/erring.c \
	tests/checkpoint/harm.c tests/checkpoint/harm.h \
	tests/checkpoint/leaving.c tests/checkpoint/levels.c \
	tests/checkpoint/level_mix.c \
	tests/checkpoint/packing.c tests/checkpoint/recycling.c \
	tests/checkpoint/refusing.c \
	tests/checkpoint/restoring.c tests/checkpoint/routing.c \
	tests/checkpoint/saving.c \
	tests/checkpoint/state.c tests/checkpoint/state.h \
	tests/checkpoint/tables.c tests/checkpoint/tables.h \
	tests/checkpoint/timing.c tests/checkpoint/world.c \
	tests/checkpoint/world.h \
	tests/harness/newer.c tests/harness/newer.h

check_PROGRAMS += tests/test_checkpoint tests/test_checkpoint_mpi
tests_test_checkpoint_SOURCES = $(CHECKPOINT_TESTS) \
	tests/checkpoint/world_local.c
tests_test_checkpoint_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_checkpoint_LDADD = $(TEST_LIBS)
tests_test_checkpoint_mpi_SOURCES = $(CHECKPOINT_TESTS) \
	tests/checkpoint/world_mpi.c
tests_test_checkpoint_mpi_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_checkpoint_mpi_LDADD = $(TEST_LIBS)

# The same worlds with arrays on devices: on fake ones, and on GPUs.
CHECKPOINT_DEVICE_TESTS = tests/checkpoint/device_fields.c \
	tests/checkpoint/device_fields.h tests/checkpoint/device_tables.h \
	tests/checkpoint/on_devices.c tests/checkpoint/state.c \
	tests/checkpoint/state.h tests/checkpoint/world.c \
	tests/checkpoint/world.h tests/device/devices.h
check_PROGRAMS += tests/test_checkpoint_device tests/test_checkpoint_device_mpi
tests_test_checkpoint_device_SOURCES = $(CHECKPOINT_DEVICE_TESTS) \
	tests/checkpoint/device_faults.c tests/checkpoint/device_tables.c \
	tests/checkpoint/world_local.c tests/device/fake.c
tests_test_checkpoint_device_CPPFLAGS = $(DEVICE_CPPFLAGS) \
	-I$(srcdir)/tests/device
tests_test_checkpoint_device_LDADD = tests/libfakes.la $(TEST_LIBS)
tests_test_checkpoint_device_mpi_SOURCES = $(CHECKPOINT_DEVICE_TESTS) \
	tests/checkpoint/device_faults.c tests/checkpoint/device_tables.c \
	tests/checkpoint/world_mpi.c tests/device/fake.c
tests_test_checkpoint_device_mpi_CPPFLAGS = $(DEVICE_CPPFLAGS) \
	-I$(srcdir)/tests/device
tests_test_checkpoint_device_mpi_LDADD = tests/libfakes.la $(TEST_LIBS)
EXTRA_PROGRAMS += tests/test_gpu_checkpoint
tests_test_gpu_checkpoint_SOURCES = $(CHECKPOINT_DEVICE_TESTS) \
	tests/checkpoint/gpu_tables.c tests/checkpoint/world_local.c \
	tests/device/real.c
tests_test_gpu_checkpoint_CPPFLAGS = $(DEVICE_CPPFLAGS) \
	-I$(srcdir)/tests/device
tests_test_gpu_checkpoint_LDADD = $(TEST_LIBS)
CLEANFILES += tests/test_gpu_checkpoint$(EXEEXT)

# Functions of libc fail and block: those of the library go to the test's.
check_PROGRAMS += tests/test_checkpoint_faults
tests_test_checkpoint_faults_SOURCES = tests/checkpoint/faults_tables.c \
	tests/checkpoint/faults_tables.h tests/checkpoint/keeping.c \
	tests/checkpoint/meanwhile.c \
	tests/checkpoint/no_memory.c \
	tests/checkpoint/world.c tests/checkpoint/world.h \
	tests/checkpoint/world_local.c \
	tests/harness/allocations.c tests/harness/allocations.h
tests_test_checkpoint_faults_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_checkpoint_faults_LDFLAGS = $(RPT_TEST_WRAP) \
	-Wl,--wrap=fdatasync -Wl,--wrap=fsync -Wl,--wrap=getrandom \
	-Wl,--wrap=renameat -Wl,--wrap=rpt__wall_s
tests_test_checkpoint_faults_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_own_hdf5
tests_test_own_hdf5_SOURCES = tests/checkpoint/test_own_hdf5.c
tests_test_own_hdf5_CPPFLAGS = $(TEST_CPPFLAGS) $(HDF5_CFLAGS)
tests_test_own_hdf5_LDADD = $(TEST_LIBS) $(HDF5_LIBS)

TESTS += tests/checkpoint/under_mpirun
EXTRA_DIST += tests/checkpoint/under_mpirun

# doc/checkpoint-format.md, by programs that were written from it.
TESTS += tests/checkpoint/format
EXTRA_DIST += tests/checkpoint/format tests/checkpoint/format.py \
	tests/checkpoint/format_made.py

# The fuzzers without libFuzzer: they try their corpus once.
check_PROGRAMS += tests/corpus_manifest tests/corpus_blocks \
	tests/corpus_local
tests_corpus_manifest_SOURCES = tests/fuzz/fuzz_manifest.c tests/fuzz/corpus.h
tests_corpus_manifest_CPPFLAGS = $(TEST_CPPFLAGS)
tests_corpus_manifest_LDADD = librepartir_all.la
tests_corpus_blocks_SOURCES = tests/fuzz/fuzz_blocks.c tests/fuzz/corpus.h
tests_corpus_blocks_CPPFLAGS = $(TEST_CPPFLAGS)
tests_corpus_blocks_LDADD = librepartir_all.la
tests_corpus_local_SOURCES = tests/fuzz/fuzz_local.c tests/fuzz/corpus.h
tests_corpus_local_CPPFLAGS = $(TEST_CPPFLAGS)
tests_corpus_local_LDADD = librepartir_all.la
EXTRA_DIST += tests/fuzz/corpus/manifest tests/fuzz/corpus/blocks \
	tests/fuzz/corpus/local
