/*
 * json.h - writes JSON into a buffer (reading is jansson's job)
 */
#ifndef RPT_BASE_JSON_H
#define RPT_BASE_JSON_H

#include "base/buf.h"

#include <stdbool.h>

/* A quoted string.  Bytes that are no UTF-8 become U+FFFD, one for each. */
void rpt__json_string(struct rpt_buf *buf, const char *data, size_t bytes);

/* A number that reads back as the same double; null for NaN and infinity. */
void rpt__json_number(struct rpt_buf *buf, double value);

/* Whether there is memory to read so many bytes of it: asked before, since
 * without memory jansson may end the process (an assertion about a lost byte),
 * and asked again when the text seems wrong, since it does not tell a lack of
 * memory from a wrong token or a shorter text; then the text is read once
 * more. */
bool rpt__json_has_room(size_t bytes);

#endif /* RPT_BASE_JSON_H */
