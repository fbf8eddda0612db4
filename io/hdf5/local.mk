librepartir_all_la_SOURCES += io/hdf5/file.h io/hdf5/load.c io/hdf5/load.h \
	io/hdf5/over_mpi.c io/hdf5/over_mpi.h
librepartir_all_la_CPPFLAGS += \
	-DRPT_HDF5_LIBRARY='"$(libdir)/librepartir-hdf5.so"'
EXTRA_DIST += io/hdf5/README.md

HDF5_SOURCES = io/hdf5/check.c io/hdf5/file.h io/hdf5/hdf5.c \
	io/hdf5/hdf5_priv.h io/hdf5/slots.c io/hdf5/together.c

# What links HDF5: a library of its own, opened when it is needed; in a static
# library it is inside.
if SHARED
lib_LTLIBRARIES += librepartir-hdf5.la
librepartir_hdf5_la_SOURCES = $(HDF5_SOURCES)
librepartir_hdf5_la_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
librepartir_hdf5_la_LIBADD = $(HDF5_LIBS)
librepartir_hdf5_la_LDFLAGS = -module -shared -avoid-version \
	-export-symbols-regex '^rpt_hdf5_open$$'
else
librepartir_all_la_SOURCES += $(HDF5_SOURCES)
librepartir_all_la_CPPFLAGS += -DRPT_HDF5_INSIDE $(HDF5_CFLAGS)
librepartir_all_la_LIBADD += $(HDF5_LIBS)
endif

# Opens a file that may be harmful, in a process of its own.  It must not know
# MPI, though the compiler's wrapper would link it.
pkglibexec_PROGRAMS += repartir-checker
repartir_checker_SOURCES = io/hdf5/checker_main.c io/hdf5/checker.h \
	io/hdf5/file.h
repartir_checker_CPPFLAGS = $(AM_CPPFLAGS)
repartir_checker_CFLAGS = -std=c11 $(WARNING_CFLAGS)
repartir_checker_LDFLAGS = -Wl,--as-needed
repartir_checker_LDADD = -ldl
if !SHARED
repartir_checker_SOURCES += $(HDF5_SOURCES)
repartir_checker_CPPFLAGS += -DRPT_HDF5_INSIDE $(HDF5_CFLAGS)
repartir_checker_CFLAGS += $(THREAD_CFLAGS)
repartir_checker_LDADD += $(HDF5_LIBS) -lpthread
endif
