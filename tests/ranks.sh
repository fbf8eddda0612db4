# ranks.sh - what scripts share that run test programs under mpirun
#
#   . "$SRC/tests/ranks.sh"      beside what counts.sh has
#   ranks_suite NAME             ends the script where there is no mpirun; what a
#                                program writes goes to $out
#   pairs RANKS                  lines "LEVEL SETTING": thread levels, and ways to
#                                reach a rank.  Of the six an odd number of ranks
#                                takes three, an even one the others; with
#                                RPT_TEST_LONG=1 each takes all
#   needs_shim                   sets $shim, or ends the script
#   nothing REASON               ends the script: there is nothing to run
#   add PROGRAM TEXT CODE        adds the counts that PROGRAM has written to $out;
#                                1: there are none
#   tell TEXT CODE               one case; bad, and shows $out, unless CODE is 0
. "$SRC/tests/counts.sh"

nothing() {
    skip "$1"
    finish
}

ranks_suite() {
    suite "$1"
    out=$scratch/out
    [ "$MPIRUN" != no ] ||
        nothing "no mpirun was found; name it with MPIRUN=..."
    # Else the receiver fetches a large message alone, and progress of the
    # sender is not put to the test; and UCX ends a program that may not be
    # read, as one test wants it.
    OMPI_MCA_btl_vader_single_copy_mechanism=none UCX_TLS=self,posix,sysv
    # MPI libraries leak by themselves.
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
    export OMPI_MCA_btl_vader_single_copy_mechanism UCX_TLS ASAN_OPTIONS
}

pairs() {
    for level in funneled multiple; do
        for setting in RPT_COMM_SHM=yes RPT_COMM_SHM=no \
            RPT_TOPO_VIRTUAL_NODES=2; do
            echo $level $setting
        done
    done | awk -v odd=$(($1 % 2)) -v all="${RPT_TEST_LONG:-}" \
        'all != "" || NR % 2 == odd'
}

needs_shim() {
    shim=$BUILD/.libs/librepartir-pmpi.so
    [ -e "$shim" ] || nothing "there is no shared library in this build"
    # The runtime of a sanitizer must be the first library of a program.
    ! grep -q '^CFLAGS = .*-fsanitize=\|^THREAD_CFLAGS = .*-fsanitize=' \
        "$BUILD/Makefile" ||
        nothing "this build has sanitizers, so no library can be put in front"
}

add() {
    counts=$(sed -n "s/^== $1: \(.*\) passed, \(.*\) failed, \(.*\) skipped\$/\1 \2 \3/p" "$out")
    echo "$2: exit code $3, ${counts:-no counts}"
    if [ "$3" -ne 0 ] || [ -z "$counts" ]; then
        grep -v '^ok ' "$out"
    fi
    code=$3
    if [ -z "$counts" ]; then
        n_failed=$((n_failed + 1))
        return 1
    fi
    # shellcheck disable=SC2086
    set -- $counts
    n_passed=$((n_passed + $1)) n_failed=$((n_failed + $2))
    n_skipped=$((n_skipped + $3))
    # All passed, but the program did not end well.
    case $code in 0 | 77) ;; *) [ "$2" -gt 0 ] || n_failed=$((n_failed + 1)) ;; esac
}

tell() {
    if [ "$2" -eq 0 ]; then
        ok "$1"
    else
        sed 's/^/  /' "$out"
        bad "$1"
    fi
}
