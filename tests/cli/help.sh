#!/bin/sh
# `--help' of each command and of each verb of `ckpt': it ends with 0 and has
# every option that the parser takes; the manual has the same letters.  What is
# no such option ends with 64, as the manual says, and prints nothing but why.
set -u
. "$SRC/tests/cli/lib.sh"
begin cli-help

# Options of a help, one a line: "json j", "output - FILE"
options_of() {
    sed -n 's/^ *\(-\([a-zA-Z]\), \)*--\([a-z-]*\)\(=\([^ ]*\)\)*.*/\3 \2 \5/p' |
        awk '{ letter = length($2) == 1 && $2 ~ /[a-z]/ ? $2 : "-"
               value = $NF != $1 && $NF != letter ? $NF : ""
               print $1, letter, value }'
}

# The names in a table of a source file.
in_source() { # FILE TABLE
    sed -n "/argp_option $2\[\]/,/NULL, 0, NULL, 0, NULL, 0/p" "$SRC/$1" |
        tr '\n' ' ' | grep -oE '\{ *"[a-z-]+",' | tr -d '{ ",' | sort
}

# WORDS: of a command; FILE TABLE: where its options are listed; PAGE
check_help() {
    words=$1 file=$2 table=$3 page=$4
    # shellcheck disable=SC2086
    run 1 $words --help
    expect 0 "repartir $words --help"
    has out "^Usage: repartir $words " "it says how, for $words"
    is "$(cat err)" "" "and complains of nothing, for $words"
    options_of <out >options
    awk '$1 !~ /^(help|usage|version)$/ { print $1 }' options | sort >help
    in_source "$file" "$table" >taken
    [ -s taken ] || [ "$words" = "ckpt path" ] || echo "none in $file" >>taken
    same help taken "it has every option that is taken, for $words"
    awk '$2 != "-" { print $2 }' options | sort -u >letters
    sed 's/\\-/-/g' "$page" | section "$words" |
        sed -n 's/^\.B[RI]* -\([a-z]\)[ ,"].*/\1/p' | sort -u >manual
    same letters manual "the manual has its letters, for $words"
    for word in --usage --version; do
        # shellcheck disable=SC2086
        run 1 $words $word
        is "$code $(wc -c <err)" "0 0" "repartir $words $word"
    done
}

section() { # of a verb; all else has a page of its own
    case $1 in
    ckpt*) sed -n "/^\.SS ${1#ckpt } /,/^\.S[SH] /p" ;;
    *) cat ;;
    esac
}

# None of these is answered, or begun.
check_wrong() {
    words=$1
    : >complaints
    {
        echo --no-such-option-at-all
        echo -Z
        awk '$3 != "" { print "--" $1 } $3 == "" { print "--" $1 "=1" }' \
            options
    } >tried
    while read -r option; do
        # shellcheck disable=SC2086
        run 1 $words "$option"
        if [ "$code" != 64 ] || [ -s out ] || [ ! -s err ]; then
            echo "$option: code $code, says: $(head -n 1 out err)"
        fi
    done <tried >>complaints
    verdict "$(wc -l <tried) wrong options of $words" complaints
}

for verb in $("$repartir" ckpt --help |
    sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p'); do
    file=$(grep -l "argp_option options_of_$verb\[\]" "$SRC"/src/cli/ckpt/*.c)
    [ -n "$file" ] || file=$SRC/src/cli/ckpt/$verb.c
    check_help "ckpt $verb" "${file#"$SRC"/}" "options_of_$verb" \
        "$SRC/doc/man/repartir-ckpt.1"
    check_wrong "ckpt $verb"
done
check_help query src/cli/cmd_query.c options_of_query \
    "$SRC/doc/man/repartir-query.1"
check_wrong query
run 1 ckpt --help
expect 0 "repartir ckpt --help"
for page in ckpt query; do
    sed -n '/^\.SH EXIT STATUS/,/^\.SH /p' \
        "$SRC/doc/man/repartir-$page.1" >status
    has status '^\.B 64' "the manual of $page has the code"
done
finish
