check_PROGRAMS += tests/test_base tests/test_table
tests_test_base_SOURCES = tests/base/test_base.c
tests_test_base_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_base_LDADD = $(TEST_LIBS)
tests_test_table_SOURCES = tests/base/test_table.c
tests_test_table_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_table_LDADD = $(TEST_LIBS)
