check_PROGRAMS += tests/test_base
tests_test_base_SOURCES = tests/base/test_base.c
tests_test_base_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_base_LDADD = $(TEST_LIBS)
