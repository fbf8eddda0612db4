check_PROGRAMS += tests/test_journal_read tests/test_journal_write \
	tests/test_journal_dir tests/test_journal_compact \
	tests/test_journal_request tests/corpus_journal

JOURNAL_FIXTURE = tests/journal/fixture.c tests/journal/fixture.h

tests_test_journal_read_SOURCES = tests/journal/test_read.c $(JOURNAL_FIXTURE)
tests_test_journal_read_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_journal_read_LDADD = $(TEST_LIBS)

tests_test_journal_write_SOURCES = tests/journal/test_write.c \
	$(JOURNAL_FIXTURE)
tests_test_journal_write_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_journal_write_LDADD = $(TEST_LIBS)

tests_test_journal_dir_SOURCES = tests/journal/test_dir.c $(JOURNAL_FIXTURE)
tests_test_journal_dir_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_journal_dir_LDADD = $(TEST_LIBS)

tests_test_journal_compact_SOURCES = tests/journal/test_compact.c \
	$(JOURNAL_FIXTURE)
tests_test_journal_compact_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_journal_compact_LDADD = $(TEST_LIBS)

tests_test_journal_request_SOURCES = tests/journal/test_request.c \
	$(JOURNAL_FIXTURE)
tests_test_journal_request_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_journal_request_LDADD = $(TEST_LIBS)

# The fuzzer without libFuzzer: it tries its corpus once.
tests_corpus_journal_SOURCES = tests/fuzz/fuzz_journal.c tests/fuzz/corpus.h
tests_corpus_journal_CPPFLAGS = $(TEST_CPPFLAGS)
tests_corpus_journal_LDADD = librepartir_all.la

EXTRA_DIST += tests/fuzz/run-fuzzers tests/fuzz/README.md \
	tests/fuzz/corpus/journal
