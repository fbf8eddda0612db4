#!/bin/sh
# --help, the manual pages, the completion and these tests know the same
# options.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-options

# Long options of a text, one a line.
long() {
    grep -oE -- '--[a-z][a-z-]+' | sort -u
}

cat "$SRC"/tests/cli/*.sh | long >tested
printf '%s\n' --help --usage --version >common
for command in run status submit cancel info explain tune bench query; do
    "$repartir" $command --help | sed 's/\\-/-/g' | long >help
    sed 's/\\-/-/g' "$SRC/doc/man/repartir-$command.1" |
        sed '/^\.SH DESCRIPTION/,/^\.SH OPTIONS/d' | long |
        grep -vxE -- '--(state-directory)' >manual
    comm -23 help manual | sed 's/$/ is not in the manual/' >lost
    verdict "the manual has every option of $command" lost
    sed -n '/^\.SH OPTIONS/,/^\.SH SIGNALS/p' \
        "$SRC/doc/man/repartir-$command.1" | sed 's/\\-/-/g' | long |
        comm -13 help - | grep -vx -- '--output' |
        sed 's/$/ is not in --help/' >lost
    verdict "$command has every option of the manual" lost
    (
        # The completion is written for bash.
        bash -c ". '$SRC/completions/repartir'; _repartir_options $command"
    ) 2>/dev/null | long >completion
    diff help completion >lost
    verdict "the completion has the options of $command" lost
    comm -23 help tested | sed 's/$/ is not tested/' >lost
    verdict "every option of $command is tested" lost
done

# The verbs of ckpt have their options; its manual page has those of all.
verbs=$("$repartir" ckpt --help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p')
is "$(bash -c ". '$SRC/completions/repartir'; echo \$_repartir_verbs")" \
    "$(echo $verbs)" "the completion has the verbs of ckpt"
page=$SRC/doc/man/repartir-ckpt.1
sed -n 's/^\.SS \([a-z]*\) .*/\1/p' "$page" >manual
echo "$verbs" >help
same help manual "the manual has the verbs of ckpt"
for verb in $verbs; do
    "$repartir" ckpt "$verb" --help | sed 's/\\-/-/g' | long >help
    sed 's/\\-/-/g' "$page" |
        sed -n "/^\.SS $verb /,/^\.S[SH] /p" | long |
        sort -u - "$scratch/common" >manual
    bash -c ". '$SRC/completions/repartir'; _repartir_options ckpt-$verb" |
        long >completion
    diff help manual >lost
    verdict "the manual has the options of ckpt $verb" lost
    diff help completion >lost
    verdict "the completion has the options of ckpt $verb" lost
    comm -23 help tested | sed 's/$/ is not tested/' >lost
    verdict "every option of ckpt $verb is tested" lost
done
"$repartir" --help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p' | head -n 10 |
    sort >help
sed -n 's/^\.BR \([a-z]*\) ", see.*/\1/p' "$SRC/doc/man/repartir.1" | sort >manual
same help manual "repartir(1) lists the commands"

"$repartir" info --options=man | sed 's/\\-/-/g' >table
"$repartir" info --options=conf | sed -n 's/^#\([a-z0-9_.]*\) = .*/\1/p' >names
while read -r name; do
    grep -q "^\.B $name$" table || echo "$name"
done <names >lost
verdict "the man and conf tables list the same options" lost
is "$("$repartir" info --options=md | grep -c '^| `')" "$(wc -l <names)" \
    "and so does the Markdown table"
if [ -e "$BUILD/doc/man/repartir.conf.5" ]; then
    while read -r name; do
        grep -q "^\.B $name$" "$BUILD/doc/man/repartir.conf.5" || echo "$name"
    done <names >lost
    verdict "repartir.conf(5) has every option" lost
    hasnt "$BUILD/doc/man/repartir.conf.5" '@' "and no placeholder"
else
    skip "repartir.conf(5) has not been made"
fi
# What a sample says is what the library reads back.
"$repartir" info --options=conf | sed -n 's/^#\([a-z0-9_.]* = .*\)/\1/p' \
    >repartir.conf
run 1 info
expect 0 "the sample file is read"
hasnt err . "without a complaint"
has out 'file repartir.conf' "and its values are used"

if command -v groff >/dev/null 2>&1; then
    for page in "$SRC"/doc/man/*.[1-8] "$BUILD"/doc/man/*.5; do
        [ -e "$page" ] || continue
        groff -man -Tutf8 -ww "$page" 2>complaints >/dev/null
        verdict "groff has nothing to say about ${page##*/}" complaints
    done
else
    skip "groff is not installed"
fi
# shellcheck disable=SC2016
bash -c '. "$1"
    COMP_WORDS=(repartir run --output = l) COMP_CWORD=4
    _repartir; echo "${COMPREPLY[@]}"
    COMP_WORDS=(repartir stat) COMP_CWORD=1
    _repartir; echo "${COMPREPLY[@]}"' bash "$SRC/completions/repartir" \
    >out 2>&1
is "$(tr '\n' , <out)" "line,status," "bash completes values and commands"
finish
