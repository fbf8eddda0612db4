#!/bin/sh
# repartir tune: measures on these ranks, and writes rules that the library
# obeys.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-tune
unset RPT_COLL_RULES

if [ "$MPIRUN" = no ]; then
    skip "no mpirun was found; name it with MPIRUN=..."
    finish
    exit
fi
for n in 2 4; do
    run $n tune --operations=allreduce,gather,barrier --max-bytes=64K \
        --time=1 --out=rules.$n
    expect 0 "tune on $n ranks"
    hasnt err . "without a complaint, $n ranks"
    is "$(grep 'microseconds' out | grep -vc 'all can read')" 3 \
        "a table for each operation, once, $n ranks"
    is "$(grep -c '^[ag].*, buffers that all can read,' out)" 2 \
        "and one with buffers that all can read, $n ranks"
    is "$(grep -c '^ *bytes.* pulled' out)" 1 "there pulled has times, $n ranks"
    is "$(grep -c '^ *65536 .*\*' out)" 2 "up to --max-bytes, $n ranks"
    is "$(grep -c '^ *16384 .*\*' out)" 3 "or all blocks together, $n ranks"
    hasnt rules.$n "^[a-z].* (ranks=[^$n]|nodes=[^1])" \
        "rules are for this layout, $n ranks"
    is "$(grep -c '^barrier ranks=.* -> ' rules.$n)" 1 \
        "one for the barrier, $n ranks"
    run 1 explain barrier --ranks=$n --rules=rules.$n
    expect 0 "the library reads them, $n ranks"
    has out '^chosen by the rule rules.[0-9]:[0-9]*$' "and obeys, $n ranks"
done
cat rules.2 rules.4 >repartir.rules
for n in 2 4; do
    run 1 explain allreduce --ranks=$n --count=100
    has out '^chosen by the rule repartir.rules:' \
        "files of several layouts make one, that is found here, $n ranks"
done
run 2 info
has out '^rules    repartir.rules \([0-9]+\)$' "info names it"
run 1 explain allreduce --ranks=3
has out '^chosen by the model' "other layouts have no rules"
run 1 explain allreduce --ranks=2 -o coll.rules=none
has out '^chosen by the model' "none are wanted"
echo 'allreduce -> flatt' >repartir.rules
run 2 info
expect 65 "a bad rule ends the start"
has err 'repartir.rules:1: there is no such algorithm: "flatt"' "and is named"
rm repartir.rules

mkdir rules.d
for path in rules.d rules.d/ nowhere/rules; do
    run 2 tune --operations=barrier --time=0.2 --out=$path
    expect 74 "$path is no file that can be written"
    hasnt out 'barrier' "which is found before the work"
done

# ---- what may stand where the rules go ----

tune_to() {
    run 2 tune --operations=barrier --time=0.2 --out="$1"
}
rule='^barrier ranks=2 .*-> '

mkdir far
echo old >far/rules
chmod 600 far/rules
ln -s far/rules near
ln -s ../near far/chain
tune_to far/chain
expect 0 "--out is a link to a link"
has far/rules "$rule" "the file behind them has the rules"
hasnt far/rules old "and nothing else"
is "$(readlink near) $(readlink far/chain)" "far/rules ../near" "links stay"
is "$(stat -c %a far/rules)" 600 "so do permissions"
ln -s far/later dangling
tune_to dangling
expect 0 "a link to a file that is not there"
has far/later "$rule" "makes the file"
is "$(readlink dangling)" far/later "and stays"
ln -s circle circle
tune_to circle
expect 74 "a link to itself"
has err 'why .*[Ll]evels of symbolic links' "is said"
ln -s nowhere/rules lost
tune_to lost
expect 74 "a link into a folder that is not there"
is "$(find . far -maxdepth 1 -name '*.[0-9]*' ! -name 'rules.[24]')" "" \
    "nothing is left aside"

mkfifo fifo
cat fifo >through &
reader=$!
tune_to fifo
expect 0 "--out is a FIFO"
wait $reader
has through "$rule" "rules go through it"
[ -p fifo ] || bad "it is still one"
tune_to /dev/stdout
expect 0 "--out=/dev/stdout"
has out "$rule" "is standard output"
call "$MPIRUN" -n 2 sh -c "exec \"$repartir\" tune --operations=barrier \
    --time=0.2 --out=/dev/stdout >>log"
expect 0 "--out=/dev/stdout, which is a file"
has log "$rule" "gets the rules"
has log '^barrier, 2 ranks' "behind the table"
has log '^The rules .* are in /dev/stdout' "before what comes later"

# Never the real one: a mistake would make a file of it.
if mknod full c 1 7 2>/dev/null && [ -w full ] && echo >full 2>/dev/null; then
    bad "a device that is full takes nothing"
elif [ -c full ] && [ -w full ]; then
    for out in full to-full; do
        [ -e $out ] || ln -s full $out
        tune_to $out
        expect 74 "a full device: $out"
        has err "$out cannot be written" "is said: $out"
        has err 'why .*No space' "and why: $out"
        [ -c full ] && ok "it is still a device: $out" || bad "no device: $out"
    done
else
    skip "no device may be made here"
fi
rm -f full

# Every rule of a forced sum in the order of ranks is one of that.
run 2 tune --operations=allreduce --max-bytes=1K --time=0.2 \
    -o coll.reproducible=yes --option=coll.segment_bytes=4K --out=ordered
expect 0 "tune what is reproducible"
hasnt ordered '-> (doubling|halving|mixed|ring|circulant)$' "only such are chosen"

# There must be room for the buffers, and one node that reads them.
for setting in comm.shared_bytes=1M topo.virtual_nodes=2; do
    run 2 tune --operations=allreduce --max-bytes=2M --time=0.2 --out=private \
        -o "$setting"
    expect 0 "tune with $setting"
    is "$(grep -c microseconds out)" 1 "private buffers only: $setting"
    hasnt private '-> pulled' "and no rule for others: $setting"
done

run 1 tune
expect 64 "one rank alone"
for bad in --operations=allreduc --max-bytes=4Q --max-bytes=-1 --time=soon \
    --tmie=1 word --option=pool.slost=1; do
    run 2 tune "$bad"
    expect 64 "tune $bad"
    is "$(grep -c '^repartir[a-z ]*:' err)" 1 "is answered once: $bad"
done
[ ! -e repartir.rules ] || bad "nothing was written"
mkdir closed
for out in nowhere/rules closed; do
    run 2 tune --operations=barrier --time=0.1 --out=$out
    expect 74 "--out=$out"
    has err "$out cannot be written" "is said at once: $out"
done

"$MPIRUN" -n 2 "$repartir" tune --time=60 --out=cut >cut.out 2>&1 &
job=$!
until_true grep -q microseconds cut.out || bad "it measures"
kill -INT $job
wait $job
[ ! -e cut ] && is "$(find . -name 'cut.*' -o -name '.repartir-*' | wc -l)" 1 \
    "nothing half is left"
finish
