#!/bin/sh
# Bad input: exit code 65, file and line named once, nothing has run, on any
# number of ranks.  Odd input that is not bad: it runs.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-input

# bad N NAME PATTERN: the task file NAME is refused with such a message.
refused() {
    run "$1" run "$2"
    expect 65 "$4: refused, on $1 rank(s)"
    is "$(grep -cE "$3" err)" 1 "$4: said once, on $1 rank(s)"
    if [ -e ran ]; then
        bad "$4: something ran"
        rm -f ran
    fi
}

printf 'touch ran\necho "open\n' >quote
printf 'touch ran\necho a\0b\n' >nul
printf '{"argv":["touch","ran"]}\n{"argv":["a"]\n' >bad.jsonl
printf '{"argv":["touch","ran"]}\n{"argv":["a"],"retrys":1}\n' >key.jsonl
printf '{"argv":["touch","ran"]}\n{"argv":"a"}\n' >type.jsonl
printf '{"id":"a","argv":["touch","ran"]}\n\n{"id":"a","argv":["b"]}\n' \
    >twice.jsonl
printf '{"id":"a","argv":["touch","ran"]}\n{"argv":["b"],"after":["c"]}\n' \
    >unknown.jsonl
printf '%s\n' '{"argv":["touch","ran"]}' \
    '{"id":"a","argv":["true"],"after":["b"]}' \
    '{"id":"b","argv":["true"],"after":["a"]}' >cycle.jsonl
printf '{"argv":["touch","ran"]}\n{"argv":["true"],"resources":{"gpu":1}}\n' \
    >resource.jsonl

for n in $ranks; do
    [ "$n" != 4 ] || continue
    refused "$n" missing 'missing' "a file that does not exist"
    refused "$n" quote 'quote:2:6: .*quote' "an open quote"
done
refused 1 . 'task file \. cannot' "a directory as file"
refused 1 nul 'nul:2:7: .*NUL' "a NUL byte"
refused 1 bad.jsonl 'bad.jsonl:2:' "bad JSON"
refused 1 key.jsonl 'key.jsonl:2: .*"retrys"' "an unknown key"
has err 'did you mean "retries"' "the nearest key is named"
refused 1 type.jsonl 'type.jsonl:2: "argv" must be' "a wrong type"
refused 1 twice.jsonl 'twice.jsonl:3: .*twice' "an id given twice"
has err 'line 1 has it' "with the other line"
refused 1 unknown.jsonl 'unknown.jsonl:2: .*"c"' "an unknown dependency"
refused 1 cycle.jsonl 'cycle.jsonl:2: .*cycle' "a cycle"
has err '"a" \(line 2\).*"b" \(line 3\)' "with its members and lines"
echo kept >was
run 1 run --results was resource.jsonl
expect 65 "a task that no rank can run is refused"
has err 'resource.jsonl:2: no rank has a resource' "with its line"
is "$(cat was) $(find . -name ran)" "kept " "before anything has run"
run 1 run --each nul -- echo
expect 65 "a NUL byte in a value"
printf 'a\n\n' >values
run 1 run --each values -- '{}' x
expect 65 "an empty program from a template"

if [ "$(id -u)" != 0 ]; then
    : >secret && chmod 0 secret
    run 1 run secret
    expect 65 "a file that may not be read"
fi

for n in $ranks; do
    [ "$n" != 4 ] || continue
    : >empty
    echo old >results
    run "$n" run --results results --joblog log empty
    expect 0 "an empty file is no error, on $n rank(s)"
    has err 'empty has no tasks' "but it is said, on $n rank(s)"
    is "$(wc -c <results)" 0 "and the results are empty, on $n rank(s)"
done
printf '\n# only a comment\n\n' >comment
run 1 run comment
expect 0 "comments alone are no error"

# A megabyte in one line: many words run, one word is too much for the system.
awk 'BEGIN { printf "sh -c \"echo \\$#\" sh"
    for (i = 0; i < 130000; i++) printf " wwwwwww"; print "" }' >long
is "$(($(wc -c <long) > 1000000))" 1 "the line has a megabyte"
run 1 run long
is "$code $(cat out)" "0 130000" "a line of a megabyte runs"
awk 'BEGIN { printf "echo "
    for (i = 0; i < 131072; i++) printf "xxxxxxxx"; print "" }' >word
run 1 run word
expect 1 "a word of a megabyte is a failed task"
has err 'too long' "and the report says why"
run 1 run --shell word
expect 1 "so it is with --shell"

# Formats, comments, line ends.
printf '# c\n\n  echo "a b"  # d\r\necho c' >odd
run 1 run --keep-order odd
is "$code $(tr '\n' , <out)" "0 a b,c," "comments and line ends are understood"
printf '{"argv":["echo","j"]}\n' >json
run 1 run json
is "$code $(cat out)" "0 j" "JSON is told by its first line"
run 1 run --format=lines json
expect 1 "--format=lines takes it as a command"
run 1 run --format=json odd
expect 65 "--format=json refuses lines"
printf 'echo from stdin\n' | timeout 60 "$repartir" run - >out 2>err
is "$? $(cat out)" "0 from stdin" "- is standard input"
if [ "$MPIRUN" != no ]; then
    printf 'echo from stdin\n' |
        timeout 60 "$MPIRUN" -n 2 "$repartir" run - >out 2>err
    is "$? $(cat out)" "0 from stdin" "also under mpirun"
fi
printf 'echo a | cat\n' >pipe
run 1 run pipe
is "$code $(cat out)" "0 a | cat" "no shell runs"
has err 'pipe:1:8: .*--shell' "and a warning says so"
run 1 run --shell pipe
is "$code $(cat out)" "0 a" "--shell leaves it to one"
hasnt err '--shell would' "without the warning"

# Every key of a task.
cat >all.jsonl <<'END'
{"id":"first","argv":["sh","-c","echo $A-${B-none}-$PWD-$RPT_TASK_ID; cat"],"env":{"A":"1","B":null},"cwd":"/","stdin":"in\n","priority":"high","timeout_s":30,"retries":1,"slots":1,"memory_mib":4000}
{"id":"second","shell":"echo second | cat","after":["first"],"priority":"low"}
{"id":"third","argv":["sh","-c","echo $RPT_RESOURCE_LAMP $RPT_TASK_ATTEMPT $RPT_TASK_RANK"],"resources":{"lamp":2},"after":["second"]}
END
B=x run 1 run --resources=lamp=2 --memory=8GiB all.jsonl
expect 0 "a task with every key"
printf '%s\n' 1-none-/-first in second '0,1 1 0' >expected
same out expected "and each key has its effect"
run 1 run -o pool.resources=lamp=1 all.jsonl
expect 65 "two lamps of one are refused"
finish
