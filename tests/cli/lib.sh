# shellcheck shell=sh disable=SC2034
# lib.sh - what the tests of the command share; reads tests/counts.sh
#
#   begin NAME                 a suite; works in $scratch
#   run N ARGUMENTS...         repartir over N ranks (1: no mpirun), at most a
#                              minute; leaves out, err and $code
#   call COMMAND...            the same for any command
#   expect CODE TEXT           $code is CODE
#   has FILE PATTERN TEXT      a line of FILE matches
#   hasnt FILE PATTERN TEXT    none does
#   same FILE FILE TEXT
#   is A B TEXT                the two words are equal
#
# By hand: SRC=. BUILD=build MPIRUN=mpirun tests/cli/run.sh
. "$SRC/tests/counts.sh"

: "${MPIRUN:=no}"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
BUILD=$(cd "$BUILD" && pwd)
SRC=$(cd "$SRC" && pwd)
export RPT_POOL_KEEPER="${RPT_POOL_KEEPER:-$BUILD/repartir-keeper}"
export RPT_IO_HDF5_LIBRARY="${RPT_IO_HDF5_LIBRARY:-$BUILD/.libs/librepartir-hdf5.so}"
export RPT_IO_CHECKPOINT_CHECKER="${RPT_IO_CHECKPOINT_CHECKER:-$BUILD/repartir-checker}"
repartir=$BUILD/repartir

begin() {
    suite "$1"
    cd "$scratch" || exit 1
    export HOME="$scratch"
}

# The numbers of ranks that can be tried here.
ranks="1 2 4"
[ "$MPIRUN" != no ] || ranks=1

run() {
    n_run=$1
    shift
    code=0
    if [ "$n_run" = 1 ]; then
        timeout -k 5 60 "$repartir" "$@" >out 2>err </dev/null || code=$?
    else
        timeout -k 5 60 "$MPIRUN" -n "$n_run" "$repartir" "$@" \
            >out 2>err </dev/null || code=$?
    fi
}

# Any other command in the same way.
call() {
    code=0
    timeout -k 5 60 "$@" >out 2>err </dev/null || code=$?
}

said() {
    sed 's/^/  err: /' err | head -n 20
}

expect() {
    if [ "$code" = "$1" ]; then
        ok "$2"
    else
        echo "  exit code $code, not $1"
        said
        bad "$2"
    fi
}

has() {
    if grep -qE -- "$2" "$1"; then
        ok "$3"
    else
        echo "  no line of $1 matches $2:"
        head -n 20 "$1" | sed 's/^/  /'
        bad "$3"
    fi
}

hasnt() {
    if grep -nE -- "$2" "$1" | head -n 5 >hits && [ ! -s hits ]; then
        ok "$3"
    else
        sed 's/^/  /' hits
        bad "$3"
    fi
}

same() {
    if cmp -s "$1" "$2"; then
        ok "$3"
    else
        diff "$1" "$2" 2>&1 | head -n 10 | sed 's/^/  /'
        bad "$3"
    fi
}

is() {
    if [ "$1" = "$2" ]; then
        ok "$3"
    else
        echo "  \"$1\" is not \"$2\""
        bad "$3"
    fi
}

# Waits until a command succeeds, at most 30 s.
until_true() {
    tries=0
    until "$@" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || return 1
        sleep 0.05
    done
}
