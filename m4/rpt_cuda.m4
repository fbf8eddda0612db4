# rpt_cuda.m4 - CUDA and NCCL, where they are; no program of theirs is run
#
# RPT_CUDA sets and substitutes
#   have_cuda, have_nccl       yes, or no
#   NVCC, NVCCFLAGS            the compiler of kernels, and its flags
#   CUDA_CPPFLAGS, CUDA_LIBS   for librepartir-gpu
# and the conditional HAVE_CUDA.  A directory that is named must have it.
AC_DEFUN([RPT_CUDA], [
AC_ARG_WITH([cuda],
  [AS_HELP_STRING([--with-cuda@<:@=DIR@:>@],
    [collectives on the memory of GPUs (default: where CUDA is found)])],
  [], [with_cuda=auto])
AC_ARG_VAR([NVCC], [compiler of CUDA kernels])
AC_ARG_VAR([NVCCFLAGS], [its flags, such as -arch=all-major])
have_cuda=no
have_nccl=no
rpt_cuda_dir=$with_cuda
AS_CASE([$with_cuda],
  [no], [],
  [auto|yes], [rpt_cuda_dir=${CUDA_HOME:-/usr/local/cuda}])
AS_IF([test "x$with_cuda" != xno],
  [AC_PATH_PROG([NVCC], [nvcc], [no], [$rpt_cuda_dir/bin$PATH_SEPARATOR$PATH])])
AS_IF([test "x$with_cuda" != xno && test "x$NVCC" != xno],
  [rpt_cppflags=$CPPFLAGS
   rpt_ldflags=$LDFLAGS
   rpt_libs=$LIBS
   CUDA_CPPFLAGS=
   rpt_cuda_libs=
   AS_IF([test -d "$rpt_cuda_dir/include"],
     [CUDA_CPPFLAGS="-I$rpt_cuda_dir/include"])
   for rpt_lib in lib64 lib; do
     AS_IF([test -z "$rpt_cuda_libs" && test -d "$rpt_cuda_dir/$rpt_lib"],
       [rpt_cuda_libs="-L$rpt_cuda_dir/$rpt_lib"
        rpt_cuda_rpath="-R$rpt_cuda_dir/$rpt_lib"])
   done
   CPPFLAGS="$CPPFLAGS $CUDA_CPPFLAGS"
   LDFLAGS="$LDFLAGS $rpt_cuda_libs"
   AC_CHECK_HEADER([cuda_runtime_api.h],
     [AC_CHECK_LIB([cudart], [cudaMalloc],
       [have_cuda=yes
        CUDA_LIBS="$rpt_cuda_libs $rpt_cuda_rpath -lcudart"])])
   AS_IF([test $have_cuda = yes],
     [AC_CHECK_HEADER([nccl.h],
       [AC_CHECK_LIB([nccl], [ncclCommInitRankConfig],
         [have_nccl=yes
          CUDA_CPPFLAGS="$CUDA_CPPFLAGS -DRPT_HAVE_NCCL"
          CUDA_LIBS="$CUDA_LIBS -lnccl"])])])
   CPPFLAGS=$rpt_cppflags
   LDFLAGS=$rpt_ldflags
   LIBS=$rpt_libs])
AS_IF([test $have_cuda = no && test "x$with_cuda" != xno &&
       test "x$with_cuda" != xauto],
  [AC_MSG_ERROR([there is no CUDA in $rpt_cuda_dir (nvcc, cuda_runtime_api.h, libcudart are needed)])])
AS_IF([test "x$enable_shared" != xyes], [have_cuda=no])
NVCCFLAGS=${NVCCFLAGS:--O2}
AC_SUBST([CUDA_CPPFLAGS])
AC_SUBST([CUDA_LIBS])
AM_CONDITIONAL([HAVE_CUDA], [test $have_cuda = yes])
AM_CONDITIONAL([HAVE_NCCL], [test $have_nccl = yes])
])
