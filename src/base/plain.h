/*
 * plain.h - numbers as text with a decimal point, in any locale
 */
#ifndef RPT_BASE_PLAIN_H
#define RPT_BASE_PLAIN_H

#include <locale.h>
#include <stddef.h>

/* Between these two calls this thread prints and reads numbers as programs do
 * that set no locale, whatever the program has set. */
locale_t rpt__plain_begin(void);
void rpt__plain_end(locale_t before);

/* snprintf() and strtod() between these. */
int rpt__plain_print(char *text, size_t bytes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
double rpt__plain_number(const char *text, char **rest_out);

#endif /* RPT_BASE_PLAIN_H */
