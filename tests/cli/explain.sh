#!/bin/sh
# repartir explain: what each algorithm would do, without ranks or MPI.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-explain

for operation in allreduce reduce broadcast barrier allgather gather scatter \
    reduce-scatter alltoall scan exscan; do
    run 1 explain $operation --ranks=5 --count=1000 --type=f64 --root=3
    expect 0 "explain $operation"
    is "$(grep -c '^\*' out)" 1 "one algorithm is chosen, $operation"
    has out '^steps of rank 0' "its steps are there, $operation"
done
call env -i PATH="$PATH" "$repartir" explain allreduce --ranks=4096 --nodes=64 \
    --count=1000000
expect 0 "thousands of ranks"
has out '^  flat +cannot do this call: it needs all ranks on one node' \
    "what needs one node cannot"
run 1 explain allreduce --ranks=2 --nodes=1 --count=1
has out '^  halving +cannot do this call: it needs at least as many elements' \
    "what cannot says why"
for nodes in 1 2; do
    run 1 explain allreduce --ranks=3 --nodes=$nodes --count=100
    has out '^  mixed +cannot do this call: it needs more ranks$' \
        "three ranks on $nodes nodes are too few"
done
# 2 (p-1) segments, and 2 (p-1)/p n elements of 4 bytes: for p = 4, n = 400.
run 1 explain allreduce --ranks=4 --nodes=2 --count=400 -o \
    coll.allreduce.algorithm=ring
has out '^\* ring +[0-9]+ +6 +2400 +0 +1200 ' "the ring costs what it should"
has out 'send to 1: in\[0\], 100$' "and begins with its own block"
run 1 explain barrier --ranks=64 --domains=2
has out '^they are in 2 domains, of 32 to 32$' "domains are named"
has out '^[ *] two-level +[0-9]+ +0 ' "what goes by domains can"
run 1 explain barrier --ranks=64 --nodes=4 --domains=3
has out '^those of a node are in 3 domains, of 5 to 6$' "inside nodes, too"
run 1 explain barrier --ranks=4 --domains=3
has out '^  two-level +cannot do this call' "domains of one rank are none"
run 1 explain barrier --domains=0
expect 64 "no domain at all"
run 1 explain barrier --domains=5000
expect 64 "more domains than an option may have"
run 1 explain barrier --domains=3
expect 64 "more domains than ranks"
has err '\-\-domains=3: a node has 2 ranks at most' "which is said"
run 1 explain barrier --ranks=9 --nodes=4 --domains=4
expect 64 "more domains than ranks of a node"
has err '\-\-domains=4: a node has 3 ranks at most' "which is said"
run 1 explain barrier --ranks=9 --nodes=4 --domains=3
expect 0 "as many domains as ranks of a node"
run 1 explain allreduce --op=coll.allreduce.algorithm=ring
expect 64 "--op is not taken for --option"
has err 'there is no option --op: ' "which is said"
run 1 explain allreduce --ranks=4 --count=100 --opt coll.allreduce.algorithm=ring
expect 0 "--opt is"
has out '^\* ring ' "and does what it should"
run 1 explain reduce --ranks=4 --option=coll.reduce.algorithm=nonsense
expect 65 "an algorithm that is not there"
refused() { # algorithm, why, arguments
    algorithm=$1 why=$2
    shift 2
    run 1 explain "$@" -o "coll.$1.algorithm=$algorithm"
    expect 65 "$algorithm cannot do this $1"
    has err "$why" "and says why"
    has err "do .*leave coll.$1.algorithm out" "and what to do"
}
refused ring 'at least as many elements as ranks' allreduce --ranks=4
refused ring 'bits depend on the layout' allreduce --ranks=4 \
    -o coll.reproducible=yes
refused ring 'bits depend on the layout' allreduce --ranks=4 --count=100 \
    -o coll.reproducible=yes
refused ring 'more ranks' allreduce --ranks=1
refused flat 'on one node' allreduce --ranks=4 --nodes=2
refused flat 'shared memory has room' allreduce --ranks=4 --count=200000000
refused two-level 'several nodes' allreduce --ranks=4
refused binomial 'more ranks' gather --ranks=2
run 1 explain allreduce allgather
expect 64 "two operations"
has err 'one operation is enough' "which is said"
run 1 explain allredoos
expect 64 "no such operation"
has err ': OPERATION: there is no "allredoos"' "which is no option"
run 1 explain allreduce --ranks=99999999999
expect 64 "too many ranks"
has err 'from 1 to 1000000000' "and how many there may be"
run 1 explain broadcast --ranks=2 --nodes=3
expect 64 "more nodes than ranks"
has err '\-\-nodes=3: there is a rank on each, but --ranks=2' "which is said"
run 1 explain broadcast --ranks=2 --root=2
expect 64 "a root that is no rank"
has err '\-\-root=2: with --ranks=2, the last rank is 1' "which is said"
run 1 explain gather --ranks=2 --type=c128 --count=900000000000000000
expect 64 "a count that no memory can hold"
has err '\-\-count=900000000000000000: no memory' "which is said"
finish
