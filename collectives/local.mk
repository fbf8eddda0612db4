librepartir_all_la_SOURCES += \
	collectives/algorithm/algorithm.h \
	collectives/algorithm/allgather/allgather.h \
	collectives/algorithm/allgather/circulant.c \
	collectives/algorithm/allgather/ring.c \
	collectives/algorithm/allgather/staged.c \
	collectives/algorithm/allgather/pulled.c \
	collectives/algorithm/allgather/table.c \
	collectives/algorithm/allgather/two_level.c \
	collectives/algorithm/allreduce/allreduce.h \
	collectives/algorithm/allreduce/circulant.c \
	collectives/algorithm/allreduce/direct.c \
	collectives/algorithm/allreduce/doubling.c \
	collectives/algorithm/allreduce/exchange.c \
	collectives/algorithm/allreduce/exchange.h \
	collectives/algorithm/allreduce/fetched.c \
	collectives/algorithm/allreduce/flat.c \
	collectives/algorithm/allreduce/grouped.c \
	collectives/algorithm/allreduce/grouped.h \
	collectives/algorithm/allreduce/halving.c \
	collectives/algorithm/allreduce/levels.c \
	collectives/algorithm/allreduce/levels.h \
	collectives/algorithm/allreduce/mixed.c \
	collectives/algorithm/allreduce/ring.c \
	collectives/algorithm/allreduce/sliced.c \
	collectives/algorithm/allreduce/pulled.c \
	collectives/algorithm/allreduce/table.c \
	collectives/algorithm/allreduce/multi_leader.c \
	collectives/algorithm/allreduce/two_level.c \
	collectives/algorithm/alltoall/alltoall.h \
	collectives/algorithm/alltoall/bruck.c \
	collectives/algorithm/alltoall/pairwise.c \
	collectives/algorithm/alltoall/staged.c \
	collectives/algorithm/alltoall/pulled.c \
	collectives/algorithm/alltoall/table.c \
	collectives/algorithm/alone.c \
	collectives/algorithm/alone.h \
	collectives/algorithm/barrier/barrier.h \
	collectives/algorithm/barrier/dissemination.c \
	collectives/algorithm/barrier/staged.c \
	collectives/algorithm/barrier/table.c \
	collectives/algorithm/barrier/two_level.c \
	collectives/algorithm/broadcast/binomial.c \
	collectives/algorithm/broadcast/broadcast.h \
	collectives/algorithm/broadcast/scattered.c \
	collectives/algorithm/broadcast/staged.c \
	collectives/algorithm/broadcast/pulled.c \
	collectives/algorithm/broadcast/table.c \
	collectives/algorithm/broadcast/two_level.c \
	collectives/algorithm/exscan/chain.c \
	collectives/algorithm/exscan/doubling.c \
	collectives/algorithm/exscan/exscan.h \
	collectives/algorithm/exscan/staged.c \
	collectives/algorithm/exscan/table.c \
	collectives/algorithm/gather/binomial.c \
	collectives/algorithm/gather/gather.h \
	collectives/algorithm/gather/linear.c \
	collectives/algorithm/gather/staged.c \
	collectives/algorithm/gather/pulled.c \
	collectives/algorithm/gather/table.c \
	collectives/algorithm/reduce/binomial.c \
	collectives/algorithm/reduce/linear.c \
	collectives/algorithm/reduce/reduce.h \
	collectives/algorithm/reduce/scattered.c \
	collectives/algorithm/reduce/staged.c \
	collectives/algorithm/reduce/pulled.c \
	collectives/algorithm/reduce/table.c \
	collectives/algorithm/reduce/two_level.c \
	collectives/algorithm/reduce_scatter/circulant.c \
	collectives/algorithm/reduce_scatter/direct.c \
	collectives/algorithm/reduce_scatter/reduce_scatter.h \
	collectives/algorithm/reduce_scatter/staged.c \
	collectives/algorithm/reduce_scatter/pulled.c \
	collectives/algorithm/reduce_scatter/table.c \
	collectives/algorithm/scan/chain.c \
	collectives/algorithm/scan/doubling.c \
	collectives/algorithm/scan/scan.h \
	collectives/algorithm/scan/staged.c \
	collectives/algorithm/scan/table.c \
	collectives/algorithm/scatter/binomial.c \
	collectives/algorithm/scatter/linear.c \
	collectives/algorithm/scatter/scatter.h \
	collectives/algorithm/scatter/staged.c \
	collectives/algorithm/scatter/pulled.c \
	collectives/algorithm/scatter/table.c \
	collectives/algorithm/tables.c \
	collectives/cache.c \
	collectives/call.c \
	collectives/check.c \
	collectives/device/call.c \
	collectives/device/call.h \
	collectives/device/connect.c \
	collectives/device/setup.c \
	collectives/device/stages.c \
	collectives/device/steps.c \
	collectives/device/team.h \
	collectives/explain.c \
	collectives/engine/agree.c \
	collectives/engine/agree.h \
	collectives/engine/combine.c \
	collectives/engine/combine.h \
	collectives/engine/fetch.c \
	collectives/engine/fetch.h \
	collectives/engine/late.c \
	collectives/engine/look.c \
	collectives/engine/look.h \
	collectives/engine/meet.c \
	collectives/engine/pace.c \
	collectives/engine/pace.h \
	collectives/engine/follow.c \
	collectives/engine/gone.c \
	collectives/engine/message.c \
	collectives/engine/nodes.c \
	collectives/engine/queue.c \
	collectives/engine/run.c \
	collectives/engine/run.h \
	collectives/engine/slice.c \
	collectives/engine/slice.h \
	collectives/engine/team.c \
	collectives/engine/team.h \
	collectives/engine/wish.c \
	collectives/flag.c \
	collectives/memory.c \
	collectives/overlap.c \
	collectives/nccl/launch.c \
	collectives/nccl/launch.h \
	collectives/nccl/ops.h \
	collectives/pattern/blocks.h \
	collectives/pattern/checked.c \
	collectives/pattern/checked.h \
	collectives/pattern/layout.c \
	collectives/pattern/layout.h \
	collectives/pattern/part.c \
	collectives/pattern/part.h \
	collectives/pattern/partial.c \
	collectives/pattern/partial.h \
	collectives/pattern/pulled.c \
	collectives/pattern/pulled.h \
	collectives/pattern/staged.c \
	collectives/pattern/staged.h \
	collectives/pattern/subtree.h \
	collectives/pattern/wrapped.h \
	collectives/plan.c \
	collectives/plan.h \
	collectives/reducer/agree.c \
	collectives/reducer/divide.c \
	collectives/reducer/explain.c \
	collectives/reducer/pack.c \
	collectives/reducer/reducer.c \
	collectives/reducer/reducer.h \
	collectives/reducer/round.c \
	collectives/schedule.c \
	collectives/schedule.h \
	collectives/select/kept.c \
	collectives/select/kept.h \
	collectives/select/measure.c \
	collectives/select/measure.h \
	collectives/select/numbers.c \
	collectives/select/numbers.h \
	collectives/select/policy.c \
	collectives/select/policy.h \
	collectives/select/probe.c \
	collectives/select/probe.h \
	collectives/select/rules.c \
	collectives/select/rules.h \
	collectives/select/select.c \
	collectives/select/select.h \
	collectives/select/why_not.c \
	collectives/simulate.c \
	collectives/simulate.h \
	collectives/simulate_priv.h \
	collectives/symbol.c

