# statuses.awk - shows Doxygen the statuses, which a macro makes: puts each as
# a documented enumerator where base.h expands its list.
/^    X\(/ {
    name = $0; sub(/^ *X\(/, "", name); sub(/,.*/, "", name)
    value = $0; sub(/^[^,]*, */, "", value); sub(/,.*/, "", value)
    text = $0; sub(/^[^"]*"/, "", text); sub(/".*/, "", text)
    row[n++] = "    RPT_" name " = " value ", /**< " text " */"
}
/RPT_STATUS_LIST\(RPT_STATUS_ENUM\)/ {
    for (i = 0; i < n; i++) print row[i]
    next
}
{ print }
