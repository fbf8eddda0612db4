check_PROGRAMS += tests/test_cli_read tests/test_cli_write
tests_test_cli_read_SOURCES = tests/cli/test_cli_read.c
tests_test_cli_read_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_cli_read_LDADD = libcli.la $(TEST_LIBS) $(JANSSON_LIBS)
tests_test_cli_write_SOURCES = tests/cli/test_cli_write.c
tests_test_cli_write_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_cli_write_LDADD = libcli.la $(TEST_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += tests/test_cli_tune
tests_test_cli_tune_SOURCES = tests/cli/test_cli_tune.c
tests_test_cli_tune_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_cli_tune_LDADD = libcli.la $(TEST_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += tests/test_cli_bench
tests_test_cli_bench_SOURCES = tests/cli/test_cli_bench.c
tests_test_cli_bench_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_cli_bench_LDADD = libcli.la $(TEST_LIBS) $(JANSSON_LIBS)

# The fuzzers without libFuzzer: they try their corpus once.
check_PROGRAMS += tests/corpus_tasks tests/corpus_json
tests_corpus_tasks_SOURCES = tests/fuzz/fuzz_tasks.c tests/fuzz/fuzz_list.h \
	tests/fuzz/corpus.h
tests_corpus_tasks_CPPFLAGS = $(TEST_CPPFLAGS)
tests_corpus_tasks_LDADD = libcli.la librepartir_all.la $(JANSSON_LIBS)
tests_corpus_json_SOURCES = tests/fuzz/fuzz_json.c tests/fuzz/fuzz_list.h \
	tests/fuzz/corpus.h
tests_corpus_json_CPPFLAGS = $(TEST_CPPFLAGS)
tests_corpus_json_LDADD = libcli.la librepartir_all.la $(JANSSON_LIBS)
EXTRA_DIST += tests/fuzz/corpus/tasks tests/fuzz/corpus/json

# The command as a user meets it.
CLI_TESTS = tests/cli/attempts.sh tests/cli/bench.sh tests/cli/children.sh \
	tests/cli/ckpt_compress.sh tests/cli/ckpt_export.sh tests/cli/ckpt.sh \
	tests/cli/explain.sh tests/cli/help.sh tests/cli/info.sh \
	tests/cli/input.sh \
	tests/cli/options.sh tests/cli/query.sh tests/cli/run.sh tests/cli/state.sh \
	tests/cli/tune.sh tests/cli/usage.sh
TESTS += $(CLI_TESTS)
EXTRA_DIST += $(CLI_TESTS) tests/cli/lib.sh
