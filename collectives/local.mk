librepartir_all_la_SOURCES += \
	collectives/algorithm/algorithm.h \
	collectives/algorithm/allreduce/allreduce.h \
	collectives/algorithm/allreduce/circulant.c \
	collectives/algorithm/allreduce/copy.c \
	collectives/algorithm/allreduce/doubling.c \
	collectives/algorithm/allreduce/flat.c \
	collectives/algorithm/allreduce/halving.c \
	collectives/algorithm/allreduce/paired.c \
	collectives/algorithm/allreduce/paired.h \
	collectives/algorithm/allreduce/ring.c \
	collectives/algorithm/allreduce/sliced.c \
	collectives/algorithm/allreduce/table.c \
	collectives/memory.c collectives/pattern/blocks.h \
	collectives/pattern/fold.h collectives/schedule.c \
	collectives/schedule.h collectives/simulate.c \
	collectives/simulate.h collectives/simulate_priv.h \
	collectives/symbol.c

# The kernels: one source, once for each instruction set.
librepartir_all_la_SOURCES += collectives/kernel/kernel.h \
	collectives/kernel/table.c
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
EXTRA_DIST += collectives/README.md
