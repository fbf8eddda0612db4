# rpt_mpi.m4 - which MPI it is, what links it, and what starts its programs
#
# RPT_MPI sets and substitutes
#   mpi, MPI_FAMILY  openmpi | mpich
#   MPI_LIBS         what a program that links librepartir.a must link besides;
#                    empty for a compiler that is no wrapper (then LIBS has it)
#   MPIRUN           the launcher that stands beside the compiler wrapper
#   MPIFC, have_mpifc, FCFLAGS  its Fortran compiler, and whether it works
# The wrappers' own variables are remembered, so that make uses the compiler that
# configure saw.
AC_DEFUN([RPT_MPI], [
AC_ARG_VAR([OMPI_CC], [compiler behind Open MPI's mpicc])
AC_ARG_VAR([MPICH_CC], [compiler behind MPICH's mpicc])
AM_CONDITIONAL([KEEP_OMPI_CC], [test -n "$OMPI_CC"])
AM_CONDITIONAL([KEEP_MPICH_CC], [test -n "$MPICH_CC"])
AC_CHECK_HEADER([mpi.h], [],
  [AC_MSG_ERROR([$CC finds no mpi.h: install an MPI (Debian: libopenmpi-dev or libmpich-dev), or name its compiler with CC=/path/to/mpicc])])
AC_SEARCH_LIBS([MPI_Init_thread], [mpi],
  [], [AC_MSG_ERROR([$CC does not link MPI programs: name the compiler of your MPI with CC=/path/to/mpicc])])

AC_MSG_CHECKING([which MPI])
AC_COMPILE_IFELSE([AC_LANG_SOURCE([[#include <mpi.h>
#ifndef OPEN_MPI
#error other
#endif]])], [mpi=openmpi], [mpi=mpich])
AC_MSG_RESULT([$mpi])
AC_SUBST([MPI_FAMILY], [$mpi])

AC_MSG_CHECKING([whether $mpi is new enough])
AC_COMPILE_IFELSE([AC_LANG_SOURCE([[#include <mpi.h>
#if MPI_VERSION * 10 + MPI_SUBVERSION < 31
#error old
#endif]])], [AC_MSG_RESULT([yes])],
  [AC_MSG_RESULT([no])
   AC_MSG_ERROR([MPI 3.1 or newer is needed (Open MPI 3, MPICH 3.2 and newer are)])])

# Persistent collectives, and those with counts above int, for the shim.
AC_CHECK_FUNCS([MPI_Allreduce_init MPIX_Allreduce_init MPI_Allreduce_c])
AM_CONDITIONAL([MPI_LARGE_COUNTS], [test $ac_cv_func_MPI_Allreduce_c = yes])

# Open MPI's Fortran does not come through MPI_*, so the shim has wrappers for it.
AC_CACHE_CHECK([whether Open MPI's Fortran can be wrapped], [rpt_cv_ompi_fortran],
  [AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <mpi.h>
#ifndef OPEN_MPI
#error other
#endif
extern MPI_Fint mpi_fortran_in_place_, mpi_fortran_bottom_,
    mpi_fortran_status_ignore_, mpi_fortran_statuses_ignore_;
int int_is_integer[sizeof(int) == sizeof(MPI_Fint) ? 1 : -1];]],
    [[return mpi_fortran_in_place_ + mpi_fortran_bottom_ +
             mpi_fortran_status_ignore_ + mpi_fortran_statuses_ignore_;]])],
    [rpt_cv_ompi_fortran=yes], [rpt_cv_ompi_fortran=no])])
AM_CONDITIONAL([OMPI_FORTRAN], [test $rpt_cv_ompi_fortran = yes])

# MPICH's does, but for some functions of mpi_f08: a handle is an int there.
AC_CACHE_CHECK([whether MPICH's mpi_f08 can be wrapped], [rpt_cv_mpich_fortran],
  [AC_COMPILE_IFELSE([AC_LANG_SOURCE([[#include <mpi.h>
#ifndef MPICH_NUMVERSION
#error other
#endif
int int_is_integer[sizeof(int) == sizeof(MPI_Fint) ? 1 : -1];
int int_is_handle(MPI_Request *request, MPI_Comm *comm, MPI_Info *info);
int int_is_handle(int *request, int *comm, int *info);
const MPI_F08_status **ignored = (const MPI_F08_status **)&MPI_F08_STATUS_IGNORE;
int status_is_status[sizeof(MPI_Status) == sizeof(MPI_F08_status) ? 1 : -1];]])],
    [rpt_cv_mpich_fortran=yes], [rpt_cv_mpich_fortran=no])])
AM_CONDITIONAL([MPICH_FORTRAN], [test $rpt_cv_mpich_fortran = yes])

AC_MSG_CHECKING([what links $mpi])
AS_CASE([$mpi],
  [openmpi], [MPI_LIBS=`$CC --showme:link 2>/dev/null`],
  # The first word is the compiler; -I and -Wl,-z are of no use here.
  [MPI_LIBS=`$CC -link_info 2>/dev/null | tr ' ' '\n' | sed 1d |
     grep -e '^-L' -e '^-l' -e '^-pthread' | tr '\n' ' '`])
AS_IF([test -z "$MPI_LIBS"], [MPI_LIBS=$LIBS])
AC_SUBST([MPI_LIBS])
AC_MSG_RESULT([${MPI_LIBS:-nothing}])

# A wrapper with a directory, or one of several on the path, has its launcher
# beside it.
rpt_cc_dir=
for rpt_word in $CC; do
  AS_CASE([$rpt_word],
    [*/mpicc*], [rpt_cc_dir=`AS_DIRNAME(["$rpt_word"])`])
done
AC_ARG_VAR([MPIRUN], [command that starts MPI programs, for the tests])
AC_PATH_PROGS([MPIRUN], [mpirun.$mpi mpiexec.$mpi mpirun mpiexec], [no],
  [${rpt_cc_dir:+$rpt_cc_dir$PATH_SEPARATOR}$PATH])
AC_ARG_VAR([MPIFC], [Fortran compiler of the MPI, for an example and tests])
AC_PATH_PROGS([MPIFC], [mpifort.$mpi mpif90.$mpi mpifort mpif90], [no],
  [${rpt_cc_dir:+$rpt_cc_dir$PATH_SEPARATOR}$PATH])
RPT_MPIFC
])

# Whether MPIFC compiles and links what the Fortran example needs.  Not by
# AC_PROG_FC, for which libtool would look at one more compiler at length.
AC_DEFUN([RPT_MPIFC], [
AC_ARG_VAR([FCFLAGS], [flags for MPIFC])
AS_IF([test -z "${FCFLAGS+set}"], [FCFLAGS="-g -O2"])
AC_CACHE_CHECK([whether MPIFC compiles programs], [rpt_cv_mpifc],
  [rpt_cv_mpifc=no
   AS_IF([test "x$MPIFC" != xno], [
     AS_MKDIR_P([conftest.dir])
     AS_ECHO(["program p
  use, intrinsic :: iso_c_binding
  use mpi
  implicit none
  integer :: error
  character(:), allocatable :: text
  call MPI_Init(error)
  text = 'ok' // c_null_char
  call MPI_Finalize(error)
end program"]) >conftest.dir/p.f90
     (cd conftest.dir && $MPIFC $FCFLAGS -o p p.f90) >&AS_MESSAGE_LOG_FD 2>&1 &&
       rpt_cv_mpifc=yes
     rm -rf conftest.dir])])
have_mpifc=$rpt_cv_mpifc
])
