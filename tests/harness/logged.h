/*
 * logged.h - what the library says to its user meanwhile, for a test to read
 */
#ifndef RPT_TESTS_HARNESS_LOGGED_H
#define RPT_TESTS_HARNESS_LOGGED_H

/* From now on messages are kept, and not printed; nothing is kept yet.  As of
 * rpt_log_set(): by one thread, while no other is inside the library. */
void log_begin(void);
/* They are printed again.  Each message that was kept, one on a line: until the
 * next log_begin(). */
const char *log_end(void);

#endif /* RPT_TESTS_HARNESS_LOGGED_H */
