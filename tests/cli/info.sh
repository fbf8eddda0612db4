#!/bin/sh
# repartir info: version, options, machine and ranks, as text and as JSON.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-info
version=$(sed -n 's/^release=//p' "$SRC/VERSION")
for n in $ranks; do
    r="on $n rank(s)"
    run "$n" info
    expect 0 "info, $r"
    is "$(grep -c "^repartir $version" out)" 1 "it is printed once, $r"
    has out 'pool.slots .*default' "with options and where they come from, $r"
    run "$n" info --json
    expect 0 "info --json, $r"
    has out "^\{\"version\":\"$version\".*\"n_ranks\":$n," "counts ranks, $r"
    is "$(grep -o '"rank":[0-9]*,"node"' out | wc -l)" "$n" \
        "and says where each sits, $r"
    is "$(grep -o '"name":"' out | wc -l)" \
        "$("$repartir" info --options=conf | grep -c '^#[a-z]*\.')" \
        "and has every option, $r"
    if command -v python3 >/dev/null 2>&1; then
        python3 -c 'import json,sys; json.load(open("out"))' 2>why ||
            echo 'not JSON' >>why
        verdict "it is JSON, $r" why
    fi
done
run 1 info
has out '^costs    step \([0-9.]+ us\), ' "what was not measured is in brackets"
hasnt out '^rules ' "there are no rules"
RPT_POOL_SLOTS=3 run 1 info
has out 'pool.slots +3 +environment' "the environment is named"
echo 'pool.slots = 2' >repartir.conf
run 1 info
has out 'pool.slots +2 +file repartir.conf' "a file too"
echo 'pool.slost = 2' >repartir.conf
run 1 info
has err 'pool.slots' "an unknown name is answered with the nearest"
RPT_POOL_SLOTS=x run 1 info
expect 65 "a bad value in the environment"
# The tables need neither ranks nor MPI.
call env -i PATH="$PATH" "$repartir" info --options=md
expect 0 "info --options=md"
has out '^\| `pool.slots` \| `RPT_POOL_SLOTS`' "has names and variables"
finish
