# For those who link the library: pkg-config and CMake.
pkgconfigdir = $(libdir)/pkgconfig
nodist_pkgconfig_DATA = packaging/repartir.pc

cmakedir = $(libdir)/cmake/repartir
nodist_cmake_DATA = packaging/repartirConfig.cmake \
	packaging/repartirConfigVersion.cmake
CLEANFILES += $(nodist_cmake_DATA)
EXTRA_DIST += packaging/README.md packaging/repartirConfig.cmake.in \
	packaging/repartirConfigVersion.cmake.in

# Here and not in configure: make knows the directories without ${prefix}.
FILL_CMAKE = $(AM_V_GEN)$(MKDIR_P) packaging && $(SED) \
	-e 's|@''libdir@|$(libdir)|g' -e 's|@''includedir@|$(includedir)|g' \
	-e 's|@''PACKAGE_VERSION@|$(PACKAGE_VERSION)|g' \
	-e 's|@''MPI_FAMILY@|$(MPI_FAMILY)|g' -e 's|@''CC@|$(CC)|g' \
	-e 's|@''STATIC_LIBS@|$(HWLOC_LIBS) $(XXHASH_LIBS) $(JANSSON_LIBS) $(ZLIB_LIBS) $(STATIC_HDF5_LIBS) $(STATIC_SQLITE_LIBS) $(MPI_LIBS) -ldl -lpthread -lm|g'
packaging/repartirConfig.cmake: packaging/repartirConfig.cmake.in Makefile
	$(FILL_CMAKE) $(srcdir)/packaging/repartirConfig.cmake.in >$@
packaging/repartirConfigVersion.cmake: \
		packaging/repartirConfigVersion.cmake.in Makefile
	$(FILL_CMAKE) $(srcdir)/packaging/repartirConfigVersion.cmake.in >$@
