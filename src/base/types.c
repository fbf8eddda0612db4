/*
 * types.c - names and sizes of element types and operators
 */
#include <repartir/types.h>

size_t rpt_type_bytes(rpt_type_t type)
{
    switch (type) {
#define RPT_TYPE_CASE(name, value, bytes, text)                                \
    case RPT_TYPE_##name:                                                      \
        return bytes;
        RPT_TYPE_LIST(RPT_TYPE_CASE)
#undef RPT_TYPE_CASE
    default:
        return 0;
    }
}

const char *rpt_type_name(rpt_type_t type)
{
    switch (type) {
#define RPT_TYPE_CASE(name, value, bytes, text)                                \
    case RPT_TYPE_##name:                                                      \
        return text;
        RPT_TYPE_LIST(RPT_TYPE_CASE)
#undef RPT_TYPE_CASE
    default:
        return "unknown";
    }
}

const char *rpt_op_name(rpt_op_t op)
{
    switch (op) {
#define RPT_OP_CASE(name, value, text)                                         \
    case RPT_OP_##name:                                                        \
        return text;
        RPT_OP_LIST(RPT_OP_CASE)
#undef RPT_OP_CASE
    default:
        return "unknown";
    }
}
