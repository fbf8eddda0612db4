#!/bin/sh
# State directories: resume, signals, kills, requests, full disks.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-state
most=$(echo "$ranks" | tr ' ' '\n' | grep -vx 4 | tail -n 1)

# Starts a job in the background: start N ARGUMENTS...
start() {
    n_run=$1
    shift
    if [ "$n_run" = 1 ]; then
        "$repartir" "$@" >out 2>err </dev/null &
    else
        "$MPIRUN" -n "$n_run" "$repartir" "$@" >out 2>err </dev/null &
    fi
    job=$!
}

# Waits for it, a minute at most.
finish_job() {
    (
        sleep 60
        kill -9 $job
    ) 2>/dev/null &
    guard=$!
    code=0
    wait $job 2>/dev/null || code=$?
    kill $guard 2>/dev/null
    wait $guard 2>/dev/null
}

# Tasks that write down each time they run.
task_file() {
    for i in $(seq "$1"); do
        echo "sh -c 'sleep $2; echo $i >>$scratch/ran'"
    done
}

# ---- resume ----
task_file 20 0.01 >tasks
for n in $ranks; do
    [ "$n" != 4 ] || continue
    r="on $n rank(s)"
    rm -rf ran
    run "$n" run --state "s$n" --results results --joblog log tasks
    expect 0 "a job with a state directory, $r"
    is "$(wc -l <ran)" 20 "20 tasks ran, $r"
    run 1 run --state "s$n" --results results --joblog log tasks
    expect 0 "the same again, $r"
    is "$(wc -l <ran)" 20 "runs nothing, $r"
    is "$(wc -l <results) $(wc -l <log)" "20 21" "and has all results, $r"
    has err 'resumed 20' "which the report says, $r"
done
echo "sh -c 'echo new >>$scratch/ran'" >tasks2
cat tasks >>tasks2
run 1 run --state s1 tasks2
is "$code $(wc -l <ran)" "0 21" "a line in front is the only one to run"
printf 'false\ntrue\n' >mixed
run 1 run --state sm mixed
expect 1 "a job with a failed task"
has err 'next .*--retry-failed' "and what to type next"
run 1 run --state sm mixed
expect 1 "the failure is known when it is resumed"
has err 'resumed 2' "and not run again"
run 1 run --state sm --retry-failed mixed
expect 1 "--retry-failed"
has err 'resumed 1' "runs it again"
echo 'echo once' >once
run 1 run --state so once
is "$(cat out)" once "output is printed"
run 1 run --state so --results results once
is "$(cat out)" '' "and not again on resume"
has results '"stdout":"once\\n"' "but is in the results"

