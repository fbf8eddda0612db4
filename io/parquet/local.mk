librepartir_all_la_SOURCES += io/parquet/arrow_abi.h \
	io/parquet/columns.c io/parquet/columns.h \
	io/parquet/columns_priv.h \
	io/parquet/convert.c io/parquet/convert.h \
	io/parquet/file.c io/parquet/file.h \
	io/parquet/keepbits.c io/parquet/keepbits.h \
	io/parquet/library.c io/parquet/library.h \
	io/parquet/ops.h io/parquet/parquet.c io/parquet/parquet.h \
	io/parquet/schema.c
EXTRA_DIST += io/parquet/README.md io/parquet/arrow.map

# What links Arrow, in C++: a library of its own, opened when it is needed.
if HAVE_PARQUET
librepartir_all_la_CPPFLAGS += \
	-DRPT_PARQUET_LIBRARY='"$(libdir)/librepartir-parquet.so"'
lib_LTLIBRARIES += librepartir-parquet.la
librepartir_parquet_la_SOURCES = io/parquet/arrow.cc \
	io/parquet/encodings.cc io/parquet/encodings.h \
	io/parquet/trial.cc io/parquet/trial.h
librepartir_parquet_la_CPPFLAGS = $(AM_CPPFLAGS) $(PARQUET_CPPFLAGS)
librepartir_parquet_la_CXXFLAGS = $(PARQUET_CXXFLAGS) $(WARNING_CFLAGS) \
	-fvisibility=hidden
EXTRA_librepartir_parquet_la_DEPENDENCIES = directories.stamp \
	io/parquet/arrow.map
librepartir_parquet_la_LIBADD = $(PARQUET_LIBS)
librepartir_parquet_la_LDFLAGS = -module -shared -avoid-version \
	-Wl,--version-script=$(srcdir)/io/parquet/arrow.map
endif
