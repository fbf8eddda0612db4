#!/bin/sh
# repartir ckpt: what it prints, its exit codes, hostile files, a job beside it.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-ckpt
RPT_IO_PARQUET_LIBRARY=$BUILD/.libs/librepartir-parquet.so
export RPT_IO_PARQUET_LIBRARY
make=$BUILD/tests/test_catalog
if [ ! -x "$make" ]; then
    skip "tests/test_catalog was not built"
    finish
fi

ckpt() {
    run 1 ckpt "$@"
}

# Whether a file is JSON, where there is something that knows.
json() {
    if command -v python3 >/dev/null 2>&1; then
        if python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$1" \
            2>/dev/null; then
            ok "$2 is JSON"
        else
            head -c 500 "$1"
            bad "$2 is JSON"
        fi
    else
        skip "$2: there is no python3"
    fi
}

# The folder of an iteration of a task.
folder() {
    echo ck/"$1"/it-"$(printf %012d "$2")"-*
}

# ---- list ----
"$make" save ck heat 2 4 0 || bad "checkpoints are made"
"$make" save ck wave 1 1 0 || bad "checkpoints of a second task are made"
ckpt list ck
expect 0 "list"
is "$(grep -c ' committed$' out)" 5 "has all checkpoints"
is "$(awk '$1 == "heat" { print $3 }' out | tr '\n' ' ')" "4 3 2 1 " \
    "the newest first"
ckpt list ck/wave/
is "$(grep -c ' committed$' out)" 1 "list of a task"
ckpt list -j ck
expect 0 "list --json"
json out "list --json"
has out '"halt":false.*"name":"heat","open":false.*"iteration":4,.*"wave"' \
    "has tasks and checkpoints"
run 1 ckpt list --json ck/heat
hasnt out wave "and of a task only that"
ckpt list nowhere
expect 65 "no directory"
has err '^repartir: .*nowhere' "what"
has err '^  why   No such file' "why"
has err '^  do    give a directory' "what to do"
mkdir empty
ckpt list empty
is "$code $(grep -c 'has no checkpoints' out)" "0 1" "an empty directory"
"$repartir" ckpt list ck >/dev/full 2>err
is $? 74 "standard output on a full disk"

# ---- show ----
ckpt show ck/heat
expect 0 "show"
has out '^  iteration 4, saved 20.* by 2 ranks' "of the newest"
has out '^flow/u +array +f64 +4x10 +[0-9]+ +320 B +320 B +2 +2$' "has its datasets"
has out '^time +value +f64 +scalar ' "and scalars"
ckpt show ck/heat 2
has out '^  iteration 2, ' "of an iteration"
ckpt show "$(folder heat 3)"
has out '^  iteration 3, ' "of a path"
ckpt show --boxes ck/heat
has out '^ +1 flow/u +2,0 +2x10 +160 B' "show --boxes"
ckpt show --json --boxes ck/heat
json out "show --json --boxes"
has out '"name":"flow/u","kind":"array","type":"f64","dims":\[4,10\]' "datasets"
has out '"boxes":\[\{"rank":0,.*"start":\[2,0\],"count":\[2,10\]' "boxes"
ckpt show --events ck/heat
is "$(awk 'NR > 1 { print $2 }' out | tr '\n' ' ')" \
    "open commit commit commit commit close " "show --events"
