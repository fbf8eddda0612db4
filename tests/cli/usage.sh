#!/bin/sh
# The command line: what is wrong is said once, with exit code 64, on any
# number of ranks; help and versions are there everywhere.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-usage
echo true >tasks

for n in $ranks; do
    r="on $n rank(s)"
    run "$n"
    expect 64 "no command: usage, $r"
    run "$n" rum tasks
    expect 64 "unknown command, $r"
    has err 'did you mean "run"' "the nearest command is named, $r"
    run "$n" run --timout=1 tasks
    expect 64 "unknown option, $r"
    is "$(grep -c 'did you mean --timeout' err)" 1 \
        "the nearest option is named, once, $r"
    run "$n" run -o pool.slot=1 tasks
    expect 64 "unknown option of the library, $r"
    is "$(grep -c 'pool.slots' err)" 1 "the nearest one is named, once, $r"
    run "$n" run
    expect 64 "no file, $r"
    run "$n" run -o pool.slots=many tasks
    expect 64 "bad value of an option of the library, $r"
done

for arguments in '--qqqq tasks' '-Z tasks' '-o novalue tasks' '-o =1 tasks' \
    '--timeout=soon tasks' '--timeout=-1 tasks' '--retries=-1 tasks' \
    '--retries=x tasks' '--max-failures=0 tasks' '--output=loud tasks' \
    '--format=xml tasks' '--progress=maybe tasks' '--slots=x tasks' \
    '--slots tasks' '--memory=much tasks' '--grace=x tasks' 'tasks tasks' \
    '--each tasks' '--each tasks --' '--each tasks --format=json -- true' \
    '--output-dir=d tasks'; do
    # shellcheck disable=SC2086
    run 1 run $arguments
    expect 64 "run $arguments"
    [ -s err ] || bad "run $arguments: nothing was said"
done
for arguments in 'status' 'status a b' 'status --jsn d' 'submit' 'submit d' \
    'submit d a b' 'submit --each f d' 'submit --format=x d f' 'cancel' \
    'cancel d' 'info x' 'info --options=pdf' '--qqq' 'explain' 'explain alreduce' \
    'explain scan scan --type=f99' 'explain scan --ranks=0' \
    'explain scan --ranks=9999999999' 'explain scan --count=-1' \
    'explain scan -o x' 'explain scan -o coll.stage_bytes=much'; do
    # shellcheck disable=SC2086
    run 1 $arguments
    expect 64 "$arguments"
done
run 1 run --output=lime tasks
has err 'did you mean "line"' "the nearest value is named"

version=$(sed -n 's/^release=//p' "$SRC/VERSION")
for command in '' run status submit cancel info explain tune bench; do
    # shellcheck disable=SC2086
    run 1 $command --help
    expect 0 "repartir $command --help"
    has out 'Usage:' "repartir $command --help says how"
    # shellcheck disable=SC2086
    run 1 $command --version
    is "$code $(cat out)" "0 repartir $version" "repartir $command --version"
    # shellcheck disable=SC2086
    run 1 $command --usage
    is "$code" 0 "repartir $command --usage"
done
if [ "$MPIRUN" != no ]; then
    run 2 run --help
    is "$code $(grep -c Usage: out)" "0 1" "help is printed once on 2 ranks"
    run 2 --version
    is "$code $(cat out)" "0 repartir $version" "and the version"
fi
echo true >one
run 1 run --results same --joblog ./same one
expect 64 "results and joblog in one file"
run 1 run -o pool.resources=gpu one
expect 64 "a value that an option cannot have"

# ---- launchers that make no ranks of us ----
other=mpirun.mpich
[ "$MPIRUN" = no ] || ! "$MPIRUN" --version 2>&1 | grep -q HYDRA ||
    other=mpirun.openmpi
if [ "$MPIRUN" != no ] && command -v $other >/dev/null 2>&1; then
    call $other -n 2 "$repartir" run one
    expect 64 "the launcher of another MPI is refused"
    is "$(grep -c 'started 2 processes' err)" 1 "which is said once"
else
    skip "there is no launcher of another MPI"
fi
SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=0 run 1 run one
expect 0 "srun without a plugin for MPI"
has err 'warning: srun started 4 .*--mpi=pmix' "is warned of"
SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=1 run 1 run one
hasnt err 'warning' "once"
finish
