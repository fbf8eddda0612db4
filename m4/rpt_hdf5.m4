# rpt_hdf5.m4 - the HDF5 of this MPI
#
# RPT_HDF5 sets and substitutes HDF5_CFLAGS and HDF5_LIBS, and rpt_hdf5 for the
# summary.  Looked for: --with-hdf5=DIR (include/ and lib/ in it), pkg-config
# hdf5-openmpi or hdf5-mpich, then hdf5; parallel if there is such a one.
AC_DEFUN([RPT_HDF5], [
AC_ARG_WITH([hdf5],
  [AS_HELP_STRING([--with-hdf5=DIR], [where HDF5 is (include/, lib/)])],
  [], [with_hdf5=auto])
AS_CASE([$with_hdf5],
  [no], [AC_MSG_ERROR([HDF5 is needed: checkpoints are HDF5 files])],
  [auto|yes],
    [PKG_CHECK_MODULES([HDF5], [hdf5-$mpi >= 1.10.2], [],
      [PKG_CHECK_MODULES([HDF5], [hdf5 >= 1.10.2], [],
        [AC_MSG_ERROR([HDF5 1.10.2 or newer is needed (Debian: libhdf5-$mpi-dev); if it is somewhere else, name its directory with --with-hdf5=DIR])])])],
  [HDF5_CFLAGS="-I$with_hdf5/include"
   HDF5_LIBS="-L$with_hdf5/lib -R$with_hdf5/lib -lhdf5"])
AC_SUBST([HDF5_CFLAGS])
AC_SUBST([HDF5_LIBS])
rpt_cppflags=$CPPFLAGS
rpt_libs=$LIBS
CPPFLAGS="$CPPFLAGS $HDF5_CFLAGS"
LIBS="`AS_ECHO(["$HDF5_LIBS"]) | sed 's/-R/-Wl,-rpath,/g'` $LIBS"
AC_CACHE_CHECK([whether HDF5 links with this MPI], [rpt_cv_hdf5],
  [AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <hdf5.h>]],
    [[return H5open() + (int)H5Dwrite_chunk(0, 0, 0, 0, 0, 0);]])],
    [rpt_cv_hdf5=yes], [rpt_cv_hdf5=no])])
AS_IF([test $rpt_cv_hdf5 = no],
  [AC_MSG_ERROR([HDF5 was found ($HDF5_LIBS), but does not link; see config.log])])
AC_CACHE_CHECK([whether it is parallel], [rpt_cv_hdf5_parallel],
  [AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <mpi.h>
#include <hdf5.h>
#ifndef H5_HAVE_PARALLEL
#error serial
#endif]],
    [[return H5Pset_fapl_mpio(0, MPI_COMM_NULL, MPI_INFO_NULL);]])],
    [rpt_cv_hdf5_parallel=yes], [rpt_cv_hdf5_parallel=no])])
CPPFLAGS=$rpt_cppflags
LIBS=$rpt_libs
# In a static build the library itself links it.
AS_IF([test "x$enable_shared" = xyes], [STATIC_HDF5_LIBS=],
  [STATIC_HDF5_LIBS=`AS_ECHO(["$HDF5_LIBS"]) | sed 's/-R/-Wl,-rpath,/g'`])
AC_SUBST([STATIC_HDF5_LIBS])
AS_IF([test $rpt_cv_hdf5_parallel = yes], [rpt_hdf5="parallel"],
  [rpt_hdf5="serial: no engine \"collective\" (Debian: libhdf5-$mpi-dev)"])
])
