# Stands apart, and is built by SimGrid's compiler: see benchmarks/README.md.
EXTRA_DIST += tests/simgrid/allreduce.c tests/simgrid/play.c \
	tests/simgrid/play.h tests/simgrid/run

# SIMGRID_RANKS, SIMGRID_MAX_BYTES, SIMGRID_BYTES.
bench-simgrid: librepartir_all.la
	BUILD='$(abs_builddir)' XXHASH_LIBS='$(XXHASH_LIBS)' \
	  '$(abs_srcdir)/tests/simgrid/run' || test $$? = 77
.PHONY: bench-simgrid
