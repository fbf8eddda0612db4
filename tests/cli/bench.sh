#!/bin/sh
# repartir bench: a table, and files, of ours and the MPI's on these ranks.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-bench

# Bytes of the points of an operation, from CSV.
bytes_of() {
    sed -n "s/^[a-z]*,$2,[0-9]*,[0-9]*,[a-z]*,\([0-9]*\),.*/\1/p" "$1" |
        tr '\n' ' '
}

for n in $ranks; do
    r="on $n rank(s)"
    run "$n" bench coll allreduce barrier alltoall --max-bytes=64 --samples=2 \
        --csv=csv --json=json --svg=svg
    expect 0 "bench coll, $r"
    hasnt err . "without a complaint, $r"
    is "$(grep -c '^MPI / ours: geometric mean [0-9.]*, least [0-9.]*$' out)" \
        3 "the three operations, once, $r"
    has out ", $n ranks? on 1 node, f32, private buffers$" "it says where, $r"
    is "$(bytes_of csv allreduce)" "4 8 16 32 64 " "sizes go to the largest, $r"
    is "$(bytes_of csv alltoall)" \
        "$(for b in 4 8 16 32 64; do
            [ $((b * n)) -gt 64 ] || printf '%s ' $b
        done)" "all blocks together, $r"
    is "$(bytes_of csv barrier)" "0 " "a barrier has no data, $r"
    is "$(wc -l <json)" "$(($(wc -l <csv) - 1))" "as many points in both, $r"
    if command -v python3 >/dev/null 2>&1; then
        python3 - <<'END' >lost 2>&1
import json
from xml.etree import ElementTree
lines = open("csv").read().splitlines()
names = lines[0].split(",")
for row, line in zip(lines[1:], open("json")):
    row, point = dict(zip(names, row.split(","))), json.loads(line)
    for name in names:
        if row[name] != "" and name[-3:] == "_us":
            if abs(float(row[name]) - point[name]) > 0.001:
                print(name, "differs:", row, point)
        elif row[name] != "" and row[name] != str(point[name]):
            print(name, "differs:", row, point)
    if not point["mpi_us"] >= 0 or not point["ours_us"] >= 0:
        print("no times:", point)
tree = ElementTree.parse("svg")
lines = [e for e in tree.iter() if e.tag.endswith("polyline")]
if len(lines) != 9:
    print("svg:", len(lines), "lines, not 3 of each operation")
END
        verdict "CSV, JSON and SVG say the same, $r" lost
    fi
    run "$n" bench plan --max-bytes=16 --samples=2 --csv=csv
    expect 0 "bench plan, $r"
    is "$(bytes_of csv allreduce)" "4 8 16 " "its sizes, $r"
    is "$(grep -cE '^plan(,[^,]+){9}$|^plan(,[^,]+){8},$' csv)" 3 \
        "three take turns, $r"
    run "$n" bench group --max-bytes=1K --samples=2 --json=json
    expect 0 "bench group, $r"
    is "$(grep -c '"row":"group".*"ours_us":[0-9]' json)" 3 "steps of 16, $r"
done

if [ "$MPIRUN" != no ]; then
    run 2 bench coll allreduce --buffers=shared --max-bytes=1M --samples=1
    expect 0 "shared buffers"
    has out 'f32, shared buffers$' "are said"
    has out '^ *1048576 .* [0-9.]+ of the bound$' "what part of the bound"
    hasnt out '^ *524288 .* of the bound$' "only where rates count"
    run 2 bench coll allreduce --buffers=shared --samples=1 --max-bytes=64M \
        -o comm.shared_bytes=1M
    expect 70 "shared buffers that cannot be had"
    is "$(grep -c 'no shared memory for two buffers' err)" 1 "are said once"
    has err 'comm.shared_bytes' "with what to do"
    run 2 bench coll allreduce --max-bytes=16M --samples=1 --json=json \
        --option=topo.virtual_nodes=2
    expect 0 "two nodes"
    has out '^ *16777216 .* of the bound, a ring sends [0-9.]+ MB/s$' \
        "a ring bounds them"
    is "$(grep -c ring_bytes_per_s json)" 1 "at large sizes"
    run 2 bench coll exscan --samples=1 --max-bytes=4 \
        -o coll.exscan.algorithm=none
    expect 65 "a failed call"
    is "$(grep -c '^repartir:' err)" 1 "is said once"
fi

