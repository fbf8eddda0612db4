#!/bin/sh
# Tasks that misbehave: each ends in the right way, the job goes on, nothing is
# left behind.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-children
# No other test sleeps for just as long.
number=$$

# The result of a task in the file of results.
result() {
    grep "\"id\":\"$1\"" results
}

mkdir directory
printf '#!/bin/sh\necho no\n' >plain
cat >tasks.jsonl <<END
{"id":"missing","argv":["no-such-program"]}
{"id":"absent","argv":["./absent"]}
{"id":"plain","argv":["./plain"]}
{"id":"directory","argv":["./directory"]}
{"id":"cwd","argv":["true"],"cwd":"/nonexistent"}
{"id":"flood","shell":"yes 0123456789012345678901234567890123456789 | head -c 100000000 >&2; echo done"}
{"id":"deaf","shell":"trap '' TERM; sleep 99.$number & wait; sleep 99.$number","timeout_s":0.3}
{"id":"parent","shell":"(sh -c '(sleep 99.$number & sleep 98.$number) & wait' & ); exit 0"}
{"id":"closer","shell":"exec >&- 2>&-; sleep 0.2; exit 5"}
{"id":"suicide","shell":"kill -SEGV \$\$"}
{"id":"last","shell":"exit 255"}
{"id":"daemon","shell":"setsid sh -c 'exec sleep 97.$number' >/dev/null 2>&1 & exit 0"}
{"id":"reader","argv":["cat"]}
{"id":"good","argv":["echo","good"]}
END
for n in $ranks; do
    [ "$n" != 4 ] || continue
    r="on $n rank(s)"
    run "$n" run --results results -o pool.grace_s=200ms tasks.jsonl
    expect 1 "the job goes on, $r"
    is "$(wc -l <results)" 14 "and every task has a result, $r"
    for id in missing absent plain directory cwd; do
        result $id >one
        has one '"status":"failed","exit_code":null' "$id cannot start, $r"
        has one '"message":"..' "and says why, $r"
    done
    result flood >one
    has one '"status":"ok".*"stdout":"done\\n"' \
        "100 MB to standard error do not block, $r"
    has one '"stderr_dropped":[0-9]{8,}' "most of them are dropped, $r"
    is "$(($(wc -c <one) < 4000000))" 1 "and not kept, $r"
    result deaf >one
    has one '"status":"timeout"' "a task that ignores TERM ends, $r"
    result parent >one
    has one '"status":"ok"' "a parent of orphans ends, $r"
    result closer >one
    has one '"exit_code":5' "one that closes its pipes too, $r"
    result suicide >one
    has one '"status":"signaled","exit_code":null,"signal":11' \
        "a signal is named, $r"
    result last >one
    has one '"status":"failed","exit_code":255' "255 is a code as others, $r"
    result daemon >one
    has one '"status":"ok"' "a daemon does not hold its task, $r"
    result reader >one
    has one '"status":"ok".*"stdout":""' "standard input is empty, $r"
    result good >one
    has one '"stdout":"good\\n"' "what is good stays good, $r"
    sleep 0.2
    for seconds in 97 98 99; do
        is "$(pgrep -fx "sleep $seconds.$number" | wc -l)" 0 \
            "sleep $seconds of a task is gone, $r"
    done
done

# A task may be an MPI program: it is its own job, of one rank.
cat >mpi.c <<'END'
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    int size;
    MPI_Init(&argc, &argv);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    printf("size %d\n", size);
    MPI_Finalize();
    return 0;
}
END
if ${CC:-mpicc} -o mpi mpi.c >compile.log 2>&1; then
    printf './mpi\n./mpi\n' >mpi.tasks
    for n in $ranks; do
        [ "$n" != 4 ] || continue
        run "$n" run mpi.tasks
        is "$code $(sort -u out)" "0 size 1" \
            "an MPI program runs as a task, on $n rank(s)"
    done
else
    skip "${CC:-mpicc} compiles no MPI program"
fi
# Short of descriptors a rank goes on with fewer slots.
for i in $(seq 60); do echo "sh -c 'sleep 0.2; echo $i'"; done >many
# shellcheck disable=SC3045
(ulimit -n 64 && timeout -k 5 60 "$repartir" run --slots 50 --results results many) \
    >out 2>err </dev/null
is "$? $(wc -l <out)" "0 60" "with few descriptors all tasks run all the same"
has err 'fewer than its 50 slots' "and the rank says why it takes longer"

# kill -9 of a keeper leaves nothing of its programs behind.
cat >parents <<END
sh -c 'echo \$PPID >keeper.\$RPT_TASK_ATTEMPT; sleep 96.$number & sleep 95.$number & wait'
END
(
    run 1 run --timeout 2s parents
    echo "$code" >ended
) &
until_true test -s keeper.1 || bad "it does not run"
until_true pgrep -fx "sleep 95.$number" >/dev/null
pgrep -fx "sleep 9[56].$number" >first
kill -9 "$(cat keeper.1)"
none_of_them() {
    for pid in $(cat first); do
        ! grep -q '^State:.[RSD]' "/proc/$pid/status" 2>/dev/null || return 1
    done
}
if until_true none_of_them; then
    ok "a killed keeper leaves no grandchildren"
else bad "a killed keeper leaves no grandchildren"; fi
until_true test -s ended
is "$(cat ended)" 1 "and the task is run again, to its time limit"
finish
