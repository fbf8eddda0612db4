# Benchmarks stand apart: `make bench-tasks` builds and runs them.
BENCH_POOL = benchmarks/tasks benchmarks/growth benchmarks/priority \
	benchmarks/idle
BENCH_PLAIN = benchmarks/spawn_loop benchmarks/limits
BENCH_EXPORT = benchmarks/export benchmarks/compress
# The command with the path of its library in it: the script that libtool lays
# over it would give LD_LIBRARY_PATH to every task, each of which would search
# there for the C library.
BENCH_COMMAND = benchmarks/repartir
EXTRA_PROGRAMS += $(BENCH_POOL) $(BENCH_PLAIN) $(BENCH_COMMAND) \
	$(BENCH_EXPORT)
benchmarks_repartir_SOURCES = src/cli/main.c
benchmarks_repartir_LDADD = $(repartir_LDADD)
benchmarks_repartir_LDFLAGS = -no-install

BENCH_CPPFLAGS = -D_GNU_SOURCE -I$(srcdir)/include -I$(srcdir)
benchmarks_tasks_SOURCES = benchmarks/tasks.c benchmarks/bench.c \
	benchmarks/bench.h
benchmarks_tasks_CPPFLAGS = $(BENCH_CPPFLAGS)
benchmarks_tasks_LDADD = librepartir.la
benchmarks_growth_SOURCES = benchmarks/growth.c benchmarks/bench.c \
	benchmarks/bench.h
benchmarks_growth_CPPFLAGS = $(BENCH_CPPFLAGS)
benchmarks_growth_LDADD = librepartir.la -lpthread
benchmarks_priority_SOURCES = benchmarks/priority.c benchmarks/bench.c \
	benchmarks/bench.h
benchmarks_priority_CPPFLAGS = $(BENCH_CPPFLAGS)
benchmarks_priority_LDADD = librepartir.la
benchmarks_idle_SOURCES = benchmarks/idle.c benchmarks/bench.c \
	benchmarks/bench.h
benchmarks_idle_CPPFLAGS = $(BENCH_CPPFLAGS)
benchmarks_idle_LDADD = librepartir.la
benchmarks_spawn_loop_SOURCES = benchmarks/spawn_loop.c
benchmarks_spawn_loop_CPPFLAGS = $(BENCH_CPPFLAGS)
benchmarks_limits_SOURCES = benchmarks/limits.c
benchmarks_limits_CPPFLAGS = $(BENCH_CPPFLAGS)
benchmarks_limits_LDADD = -lpthread
benchmarks_export_SOURCES = benchmarks/export.c benchmarks/natures.c \
	benchmarks/natures.h
benchmarks_export_CPPFLAGS = $(BENCH_CPPFLAGS)
benchmarks_export_LDADD = librepartir.la -lm
benchmarks_compress_SOURCES = benchmarks/compress.c benchmarks/natures.c \
	benchmarks/natures.h
benchmarks_compress_CPPFLAGS = $(BENCH_CPPFLAGS)
benchmarks_compress_LDADD = librepartir.la -lm
BENCH_FILES = benchmarks/README.md benchmarks/run benchmarks/measure.py \
	benchmarks/cluster.py benchmarks/coll.py \
	benchmarks/get-peers benchmarks/peers/mpi4py_noop.py \
	benchmarks/peers/hyperqueue_true.py \
	benchmarks/peers/gloo_allreduce.py
EXTRA_DIST += $(BENCH_FILES)
CLEANFILES += $(BENCH_POOL) $(BENCH_PLAIN) $(BENCH_COMMAND) $(BENCH_EXPORT)

# BENCH_ROUNDS, BENCH_SCALE and BENCH_ROWS choose how much.
bench-tasks: all $(BENCH_POOL) $(BENCH_PLAIN) $(BENCH_COMMAND)
	SRC='$(abs_srcdir)' BUILD='$(abs_builddir)' MPIRUN='$(MPIRUN)' \
	  MPI='$(MPI_FAMILY)' '$(abs_srcdir)/benchmarks/run'

# Python packages that some rows compare with, into the build tree; others:
# make bench-peers BENCH_PEERS=torch
bench-peers:
	'$(abs_srcdir)/benchmarks/get-peers' '$(abs_builddir)/bench/peers' \
	  $(BENCH_PEERS)

# Variables: benchmarks/coll.py.
bench-coll: all $(BENCH_COMMAND)
	SRC='$(abs_srcdir)' BUILD='$(abs_builddir)' MPIRUN='$(MPIRUN)' \
	  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
	  OMPI_MCA_rmaps_base_oversubscribe=1 \
	  '$(abs_srcdir)/benchmarks/coll.py'

# BENCH_LAUNCHES, BENCH_MAX_BYTES, CLUSTER_RATE.
bench-cluster: all $(BENCH_COMMAND)
	SRC='$(abs_srcdir)' BUILD='$(abs_builddir)' MPIRUN='$(MPIRUN)' \
	  '$(abs_srcdir)/benchmarks/cluster.py' || test $$? = 77
