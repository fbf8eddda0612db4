# For Fortran: an include file and a module, which users compile.
fortrandir = $(includedir)
dist_fortran_DATA = bindings/fortran/repartir.f90
nodist_fortran_DATA = bindings/fortran/repartir.f03
FORTRAN_FROM = bindings/fortran/repartir.f03.in include/repartir/base.h \
	include/repartir/types.h include/repartir/group.h \
	include/repartir/checkpoint.h include/repartir/export.h
bindings/fortran/repartir.f03: bindings/fortran/constants.awk $(FORTRAN_FROM)
	$(AM_V_GEN)$(MKDIR_P) bindings/fortran && cd '$(srcdir)' && \
	$(AWK) -f bindings/fortran/constants.awk include/repartir/base.h \
	  include/repartir/types.h include/repartir/group.h \
	  include/repartir/checkpoint.h include/repartir/export.h \
	  bindings/fortran/repartir.f03.in \
	  >'$(abs_builddir)/$@.new' && \
	mv '$(abs_builddir)/$@.new' '$(abs_builddir)/$@'
CLEANFILES += bindings/fortran/repartir.f03 bindings/fortran/repartir.f03.new
EXTRA_DIST += bindings/fortran/README.md bindings/fortran/constants.awk \
	bindings/fortran/repartir.f03.in
