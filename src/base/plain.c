/*
 * plain.c - numbers as text with a decimal point, in any locale
 *
 * A program that calls setlocale() changes what snprintf() writes and strtod()
 * reads, to a comma perhaps; our files and options are the same everywhere.
 * The thread gets the locale "C" for a moment: other threads see nothing of it.
 */
#include "base/plain.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t plain;

static void make(void)
{
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

locale_t rpt__plain_begin(void)
{
    pthread_once(&once, make);
    return uselocale(plain); /* 0, if it could not be made: nothing changes */
}

void rpt__plain_end(locale_t before)
{
    uselocale(before);
}

int rpt__plain_print(char *text, size_t bytes, const char *format, ...)
{
    locale_t before = rpt__plain_begin();
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, bytes, format, args);
    va_end(args);
    rpt__plain_end(before);
    return n;
}

double rpt__plain_number(const char *text, char **rest_out)
{
    locale_t before = rpt__plain_begin();
    double number = strtod(text, rest_out);

    rpt__plain_end(before);
    return number;
}