ckpt show --events --json ck/heat
json out "show --events --json"
ckpt show --read=flow/u --start=1,3 --count=2,4 ck/heat 2
is "$(cat out)" "2013 2014 2015 2016
2023 2024 2025 2026" "show --read with --start and --count"
ckpt show --read flow/u --start 3,8 ck/heat 1
is "$(cat out)" "1038 1039" "--count goes to the end"
ckpt show --read z ck/heat 1
is "$(cat out)" "1:2 3:4" "complex numbers"
ckpt show --read z --json ck/heat 1
json out "show --read --json"
is "$(cat out)" '{"dataset":"z","count":[2],"values":[[1,2],[3,4]]}' "values"
ckpt show --read bytes ck/heat
is "$(cat out)" "98 98 98 98 98 98 98 98 98 98" "bytes of blobs"
ckpt show --read empty ck/heat
is "$code $(cat out)" "0 " "nothing of an empty dataset"
ckpt show --read nothing ck/heat
expect 65 "no such dataset"
ckpt show --read time --start 1 ck/heat
expect 64 "too many numbers for --start"
ckpt show --read flow/u --count 9,9 ck/heat
expect 65 "a part that is not there"
ckpt show --read flow/u --start 0,10 ck/heat
expect 65 "a start that is not there"
has err 'dimension 1 has 10 elements' "says where it ends"
for bad in '--start=1' '--read=u --start=x' '--read=u --count=1,,2' \
    '--boxes --events' '--events ck/heat 1' '--jsn' 'a b c'; do
    # shellcheck disable=SC2086
    ckpt show $bad ck/heat
    expect 64 "show $bad"
done
ckpt show ck
expect 65 "show of two tasks"
has err 'do .*ck/heat' "says what to name"
ckpt show ck/heat 99
expect 65 "show of no checkpoint"

# ---- diff ----
ckpt diff ck/heat ck/heat
is "$code $(cat out)" "0 " "diff of the same"
ckpt diff ck/heat 1 3
expect 1 "diff of two"
has out '^values +flow/u +40 of 40 elements, first 0, at most 2000$' "counts"
hasnt out '^same|repartir/' "what is the same is not listed"
ckpt diff --all ck/heat 1 3
has out '^same +repartir/ranks' "--all lists all"
ckpt diff --absolute 2000 ck/heat 1 3
expect 0 "--absolute"
ckpt diff --relative=0.7 "$(folder heat 1)" "$(folder heat 3)"
expect 0 "--relative"
ckpt diff --json ck/heat ck/wave
json out "diff --json"
has out '"name":"flow/u","difference":"values",.*"name":"bytes","difference":"shape"' \
    "has shapes"
for bad in 'ck/heat' 'ck/heat 1 2 3' '--absolute=-1 ck/heat 1 2' \
    '--relative=x ck/heat 1 2'; do
    # shellcheck disable=SC2086
    ckpt diff $bad
    expect 64 "diff $bad"
done
ckpt diff ck/heat/1 ck/heat/3
expect 1 "diff of two paths of iterations"
ckpt diff ck/heat 1
expect 65 "diff with an iteration for a path"
has err '^  do    two words are two paths; .* PATH CHECKPOINT CHECKPOINT' \
    "says how to name two"
ckpt diff ck/heat 1 77
expect 65 "diff with one that is not there"

