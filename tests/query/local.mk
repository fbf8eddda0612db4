# tests of io/catalog, through the public functions
CATALOG_SAVED = tests/query/saved.c tests/query/saved.h
CATALOG_TESTS = tests/query/arrays.c tests/query/changing.c \
	tests/query/refusing.c tests/query/shown.h tests/query/shown.c \
	tests/query/tables.c

check_PROGRAMS += tests/test_query
tests_test_query_SOURCES = $(CATALOG_TESTS) $(CATALOG_SAVED)
tests_test_query_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_query_LDADD = $(TEST_LIBS) $(XXHASH_LIBS)

# For tests/cli/query.sh; no test by itself.
EXTRA_PROGRAMS += tests/make_saved
check_DATA += tests/make_saved$(EXEEXT)
tests_make_saved_SOURCES = tests/query/make_saved.c $(CATALOG_SAVED)
tests_make_saved_CPPFLAGS = $(TEST_CPPFLAGS)
tests_make_saved_LDADD = librepartir_all.la
CLEANFILES += tests/make_saved$(EXEEXT)