# The kernels: one source, once for each instruction set.
librepartir_all_la_SOURCES += collectives/kernel/kernel.h \
	collectives/kernel/stream.h collectives/kernel/table.c
noinst_LTLIBRARIES += librpt_generic.la
librpt_generic_la_SOURCES = collectives/kernel/reduce.c
librpt_generic_la_CFLAGS = $(AM_CFLAGS) $(KERNEL_CFLAGS)
librepartir_all_la_LIBADD += librpt_generic.la
if X86_KERNELS
librepartir_all_la_CPPFLAGS += -DRPT_HAVE_X86_KERNELS
noinst_LTLIBRARIES += librpt_avx2.la librpt_avx512.la
librpt_avx2_la_SOURCES = collectives/kernel/reduce.c
librpt_avx2_la_CPPFLAGS = $(AM_CPPFLAGS) -DRPT_KERNELS=avx2 \
	-DRPT_KERNELS_SUMMARY='"x86-64 with AVX2"'
librpt_avx2_la_CFLAGS = $(AM_CFLAGS) $(KERNEL_CFLAGS) -mavx2
librpt_avx512_la_SOURCES = collectives/kernel/reduce.c
librpt_avx512_la_CPPFLAGS = $(AM_CPPFLAGS) -DRPT_KERNELS=avx512 \
	-DRPT_KERNELS_SUMMARY='"x86-64 with AVX-512 F, BW, DQ, VL"'
