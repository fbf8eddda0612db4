#!/bin/sh
# Compressed checkpoints as the command and other programs read them: the same
# values as without compression.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-ckpt-compress
make=$BUILD/tests/make_saved
: "${PYTHON:=python3}"
RPT_IO_PARQUET_LIBRARY=$BUILD/.libs/librepartir-parquet.so
export RPT_IO_PARQUET_LIBRARY
if [ ! -x "$make" ]; then
    skip "tests/make_saved was not built"
    finish
fi

mkdir plain packed
"$make" plain || bad "checkpoints are made"
RPT_IO_CHECKPOINT_COMPRESS=deflate "$make" packed ||
    bad "compressed checkpoints are made"
plain=$(echo plain/big/it-*)
packed=$(echo packed/big/it-*)

# ---- the command ----

run 1 ckpt verify packed
expect 0 "they are verified, by HDF5 too"
hasnt out '^damaged' "none of them is damaged"

run 1 ckpt diff packed/big plain/big
expect 0 "nothing differs from what was not compressed"
run 1 ckpt diff plain/big packed/big
expect 0 "nor the other way round"

run 1 ckpt show --json packed/big
expect 0 "one is shown"
has out '"chunk":\[256,512\]' "with its chunks"
# The field has 8 MiB.
stored=$(sed 's/.*"name":"field"[^}]*"stored":\([0-9]*\).*/\1/' out)
if [ "$stored" -gt 0 ] && [ "$stored" -lt 4000000 ]; then
    ok "and fewer bytes are stored"
else
    bad "$stored bytes are stored"
fi
listed=$("$repartir" ckpt list --json packed/big |
    sed 's/.*"bytes":\([0-9]*\).*/\1/')
if [ "$listed" -lt 4500000 ]; then
    ok "list says what is on the disk"
else
    bad "list says $listed bytes"
fi

run 1 ckpt show --read field --start 1022,1020 --count 2,4 packed/big
expect 0 "values are read"
has out '1047548 1047549 1047550 1047551' "those of the last but one row"
has out '1048572 1048573 1048574 1048575' "and those of the last"

# query SQL TEXT: says the same of both
query() {
    "$repartir" query --dir=packed "$1" >said 2>&1
    "$repartir" query --dir=plain "$1" >wanted 2>&1
    if [ -s said ]; then same said wanted "$2"; else bad "$2"; fi
}

query "SELECT count(*), sum(value), sum(value = 1024 * i0 + i1),
    sum(value * i1) FROM array('field')" "a query sees all elements"
query "SELECT i0, i1, value FROM array('field') WHERE i0 BETWEEN 255 AND 257
    AND i1 BETWEEN 510 AND 513 ORDER BY i0, i1" "in order, over chunks"
query "SELECT sum(value) FROM array('field') WHERE i1 = 1023" "and columns"
query "SELECT value FROM array('field') ORDER BY i0, i1 LIMIT 3 OFFSET 70000" \
    "and from somewhere"
is "$("$repartir" query --dir=packed --format=csv \
    "SELECT chunk FROM datasets WHERE name = 'field'" 2>&1 | tail -n 1 | tr -d '\r')" \
    256x512 "the table of datasets has the chunks"

# ---- Parquet ----

has_module() {
    "$PYTHON" -c "import $1" 2>/dev/null
}

if [ ! -e "$RPT_IO_PARQUET_LIBRARY" ]; then
    skip "this build has no Parquet"
elif ! has_module pyarrow.parquet; then
    skip "$PYTHON has no pyarrow"
else
    for n in $ranks; do
        rm -rf table
        run "$n" ckpt export packed/big --out=table
        expect 0 "it is exported by $n ranks"
        cat >read.py <<'PYTHON'
import os
import pyarrow.parquet as pq
v = pq.read_table("table/field").column("field").to_pylist()
good = v == [float(i) for i in range(1 << 20)]
os._exit(0 if good else 1)
PYTHON
        call "$PYTHON" read.py
        expect 0 "all values of $n parts are in order"
    done
fi

# ---- those who know nothing of us ----

# with PROGRAM TEXT: runs the function PROGRAM_reads
with() {
    if ! command -v "$1" >where 2>&1; then
        skip "$2: there is no $1"
        return
    fi
    code=0
    "$1_reads" >out 2>err || code=$?
    expect 0 "$2"
}

h5diff_reads() {
    h5diff -q "$plain/state.h5" "$packed/state.h5" /field
}
h5dump_reads() {
    for file in "$plain" "$packed"; do
        h5dump -y -d /field "$file/state.h5" | tail -n +2 | cksum
    done | uniq | wc -l | grep -qx 1
}
h5repack_reads() {
    h5repack -f SHUF -f GZIP=1 "$packed/state.h5" short.h5 &&
        h5diff -q short.h5 "$plain/state.h5" /field &&
        [ "$(wc -c <short.h5)" -lt 4000000 ]
}
ncdump_reads() {
    for file in "$plain" "$packed"; do
        ncdump -v field "$file/state.h5" | sed '1,/^data:/d' | cksum
    done | uniq | wc -l | grep -qx 1
}

with h5diff "h5diff finds no difference"
with h5dump "h5dump says the same"
with h5repack "h5repack makes a short file of it"
with ncdump "and ncdump of netCDF says the same"
if ! has_module h5py; then
    skip "$PYTHON has no h5py"
else
    cat >read.py <<'PYTHON'
import sys, h5py
a, b = (h5py.File(name) for name in sys.argv[1:])
n = []
def look(name, one):
    if isinstance(one, h5py.Dataset) and name != "repartir/time":
        assert one.dtype == b[name].dtype and one.shape == b[name].shape
        assert (one[()].tobytes() == b[name][()].tobytes()), name
        n.append(name)
a.visititems(look)
assert "field" in n and b["field"].compression == "gzip"
assert b["field"].shuffle and b["field"].chunks == (256, 512)
PYTHON
    call "$PYTHON" read.py "$plain/state.h5" "$packed/state.h5"
    expect 0 "h5py reads the same values"
fi

# ---- copies ----

room() {
    du -k "$1/big"/it-*/state.h5 | cut -f 1
}
mkdir copy dense
tar -C packed -cSf packed.tar big && tar -C copy -xf packed.tar
if [ "$(room copy)" -le $(($(room packed) + 64)) ]; then
    ok "tar -S keeps the holes"
else
    bad "the copy has $(room copy) KiB"
fi
run 1 ckpt verify copy
expect 0 "and the checkpoint is good"
cp -r --sparse=never packed/big dense
[ "$(room dense)" -gt 8000 ] || bad "a copy without holes has some"
run 1 ckpt verify dense
expect 0 "so is one without holes"
finish
