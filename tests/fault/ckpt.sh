# ckpt.sh - what the tests of faults of checkpoints share
#
#   . "$SRC/tests/fault/ckpt.sh"     beside what counts.sh has
#   ckpt_suite NAME       ends the script where the faults cannot be made
#   base N                from now on N ranks; their first two states are saved,
#                         and the third; the next save has an old one to remove
#   fresh                 $d is a new copy of that
#   victim HOW PLAN WORDS runs ckpt_victim (threads, mpi, job: by mpirun, in the
#                         background as $job) with a plan of disk faults; $code
#   counted HOW CALLS WORDS  counts the calls that a job makes, each job once: a
#                         line for each process and rule, in the file $kept
#   again                 the next start, without faults: complaints to standard
#                         output, when it does not find the last state that was
#                         committed or the one that was being saved, when it
#                         cannot save another, or anything is left
#   said RANK PATTERN     what a rank has logged
#
# The iteration that is in the folder is $there, 3.  Logs are $log.RANK.
. "$SRC/tests/counts.sh"

ckpt_suite() {
    # Syncs are counted here, not paid for.
    [ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || TMPDIR=/dev/shm
    suite "$1"
    shim=$BUILD/tests/.libs/libdiskfaults.so
    victim=$BUILD/tests/ckpt_victim
    order=$SRC/tests/fault/disk/trace-order
    d=$scratch/d log=$scratch/log out=$scratch/out trace=$scratch/trace
    counts=$scratch/counts pids=$scratch/pids there=3 n_ranks=1
    mark=ckpt-$$
    if [ ! -e "$shim" ]; then
        skip "there is no shared library in this build"
        finish
    fi
    if grep -q '^CFLAGS = .*-fsanitize=\|^THREAD_CFLAGS = .*-fsanitize=' \
        "$BUILD/Makefile"; then
        skip "this build has sanitizers, so no library can be put in front"
        finish
    fi
    # Else UCX writes its own mmap over any other.
    export UCX_MEM_EVENTS=no RPT_IO_CHECKPOINT_KEEP=1
    # Each start here ends badly.
    export RPT_IO_CHECKPOINT_TRIES=0
    : >"$pids"
}

has_mpi() { [ "$MPIRUN" != no ]; }

base() {
    n_ranks=$1
    rm -rf "$scratch/base" "$scratch"/counted-*
    mkdir "$scratch/base"
    for saves in 2 1; do
        env RPT_IO_CHECKPOINT_ENGINE=direct "$victim" "$scratch/base" \
            "$scratch/base.log" "threads=$n_ranks" saves=$saves \
            >"$out" 2>&1 || {
            cat "$out" "$scratch/base.log.0"
            bad "a job of $n_ranks ranks saves"
            finish
        }
    done
}

fresh() {
    rm -rf "$d" "$trace" "$log".* "$scratch/again".*
    : >"$counts"
    cp -a "$scratch/base" "$d"
}

victim() { # HOW PLAN WORDS...
    how=$1 plan=$2
    shift 2
    set -- "$victim" "$d" "$log" "$@"
    [ "$how" != threads ] || set -- "$@" "threads=$n_ranks"
    [ "$how" = threads ] || set -- "$MPIRUN" -n "$n_ranks" "$@"
    set -- env RPT_TEST_MARK=$mark RPT_TEST_DISK_DIR="$d" RPT_TEST_DISK_TRACE="$trace" \
        RPT_TEST_DISK_COUNT="$counts" ${plan:+"RPT_TEST_DISK_FAULT=$plan"} \
        LD_PRELOAD="$shim" "$@"
    if [ "$how" = job ]; then
        timeout 120 "$@" >"$out" 2>&1 &
        job=$!
        return
    fi
    timeout 120 "$@" >"$out" 2>&1
    code=$?
    awk '{ print $2 }' "$counts" >>"$pids"
}

counted() { # HOW CALLS WORDS...
    kept=$scratch/counted-$(echo "$* ${RPT_IO_CHECKPOINT_ENGINE:-}" |
        tr -c '[:alnum:]\n' _)
    [ ! -e "$kept" ] || return 0
    counted_calls=$2 counted_how=$1
    shift 2
    fresh
    victim "$counted_how" "count,$counted_calls" "$@"
    cp "$counts" "$kept"
}

said() { grep -h "$2" "$log.$1" 2>/dev/null; }

highest() { # WORD: of the logs
    cat "$log".* 2>/dev/null |
        awk -v word="$1" -v n="$there" '$1 == word && $2 > n { n = $2 }
            END { print n }'
}

# Names that no start should leave.
left_over() {
    ls -A "$d/victim" | grep -E '^\.(tmp|old|bad|spare)-' | sed 's/^/it left /'
    sort -u "$pids" | while read -r pid; do
        [ -d "/proc/$pid" ] || ls -d /dev/shm/repartir-*"-$pid-"* 2>/dev/null
    done | sed 's/^/it left /'
    : >"$pids"
}

processes_left() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        left=$(grep -la "RPT_TEST_MARK=$mark" /proc/[0-9]*/environ \
            2>/dev/null | sed 's|/proc/\([0-9]*\)/.*|\1|' | grep -vw $$)
        [ -n "$left" ] || return 0
        sleep 0.3
    done
    echo "processes are left: $left"
}

again() {
    committed=$(highest saved) saving=$(highest saving)
    env RPT_IO_CHECKPOINT_ENGINE=direct timeout 60 "$victim" "$d" \
        "$scratch/again" "threads=$n_ranks" saves=1 >"$scratch/again.out" 2>&1
    ended=$?
    found=$(awk '$1 == "restored" { print $2 }' "$scratch/again.0")
    [ "$found" = "$committed" ] || [ "$found" = "$saving" ] ||
        echo "it found ${found:-nothing}, not $committed or $saving"
    [ $ended = 0 ] || echo "the next start ended with code $ended"
    cat "$scratch/again".[0-9]* | grep '^left\|^wrong\|^failed\|^cannot' |
        sort -u
    [ "$(cat "$scratch/again".[0-9]* | grep -c '^saved')" = "$n_ranks" ] ||
        echo "the next start did not save"
    left_over
}

# Of a number of calls so many, evenly, in an order of its own: sample FROM TO N.
# Of N it takes DEPTH percent, all with RPT_TEST_LONG=1.
sample() {
    awk -v from="$1" -v to="$2" -v n="$3" -v seed="${SEED:-1}" \
        -v depth="${DEPTH:-40}" -v long="${RPT_TEST_LONG:-}" 'BEGIN {
        all = to - from + 1
        if (long == "") n = int((n * depth + 99) / 100)
        if (n >= all) { for (i = from; i <= to; i++) print i; exit }
        srand(seed)
        for (i = 0; i < n; i++) print from + int((i + rand()) * all / n)
    }'
}
