#!/bin/sh
# repartir ckpt export: what it writes, prints and refuses.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-ckpt-export
make=$BUILD/tests/test_catalog
: "${PYTHON:=python3}"
RPT_IO_PARQUET_LIBRARY=$BUILD/.libs/librepartir-parquet.so
if [ ! -x "$make" ]; then
    skip "tests/test_catalog was not built"
    finish
fi

ckpt_export() {
    run 1 ckpt export "$@"
}

# read EXPRESSION TEXT: of a table t, read from $table, by pyarrow
read_table() {
    if ! "$PYTHON" -c 'import pyarrow.parquet' 2>/dev/null; then
        skip "$2: $PYTHON has no pyarrow"
        return
    fi
    if "$PYTHON" - "$table" "$1" >said 2>&1 <<'PYTHON'; then
import os, sys
import pyarrow.parquet as pq
t = pq.read_table(sys.argv[1]).to_pydict()
good = eval(sys.argv[2])
print(good, t)
sys.stdout.flush()
os._exit(0 if good else 1)
PYTHON
        ok "$2"
    else
        head -c 1000 said
        bad "$2"
    fi
}

"$make" save ck heat 2 3 0 || bad "checkpoints are made"

ckpt_export
expect 64 "nothing to export"
ckpt_export ck
expect 64 "nowhere to write"
has err '--out=DIR says' "is said"
ckpt_export --out= ck
expect 64 "nowhere to write, too"
has err 'is no name of a folder' "is said as well"
ckpt_export --out=o --table=checkpoints --array=flow/u ck
expect 64 "arrays of the table of checkpoints"
has err 'not with --table=checkpoints' "is said"
ckpt_export --out=o --keepbits=53 ck
expect 64 "--keepbits is 52 at most"
ckpt_export --out=o --keepbits=0 ck
expect 64 "--keepbits is 1 at least"
has err 'no number from 1 to 52' "its range is said"
ckpt_export --out=o --table=blobs ck
expect 64 "--table is one of three"
ckpt_export --out=o ck newest 3
expect 64 "one checkpoint at a time"
ckpt_export --out=o --option=io.parquet.library=/nowhere.so ck
expect 65 "no library"
has err 'Parquet|nowhere' "is said"
is "$(ls)" "$(printf 'ck\nerr\nout')" "nothing was written"

if [ ! -e "$RPT_IO_PARQUET_LIBRARY" ]; then
    unset RPT_IO_PARQUET_LIBRARY
    ckpt_export --out=o ck
    expect 65 "a build without Parquet"
    has err 'by this build' "is said to be one"
    has err 'configure again' "and how to get another"
    is "$(ls)" "$(printf 'ck\nerr\nout')" "nothing was written by it"
    skip "this build has no librepartir-parquet (see configure)"
    finish
fi
export RPT_IO_PARQUET_LIBRARY

ckpt_export --out=o1 ck
expect 0 "export"
has out '^iteration 3, id [0-9a-f]{16}: [0-9]+ tables in o1, ' "says what"
has out '[0-9] ([KMG]i)?B +became +[0-9.]+ ([KMG]i)?B *$' "and how many bytes"
table=o1/flow.u
read_table 'list(t) == ["i0", "i1", "flow/u"] and len(t["i0"]) == 40' \
    "an array has a row for each element"
read_table 't["i0"] == sorted(t["i0"]) and t["i1"] == list(range(10)) * 4' \
    "in the order of the array"
ckpt_export --out=o1 ck
expect 65 "OUT is there"
has err 'is there already' "is said"
has err '^  do    .*\(--replace\)$' "and how to replace it"
# A name has 255 bytes at most, that of the folder ".part-ID" 22 of them.
for n in 234 257; do
    ckpt_export --out="$(printf "%0${n}d" 0)" ck
    expect 65 "a name of $n bytes"
    has err "^  why   the name of the folder is too long: $n bytes, 233 at" \
        "is said to be too long"
done
ckpt_export --out="$(printf '%0256d' 0)/o" ck
expect 65 "a folder of a long name above it"
has err '^  why   the path is too long' "is said to be too long, too"
ckpt_export --out="$(printf '%0233d' 0)" ck
expect 0 "a name that is just short enough"
rm -r 0*
ckpt_export --out=o1 --replace --json ck/heat 2
expect 0 "is replaced"
has out '^\{"output":"o1","id":"[0-9a-f]{16}","iteration":2,"tables":' \
    "--json"
ckpt_export --dir=ck --task=heat --checkpoint=1 --array=flow/u --array=time \
    --no-index --level=9 --keepbits=5 --threads=3 --out=o2 -j
expect 0 "only some, without indices"
has out '"iteration":1,"tables":2,' "of the one that was asked for"
table=o2/flow.u
read_table 'list(t) == ["flow/u"] and len(t["flow/u"]) == 40' "the values only"
is "$(ls o2)" "$(printf 'flow.u\nvalues')" "and no other table"
is "$(ls o2/flow.u | wc -l)" 3 "a file of each thread"
ckpt_export --out=o3 --together --table=all ck
expect 0 "all tables"
is "$(ls -d o3/4x10 o3/checkpoints)" "$(printf 'o3/4x10\no3/checkpoints')" \
    "are there"
ckpt_export --out=o4 --table=checkpoints --all-data ck
expect 0 "the table of checkpoints"
table=o4/checkpoints
read_table 't["iteration"] == [1, 2, 3] and all(d.startswith(b"\x89HDF")
    for d in t["data"])' "has a row for each, and its file"
ckpt_export --out=o5 --table=checkpoints --no-data ck
table=o5/checkpoints
read_table 't["data"] == [b""] * 3 and min(t["data_bytes"]) > 0' \
    "or without files"

ckpt_export --out=o6 --array=nobody ck
expect 65 "no such array"
ckpt_export --out=o6 ck 4
expect 65 "no such checkpoint"
has err 'there is no checkpoint "4"' "is said"
"$make" save ck wave 1 1 0 || bad "a second task is made"
ckpt_export --out=o6 ck
expect 65 "which task?"
has err 'heat, wave' "those that there are"
printf '\377' | dd of="$(echo ck/heat/it-000000000003-*)/state.h5" bs=1 \
    seek=3000 conv=notrunc 2>/dev/null
ckpt_export --out=o6 ck/heat
expect 65 "a damaged checkpoint"
has err 'state.h5 is damaged' "is said"
is "$(ls -d o6* 2>/dev/null)" "" "nothing was written of these"
finish
