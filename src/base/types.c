/*
 * types.c - names and sizes of element types and operators
 */
#include <repartir/types.h>

enum { OPAQUE_BYTES_MAX = 1 << 30 };

size_t rpt_type_bytes(rpt_type_t type)
{
    switch (type) {
#define RPT_TYPE_CASE(name, value, bytes, text)                                \
    case RPT_TYPE_##name:                                                      \
        return bytes;
        RPT_TYPE_LIST(RPT_TYPE_CASE)
#undef RPT_TYPE_CASE
    case RPT_TYPE_OPAQUE_0:
    case RPT_TYPE_OPAQUE_LAST:
    default:
        return type > RPT_TYPE_OPAQUE_0 &&
                       type - RPT_TYPE_OPAQUE_0 <= OPAQUE_BYTES_MAX
                   ? (size_t)(type - RPT_TYPE_OPAQUE_0)
                   : 0;
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
    case RPT_TYPE_OPAQUE_0:
    case RPT_TYPE_OPAQUE_LAST:
    default:
        return rpt_type_bytes(type) > 0 ? "opaque" : "unknown";
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
    case RPT_OP_USER_0:
    case RPT_OP_USER_LAST:
    default:
        return op >= RPT_OP_USER_0 && op <= RPT_OP_USER_LAST ? "user"
                                                             : "unknown";
    }
}
