/*
 * utf8.h - what is text in UTF-8, and what is none
 */
#ifndef RPT_BASE_UTF8_H
#define RPT_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at the start of one byte or more, 0
 * when there is none (RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF). */
static inline size_t rpt__utf8_length(const unsigned char *s, size_t bytes)
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

static inline bool rpt__is_utf8(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t left = strlen(text), n = 1;

    for (; left > 0 && n > 0; s += n, left -= n) {
        n = rpt__utf8_length(s, left);
    }
    return n > 0;
}

#endif /* RPT_BASE_UTF8_H */
