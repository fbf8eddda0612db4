# rpt_parquet.m4 - Arrow C++ with Parquet, where it is; nothing of it is run
#
# RPT_PARQUET sets and substitutes
#   have_parquet               yes, or no
#   rpt_parquet                what the summary says of it
#   PYTHON                     for tests that read files; its pyarrow has Arrow
#   PARQUET_CPPFLAGS, PARQUET_CXXFLAGS, PARQUET_LIBS   for librepartir-parquet
# and the conditional HAVE_PARQUET.  A directory that is named must have it.
# Looked for by pkg-config, then in the pyarrow of PYTHON, whose libraries have
# a number in their names and nothing that leads to it.

# RPT_ARROW_IN(DIR): include/ and lib/, or as in a wheel include/ and libraries
# beside it.
AC_DEFUN([RPT_ARROW_IN], [
rpt_arrow_dir=
AS_IF([test -e "$1/include/parquet/arrow/writer.h"],
  [for rpt_dir in "$1/lib" "$1/lib64" "$1"; do
     for rpt_lib in "$rpt_dir"/libarrow.so "$rpt_dir"/libarrow.so.*; do
       rpt_suffix=${rpt_lib#"$rpt_dir/libarrow"}
       AS_IF([test -z "$rpt_arrow_dir" && test -e "$rpt_lib" &&
              test -e "$rpt_dir/libparquet$rpt_suffix"],
         [rpt_arrow_dir=$rpt_dir
          PARQUET_CPPFLAGS="-isystem $1/include"
          PARQUET_LIBS="-L$rpt_dir -R$rpt_dir -l:libparquet$rpt_suffix -l:libarrow$rpt_suffix"])
     done
   done])
])

# Builds, and links what the writer needs.
AC_DEFUN([RPT_ARROW_WORKS], [
AC_LANG_PUSH([C++])
rpt_cppflags=$CPPFLAGS
rpt_cxxflags=$CXXFLAGS
rpt_libs=$LIBS
CPPFLAGS="$CPPFLAGS $PARQUET_CPPFLAGS"
# A linker takes -rpath where libtool takes -R.
LIBS="$(printf '%s\n' "$PARQUET_LIBS" | $SED 's/-R/-Wl,-rpath,/g') $LIBS"
for rpt_std in -std=c++20 -std=c++17; do
  AS_IF([test $have_parquet = no],
    [CXXFLAGS="$rpt_cxxflags $rpt_std"
     AC_MSG_CHECKING([whether $CXX $rpt_std builds with Arrow in $rpt_arrow_dir])
     AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <arrow/c/bridge.h>
#include <parquet/arrow/writer.h>
]], [[
       struct ArrowSchema schema = {};
       return (int)parquet::WriterProperties::Builder().build()
                ->max_row_group_length() + arrow::ImportSchema(&schema).ok();
]])],
       [have_parquet=yes
        PARQUET_CXXFLAGS="$rpt_std"])
     AC_MSG_RESULT([$have_parquet])])
done
CPPFLAGS=$rpt_cppflags
CXXFLAGS=$rpt_cxxflags
LIBS=$rpt_libs
AC_LANG_POP([C++])
])

AC_DEFUN([RPT_PARQUET], [
AC_ARG_WITH([arrow],
  [AS_HELP_STRING([--with-arrow@<:@=DIR@:>@],
    [Parquet files, by the Arrow C++ in DIR (default: where pkg-config finds it, or the pyarrow of PYTHON)])],
  [], [with_arrow=auto])
AC_ARG_WITH([parquet],
  [AS_HELP_STRING([--without-parquet], [do not look for Arrow])],
  [], [with_parquet=yes])
AC_ARG_VAR([PYTHON], [Python for tests of files, and its pyarrow for Arrow C++])
AC_PATH_PROG([PYTHON], [${PYTHON:-python3}], [no])
have_parquet=no
rpt_arrow_dir=
AS_IF([test "x$with_arrow" = xno || test "x$with_parquet" = xno],
    [rpt_parquet="it was not wanted"],
  [test "x$enable_shared" != xyes],
    [rpt_parquet="no shared library is built"],
  [test "x$enable_sanitizers" != xno],
    [rpt_parquet="sanitizers do not see into Arrow"],
  [test "x$rpt_cv_cxx" = xno],
    [rpt_parquet="there is no C++ compiler (Debian: g++)"],
  [AS_CASE([$with_arrow],
     [auto|yes],
       [PKG_CHECK_EXISTS([arrow parquet],
          [rpt_arrow_dir=$($PKG_CONFIG --variable=libdir arrow)
           PARQUET_CPPFLAGS=$($PKG_CONFIG --cflags arrow parquet)
           PARQUET_LIBS="$($PKG_CONFIG --libs parquet arrow) -R$rpt_arrow_dir"])
        AS_IF([test -z "$rpt_arrow_dir" && test "x$PYTHON" != xno],
          [rpt_wheel=$("$PYTHON" -c "import importlib.util as u
print(*u.find_spec('pyarrow').submodule_search_locations)" 2>/dev/null)
           RPT_ARROW_IN([$rpt_wheel])])],
     [rpt_wheel=$(cd "$with_arrow" 2>/dev/null && pwd)
      RPT_ARROW_IN([$rpt_wheel])])
   AS_IF([test -z "$rpt_arrow_dir"],
     [rpt_parquet="no Arrow C++ was found (pip install pyarrow, where PYTHON=python3 is that Python; or --with-arrow=DIR)"],
     [RPT_ARROW_WORKS
      rpt_parquet="$CXX does not build with the Arrow in $rpt_arrow_dir (config.log says why)"
      AS_IF([test $have_parquet = yes],
        [rpt_parquet="Arrow in $rpt_arrow_dir (librepartir-parquet is opened when it is needed)"])])
   AS_CASE([$with_arrow$have_parquet],
     [auto*|*yes], [],
     [AC_MSG_ERROR([--with-arrow=$with_arrow: $rpt_parquet])])])
AS_IF([test $have_parquet = no],
  [rpt_parquet="no: $rpt_parquet"
   PARQUET_LIBS=])
AC_SUBST([PARQUET_CPPFLAGS])
AC_SUBST([PARQUET_CXXFLAGS])
AC_SUBST([PARQUET_LIBS])
AM_CONDITIONAL([HAVE_PARQUET], [test $have_parquet = yes])
])