# Rank 1 has no memory, and rank 0 says so.
if [ "$MPIRUN" = no ]; then
    skip "no mpirun"
elif [ "$MPIRUN" != "${REAL_MPIRUN:-$MPIRUN}" ]; then
    skip "sanitizers do not work within so little memory"
else
    few="bench coll barrier --max-bytes=400M -o comm.shared_bytes=8M"
    # shellcheck disable=SC2086
    call "$MPIRUN" -n 1 "$repartir" $few : \
        -n 1 sh -c "ulimit -v 700000; exec \"$repartir\" $few"
    expect 70 "no memory on one rank"
    is "$(grep -c '^repartir: no memory for 2 buffers of' err)" 1 \
        "is said once"
fi

# ---- make bench-coll in short, with this command ----
if [ "$MPIRUN" != no ] && command -v python3 >/dev/null 2>&1; then
    mkdir -p tree/benchmarks
    ln -s "$repartir" tree/benchmarks/repartir
    BUILD=$scratch/tree BENCH_ROWS="private shared plan first others" \
        BENCH_OPERATIONS="barrier scan" BENCH_LAUNCHES=2 BENCH_SAMPLES=1 \
        BENCH_MAX_BYTES=512 call "$SRC/benchmarks/coll.py"
    expect 0 "make bench-coll"
    for line in 'all-reduce, up to 64 B +>= 1 ' 'all-reduce, above 64 B +>= 1.2' \
        'all-reduce, shared buffers, geometric mean +>= 2.5x' \
        'plan against .* up to (4 KiB +>= 2|256 B +>= 2) ' \
        'plan against our blocking call' 'first call: time against .* <= 2 ' \
        'barrier, least' 'scan, geometric mean +>= 1.5x'; do
        has out "^$line.* (met|not met)$" "a row: $line"
    done
    is "$(grep -c '"row": "plan".*"blocking_us": ' tree/bench/coll.jsonl)" 16 \
        "every point is kept"
    BUILD=$scratch/empty BENCH_ROWS=first BENCH_LAUNCHES=1 \
        call "$SRC/benchmarks/coll.py"
    expect 1 "a row that failed"
    has out '^first .* not measured$' "is not met"
    BENCH_ROWS="first fist" call "$SRC/benchmarks/coll.py"
    expect 1 "a row that is not there"
    has err 'no row fist; there are private ' "is named, with those that are"
else
    skip "no mpirun, or no python3"
fi

# ---- what is wrong ----
echo kept >kept
for n in $ranks; do
    r="on $n rank(s)"
    for arguments in '' coal 'coll alreduce' 'plan allreduce' 'group 4' \
        'coll --buffers=mine' 'coll --max-bytes=4Q' 'coll --max-bytes=5G' \
        'coll --samples=0' 'coll --samples=20000' 'coll --smaples=1' \
        'coll --option=pool.slost=1'; do
        # shellcheck disable=SC2086
        run "$n" bench $arguments --csv=kept
        expect 64 "bench $arguments, $r"
        is "$(grep -c '^repartir[a-z ]*:' err)" 1 \
            "is answered once: $arguments, $r"
    done
    run "$n" bench coll alreduce
    has err ': OPERATION: .* did you mean "allreduce"' \
        "the nearest operation is named, $r"
    for option in csv json svg; do
        run "$n" bench coll barrier --samples=1 --$option=nowhere/file
        expect 74 "--$option=nowhere/file, $r"
        is "$(grep -c 'nowhere/file cannot be written' err)" 1 \
            "is said once, $r"
        has err 'why .*No such file' "and why, $r"
        hasnt out . "before anything is measured, $r"
    done
done
is "$(cat kept)" kept "what is not used is left alone"
run 1 bench coll barrier --samples=1 --max-bytes=4 --csv=/dev/stdout
expect 0 "--csv=/dev/stdout, which is a file"
has out '^coll,barrier,' "has the rows"
has out '^MPI / ours: ' "and the table, too"
mkdir far
echo old >far/csv
ln -s far/csv near
run 1 bench coll barrier --samples=1 --csv=near
is "$(readlink near) $(grep -c barrier far/csv)" "far/csv 1" "links are followed"
if [ -e /dev/full ]; then
    run 1 bench coll barrier --samples=1 --json=/dev/full
    expect 74 "a full disk"
    has err 'why .*No space' "is said"
    hasnt err -- --state "with what to do here"
fi
finish