.PHONY: bench-tasks bench-coll bench-peers bench-cluster

# A checkpoint, against a copy, plain writes, a plain HDF5 writer, and the peers
# whose prefixes are given: make bench-ckpt PEER_FTI=DIR PEER_VELOC=DIR.
BENCH_CKPT = benchmarks/ckpt benchmarks/ckpt_restore benchmarks/ckpt_rows
BENCH_CKPT_PEERS = benchmarks/ckpt_fti benchmarks/ckpt_veloc
EXTRA_PROGRAMS += $(BENCH_CKPT) $(BENCH_CKPT_PEERS)
CLEANFILES += $(BENCH_CKPT) $(BENCH_CKPT_PEERS)
benchmarks_ckpt_SOURCES = benchmarks/ckpt.c benchmarks/ckpt.h \
	benchmarks/ckpt_naive.c
benchmarks_ckpt_CPPFLAGS = $(BENCH_CPPFLAGS) $(HDF5_CFLAGS)
benchmarks_ckpt_LDADD = librepartir.la $(HDF5_LIBS)
benchmarks_ckpt_restore_SOURCES = benchmarks/ckpt_restore.c
benchmarks_ckpt_restore_CPPFLAGS = $(BENCH_CPPFLAGS)
benchmarks_ckpt_restore_LDADD = librepartir.la
benchmarks_ckpt_rows_SOURCES = benchmarks/ckpt_rows.c
benchmarks_ckpt_rows_CPPFLAGS = $(BENCH_CPPFLAGS) $(HDF5_CFLAGS)
benchmarks_ckpt_rows_LDADD = librepartir.la $(HDF5_LIBS)
benchmarks_ckpt_fti_SOURCES = benchmarks/ckpt_fti.c benchmarks/ckpt_peer.c \
	benchmarks/ckpt_peer.h
benchmarks_ckpt_fti_CPPFLAGS = $(BENCH_CPPFLAGS) -I$(PEER_FTI)/include
benchmarks_ckpt_fti_LDADD = -L$(PEER_FTI)/lib -lfti
benchmarks_ckpt_veloc_SOURCES = benchmarks/ckpt_veloc.c \
	benchmarks/ckpt_peer.c benchmarks/ckpt_peer.h
benchmarks_ckpt_veloc_CPPFLAGS = $(BENCH_CPPFLAGS) -I$(PEER_VELOC)/include
benchmarks_ckpt_veloc_LDADD = -L$(PEER_VELOC)/lib -lveloc-client \
	-lveloc-modules
benchmarks_ckpt_veloc_LDFLAGS = -Wl,-rpath-link,$(PEER_VELOC)/lib
EXTRA_DIST += benchmarks/ckpt.py benchmarks/ckpt_life.py \
	benchmarks/ckpt_peers.py benchmarks/ckpt_run.py
# Variables: benchmarks/ckpt.py.
bench-ckpt: all $(BENCH_CKPT)
	@test -z '$(PEER_FTI)' || \
	  $(MAKE) $(AM_MAKEFLAGS) benchmarks/ckpt_fti
	@test -z '$(PEER_VELOC)' || \
	  $(MAKE) $(AM_MAKEFLAGS) benchmarks/ckpt_veloc
	SRC='$(abs_srcdir)' BUILD='$(abs_builddir)' MPIRUN='$(MPIRUN)' \
	  PEER_FTI='$(PEER_FTI)' PEER_VELOC='$(PEER_VELOC)' \
	  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
	  OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1 \
	  '$(abs_srcdir)/benchmarks/ckpt.py'
.PHONY: bench-ckpt

# What becomes of arrays of several natures; then the same by pyarrow, where
# there is one.  BENCH_SIDE, BENCH_THREADS, BENCH_ROUNDS; PYTHON has pyarrow.
EXTRA_DIST += benchmarks/export.py
bench-export: all $(BENCH_EXPORT)
	$(MKDIR_P) bench
	RPT_IO_HDF5_LIBRARY='$(abs_builddir)/.libs/librepartir-hdf5.so' \
	RPT_IO_PARQUET_LIBRARY='$(abs_builddir)/.libs/librepartir-parquet.so' \
	  benchmarks/export bench $${BENCH_SIDE:-2048} $${BENCH_THREADS:-1} | \
	  tee -a bench/export.jsonl
	SRC='$(abs_srcdir)' BUILD='$(abs_builddir)' \
	  $${PYTHON:-$(PYTHON)} '$(abs_srcdir)/benchmarks/export.py'
.PHONY: bench-export

# BENCH_SIDE, BENCH_RANKS; BENCH_DIR is the disk.
bench-compress: all $(BENCH_EXPORT)
	$(MKDIR_P) bench
	RPT_IO_HDF5_LIBRARY='$(abs_builddir)/.libs/librepartir-hdf5.so' \
	  benchmarks/compress $${BENCH_DIR:-bench} $${BENCH_SIDE:-4096} \
	  $${BENCH_RANKS:-2} | tee -a bench/compress.jsonl
.PHONY: bench-compress
