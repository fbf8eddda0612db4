/*
 * json.h - writes JSON into a buffer (reading is jansson's job)
 */
#ifndef RPT_BASE_JSON_H
#define RPT_BASE_JSON_H

#include "base/buf.h"

/* A quoted string.  Bytes that are no UTF-8 become U+FFFD, one for each. */
void rpt__json_string(struct rpt_buf *buf, const char *data, size_t bytes);

/* A number that reads back as the same double; null for NaN and infinity. */
void rpt__json_number(struct rpt_buf *buf, double value);

#endif /* RPT_BASE_JSON_H */
