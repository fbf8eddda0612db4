#!/bin/sh
# repartir query: every option, every format, what ends it.  Numbers are checked
# by formulas and by the sqlite3 command on the CSV.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-query
if [ ! -x "$BUILD/tests/make_saved" ]; then
    skip "tests/make_saved is not built"
    finish
fi
mkdir d
"$BUILD/tests/make_saved" d || bad "checkpoints are saved"

# ---- formats ----
run 1 query --dir d "SELECT task, iteration, state FROM checkpoints ORDER BY 1, 2"
expect 0 "a table"
cat >wanted <<'END'
task  iteration  state
----  ---------  ---------
big           7  committed
heat        100  committed
heat        200  committed
heat        300  committed
END
same out wanted "has a header and columns"
hasnt err . "and nothing is said"
run 1 query --dir d --header=no "SELECT 1 AS a, 'x' AS b UNION SELECT 22, NULL"
printf ' 1  x\n22  \n' >wanted
same out wanted "--header=no"
run 1 query --dir d --format=csv \
    "SELECT 1 AS a, 'x,\"y' AS \"b c\", NULL AS d, '' AS e, x'00ff' AS f,
     0.1 AS g, 2.0 AS h, char(10) AS i, 9007199254740993 AS j, -9e999 AS k"
printf 'a,b c,d,e,f,g,h,i,j,k\r\n1,"x,""y",,"",00ff,0.1,2.0,"\n",%s,-Inf\r\n' \
    9007199254740993 >wanted
same out wanted "CSV as in RFC 4180"
run 1 query --dir d --format=csv --header=no "SELECT 1 WHERE 0"
is "$code $(wc -c <out)" "0 0" "no rows are no bytes of CSV"
run 1 query --dir d --format=json \
    "SELECT 1 AS a, 'x\"' || char(10) AS b, NULL AS c, x'00ff' AS d,
     0.1 AS e, 9e999 AS f, 9223372036854775807 AS g UNION ALL
     SELECT 2, 'ü', '', 'x', 2.0, -9e999, -9223372036854775807 - 1"
cat >wanted <<'END'
[{"a":1,"b":"x\"\n","c":null,"d":"00ff","e":0.1,"f":1e999,"g":9223372036854775807},
{"a":2,"b":"ü","c":"","d":"x","e":2.0,"f":-1e999,"g":-9223372036854775808}]
END
same out wanted "JSON"
run 1 query --dir d --format=json "SELECT 1 WHERE 0"
is "$(cat out)" "[]" "no rows are an empty array"
run 1 query --dir d --header=no "SELECT 'a' || char(27) || '[2J' || char(10)"
is "$(cat out)" 'a\x1b[2J\n' "a table shows no control characters"
run 1 query --dir d --format=csv --header=no \
    "SELECT value FROM array('types/u64') UNION ALL
     SELECT value FROM array('types/i64')"
printf '%s\r\n' 0 1 9223372036854775807 18446744073709551615 \
    -9223372036854775808 -1 9007199254740993 9223372036854775807 >wanted
same out wanted "64 bits are exact"

# ---- the data, once more by other programs ----
run 1 query --dir d --format csv --header no \
    "SELECT i0, i1, value FROM array('u', 200) ORDER BY i0, i1"
mv out u.csv
awk 'BEGIN { for (i = 0; i < 60; i++) for (j = 0; j < 40; j++)
    printf "%d,%d,%d.0\r\n", i, j, 200000000 + 1000 * i + j }' >wanted
same u.csv wanted "array() gives the formula"
if command -v sqlite3 >/dev/null 2>&1; then
    run 1 query --dir d --format csv \
        "SELECT i0, i1, i2, value FROM array('flow/w')"
    mv out w.csv
    for sql in "SELECT count(*), sum(value), min(value), max(value) FROM w" \
        "SELECT i1, sum(value) FROM w GROUP BY i1 HAVING i1 % 2" \
        "SELECT i0, i1, i2 FROM w WHERE value % 97 = 0 ORDER BY value, i2" \
        "SELECT sum(value) FROM w WHERE i0 BETWEEN 2 AND 4 AND i1 < 5 AND i2=7"; do
        sqlite3 -csv :memory: '.import w.csv text' \
            'CREATE TABLE w AS SELECT CAST(i0 AS INT) AS i0,
                CAST(i1 AS INT) AS i1, CAST(i2 AS INT) AS i2,
                CAST(value AS INT) AS value FROM text' "$sql" >wanted
        run 1 query --dir d --format csv --header no \
            "WITH w AS (SELECT * FROM array('flow/w')) $sql"
        tr -d '\r' <out >found
        tr -d '\r' <wanted >again
        [ -s again ] || bad "sqlite3 answers"
        same found again "as sqlite3 on the CSV: $sql"
    done
    run 1 query --dir d --format json \
        "SELECT * FROM datasets JOIN checkpoints c ON c.id = checkpoint"
    is "$(sqlite3 :memory: "SELECT count(*), json_valid(readfile('out'))
        FROM json_each(readfile('out'))")" "97|1" "sqlite3 reads the JSON"
