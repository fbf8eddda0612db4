librepartir_all_la_SOURCES += io/hdf5/file.h io/hdf5/load.c io/hdf5/load.h \
	io/hdf5/over_mpi.c io/hdf5/over_mpi.h
librepartir_all_la_CPPFLAGS += \
	-DRPT_HDF5_LIBRARY='"$(libdir)/librepartir-hdf5.so"'
EXTRA_DIST += io/hdf5/README.md

# What links HDF5: a library of its own, opened when it is needed; in a static
# library it is inside.
if SHARED
lib_LTLIBRARIES += librepartir-hdf5.la
librepartir_hdf5_la_SOURCES = io/hdf5/hdf5.c io/hdf5/file.h
librepartir_hdf5_la_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
librepartir_hdf5_la_LIBADD = $(HDF5_LIBS)
librepartir_hdf5_la_LDFLAGS = -module -shared -avoid-version \
	-export-symbols-regex '^rpt_hdf5_open$$'
else
librepartir_all_la_SOURCES += io/hdf5/hdf5.c
librepartir_all_la_CPPFLAGS += -DRPT_HDF5_INSIDE $(HDF5_CFLAGS)
librepartir_all_la_LIBADD += $(HDF5_LIBS)
endif
