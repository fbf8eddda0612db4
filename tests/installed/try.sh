# try.sh - runs the examples that were built in a folder, each with its answer
#
#   . "$SRC/tests/installed/try.sh"; try_examples FOLDER WHAT
#
# Expected answers are arithmetic: squares, pi, the nodes of a ternary tree.
: "${MPIRUN:=mpirun}"

# expect TEXT PATTERN N-LINES COMMAND...: so many lines match, and it succeeds.
expect() {
    what=$1 pattern=$2 lines=$3
    shift 3
    if ! timeout 120 "$@" >"$scratch/out" 2>"$scratch/err" </dev/null; then
        sed 's/^/  /' "$scratch/out" "$scratch/err"
        bad "$what: it ends well"
    elif [ "$(grep -cE "$pattern" "$scratch/out")" != "$lines" ]; then
        sed 's/^/  /' "$scratch/out" "$scratch/err"
        bad "$what: $lines lines are like $pattern"
    else
        ok "$what"
    fi
}

# ranks N COMMAND...: the words that start it on N ranks.
ranks() {
    if [ "$MPIRUN" = no ]; then shift; echo "$@"; else
        n=$1
        shift
        echo "$MPIRUN" -n "$n" "$@"
    fi
}

try_examples() {
    at=$1 by=$2
    [ ! -x "$at/hello_local" ] || {
        expect "hello_local $by squares ten numbers" \
            '^[0-9] squared is [0-9]+$' 10 "$at/hello_local"
        expect "hello_local $by knows 7 times 7" '^7 squared is 49$' 1 \
            "$at/hello_local"
    }
    [ ! -x "$at/hello" ] || expect "hello $by greets in C++" \
        '^hello, (world|everybody)$' 2 "$at/hello" world everybody
    for n in 1 2 4; do
        # shellcheck disable=SC2046
        [ ! -x "$at/pool_mpi" ] ||
            expect "pool_mpi $by finds pi on $n ranks" \
                '^pi is 3\.1415926536,' 1 $(ranks $n "$at/pool_mpi")
        # 1 + 3 + 9 + 27 + 81 + 243 nodes for each rank.
        # shellcheck disable=SC2046
        [ ! -x "$at/spmd" ] || expect "spmd $by visits all on $n ranks" \
            "^$((n * 364)) of $((n * 364)) nodes .* by $n ranks\$" 1 \
            $(ranks $n "$at/spmd")
        # shellcheck disable=SC2046
        [ ! -x "$at/allreduce" ] ||
            expect "allreduce $by adds up on $n ranks" \
                "^sum of 1 to $n: $((n * (n + 1) / 2))\$" 1 \
                $(ranks $n "$at/allreduce")
        # shellcheck disable=SC2046
        [ ! -x "$at/reducer" ] ||
            expect "reducer $by averages on $n ranks" \
                "^average of 1 to $n: $(awk "BEGIN { print ($n + 1) / 2 }")\$" \
                1 $(ranks $n "$at/reducer")
        # shellcheck disable=SC2046
        [ ! -x "$at/gang" ] || expect "gang $by adds up on $n ranks" \
            '^gang [0-7] of [12] ranks: sum [0-9]+$' 8 $(ranks $n "$at/gang")
    done
    # The second goes on from where the first has ended.
    for program in heat2d heat2d_f; do
        [ -x "$at/$program" ] || continue
        rm -rf "$scratch/heat"
        # shellcheck disable=SC2046
        expect "$program $by computes 200 steps" \
            '^step [12]00: largest change' 2 $(ranks 2 "$at/$program" --n 40 \
                --steps 200 --dir "$scratch/heat")
        # shellcheck disable=SC2046
        expect "$program $by goes on after these, on three ranks" \
            '^step [0-9]+: largest change' 1 $(ranks 3 "$at/$program" --n 40 \
                --steps 300 --dir "$scratch/heat")
    done
    [ ! -x "$at/look" ] || expect "look $by looks into these" \
        '^(iteration 300|row 20): ' 2 "$at/look" "$scratch/heat"
    rm -rf "$scratch/heat"
    # shellcheck disable=SC2046
    [ ! -x "$at/programs" ] || {
        expect "programs $by counts files" '^ *[0-9]+ /usr/include/std' 3 \
            $(ranks 2 "$at/programs" /usr/include/stdio.h \
                /usr/include/stdlib.h /usr/include/stdint.h)
        expect "programs $by runs what depends on them last" \
            '^ALL COUNTED$' 1 $(ranks 2 "$at/programs" /usr/include/stdio.h)
    }
}
