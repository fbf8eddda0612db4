#!/bin/sh
# Options of repartir run, over 1, 2 and 4 ranks.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-run

for i in $(seq 40); do echo "echo task $i"; done >tasks
seq -f 'task %.0f' 40 >expected
for n in $ranks; do
    r="on $n rank(s)"
    run "$n" run --keep-order --results results --joblog log tasks
    expect 0 "40 tasks succeed, $r"
    same out expected "their output is in order, $r"
    is "$(wc -l <results)" 40 "40 results, $r"
    is "$(wc -l <log)" 41 "a joblog of 40, $r"
    has err "40 tasks on $n ranks?: 40 ok" "the report counts them, $r"
    hasnt err 'failed|next' "and has nothing to complain of, $r"
    run "$n" run tasks
    sort out >sorted
    sort expected >all
    same sorted all "without --keep-order all output is there, $r"
done

cat >mixed <<'END'
true
false
sh -c 'echo why >&2; exit 7'
sh -c 'kill -9 $$'
missing-program
true
END
for n in $ranks; do
    [ "$n" != 4 ] || continue
    run "$n" run --results results mixed
    expect 1 "failed tasks give 1, on $n rank(s)"
    has err '6 tasks on . ranks?: 2 ok, 3 failed, 1 signaled' "they are counted"
    has err 'mixed:3, task [0-9a-z]*: exit code 7: why' "named with a reason"
    has err 'mixed:4, .*signal 9' "signals too"
    has err 'mixed:5, .*missing-program' "and what could not start"
    is "$(grep -c '"status":"failed"' results)" 3 "results say so"
    has results '"status":"signaled","exit_code":null,"signal":9' "and why"
done
for i in $(seq 15); do echo false; done >many
run 1 run many
is "$(grep -c 'exit code 1' err)" 10 "ten failures are listed"
has err 'and 5 more' "the rest is counted"

# GNU parallel reads our log, and we write the same values.
printf 'true\nexit 3\necho hello world\n' >shell
run 1 run --shell --joblog log shell
cut -f 1,5-9 log | sort >ours
cat >theirs <<'END'
1	0	0	0	0	true
2	0	0	3	0	exit 3
3	0	12	0	0	echo hello world
Seq	Send	Receive	Exitval	Signal	Command
END
same ours theirs "the joblog has the columns of GNU parallel"
if command -v parallel >/dev/null 2>&1; then
    parallel --will-cite --joblog plog <shell >/dev/null 2>&1
    cut -f 1,5-9 plog | sort >theirs
    same ours theirs "and its values"
else
    skip "GNU parallel is not installed"
fi

# Retries and time limits.
cat >flaky <<'END'
{"id":"flaky","argv":["sh","-c","echo $RPT_TASK_ATTEMPT; test $RPT_TASK_ATTEMPT = 3"]}
{"id":"never","argv":["false"],"retries":0}
END
run 1 run --retries=3 -o pool.backoff_s=1ms --results results flaky
expect 1 "--retries"
has results '"id":"flaky".*"status":"ok".*"attempts":3' "a task succeeds at last"
has results '"id":"never".*"attempts":1' "one says for itself"
echo 'sleep 50' >slow
run 1 run --timeout=300ms --results results slow
expect 1 "--timeout ends a task"
has results '"status":"timeout"' "and says so"
has err 'its time was over' "also in the report"

# Stopping at failures.
{ echo false; for i in $(seq 200); do echo "sh -c 'sleep 0.2; echo x >>f$i'"
done; } >fails
run 1 run --slots=1 --fail-fast fails
expect 1 "--fail-fast"
is "$(find . -name 'f[0-9]*' | wc -l)" 0 "nothing is started after a failure"
{ for i in $(seq 500); do echo false; done; cat fails; } >fails500
run 1 run --slots=1 --max-failures=3 fails500
expect 1 "--max-failures"
has err ', [3-9]?[0-9] failed, [67][0-9][0-9] not done' \
    "stops soon after the third"

# Slots, dry run, templates.
for i in 1 2 3 4 5 6; do echo 'sh -c "echo $RPT_TASK_SLOT"'; done >slots
run 1 run --slots=1 --shell slots
is "$(sort -u out)" 1 "--slots=1: one after another"
run 1 run --dry-run --each tasks -- touch '{#}' 'a b'
is "$code $(head -n 2 out | tr '\n' ,)" "0 touch 1 'a b',touch 2 'a b'," \
    "--dry-run prints the commands"
is "$(find . -name 1)" "" "and runs none"
printf 'a/b.txt\nc d.tar.gz\n' >values
run 1 run --keep-order --each values -- echo '{}' '{.}' '{/}' '{//}' '{/.}' \
    '{#}'
printf '%s\n' 'a/b.txt a/b b.txt a b 1' \
    'c d.tar.gz c d.tar c d.tar.gz . c d.tar 2' >expected
same out expected "--each replaces as GNU parallel does"
if command -v parallel >/dev/null 2>&1; then
    parallel --will-cite -kq echo '{}' '{.}' '{/}' '{//}' '{/.}' '{#}' \
        <values >expected 2>/dev/null
    same out expected "checked against it"
fi
run 1 run --slots=2 --each values -- echo 's{%}' '$HOME' '{}'
is "$(sed 's/[12] /N /;s/ [ac].*//' out | sort -u)" 'sN $HOME' \
    "{%} is a slot, and nothing else is expanded"
run 1 run --keep-order --shell --each values -- 'echo {/.} | tr a-d A-D'
is "$(tr '\n' , <out)" "B,C D.tAr," "--shell with --each quotes the value"
run 1 run --keep-order --each values -- echo
is "$(tr '\n' , <out)" "a/b.txt,c d.tar.gz," "a template without {} gets it"

# Options of the library.
run 1 run -o pool.capture_bytes=4 --option pool.slots=1 --results results tasks
has results '"stdout":"task".*"stdout_dropped":' "-o sets an option"
has err 'more output than is kept' "and the report says what was cut"
echo 'pool.slots = 1' >repartir.conf
run 1 run --shell slots
is "$(sort -u out)" 1 "repartir.conf counts"
rm repartir.conf
RPT_POOL_SLOTS=1 run 1 run --shell slots
is "$(sort -u out)" 1 "so does the environment"

# Progress.
for i in 1 2 3 4; do echo "sleep 0.4"; done >naps
run 1 run --slots=1 --progress=always naps
has err '\[#+\.*\]' "--progress=always shows a bar"
run 1 run --slots=1 --progress=never naps
hasnt err '\[#' "--progress=never shows none"
run 1 run --slots=1 --progress=auto naps
hasnt err '\[#' "nor does auto in a log"
if command -v script >/dev/null 2>&1; then
    timeout 60 script -qec "'$repartir' run --slots=1 naps" terminal \
        >/dev/null 2>&1
    has terminal '\[#+\.*\]' "on a terminal there is a bar"
else
    skip "script is not installed: no terminal"
fi

# One process without mpirun makes no MPI call; a job in a job is its own.
echo "$repartir run $scratch/shell --shell" >inner
run "$(echo "$ranks" | cut -d ' ' -f 2)" run inner
has err '1 failed' "a repartir as a task"
has err '3 tasks on 1 rank' "is a job of one rank"
finish
