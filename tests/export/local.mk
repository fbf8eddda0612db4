# Exports of checkpoints: the ranks are those of tests/checkpoint; Python reads
# what they wrote.
EXPORT_TESTS = tests/export/encodings.c tests/export/made.c tests/export/made.h \
	tests/export/reading.c tests/export/refusing.c \
	tests/export/tables.c tests/export/tables.h \
	tests/checkpoint/world.c tests/checkpoint/world.h \
	tests/harness/newer.c tests/harness/newer.h
EXPORT_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/tests/checkpoint
EXPORT_WRAP = -Wl,--wrap=fsync -Wl,--wrap=renameat2

check_PROGRAMS += tests/test_export tests/test_export_mpi
tests_test_export_SOURCES = $(EXPORT_TESTS) tests/checkpoint/world_local.c
tests_test_export_CPPFLAGS = $(EXPORT_CPPFLAGS)
tests_test_export_LDFLAGS = $(EXPORT_WRAP)
tests_test_export_LDADD = $(TEST_LIBS) -lm
tests_test_export_mpi_SOURCES = $(EXPORT_TESTS) tests/checkpoint/world_mpi.c
tests_test_export_mpi_CPPFLAGS = $(EXPORT_CPPFLAGS)
tests_test_export_mpi_LDFLAGS = $(EXPORT_WRAP)
tests_test_export_mpi_LDADD = $(TEST_LIBS) -lm

TESTS += tests/export/under_mpirun tests/export/faults
EXTRA_DIST += tests/export/under_mpirun tests/export/faults \
	tests/export/app.c tests/export/natures.py tests/export/read.py
