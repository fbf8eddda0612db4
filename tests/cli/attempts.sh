#!/bin/sh
# Table attempts of repartir query: of tasks that are tried again, killed,
# stopped and resumed, as the journal of their pool and the events of their
# checkpoints tell.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-attempts
mkdir pools

# rows TEXT DIRECTORY SQL: what a statement gives, as CSV, is in `wanted`
rows() {
    run 1 query --dir "$2" --format csv --header no "$3"
    expect 0 "$1: it is answered"
    tr -d '\r' <out >found
    same found wanted "$1"
}

# Writes a line when it has begun, and ends when there is a file go-ID.
cat >waits.sh <<'END'
echo begun >>"$RPT_TASK_ID.begun"
while [ ! -e "go-$RPT_TASK_ID" ]; do sleep 0.02; done
END
# began ID N: it has begun for the N-th time, within half a minute
began() {
    for _ in $(seq 300); do
        [ "$(wc -l 2>/dev/null <"$1.begun" || echo 0)" -lt "$2" ] || return 0
        sleep 0.1
    done
    bad "$1 begins"
}

# ---- retries, and saves ----
cat >sim.sh <<'END'
n=$RPT_CHECKPOINT_ITERATION
for n in $((n + 1)) $((n + 2)); do
    echo "$n" >"$RPT_CHECKPOINT_DIR/n"
    echo "$n" >"$RPT_CHECKPOINT_DIR/COMMIT"
    while [ -e "$RPT_CHECKPOINT_DIR/COMMIT" ]; do sleep 0.02; done
done
sleep 0.2
[ "$n" -ge 6 ] || kill -9 $$
END
cat >tasks <<'END'
{"id": "good", "argv": ["true"]}
{"id": "bad", "argv": ["sh", "-c", "exit 3"], "retries": 1}
{"id": "sim", "argv": ["sh", "sim.sh"], "retries": 2, "checkpoint_interval": 1000}
{"id": "after", "argv": ["true"], "after": ["bad"]}
END
run 1 run --state=pools/s -o pool.checkpoint_dir=saved \
    -o pool.checkpoint_keep=yes -o pool.checkpoint_signal=none tasks
expect 1 "a job with failures"
cat >wanted <<'END'
bad,1,1,0,failed,3,,0,
bad,1,2,0,failed,3,,0,
good,1,1,0,ok,0,,0,
sim,1,1,0,signaled,,9,2,
sim,1,2,0,signaled,,9,2,2
sim,1,3,0,ok,0,,2,4
END
rows "each attempt is a row" pools "SELECT task, job, attempt, rank, status,
    exit_code, signal, checkpoints, resumed_iteration FROM attempts
    ORDER BY task, attempt"
echo '6,6,6,0,0' >wanted
rows "with its host and times" pools/s "SELECT count(host), sum(duration_s >= 0),
    sum(start_time > strftime('%s', 'now') - 600), count(failed_saves),
    (SELECT count(*) FROM attempts WHERE source <> 'journal' OR directory <>
    'pools/s') FROM attempts"
echo '1,1,1,0.0' >wanted
rows "what was lost is in each, and in the task" pools/s "SELECT
    sum(attempt < 3 AND wasted_s BETWEEN 0.1 AND 30) = 2,
    (SELECT abs(wasted_s - (SELECT sum(wasted_s) FROM attempts WHERE
     task = 'sim')) < 1e-6 FROM tasks WHERE id = 'sim'),
    (SELECT checkpoints = 6 AND resumed_iteration = 4 FROM tasks WHERE
     id = 'sim'),
    (SELECT wasted_s FROM attempts WHERE task = 'sim' AND attempt = 3)
    FROM attempts WHERE task = 'sim'"
printf 'failed,2,1\nskipped,0,0\n' >wanted
rows "a task without a start has no attempt" pools/s "SELECT status, attempts,
    (SELECT count(*) > 0 FROM attempts WHERE task = t.id) FROM tasks t
    WHERE id IN ('bad', 'after') ORDER BY id DESC"
cat >wanted <<'END'
sim,,1,,closed,2,0,
sim,,2,,closed,2,0,2
sim,,3,,closed,2,0,4
END
rows "events tell of the same" saved "SELECT task, job, attempt, rank, status,
    checkpoints, failed_saves, resumed_iteration FROM attempts"
echo '3,3,3,0' >wanted
rows "with hosts and times" saved "SELECT count(host), sum(duration_s > 0),
    sum(source = 'events' AND directory = 'saved'), count(wasted_s)
    FROM attempts"

# ---- a job that is killed, one that is stopped, one that ends ----
printf '{"id": "a", "argv": ["sh", "waits.sh"]}\n' >tasks
printf '{"id": "b", "argv": ["true"]}\n' >>tasks
"$repartir" run --state=pools/k tasks >out 2>err &
job=$!
began a 1
for _ in $(seq 300); do
    run 1 query --dir pools/k --format csv --header no \
        "SELECT status, duration_s, exit_code, checkpoints, wasted_s,
         host IS NULL FROM attempts WHERE task = 'a'"
    [ ! -s out ] || break
done
is "$(tr -d '\r' <out)" "running,,,,,0" "one that runs has no end yet"
kill -9 $job
wait $job 2>/dev/null
echo 'lost,,0' >wanted
rows "that of a killed job is lost" pools/k "SELECT status, duration_s,
    host IS NULL FROM attempts WHERE task = 'a'"
echo 'queued,1,1' >wanted
rows "its task is queued" pools/k "SELECT status, attempts, host IS NOT NULL
    FROM tasks WHERE id = 'a'"
"$repartir" run --state=pools/k -o pool.grace_s=100ms tasks >out 2>err &
job=$!
began a 2
kill -TERM $job
wait $job
touch go-a
run 1 run --state=pools/k tasks
expect 0 "the third job ends"
cat >wanted <<'END'
a,1,1,lost
a,2,1,cancelled
a,3,1,ok
b,1,1,ok
END
rows "jobs are numbered" pools/k "SELECT task, job, attempt, status
    FROM attempts ORDER BY task, job"
for n in $(seq 60); do
    printf '{"id": "c%d", "argv": ["true"]}\n' "$n"
done >>tasks
run 1 run --state=pools/k tasks
run 1 run --state=pools/k -o journal.compact_bytes=4KiB tasks
expect 0 "a job that compacts"
printf 'a,,1,ok\nb,,1,ok\nc60,,1,ok\n' >wanted
rows "leaves the last attempt of each task" pools/k "SELECT task, job, attempt,
    status FROM attempts WHERE task IN ('a', 'b', 'c60') ORDER BY task"
finish