else
    skip "sqlite3 is not installed"
fi

# ---- parameters ----
run 1 query --dir d --format csv --header no --param u --param 5 --param 3.0 \
    "SELECT value, typeof(?2), typeof(?3) FROM array(?1) WHERE i0 = ?2 AND i1 = ?3"
is "$(tr -d '\r' <out)" "300005003.0,integer,real" "--param"
run 1 query --dir d --format csv --header no \
    --param "x'); DROP TABLE \"checkpoints\"; -- ü $(printf '\302\233'), %s" \
    "SELECT sum(value) FROM array(?)"
is "$(tr -d '\r' <out)" "3.0" "a parameter is never SQL"
run 1 query --dir d --format csv --header no --param 007 --text 12 --param -0.5 \
    --text 1e3 --param 12 "SELECT typeof(?), typeof(?), typeof(?), ?, typeof(?)"
is "$(tr -d '\r' <out)" "text,text,real,1e3,integer" "--text"
run 1 query --dir d --param 1 "SELECT 1"
expect 64 "a parameter too many"
run 1 query --dir d "SELECT ?"
expect 64 "a parameter too few"
has err 'has 1 parameters, --param gives 0' "which is said"

# ---- where it goes to ----
echo before >file
run 1 query --dir d --output file --format csv "SELECT 1 AS a; -- only"
printf 'a\r\n1\r\n' >wanted
same file wanted "--output"
is "$(wc -c <out)" 0 "and nothing is printed"
run 1 query --dir d --output=/dev/stdout --format=csv "SELECT 1 AS a"
same out wanted "--output=/dev/stdout"
run 1 query --dir d --output=file "SELECT abs(-9223372036854775807 - 1)"
expect 65 "a query that fails"
same file wanted "leaves the file alone"
run 1 query --dir d --output=no/such "SELECT 1"
expect 74 "--output where there is no folder"
has err '^  do    give a file' "says what to do"
if [ -e /dev/full ]; then
    code=0
    "$repartir" query --dir d "SELECT 1" >/dev/full 2>err || code=$?
    expect 74 "a full device"
    has err '^  why   No space left' "is said"
    has err '^  do    .*make room' "with what to do"
    code=0
    "$repartir" query --schema >/dev/full 2>err || code=$?
    expect 74 "--schema on a full device"
    has err '^  do    .*make room' "says what to do"
    run 1 query --dir d --output=/dev/full "SELECT * FROM array('field')"
    expect 74 "--output on a full device"
    has err '^  do    .*make room' "says what to do, too"
fi

# ---- several directories, and those of pools ----
mkdir e
"$BUILD/tests/make_saved" e t 1 3 2
run 1 query --dir d --dir e --header no \
    "SELECT directory, count(*) FROM checkpoints GROUP BY 1"
printf 'd  4\ne  2\n' >wanted
same out wanted "--dir twice"
run 1 query --dir d --dir d/ --dir ./d/heat --header no \
    "SELECT directory, count(*) FROM checkpoints GROUP BY 1"
printf 'd  4\n' >wanted
same out wanted "the same directory twice is one"
ln -s "$PWD/d/heat" link
for path in d/heat d/heat/ link; do
    run 1 query --dir $path --header no \
        "SELECT DISTINCT directory, task, iteration FROM checkpoints"
    printf '%s  heat  %s\n' "$PWD/d" 300 "$PWD/d" 200 "$PWD/d" 100 >wanted
    same out wanted "--dir $path is that task"
done
run 1 query --dir d/heat --header no "SELECT DISTINCT task FROM events"
is "$(cat out)" heat "with its events"
run 1 query --dir d/heat --header no --format csv \
    "SELECT count(*) FROM array('u') UNION ALL SELECT count(*) FROM tasks"
is "$(tr -d '\r' <out | tr '\n' ' ')" "2400 0 " "and arrays"
(cd d/heat && "$repartir" query --dir . --header no \
    "SELECT count(*) FROM checkpoints") >out 2>err
is "$(cat out)" 3 "also by ."
run 1 query --dir "$(echo d/heat/it-000000000100-*)" "SELECT 1"
expect 65 "--dir of a checkpoint"
has err '^  do    give the folder above' "says what to give"
cp -r d copy
run 1 query --dir d --dir copy "SELECT value FROM array('u', NULL, 'heat')"
expect 65 "two tasks of one name"
has err "^  do    say which checkpoint: array\('u', 'ID'\)" "need an id"
rm -rf copy
mkdir pools
printf 'true\nfalse\nsh -c "kill -9 $$"\n' >tasks
run 1 run --state pools/s tasks
run 1 status --json --tasks pools/s
mv out status
for dir in pools/s pools; do
    run 1 query --dir $dir --format csv --header no \
        "SELECT id, status, exit_code, signal, attempts, rank, host,
         directory FROM tasks"
    tr -d '\r' <out >found
    if command -v sqlite3 >/dev/null 2>&1; then
        sqlite3 -csv :memory: "SELECT value ->> 'id', value ->> 'status',
            value ->> 'exit_code', value ->> 'signal', value ->> 'attempts',
            value ->> 'rank', value ->> 'host', 'pools/s'
            FROM json_each(readfile('status'), '\$.tasks')" | tr -d '\r' \
            >wanted
        [ "$(wc -l <wanted)" = 3 ] || bad "status lists three tasks"
        same found wanted "tasks of $dir are those of repartir status"
    else
        is "$(wc -l <found)" 3 "$dir has three tasks"
    fi
