# field.sh - what tests of the heat examples share
#
#   . "$SRC/tests/examples/field.sh"
#   newest DIR          the folder of the newest checkpoint of the run in DIR
#   field DIR FILE      the numbers in it, found by its manifest, as
#                       doc/checkpoint-format.md says
newest() {
    find "$1/heat" -maxdepth 1 -name 'it-*' | sort | tail -n 1
}

field() {
    local at entry offset bytes
    at=$(newest "$1")
    entry=$(grep '"name": "temperature"' "$at/MANIFEST.json") || return 1
    offset=$(echo "$entry" | sed 's/.*"offset": \([0-9]*\).*/\1/')
    bytes=$(echo "$entry" | sed 's/.*"bytes": \([0-9]*\).*/\1/')
    tail -c "+$((offset + 1))" "$at/state.h5" | head -c "$bytes" >"$2"
}
