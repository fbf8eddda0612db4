check_PROGRAMS += tests/test_cli_read tests/test_cli_write
tests_test_cli_read_SOURCES = tests/cli/test_cli_read.c
tests_test_cli_read_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_cli_read_LDADD = libcli.la $(TEST_LIBS) $(JANSSON_LIBS)
tests_test_cli_write_SOURCES = tests/cli/test_cli_write.c
tests_test_cli_write_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_cli_write_LDADD = libcli.la $(TEST_LIBS) $(JANSSON_LIBS)
