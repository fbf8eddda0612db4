# What is written is read back by Python, where that has what reads it.
check_PROGRAMS += tests/test_parquet
tests_test_parquet_SOURCES = tests/parquet/test_parquet.c \
	tests/parquet/disk.c tests/parquet/errors.c tests/parquet/every_kind.c \
	tests/parquet/keepbits.c tests/parquet/written.c \
	tests/parquet/whole.c tests/parquet/written.h
tests_test_parquet_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/tests/parquet
if HAVE_PARQUET
tests_test_parquet_CPPFLAGS += -DRPT_HAVE_PARQUET
endif
tests_test_parquet_LDFLAGS = -Wl,--wrap=fsync -Wl,--wrap=rename
tests_test_parquet_LDADD = $(TEST_LIBS) -lm
EXTRA_DIST += tests/parquet/read.py
