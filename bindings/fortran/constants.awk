# constants.awk - makes repartir.f03: the constants of the C headers, put where
# repartir.f03.in says @constants@
#
#   awk -f constants.awk base.h types.h checkpoint.h ... repartir.f03.in
#
# It reads the lines of RPT_STATUS_LIST, RPT_TYPE_LIST and RPT_OP_LIST, the
# values of enums whose names are known here, and a few #define with a number.
function constant(name, value) {
    line[n++] = "integer(c_int), parameter :: " name " = " value
}
/^#define RPT_(STATUS|TYPE|OP)_LIST\(X\)/ {
    prefix = $2
    sub(/_LIST.*/, "_", prefix)
    if (prefix == "RPT_STATUS_") prefix = "RPT_"
}
/^    X\(/ && prefix != "" {
    split($0, part, /[(,] */)
    constant(prefix part[2], part[3])
    if ($0 !~ /\\$/) prefix = ""
    next
}
/^#define RPT_VERSION_(MAJOR|MINOR|PATCH) / {
    version = version * 100 + $3
    if ($2 == "RPT_VERSION_PATCH") constant("RPT_VERSION_NUMBER", version)
}
/^#define RPT_(CHECKPOINT_DIMS|EXIT_AGAIN|COLOR_NONE) / {
    gsub(/[()]/, "", $3)
    constant($2, $3)
}
/^    RPT_(DUE|BLOB|EXPORT)_[A-Z_]+ = [0-9]+/ {
    sub(/,$/, "", $3)
    constant($1, $3)
}
/^@constants@$/ {
    for (i = 0; i < n; i++) print line[i]
    print "! The reasons after which a program should save and end."
    print "integer(c_int), parameter :: RPT_DUE_STOP = &"
    print "    ior(RPT_DUE_SIGNAL, ior(RPT_DUE_END, RPT_DUE_HALT))"
    print "type(c_ptr), parameter :: RPT_IN_PLACE = &"
    print "    transfer(-1_c_intptr_t, c_null_ptr)"
    next
}
FILENAME ~ /f03\.in$/ { print }
