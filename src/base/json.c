/*
 * json.c - writes JSON into a buffer (RFC 8259)
 */
#include "base/json.h"

#include "base/plain.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>

static void add_control(struct rpt_buf *buf, unsigned char c)
{
    switch (c) {
    case '\n':
        rpt__buf_add(buf, "\\n", 2);
        break;
    case '\t':
        rpt__buf_add(buf, "\\t", 2);
        break;
    case '\r':
        rpt__buf_add(buf, "\\r", 2);
        break;
    default:
        rpt__buf_printf(buf, "\\u%04x", c);
    }
}

void rpt__json_string(struct rpt_buf *buf, const char *data, size_t bytes)
{
    const unsigned char *s = (const unsigned char *)data;

    rpt__buf_u8(buf, '"');
    for (size_t i = 0; i < bytes;) {
        size_t n = rpt__utf8_length(s + i, bytes - i);

        if (n == 0) {
            rpt__buf_add(buf, "\xef\xbf\xbd", 3);
            i++;
            continue;
        }
        if (s[i] < 0x20 || s[i] == 0x7f) {
            add_control(buf, s[i]);
        } else if (s[i] == '"' || s[i] == '\\') {
            rpt__buf_u8(buf, '\\');
            rpt__buf_u8(buf, s[i]);
        } else {
            rpt__buf_add(buf, s + i, n);
        }
        i += n;
    }
    rpt__buf_u8(buf, '"');
}

void rpt__json_number(struct rpt_buf *buf, double value)
{
    char text[32];

    if (!isfinite(value)) {
        rpt__buf_add(buf, "null", 4);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        rpt__plain_print(text, sizeof text, "%.*g", digits, value);
        if (rpt__plain_number(text, NULL) == value) {
            break;
        }
    }
    rpt__buf_printf(buf, "%s", text);
}

bool rpt__json_has_room(size_t bytes)
{
    void *room = malloc(16 * (bytes + 1));

    free(room);
    return room != NULL;
}
