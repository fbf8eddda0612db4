if HAVE_CUNIT
# What every test program links.
check_LTLIBRARIES += tests/libharness.la
tests_libharness_la_SOURCES = tests/harness/harness.c tests/harness/harness.h \
	tests/harness/forbid.c tests/harness/forbid.h \
	tests/harness/logged.c tests/harness/logged.h \
	tests/harness/over_mpi.c tests/harness/over_mpi.h
tests_libharness_la_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
TEST_LIBS = tests/libharness.la librepartir_all.la $(CUNIT_LIBS)
# For programs with tests/harness/allocations.c.
RPT_TEST_WRAP = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
	-Wl,--wrap=aligned_alloc
TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS) -I$(srcdir)/tests/harness

include $(srcdir)/tests/base/local.mk
include $(srcdir)/tests/topo/local.mk
include $(srcdir)/tests/collectives/local.mk
include $(srcdir)/tests/device/local.mk
include $(srcdir)/tests/pmpi/local.mk
include $(srcdir)/tests/catalog/local.mk
include $(srcdir)/tests/checkpoint/local.mk
include $(srcdir)/tests/query/local.mk
include $(srcdir)/tests/export/local.mk
include $(srcdir)/tests/comm/local.mk
include $(srcdir)/tests/journal/local.mk
include $(srcdir)/tests/parquet/local.mk
include $(srcdir)/tests/exec/local.mk
include $(srcdir)/tests/pool/local.mk
include $(srcdir)/tests/cli/local.mk
include $(srcdir)/tests/fault/local.mk
include $(srcdir)/tests/negative/local.mk
include $(srcdir)/tests/cluster/local.mk

TESTS += $(check_PROGRAMS)
endif
