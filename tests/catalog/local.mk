# tests of checkpoints without a job; the program makes some for tests/cli, too
check_PROGRAMS += tests/test_catalog
tests_test_catalog_SOURCES = tests/catalog/failing.c \
	tests/catalog/forge.c tests/catalog/hostile.c \
	tests/catalog/looking.c tests/catalog/make.c tests/catalog/make.h \
	tests/catalog/removing.c tests/catalog/stored.c \
	tests/harness/newer.c tests/harness/newer.h
tests_test_catalog_CPPFLAGS = $(TEST_CPPFLAGS) $(HDF5_CFLAGS)
tests_test_catalog_LDFLAGS = -Wl,--wrap=pread -Wl,--wrap=read \
	-Wl,--wrap=readdir -Wl,--wrap=renameat -Wl,--wrap=unlinkat
tests_test_catalog_LDADD = $(TEST_LIBS) $(HDF5_LIBS)

# Allocations of the library fail, one after another.
check_PROGRAMS += tests/test_catalog_memory
tests_test_catalog_memory_SOURCES = tests/catalog/no_memory.c \
	tests/harness/allocations.c tests/harness/allocations.h $(CATALOG_SAVED)
tests_test_catalog_memory_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(srcdir)/tests/query
tests_test_catalog_memory_LDFLAGS = $(RPT_TEST_WRAP)
tests_test_catalog_memory_LDADD = $(TEST_LIBS)