done
run 1 query --dir pools/s --format csv --header no \
    "SELECT count(*) FROM tasks WHERE duration_s >= 0 AND
     start_time > strftime('%s', 'now') - 600"
is "$(tr -d '\r' <out)" 3 "with times"
run 1 query --dir pools/s --dir pools --dir pools/ --format csv --header no \
    "SELECT count(*) FROM tasks UNION ALL SELECT count(*) FROM attempts"
is "$(tr -d '\r' <out | tr '\n' ' ')" "3 3 " "once, though given thrice"

# ---- what the manual says, where one was put aside and one is damaged ----
cp -r d copy
rm -r copy/big
mkdir copy/heat/.bad-0123456789abcdef
awk '/^\.nf/ { is_in = 1; next } /^\.fi/ { is_in = 0 } is_in' \
    "$SRC/doc/man/repartir-query.1" | sed 's/\\-/-/g; s/\\e$//' |
    tr '\n' ' ' | sed 's/repartir query/\n&/g' |
    sed 's/--dir ckpt/--dir copy/; s/--dir run.state/--dir pools\/s/' |
    awk 'sub(/^repartir /, "")' >examples
is "$(wc -l <examples)" 6 "the manual page has examples"
while read -r line; do
    eval "run 1 $line"
    expect 0 "repartir $line"
done <examples
run 1 query --dir copy --header no --format csv \
    "SELECT iteration, count(*) FROM checkpoints c, array('u', c.id)
     GROUP BY c.id"
expect 65 "a join with what was put aside"
offset=$("$repartir" query --dir copy --header no "SELECT offset FROM datasets
    WHERE name = 'u' ORDER BY path DESC LIMIT 1")
printf '\377' | dd of="$(echo copy/heat/it-000000000300-*)/state.h5" bs=1 \
    seek=$((offset + 3)) conv=notrunc 2>/dev/null
run 1 query --dir copy "SELECT sum(value) FROM array('u')"
expect 65 "a damaged byte of the newest one"
has err 'damaged' "is said, and no older one is taken"
rm -r copy

# ---- limits ----
endless="WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
run 1 query --dir d --limit-s 300ms "$endless SELECT count(*) FROM n"
expect 1 "--limit-s"
has err 'longer than 0.3 s' "which is said"
run 1 query --dir d --option io.query.memory_bytes=2MiB \
    "SELECT value FROM array('field') ORDER BY value"
expect 1 "a limit of memory, by --option"
run 1 query --dir d -o io.sqlite.library=/no/such.so "SELECT 1"
expect 65 "without SQLite"
has err 'queries need /no/such.so' "which is said"

# ---- what cannot be asked ----
run 1 query --schema
expect 0 "--schema needs no directory"
for table in checkpoints datasets files blocks events tasks attempts array; do
    has out "^CREATE TABLE $table\(" "and has $table"
done
run 1 query --dir d "DROP TABLE checkpoints"
expect 65 "a statement that writes"
run 1 query --dir d "SELECT"
expect 65 "no SQL"
run 1 query --dir nowhere "SELECT 1"
expect 65 "no such directory"
run 1 query --dir d
expect 64 "no statement"
run 1 query "SELECT 1"
expect 64 "no directory"
run 1 query --dir d SELECT 1
expect 64 "two statements"
run 1 query --dir d --format=xml "SELECT 1"
expect 64 "no such format"
run 1 query --dir d --header=maybe "SELECT 1"
expect 64 "--header is yes or no"
run 1 query --dir d --limit-s=x "SELECT 1"
expect 64 "no such time"

# ---- a name with a control character of terminals, U+009B ----
names="SELECT DISTINCT name FROM datasets WHERE name LIKE 'x%'"
for command in 'query --dir d' 'query --dir d --format json' 'ckpt show' \
    'ckpt show --json' 'ckpt list' 'ckpt list --json' 'ckpt verify'; do
    case $command in
    query*) last=$names ;;
    *list*) last=d ;;
    *) last=d/heat ;;
    esac
    # shellcheck disable=SC2086
    run 1 $command "$last"
    expect 0 "$command"
    LC_ALL=C grep -c "$(printf '[\001-\011\013-\037\177]\|\302[\200-\237]')" \
        out >hits
    is "$(cat hits)" 0 "$command tells a terminal nothing"
done
run 1 query --dir d "$names"
has out 'ü .u009b, %s' "it is shown as a number"
run 1 ckpt show d/heat
has out 'ü .u009b, %s' "by ckpt show, too"
finish
