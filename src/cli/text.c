/*
 * text.c - bytes that grow: JSON strings (RFC 8259) and shell words too
 */
#include "cli/text.h"

#include "cli/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_end(void *memory, size_t bytes)
{
    if (memory == NULL) {
        say_quiet(false);
        say("out of memory (%zu bytes)", bytes);
        exit(CODE_SOFTWARE);
    }
    return memory;
}

void *get_memory(size_t bytes)
{
    return or_end(calloc(1, bytes > 0 ? bytes : 1), bytes);
}

void *get_more(void *old, size_t bytes)
{
    return or_end(realloc(old, bytes > 0 ? bytes : 1), bytes);
}

char *copy_string(const char *string)
{
    size_t bytes = strlen(string) + 1;

    return memcpy(get_memory(bytes), string, bytes);
}

static void reserve(struct text *text, size_t more)
{
    size_t needed = text->bytes + more + 1;

    if (needed > text->room) {
        text->room = needed < 64 ? 64 : needed + needed / 2;
        text->data = get_more(text->data, text->room);
    }
}

void text_add(struct text *text, const void *data, size_t bytes)
{
    reserve(text, bytes);
    if (bytes > 0) {
        memcpy(text->data + text->bytes, data, bytes);
    }
    text->bytes += bytes;
    text->data[text->bytes] = '\0';
}

void text_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_char(struct text *text, char c)
{
    text_add(text, &c, 1);
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n <= 0) {
        return;
    }
    reserve(text, (size_t)n);
    va_start(args, format);
    vsnprintf(text->data + text->bytes, (size_t)n + 1, format, args);
    va_end(args);
    text->bytes += (size_t)n;
}

/* Length of the well-formed UTF-8 sequence at the start, 0 when there is none
 * (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_length(const unsigned char *s, size_t bytes)
{
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xc2 ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
               : s[0] < 0xf5 ? 4
                             : 0;

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

/* U+0080 to U+009F: some terminals obey them as they obey ESC. */
static bool is_c1(const unsigned char *s, size_t n)
{
    return n == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

static void add_json_ascii(struct text *text, char c)
{
    if (c == '\n') {
        text_string(text, "\\n");
    } else if (c == '\t') {
        text_string(text, "\\t");
    } else if (c == '"' || c == '\\') {
        text_char(text, '\\');
        text_char(text, c);
    } else if ((unsigned char)c < 0x20 || c == 0x7f) {
        text_printf(text, "\\u%04x", (unsigned)c);
    } else {
        text_char(text, c);
    }
}

void text_json(struct text *text, const char *data, size_t bytes)
{
    const unsigned char *s = (const unsigned char *)data;

    text_char(text, '"');
    for (size_t i = 0; i < bytes;) {
        size_t n = utf8_length(s + i, bytes - i);

        if (n == 1) {
            add_json_ascii(text, data[i]);
        } else if (n == 0) {
            text_string(text, "\xef\xbf\xbd");
        } else if (is_c1(s + i, n)) {
            text_printf(text, "\\u%04x", s[i + 1]);
        } else {
            text_add(text, data + i, n);
        }
        i += n > 0 ? n : 1;
    }
    text_char(text, '"');
}

void text_visible(struct text *text, const char *data, size_t bytes)
{
    const unsigned char *s = (const unsigned char *)data;

    for (size_t i = 0; i < bytes;) {
        size_t n = utf8_length(s + i, bytes - i);

        if (n == 1 && data[i] == '\n') {
            text_string(text, "\\n");
        } else if (n == 0 || s[i] < 0x20 || s[i] == 0x7f) {
            text_printf(text, "\\x%02x", s[i]);
        } else if (is_c1(s + i, n)) {
            text_printf(text, "\\u%04x", s[i + 1]);
        } else {
            text_add(text, data + i, n);
        }
        i += n > 0 ? n : 1;
    }
}

void text_shell(struct text *text, const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_-./,:+@%^=";

    if (word[0] != '\0' && word[strspn(word, safe)] == '\0') {
        text_string(text, word);
        return;
    }
    text_char(text, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            text_string(text, "'\\''");
        } else {
            text_char(text, *word);
        }
    }
    text_char(text, '\'');
}

void text_command(struct text *text, const char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (i > 0) {
            text_char(text, ' ');
        }
        text_shell(text, words[i]);
    }
}

void text_clear(struct text *text)
{
    text->bytes = 0;
    if (text->data != NULL) {
        text->data[0] = '\0';
    }
}

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){ NULL, 0, 0 };
}