# ---- path ----
ckpt path ck/heat
is "$code $(cat out)" "0 $PWD/$(folder heat 4)" "path: of the newest"
ckpt path ck/heat 2
is "$code $(cat out)" "0 $PWD/$(folder heat 2)" "path: of an iteration"
is "$(ls "$(cat out)/state.h5")" "$(cat out)/state.h5" "where its file is"
ckpt path ck
expect 65 "path: of which task?"
ckpt path ck/heat 9
is "$code $(wc -c <out)" "65 0" "path: of none"
ckpt path ck/heat/2
is "$code $(cat out)" "0 $PWD/$(folder heat 2)" "path: TASK/ITERATION"
ckpt path ck/heat/newest/
is "$code $(cat out)" "0 $PWD/$(folder heat 4)" "path: TASK/newest"
id=$(folder heat 3)
id=${id##*-}
(cd ck/heat && "$repartir" ckpt path "$id") >out 2>err
is "$? $(cat out)" "0 $PWD/$(folder heat 3)" "path: an id, in the task"
ckpt path ck/heat/9
expect 65 "path: TASK/ITERATION of none"
has err 'ck/heat has no checkpoint "9"' "is said of the task"
hasnt err 'No such file' "and not of a file"
ckpt path ck/nobody/9
expect 65 "path: of no task"
has err "cannot open the directory ck/nobody/9" "is said, too"
has err '^  do    give a directory' "with what to do"
ckpt show ck/heat/2
has out '^  iteration 2, ' "show TASK/ITERATION"
ckpt verify ck/heat/2
has out '^1 good, 0 damaged, 0 gone$' "verify TASK/ITERATION"
ckpt rm --dry-run ck/heat/2
is "$code $(grep -c '^would remove heat/it-0*2-' out)" "0 1" \
    "rm TASK/ITERATION"
ckpt prune ck/heat/2
expect 64 "prune TASK/ITERATION"
ckpt path
expect 64 "path: of nothing"
ckpt path ck heat 4
expect 64 "path: of two"

# ---- files that the program wrote itself ----
"$make" save own_files own 2 2 0 0 files || bad "checkpoints with files are made"
ckpt show own_files/own
expect 0 "show, with files"
has out '^   1 [0-9a-f]{32} +7 B +part/1$' "show lists files"
ckpt show --json own_files/own
json out "show --json, with files"
has out '"files":3,.*"files":\[.*"name":"part/1","rank":1,"bytes":7,' \
    "show --json lists them"
ckpt list --json own_files
is "$(sed 's/.*"pid":[0-9]*,"bytes":\([0-9]*\).*/\1/' out)" \
    "$(find own_files/own/it-* -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')" \
    "list counts their bytes"
ckpt diff own_files/own 1 2
expect 1 "diff, with files"
has out '^values +files/part/0 *$' "diff names files"
hasnt out files/same "which differ"
ckpt diff --json --all own_files/own 1 2
json out "diff --json, with files"
has out '"name":"files/same","difference":"same".*"file":true' \
    "diff --json says that it is a file"
run 1 query --dir own_files --format csv --header no "SELECT iteration, f.task, f.name,
    writer, f.bytes, length(xxh3), replace(path, 'own_files/own/' || c.name, '')
    FROM files f JOIN checkpoints c ON c.id = f.checkpoint WHERE writer = 1
    ORDER BY iteration"
printf '1,own,part/1,1,7,32,/files/part/1\n2,own,part/1,1,7,32,/files/part/1\n' \
    >wanted
tr -d '\r' <out >found
same found wanted "query has a table of them"
run 1 query --dir own_files --format csv --header no \
    "SELECT DISTINCT n_files, files_bytes FROM checkpoints"
is "$(tr -d '\r' <out)" "3,19" "and counts them"

# ---- halt, interval ----
ckpt halt --check ck
expect 1 "halt --check"
ckpt halt ck/heat
is "$code $(ls -d ck/HALT)" "0 ck/HALT" "halt, by the path of a task"
ckpt halt --check ck
expect 0 "halt --check sees it"
ckpt list ck
has out 'HALT' "so does list"
ckpt halt --off ck
is "$code $(find ck -name HALT)" "0 " "halt --off"
ckpt halt nowhere
expect 65 "halt nowhere"
ckpt halt --off --check ck
expect 64 "halt --off --check"
ckpt interval ck/heat
expect 0 "interval"
has out '^save every .* s\)?$' "says how often"
has out 'from 4 saves' "from what"
ckpt interval --json --cost=2 --mtbf=100
json out "interval --json"
has out '"interval_s":18\.68888' "by Daly's formula"
: >trouble
for case in '24h 1 h 56 min (7001 s)' '6h 56 min 43 s (3403 s)' \
    '15min 9 min 08 s (548 s)'; do
    ckpt interval --cost=5min --mtbf="${case%% *}"
    grep -qx "save every ${case#* }" out || echo "$case" >>trouble
done
verdict "what Daly says of 5 minutes can be read" trouble
ckpt interval --mtbf=6h ck/wave
expect 0 "what is not given is learned"
for bad in '--mtbf=6h --cost=0' '--cost=0s ck/wave' '--mtbf=0' \
    '--cost=1 --mtbf=0 ck/wave'; do
    # shellcheck disable=SC2086
    ckpt interval $bad
    expect 64 "interval $bad"
    has err '^repartir.*: --(cost|mtbf) must be above 0$' "is said"
done
ckpt interval
expect 64 "interval of nothing"
rm ck/wave/events.jsonl
ckpt interval ck/wave
expect 65 "a cost that nobody knows"
has err '^  do .*--cost' "may be given"

# ---- verify ----
ckpt verify ck
expect 0 "verify"
is "$(grep -c '^good ' out)" 5 "all are good"
has out '^5 good, 0 damaged, 0 gone$' "and counted"
ckpt verify --json ck/heat newest 2
json out "verify --json"
has out '"verdict":"good".*"verdict":"good".*"good":2,"damaged":0' "of two"
# A byte of the data; of checksums; a shorter file.
spoil() { # FILE BYTE
    printf '\377' | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
cp -r ck bak
spoil "$(folder heat 4)/state.h5" 2050
spoil "$(folder heat 3)/blocks.xxh" 70
truncate -s -1 "$(folder heat 2)/state.h5"
mv "$(folder heat 1)/state.h5" kept
mkfifo "$(folder heat 1)/state.h5"
ckpt verify ck/heat
expect 1 "verify of damaged ones"
is "$(grep -c '^damaged ' out)" 4 "finds all: bytes, checksums, length, a pipe"
has out 'repartir/iteration' "and says where"
ckpt verify --checksums ck/heat 4
expect 1 "verify --checksums finds the byte"
ckpt verify --json ck
json out "verify --json of damage"
has out '"good":1,"damaged":4,"gone":0' "counts"
ckpt verify ck/heat 99
expect 65 "verify of no checkpoint"
ckpt verify ck/heat 99 4
expect 1 "verify of one that is there, too"
has out '^damaged  *heat/' "says what that is"
has err '99' "and that the other is not there"
ckpt verify --json ck/wave 98 newest 99
expect 65 "verify of a good one and of none"
json out "is JSON all the same"
has out '"good":1,"damaged":0,"gone":0,"unknown":0' "with the good one"
ckpt verify
expect 64 "verify of nothing"
mkdir none aside aside/t aside/t/.bad-000000000001-0000000000000001
ckpt verify none
expect 65 "verify where there is none"
has err 'there is no committed checkpoint in none' "says so"
ckpt verify --json aside
expect 65 "verify of what was put aside only"
json out "verify --json of none"
rm -r none aside
# A folder that this user may not open: what is in it is not known.
as_user=
if [ "$(id -u)" = 0 ]; then
    as_user="setpriv --reuid 65534 --regid 65534 --clear-groups"
    chmod 755 .
fi
mkdir ck/shut
chmod 700 ck/shut
[ -n "$as_user" ] || chmod 0 ck/shut
# shellcheck disable=SC2086
if $as_user "$repartir" --version >out 2>&1 && [ -r "$PWD/ck" ]; then
    call $as_user "$repartir" ckpt list ck
    expect 0 "list beside a folder that is shut"
    has out '^wave' "tells the others"
    has err 'warning.*cannot open .*ck/shut.*Permission denied' "and warns"
else
    skip "no other user may run repartir here"
fi
rmdir ck/shut
rm -rf ck
cp -r bak ck
ln -sfn /etc "$(folder heat 1)/state.h5"
ckpt verify ck/heat 1
expect 1 "a link"
mv ck/heat ck/real
ln -s real ck/heat
ckpt list ck
hasnt out '^heat' "a task that is a link is not followed"
for verb in list show; do
    ckpt $verb ck/heat
    expect 0 "$verb of a link that was named"
done
rm -rf ck

# ---- files that were made to harm ----
for kind in external-link external-storage virtual plug-in extra missing \
    shape type place twice garbage; do
    cp -r bak ck
    "$make" forge $kind "$(folder heat 4)"
    ckpt verify --checksums ck/heat 4
    expect 0 "$kind: checksums are right"
    ckpt verify ck/heat 4
    expect 1 "$kind: HDF5's look finds it"
    rm -rf ck
done
cp -r bak ck
cat >fake.c <<'END'
#include <io/hdf5/file.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
static const char *why(void) { return "it said so"; }
static rpt_status_t check(const char *path, const struct rpt_hdf5_dataset *sets,
                          size_t n)
{
    (void)sets; (void)n;
#if HARM == 1
    *(volatile int *)8 = 1;
#elif HARM == 2
    abort();
#elif HARM == 3
    for (;;) { }
#elif HARM == 4
    size_t bytes = 0;
    for (;;) {
        char *p = malloc(1 << 28);
        if (!p) return RPT_ERR_CORRUPT;
        if ((bytes += 1 << 28) > (4UL << 30)) return RPT_OK;
    }
#elif HARM == 5
    int a = open(path, O_RDONLY), b = open("/etc/passwd", O_RDONLY);
    int c = open("made", O_WRONLY | O_CREAT, 0666);
    return a >= 0 && b < 0 && c < 0 ? RPT_ERR_CORRUPT : RPT_OK;
#elif HARM == 6
    _exit(0);
#elif HARM == 7
    (void)!write(1, "0", 1);
    close(1);
    sleep(100);
#elif HARM == 8
    int a = open(path, O_RDWR);
    return a >= 0 && write(a, "xx", 2) == 2 ? RPT_OK : RPT_ERR_CORRUPT;
#endif
    return RPT_OK;
}
static const struct rpt_hdf5_ops ops = { .size = sizeof ops, .why = why,
                                         .check = check };
const struct rpt_hdf5_ops *rpt_hdf5_open(int interface)
{
    return interface == RPT_HDF5_INTERFACE + WRONG ? &ops : NULL;
}
END
harm() { # N CODE WORDS TEXT
    ${CC:-cc} -shared -fPIC -I"$SRC" -I"$SRC/include" -DHARM="$1" \
        -DWRONG="${wrong:-0}" fake.c -o fake.so 2>why || { cat why; return; }
    ckpt verify -o "io.hdf5.library=$scratch/fake.so" \
        --option=io.checkpoint.check_s=2s ck/heat 4
    expect "$2" "$4"
    cat out err >both
    has both "$3" "and says so"
}
if [ -e "$RPT_IO_HDF5_LIBRARY" ]; then
    harm 0 0 '1 good' "a library that finds nothing"
    wrong=1 harm 0 65 'another version' "one of another version"
    harm 1 1 'crashed by signal 11' "HDF5 crashes"
    harm 2 1 'crashed by signal 6' "HDF5 aborts"
    harm 3 1 'more than 2 s' "HDF5 never ends"
    harm 4 1 'it said so' "HDF5 takes all memory"
    harm 5 1 'it said so' "HDF5 opens other files"
    harm 6 1 'without an answer' "HDF5 ends the process"
    harm 7 1 'without an answer' "HDF5 closes the pipe"
    harm 8 1 'signal 25|it said so' "HDF5 writes to the file"
    ckpt verify ck/heat 4
    expect 0 "which it has not changed"
    is "$(find . -name 'core*' -o -name made)" '' "no core dump, no file"
    ckpt verify -o io.hdf5.library=/nowhere/lib.so ck/heat 4
    expect 65 "no HDF5"
    has err '^  do .*checksums only' "and what to do"
else
    skip "HDF5 is inside of this build"
fi
ckpt verify -o io.checkpoint.checker=/nowhere/at ck/heat 4
expect 65 "no repartir-checker"
has out '^unknown +heat/' "is no verdict"
ckpt verify -o io.nothing=1 ck/heat
expect 64 "an option that does not exist"

# ---- rm ----
ckpt rm ck/heat 4
expect 65 "the newest is not removed"
has err '^  do .*\(--force\)' "without --force"
hasnt err RPT_ "and without a word of C"
ckpt rm --dry-run ck/heat 1 2
has out '^would remove heat/it-.*1-' "rm --dry-run"
ckpt rm --dry-run ck/heat 1 1 "$(basename "$(ls -d ck/heat/it-*1-*)")"
has out '^1 checkpoints' "one that is named twice goes once"
is "$(ls -d ck/heat/it-* | wc -l)" 4 "removes nothing"
ckpt rm ck/heat 1 77 2
expect 65 "rm of one that is not there"
is "$(ls -d ck/heat/it-* | wc -l)" 2 "removes the others"
ckpt rm --json --force "$(folder heat 4)"
json out "rm --json"
is "$code $(ls -d ck/heat/it-* | wc -l)" "0 1" "rm --force of a path"
ckpt rm ck/heat
expect 64 "rm of a task without --all"
ckpt rm --all ck
expect 64 "rm --all of all tasks"
ckpt rm --all ck/heat 3
expect 64 "rm --all with a name"
ckpt rm --all "$(folder heat 3)"
expect 64 "rm --all of a checkpoint"
ckpt rm --all ck/heat
expect 65 "rm --all without --force"
ckpt rm --all --force ck/heat
is "$code $(ls ck)" "0 wave" "rm --all --force"
ckpt rm
expect 64 "rm of nothing"
rm -rf ck

# ---- prune ----
cp -r bak ck
ckpt prune --keep=2 --dry-run ck
is "$code $(grep -c '^would remove heat' out)" "0 2" "prune --dry-run"
ckpt prune --json --keep 2 --dry-run ck/heat
json out "prune --json"
has out '"dry_run":true,"removed":\[\{.*"iteration":1' "has what would go"
is "$(ls -d ck/*/it-* | wc -l)" 5 "nothing went"
ckpt prune --keep=1 --keep-every=2 ck
is "$(ls -d ck/heat/it-* | wc -l)" 2 "prune --keep --keep-every"
spoil "$(folder heat 4)/state.h5" 2050
ckpt prune --keep=1 --verify ck
expect 65 "prune --verify of a damaged newest one"
is "$(ls -d ck/heat/it-* | wc -l)" 2 "removes nothing"
mkdir ck/heat/.bad-0123456789abcdef
ckpt prune --keep=1 --damaged ck
expect 65 "prune --damaged of a damaged newest one"
has err '^  do .*rm --force' "says how it goes"
is "$(ls -d ck/heat/it-* ck/heat/.bad-* | wc -l)" 3 "removes nothing, too"
ckpt rm --force ck/heat 4
ckpt prune --keep=1 --damaged ck
is "$code $(ls -d ck/heat/it-* ck/heat/.bad-* 2>/dev/null)" \
    "0 $(folder heat 2)" "until it is gone"
rm -rf ck
cp -r bak ck
ckpt prune --keep-bytes=1K ck/heat
is "$code $(ls -d ck/heat/it-*)" "0 $(folder heat 4)" "prune --keep-bytes"
rm -rf ck
cp -r bak ck
sleep 0.1
ckpt prune -o io.checkpoint.keep=9 --keep-age=50ms ck/heat
is "$code $(ls -d ck/heat/it-*)" "0 $(folder heat 4)" "prune --keep-age"
mkdir ck/heat/.bad-0123456789abcdef
spoil ck/wave/it-*/MANIFEST.json 20
ckpt prune ck
is "$(ls -d ck/heat/.bad-* ck/wave/it-* | wc -l)" 2 "damaged ones stay"
ckpt prune --damaged ck
is "$(ls -d ck/heat/.bad-* ck/wave/it-* 2>/dev/null | wc -l)" 0 \
    "but for prune --damaged"
is "$(ls -d ck/heat/it-* | wc -l)" 1 "and the newest good one stays"
ckpt prune "$(folder heat 4)"
expect 64 "prune of a checkpoint"
(cd "$(folder heat 4)" && "$repartir" ckpt prune --keep=1 .) 2>err
is $? 64 "also by ."
ckpt prune --keep=0 ck
expect 64 "prune --keep=0"
ckpt prune --keep-every=x ck
expect 64 "prune --keep-every=x"
ckpt prune
expect 64 "prune of nothing"
rm -rf ck

# ---- beside a job ----
# It saves all the time and keeps three; nothing is in its way, nor in ours.
RPT_IO_CHECKPOINT_KEEP=3 "$make" save ck busy 2 300 5 2>jobsaid &
job=$!
until_true "$repartir" ckpt show ck/busy >/dev/null 2>&1 ||
    bad "the job does not save"
ckpt list --json ck
has out '"open":true' "list knows that a job runs"
ckpt rm --all --force ck/busy
expect 73 "and nobody takes the task away"
: >trouble
rounds=0
while kill -0 $job 2>/dev/null && [ $rounds -lt 25 ]; do
    rounds=$((rounds + 1))
    ckpt list ck
    [ "$code" = 0 ] || sed 's/^/list: /' err >>trouble
    # What is there has its place: each time a newest one that counts.
    grep -q ' committed$' out || sed 's/^/list: /' out >>trouble
    grep -E 'damaged|unreadable' out | sed 's/^/list: /' >>trouble
    ckpt verify ck
    [ "$code" = 0 ] || cat out err >>trouble
    ckpt prune --keep=1 --damaged ck
    [ "$code" = 0 ] || sed 's/^/prune: /' err >>trouble
    ckpt show --read time ck/busy
    [ "$code" = 0 ] || grep -q 'is gone' err || cat err >>trouble
    ckpt diff ck/busy ck/busy
    [ "$code" -le 1 ] || grep -q 'is gone' err || cat err >>trouble
    ckpt path ck/busy
    grep -q '/it-0' out || cat out err >>trouble
    ckpt interval ck/busy
    [ "$code" = 0 ] || sed 's/^/interval: /' err >>trouble
    for how in '' --check --off; do
        # shellcheck disable=SC2086
        ckpt halt $how ck
        [ "$code" = 0 ] || sed "s/^/halt $how: /" err >>trouble
    done
    if [ -e "$RPT_IO_PARQUET_LIBRARY" ]; then
        ckpt export --out=tables --replace ck/busy
        [ "$code" = 0 ] || grep -q 'is gone' err ||
            sed 's/^/export: /' err >>trouble
    fi
done
oldest=$(cd ck/busy && echo it-*)
ckpt rm ck/busy "${oldest%% *}"
[ "$code" = 0 ] || grep -q 'gone\|no checkpoint\|the newest' err || cat err >>trouble
wait $job
is $? 0 "the job ends well beside us ($rounds rounds)"
[ $rounds -ge 3 ] || echo "only $rounds rounds" >>trouble
verdict "and we beside it" trouble
verdict "without a word of the job" jobsaid
is "$(ls -d ck/busy/.old-* ck/busy/.tmp-* ck/busy/.bad-* 2>/dev/null)" '' \
    "nothing is left over"
ckpt verify ck
expect 0 "what is left is good"

# ---- the command line ----
ckpt --help
is "$code $(grep -c '^  [a-z]' out)" "0 10" "ckpt --help lists the verbs"
ckpt
expect 64 "ckpt without a verb"
ckpt shwo
expect 64 "an unknown verb"
has err 'did you mean "show"' "is answered with the nearest"
ckpt --version
has out '^repartir [0-9]' "ckpt --version"
ckpt --nothing
expect 64 "ckpt --nothing"
if [ "$MPIRUN" != no ]; then
    run 2 ckpt list ck
    is "$code $(grep -c ' committed$' out)" \
        "0 $(ls -d ck/busy/it-* | wc -l)" "under mpirun it is said once"
fi
finish
