# order.sh - the part of disk-faults about trace-order; read by it

# asked CODE WORDS...: trace-order answers with this code
asked() {
    wanted=$1
    shift
    "$order" "$scratch/trace" "$@"
    answer=$?
    echo "exit code $answer, and it should be $wanted"
    [ $answer -eq "$wanted" ]
}
synced='fdatasync:tmp.%/state.h5'
named='rename:tmp.%>%'
written='@write:tmp.%/state.h5'

fresh
faulty '' "$writer" save 1 right save 2 right save 3 right
is "trace-order: synced before it is named" asked 0 "$synced" before "$named"
is "trace-order: without % all calls belong together" \
    asked 1 'fdatasync:*/state.h5' before 'rename:*'
is "trace-order: but one each will do" \
    asked 0 'fdatasync:*/state.h5' before-each 'rename:*'
is "trace-order: every write is synced, and in time" \
    asked 0 "$written" synced-by 'fdatasync:*' before "$named"
is "trace-order: the new file is in a synced folder in time" \
    asked 0 'open:tmp.%/*' synced-by 'fsync:*' before "$named"
is "trace-order: the last name is synced" \
    asked 0 "$named" synced-by 'fsync:.'
is "trace-order: a % follows a rename" \
    asked 0 'open:tmp.%/state.h5' before 'close:%/state.h5'
is "trace-order: and tells one folder from the next" \
    asked 1 'close:%/state.h5' before 'mkdir:tmp.%'
is "trace-order: what fits nothing proves nothing" \
    asked 2 'fsync:%.nc' before "$named"
is "trace-order: never" asked 1 never 'rename:*>2'
is "trace-order: never, indeed" asked 0 never 'unlink:*'
is "trace-order: a question without sense" asked 64 "$synced" while "$named"

fresh
faulty '' "$writer" save 1 right save 2 late
is "trace-order: synced too late" asked 1 "$synced" before "$named"
"$order" "$scratch/trace" "$written" synced-by 'fdatasync:*' \
    before "$named" >"$out" 2>&1
is "trace-order: the two lines are shown" \
    grep -qz 'line [0-9]*: .* pwrite tmp.2/.*line [0-9]*: .* rename tmp.2 2 ' \
    "$out"
is "trace-order: too late is better than never" \
    asked 0 "$written" synced-by 'fdatasync:*'

fresh
faulty '' "$writer" save 1 right save 2 never
is "trace-order: a rename with no sync before it" \
    asked 1 'fdatasync:*' before-each 'rename:*'
is "trace-order: nor one of its own" asked 1 "$synced" before "$named"
is "trace-order: a write that is never synced" \
    asked 1 '@write:*' synced-by 'fdatasync:*'

fresh
faulty 'fail=EIO,call=fdatasync,n=2' "$writer" save 1 right save 2 right
is "trace-order: a sync that failed is none" \
    asked 1 "$written" synced-by 'fdatasync:*' before "$named"

# Two ranks at once, by hand: the sync of rank 1 ends after the rename began.
cat >"$scratch/trace" <<'END'
1.000000000 2.000000000 10 10 0 fdatasync tmp.7/a - - - 0 -
1.000000000 5.000000000 11 11 1 fdatasync tmp.7/b - - - 0 -
4.000000000 6.000000000 10 10 0 rename tmp.7 it-2 - - 0 -
7.000000000 8.000000000 10 10 0 unlink it-2/a - - - 0 -
END
is "trace-order: it is the end of A and the begin of B that count" \
    asked 1 'fdatasync:tmp.%/*' before "$named"
sed -i 's/ 5\.0/ 3.0/' "$scratch/trace"
is "trace-order: a nanosecond more and it is right" \
    asked 0 'fdatasync:tmp.%/*' before "$named"
is "trace-order: a folder is the same by its new name" \
    asked 0 'fdatasync:tmp.%/*' before 'unlink:it-%/*'