# ---- signals ----
task_file 12 0.4 >slow
for signal in USR1 TERM INT; do
    for n in $ranks; do
        [ "$n" != 4 ] || continue
        # Open MPI answers TERM and INT by itself; USR1 it passes on.
        [ "$n" = 1 ] || [ $signal = USR1 ] || continue
        rm -rf ran
        state=s$signal$n
        start "$n" run --slots=1 --state "$state" --results results slow
        until_true test -s ran || bad "no task ran"
        kill -$signal $job
        finish_job
        expect 75 "$signal gives 75, on $n rank(s)"
        has err 'not done' "what is left is counted, on $n rank(s)"
        has err 'next .*repartir run .*--state' "and the command, on $n rank(s)"
        is "$(sort -u ran | wc -l)" "$(wc -l <ran)" "nothing ran twice"
        is "$(grep -c '"status":"ok"' results)" "$(wc -l <ran)" \
            "what ran was let end, on $n rank(s)"
        run 1 run --state "$state" --results results slow
        expect 0 "and resumed, on $n rank(s)"
        is "$(sort ran | uniq | wc -l) $(wc -l <ran)" "12 12" \
            "everything ran once, on $n rank(s)"
        is "$(sed 's/.*"id":"\([^"]*\)".*/\1/' results | sort -u | wc -l)" 12 \
            "and has one result, on $n rank(s)"
    done
done
echo "sh -c 'echo x >>$scratch/began; sleep 50.$$'" >long
rm -f began
start 1 run --grace=200ms --state sg long
until_true test -s began || bad "no task began"
kill -USR1 $job
finish_job
expect 75 "--grace ends what takes longer"
rm -f began
start 1 run --state sg long
until_true test -s began || bad "no task began"
kill -INT $job
until_true grep -q 'one more' err || bad "the first signal was not answered"
kill -INT $job
finish_job
expect 75 "a second signal ends at once"
sleep 0.3
is "$(pgrep -fx "sleep 50.$$" | wc -l)" 0 "with everything that ran"
has err '^  next .* run --state sg long' "and says how to go on"
run 1 status --check sg
is "$code $(cat out err)" "75 " "status --check: tasks are left"
if [ "$most" -gt 1 ] && "$MPIRUN" --version 2>&1 | grep -q 'Open MPI'; then
    rm -f began
    start "$most" run --state sg long
    until_true test -s began || bad "no task began"
    kill -TERM $job
    finish_job
    has err 'mpirun, which ends its ranks' "TERM to mpirun is told apart"
    has err '^  next ' "and the report says how to go on"
    run 1 status --check sg
    expect 75 "what ran is left to run"
fi
start 1 run --grace=100ms long
until_true test -s began
sleep 0.2
kill -USR1 $job
finish_job
expect 75 "interrupted without a state directory"
has err 'with --state DIR only the rest would run' "and what would help"

# No process has this in its command line.
nobody() {
    ! pgrep -f -- "$1" >/dev/null
}

# The process of a rank of the job with the state directory sk.
process_of_rank() {
    for pid in $(pgrep -x repartir); do
        if tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q ' --state sk ' &&
            tr '\0' '\n' <"/proc/$pid/environ" |
            grep -qxE "(OMPI_COMM_WORLD_RANK|PMI_RANK)=$1"; then
            echo "$pid"
        fi
    done 2>/dev/null
}

# ---- kill -9: the command itself, a worker, the launcher ----
round() { # NAME VICTIM (a rank, or job) N
    rm -rf ran sk
    start "$3" run --slots=1 --state sk --results results tasks
    until_true test -s ran || bad "no task ran"
    case $2 in
    job) kill -9 $job ;;
    *) kill -9 "$(process_of_rank "$2")" ;;
    esac
    finish_job
    # Whoever is left ends by itself.
    until_true nobody '--state sk --results results tasks' ||
        bad "$1: processes are left"
    until_true nobody "$scratch/ran" ||
        bad "$1: tasks are left"
    run 1 run --state sk --results results tasks
    expect 0 "$1: resumed"
    is "$(sort -u ran | wc -l)" 20 "$1: every task ran"
    is "$(sed 's/.*"id":"\([^"]*\)".*/\1/' results | sort -u | wc -l)" \
        "$(wc -l <results)" "$1: and has one result"
    is "$(wc -l <results)" 20 "$1: all of them"
}
task_file 20 0.05 >tasks
round "kill -9 of one process" job 1
if [ "$most" -gt 1 ]; then
    round "kill -9 of a worker" 1 2
    round "kill -9 of rank 0" 0 2
    round "kill -9 of mpirun" job 2
fi

# ---- two jobs, damage ----
echo 'sleep 8' >three
start 1 run --state two --results first three
until_true "$repartir" status two >/dev/null || bad "no state directory"
until_true sh -c "'$repartir' status two | grep -q ' running,'" ||
    bad "the job does not run"
echo kept >second
run 1 run --state two --results second three
expect 73 "a second job on the same directory is refused"
is "$(cat second)" kept "and has spoiled nothing"
run "$most" run --state two three
expect 73 "on several ranks too"
is "$(grep -c '^repartir:' err)" 1 "and it is said once"
run 1 status --json two
has out '"running":true' "status --json: it runs"
finish_job
expect 0 "the first job ends well"
run 1 status --json --tasks two
has out '"running":false.*"n_tasks":1.*"ok":1.*"tasks":\[\{"id":.*"status":"ok"' \
    "status --json --tasks: it has ended"
run 1 status --tasks two
has out '^1 tasks: 0 queued, 0 running, 1 ok' "status counts"
has out '^[^ ]+ +ok +0 ' "status --tasks lists"
run 1 status --check two
is "$code $(cat out err)" "0 " "status --check: all is well"
run 1 status --check sm
is "$code $(cat out err)" "1 " "status --check: a task failed"
run 1 status nowhere
expect 65 "no state directory"
run 1 status --check nowhere
expect 65 "nor for --check"
run 1 run --state /proc/no three
is "$((code == 74 || code == 65))" 1 "one that cannot be made"

# ---- files that cannot be written ----
run 1 run --results /nonexistent/r tasks
expect 74 "results that cannot be opened"
run "$most" run --joblog /nonexistent/r tasks
expect 74 "a joblog that cannot be opened, on several ranks"
run 1 run --results /dev/full tasks
expect 74 "results on a full disk"
has err 'No space left' "and the reason"
echo 'echo x' >speak
"$repartir" run speak >/dev/full 2>err
is $? 74 "standard output on a full disk"
mkdir small
if mount -t tmpfs -o size=64k none small 2>/dev/null; then
    for i in $(seq 400); do
        echo "sh -c 'echo $i; head -c 2000 /dev/zero | tr -c x x'"
    done >big
    run "$most" run --state small/s big
    expect 74 "a state directory on a full disk"
    has err 'No space left|no space' "and the reason"
    is "$(grep -c '^  why ' err)" 1 "which is said once"
    mount -o remount,size=64m small
    run 1 run --state small/s --results results big
    expect 0 "is resumed when there is room"
    is "$(wc -l <results)" 400 "with all results"
    mount -o remount,size=1m small
    for i in $(seq 40); do
        echo "sh -c 'head -c 100000 /dev/zero || exit 3'"
    done >big
    run "$most" run --output=files --output-dir small/out --state sd big
    expect 74 "a full disk for the files of tasks"
    has err 'the disk of .*small/out is full' "which the report says"
    umount small
else
    skip "no file system can be mounted here"
fi

# ---- submit, cancel ----
cat >jobs.jsonl <<END
{"id":"hold","argv":["sh","-c","while ! test -e $scratch/go; do sleep 0.05; done"]}
{"id":"victim","argv":["sh","-c","touch $scratch/victim; sleep 60"]}
{"id":"queued","argv":["touch","$scratch/queued"],"after":["hold"]}
END
cat >added.jsonl <<END
{"id":"added","argv":["touch","$scratch/added"],"after":["hold"]}
END
echo "touch '$scratch/plain file'" >added
start "$most" run --slots=2 --state sq --results results \
    -o pool.grace_s=100ms jobs.jsonl
until_true test -e victim || bad "the job does not run"
# What it has submitted is on the disk within journal.commit_s.
until_true sh -c "'$repartir' status --tasks sq | grep -q '^queued '" ||
    bad "the job wrote nothing down"
run 1 submit sq added.jsonl
expect 0 "submit"
run 1 submit --shell sq added
expect 0 "submit --shell"
run 1 submit --format=json sq added
expect 65 "submit --format"
printf 'each1\neach2\n' >values
run 1 submit --each values sq -- touch "$scratch/{}"
expect 0 "submit --each"
until_true sh -c "'$repartir' status --tasks sq | grep -q '^added '" ||
    bad "the job did not take the task"
run 1 submit sq added.jsonl
expect 65 "an id that the job has"
printf '{"argv":["true"],"after":["nobody"]}\n' >bad.jsonl
run 1 submit sq bad.jsonl
expect 65 "a dependency that it does not have"
: >empty
run 1 submit sq empty
expect 0 "an empty file adds nothing"
run 1 cancel sq queued nobody
expect 65 "cancel of an unknown task"
has err 'nobody' "which is named"
run 1 cancel sq queued victim
expect 0 "cancel"
until_true sh -c "'$repartir' status --tasks sq | grep -q '^victim  *cancelled'" ||
    bad "the task was not cancelled"
touch go
finish_job
expect 1 "the job ends, two tasks were cancelled"
for file in added 'plain file' each1 each2; do
    is "$(find . -name "$file")" "./$file" "the added task $file ran"
done
is "$(find . -name queued)" '' "a cancelled one did not"
is "$(grep -c '"status":"cancelled"' results)" 2 "results say so"
run 1 submit sq added.jsonl
expect 65 "submit when no job runs"
run 1 cancel sq hold
expect 65 "cancel when no job runs"
run 1 submit nowhere added
expect 65 "submit to no directory"
run 1 cancel nowhere x
expect 65 "cancel in no directory"
rm -f added each1
run 1 run --state sq --results results jobs.jsonl
has err '7 tasks' "the added tasks belong to the job when it is resumed"
is "$(wc -l <results)" 7 "with their results"
is "$(find . -name added -o -name each1)" '' "and do not run again"

# Whatever was accepted has run, also at the very end of the job.
n_accepted=0
for i in 1 2 3 4 5 6 7 8 9; do
    rm -rf se late.*
    echo "sleep 0.2" >short
    start 1 run --state se short
    until_true "$repartir" status se >/dev/null
    sleep 0.1$i
    for k in 1 2 3; do
        echo "touch $scratch/late.$k" >late
        "$repartir" submit se late 2>/dev/null && echo "late.$k" >>accepted.$i
    done
    until_true sh -c "'$repartir' status se | grep -q 'not running'" ||
        bad "the job does not end"
    for file in $(cat accepted.$i 2>/dev/null); do
        n_accepted=$((n_accepted + 1))
        [ -e "$file" ] || bad "$file was accepted and has not run (round $i)"
    done
done
ok "what a job accepted has run ($n_accepted tasks)"

# A request that nobody can run is dropped, and the job says so by its code.
rm -f go
echo "sh -c 'while ! test -e $scratch/go; do sleep 0.05; done'" >waits
start 1 run --state si waits
until_true "$repartir" status si >/dev/null
echo '{"argv":["true"],"slots":9999}' >wide.jsonl
run 1 submit si wide.jsonl
touch go
cp err submitted
finish_job
expect 1 "a request that was dropped makes the job end with 1"

# ---- numbers of tasks without id ----
printf 'sleep 5.%s\nsleep 6.%s\nsleep 0.1\n' $$ $$ >n1
start 1 run --slots 1 --state sn n1
until_true sh -c "'$repartir' status sn | grep -q '1 running'" ||
    bad "no task runs"
kill -9 $job
finish_job
printf 'sleep 0.3\nsleep 7.%s\nsleep 5.%s\nsleep 6.%s\nsleep 0.1\n' \
    $$ $$ $$ >n2
start 1 run --slots 5 --state sn --results results n2
until_true sh -c "'$repartir' status sn | grep -q '5 tasks: 0 queued'" ||
    bad "not all tasks run"
is "$("$repartir" status --tasks sn | awk 'NR > 3 { print $1 }' | sort |
    tr '\n' ' ')" "1 2 3 4 5 " "numbers are those of the last job"
run 1 cancel sn 2 3 4
finish_job
is "$(grep -c '"status":"cancelled"' results)" 3 "so cancel finds the right ones"
has results '"id":"2","argv":\["sleep","7.*"cancelled"' "by number"
printf 'true\n' >n3
run 1 run --state sn n3
run 1 status --tasks sn
has out '^1@2 .*' "what this job has not submitted has the number of another"
printf '{"argv":["true"]}\n{"id":"1","argv":["true"]}\n' >mixed.jsonl
run 1 run mixed.jsonl
expect 65 "an id that may be another task's number is refused"
has err 'mixed.jsonl:2: the id "1"' "with its line"

# ---- a state directory that goes away ----
for i in $(seq 20); do echo "sleep 0.1"; done >naps
start 1 run --slots 1 --state gone naps
until_true sh -c "'$repartir' status gone | grep -q ' [1-9][0-9]* ok'"
rm -rf gone
finish_job
expect 74 "without its state directory a job ends with 74"

# ---- signals before anything runs ----
mkfifo never
start 1 run --state sx never
sleep 0.3
kill -USR1 $job
finish_job
expect 75 "USR1 while the list is read"
has err 'before anything ran' "and says so"

# ---- where output goes ----
printf '{"id":"a/b","shell":"echo out; echo err >&2"}\n{"argv":["echo","x"]}\n' \
    >files.jsonl
for n in $ranks; do
    [ "$n" != 4 ] || continue
    rm -rf sf
    run "$n" run --output=files --state sf --results results files.jsonl
    expect 0 "--output=files, on $n rank(s)"
    is "$(cat out)" '' "prints nothing"
    is "$(cat sf/output/a%2Fb.out sf/output/a%2Fb.err | tr '\n' ,)" \
        "out,err," "writes files"
    path=$(sed -n 's/.*"argv":\["echo.*"stdout_path":"\([^"]*\)".*/\1/p' results)
    is "$(cat "$path")" x "that the results name"
done
run 1 run --output=files --output-dir=here files.jsonl
is "$(find here -type f | wc -l)" 4 "--output-dir"
run 1 run --output=none --results results files.jsonl
is "$code $(cat out)" "0 " "--output=none drops everything"
has results '"stdout":"","stderr":""' "also in the results"
cat >lines.jsonl <<'END'
{"shell":"for i in 1 2 3 4 5; do echo a$i; sleep 0.05; done; printf end"}
{"shell":"for i in 1 2 3 4 5; do echo b$i; sleep 0.05; done; echo e >&2; exit 3"}
END
for n in $ranks; do
    [ "$n" != 4 ] || continue
    run "$n" run --slots=2 --output=line --results results lines.jsonl
    expect 1 "--output=line, on $n rank(s)"
    is "$(grep -cE '^([ab][1-5]|end)$' out) $(wc -l <out)" "11 11" \
        "keeps lines whole"
    is "$(grep ^a out | tr '\n' ,)" "a1,a2,a3,a4,a5," "and in order"
    has results '"stdout":"a1\\na2\\na3\\na4\\na5\\nend"' "results have it too"
    has err 'exit code 3: e' "and the report its last line"
done
run 1 run --slots=2 --output=line --keep-order lines.jsonl
is "$(tr '\n' , <out)" "a1,a2,a3,a4,a5,endb1,b2,b3,b4,b5," \
    "--keep-order puts one behind the other"
finish
