# tests of checkpoints without a job; the program makes some for tests/cli, too
check_PROGRAMS += tests/test_catalog
tests_test_catalog_SOURCES = tests/catalog/failing.c \
	tests/catalog/forge.c tests/catalog/hostile.c \
	tests/catalog/looking.c tests/catalog/make.c tests/catalog/make.h \
	tests/catalog/removing.c tests/catalog/stored.c
tests_test_catalog_CPPFLAGS = $(TEST_CPPFLAGS) $(HDF5_CFLAGS)
tests_test_catalog_LDFLAGS = -Wl,--wrap=pread -Wl,--wrap=renameat \
	-Wl,--wrap=unlinkat
tests_test_catalog_LDADD = $(TEST_LIBS) $(HDF5_LIBS)
