/*
 * json.c - writes JSON into a buffer (RFC 8259)
 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Length of the well-formed UTF-8 sequence at the start, 0 when there is none
 * (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_length(const unsigned char *s, size_t bytes)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2
             : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    if (n > bytes) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) {
        return 0;
    }
    return n;
}

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
        size_t n = utf8_length(s + i, bytes - i);

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
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    rpt__buf_printf(buf, "%s", text);
}
