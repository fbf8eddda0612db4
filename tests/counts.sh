# counts.sh - what test scripts share: cases, counts, the last line
#
#   . "$SRC/tests/counts.sh"; suite NAME     a scratch folder is in $scratch
#   ok TEXT | bad TEXT | skip TEXT           one case each
#   verdict TEXT FILE                        bad when FILE has complaints in it
#   finish                                   prints the counts; 0, 1 or 77
#
# By hand: SRC=. BUILD=build CC=mpicc tests/lint/style
: "${SRC:?the top of the source tree}"
: "${BUILD:?the top of the build tree}"
n_passed=0
n_failed=0
n_skipped=0

suite() {
    suite_name=$1
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/rpt-test.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 1' HUP INT TERM
}

ok() {
    n_passed=$((n_passed + 1))
    echo "ok   $1"
}

bad() {
    n_failed=$((n_failed + 1))
    echo "FAIL $1"
}

skip() {
    n_skipped=$((n_skipped + 1))
    echo "  skip: $1"
}

verdict() {
    if [ -s "$2" ]; then
        sed 's/^/  /' "$2"
        bad "$1"
    else
        ok "$1"
    fi
}

# Files of ours below folders of the source tree, one a line, without what a
# build leaves: sources NAME-PATTERN FOLDER...
sources() {
    sources_pattern=$1
    shift
    (cd "$SRC" && for folder; do
        [ ! -e "$folder" ] || find "$folder" -name "$sources_pattern" -type f
    done) | sort
}

finish() {
    echo "== $suite_name: $n_passed passed, $n_failed failed," \
        "$n_skipped skipped"
    [ $n_failed -eq 0 ] || exit 1
    [ $n_passed -gt 0 ] || exit 77
    exit 0
}