librpt_avx512_la_CFLAGS = $(AM_CFLAGS) $(KERNEL_CFLAGS) -mavx512f -mavx512bw \
	-mavx512dq -mavx512vl -mprefer-vector-width=512
librepartir_all_la_LIBADD += librpt_avx2.la librpt_avx512.la
endif
EXTRA_DIST += collectives/README.md collectives/device/README.md

# The shim: a library of its own, that mpirun puts in front of the MPI.
if SHARED
lib_LTLIBRARIES += librepartir-pmpi.la
endif
librepartir_pmpi_la_SOURCES = collectives/pmpi/blocks.c \
	collectives/pmpi/bytes.c \
	collectives/pmpi/call.c \
	collectives/pmpi/comms.c \
	collectives/pmpi/dense.c \
	collectives/pmpi/free.c \
	collectives/pmpi/move.c \
	collectives/pmpi/reduce.c \
	collectives/pmpi/report.c \
	collectives/pmpi/request.c \
	collectives/pmpi/request.h \
	collectives/pmpi/shim.h \
	collectives/pmpi/start.c \
	collectives/pmpi/table.c \
	collectives/pmpi/types.c \
	collectives/pmpi/wait.c \
	collectives/pmpi/wrap.c
if OMPI_FORTRAN
librepartir_pmpi_la_SOURCES += collectives/pmpi/fortran/alltoallw.c \
	collectives/pmpi/fortran/begin.c \
	collectives/pmpi/fortran/collectives.c \
	collectives/pmpi/fortran/fortran.h \
	collectives/pmpi/fortran/free.c \
	collectives/pmpi/fortran/requests.c \
	collectives/pmpi/fortran/values.h
endif
if MPICH_FORTRAN
librepartir_pmpi_la_SOURCES += collectives/pmpi/fortran/f08.c \
	collectives/pmpi/fortran/values.h
endif
EXTRA_librepartir_pmpi_la_DEPENDENCIES = directories.stamp
librepartir_pmpi_la_LIBADD = librepartir.la -lpthread
if MPI_LARGE_COUNTS
noinst_LTLIBRARIES += librpt_pmpi_large.la
librpt_pmpi_large_la_SOURCES = collectives/pmpi/wrap.c
librpt_pmpi_large_la_CPPFLAGS = $(AM_CPPFLAGS) -DRPT_PMPI_LARGE
librepartir_pmpi_la_LIBADD += librpt_pmpi_large.la
endif
librepartir_pmpi_la_LDFLAGS = -module -shared -avoid-version \
	-export-symbols-regex '^MPIX*_|^[op]*mpi_'
EXTRA_DIST += collectives/pmpi/README.md
