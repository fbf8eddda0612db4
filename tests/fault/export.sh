# export.sh - what the tests of faults of exports share
#
#   . "$SRC/tests/fault/export.sh"     beside what ckpt.sh has
#   export_suite NAME    ends the script where the faults cannot be made
#   references N         from now on N ranks; two checkpoints are there, and
#                        what an export of each is: $scratch/old, $scratch/new
#   ready [replace]      $d is a new copy; replace: $d/out is the old one
#   exports HOW PLAN WORDS  runs export_victim (threads, mpi, job: by mpirun, in
#                        the background as $job) with a plan of disk faults, and
#                        $always; $code
#   whole NAMES          complaints unless OUT is one of old, new and none, all
#                        of it, and the checkpoints are as they were
#   clean                complaints when anything else is left
#   export_again         the next export, without faults, replaces what is there
#   calls_of HOW RANK CALLS WORDS   how many calls an export makes: sets $last
. "$SRC/tests/fault/ckpt.sh"

# A rule, with a semicolon before it.
always=

export_suite() {
    ckpt_suite "$1"
    exporter=$BUILD/tests/export_victim
    RPT_IO_PARQUET_LIBRARY=$BUILD/.libs/librepartir-parquet.so
    if [ ! -e "$RPT_IO_PARQUET_LIBRARY" ]; then
        skip "this build has no librepartir-parquet (see configure)"
        finish
    fi
    RPT_IO_CHECKPOINT_KEEP=2
    export RPT_IO_CHECKPOINT_KEEP RPT_IO_PARQUET_LIBRARY
}

references() {
    base "$1"
    rm -rf "$scratch/old" "$scratch/new"
    for to in old new; do
        "$exporter" "$scratch/base" "$scratch/$to" "$scratch/made" \
            "threads=$1" "$([ $to = new ] || echo iteration=2)" \
            >"$out" 2>&1 || {
            cat "$out" "$scratch/made".*
            bad "a job of $1 ranks exports"
            finish
        }
    done
    "$PYTHON" "$SRC/tests/fault/export-read" "$1" 2 "$scratch/old" \
        2+3 "$scratch/new" >"$scratch/why" 2>&1
    case $? in
    0) ok "exports of $1 ranks have what was saved" ;;
    77) skip "$(cat "$scratch/why")" ;;
    *) verdict "exports of $1 ranks have what was saved" "$scratch/why" ;;
    esac
}

ready() {
    fresh
    [ -z "${1:-}" ] || cp -a "$scratch/old" "$d/out"
}

exports() {
    how=$1 plan=$2$always
    shift 2
    set -- "$exporter" "$d" "$d/out" "$log" "$@"
    [ "$how" != threads ] || set -- "$@" "threads=$n_ranks"
    [ "$how" = threads ] || set -- "$MPIRUN" -n "$n_ranks" "$@"
    set -- env RPT_TEST_MARK="$mark" RPT_TEST_DISK_DIR="$d" \
        RPT_TEST_DISK_TRACE="$trace" RPT_TEST_DISK_COUNT="$counts" \
        ${plan:+"RPT_TEST_DISK_FAULT=$plan"} LD_PRELOAD="$shim" "$@"
    if [ "$how" = job ]; then
        timeout 120 "$@" >"$out" 2>&1 &
        job=$!
        return
    fi
    timeout 120 "$@" >"$out" 2>&1
    code=$?
}

calls_of() { # HOW RANK CALLS WORDS...
    rank=$2
    ready ${4:+replace}
    exports "$1" "count,$3" ${4:+replace}
    last=$(awk -v rank="$rank" '$3 == "rule1" && (rank == "" || $1 == rank) {
        n += $4 } END { print n + 0 }' "$counts")
    [ "$last" -gt 0 ] || bad "$1, rank $2: it makes no calls"
}

is_same() { [ -d "$d/out" ] && diff -r "$scratch/$1" "$d/out" >/dev/null 2>&1; }

whole() { # NAMES
    is=none
    [ ! -e "$d/out" ] || is=mixed
    for which in old new; do
        ! is_same $which || is=$which
    done
    case " $1 " in
    *" $is "*) ;;
    *)
        echo "OUT is $is, not $1"
        [ $is != mixed ] || diff -r "$scratch/new" "$d/out"
        ;;
    esac
    diff -r "$scratch/base/victim" "$d/victim"
}

clean() {
    (cd "$d" && find . -mindepth 1 -maxdepth 1 ! -name victim ! -name out) |
        sed 's/^/it left /'
    [ ! -e "$d/out" ] || find "$d/out" -name '*.part' | sed 's/^/it left /'
}

# Names and numbers of ranks as they are; paths have ids in them.
ends() {
    cat "$log".[0-9]* 2>/dev/null | grep '^ended' |
        sed 's/\.\(part\|old\)-[0-9a-f]*/.\1-ID/g'
}

all_say_the_same() {
    ends | sort | uniq -c | awk -v n="$n_ranks" '$1 != n {
        print "not all ranks got the same: " $0 } END { if (NR == 0)
        print "nobody said how it ended" }'
    ends | grep -v '^ended RPT_OK$\|^ended RPT_ERR_[A-Z_]*: .* (..*)$' |
        sed 's/^/it does not say why: /'
}

export_again() {
    timeout 60 "$exporter" "$d" "$d/out" "$scratch/again" "threads=$n_ranks" \
        replace >"$scratch/again.out" 2>&1 || {
        echo "the next export ended with code $?"
        cat "$scratch/again".*
    }
    whole new
    clean
}
