/*
 * signals.h - the signals that ask the command to stop
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

/* Before anything runs: USR1, TERM and INT end this process at once with
 * CODE_RESUMABLE; with a word about it if it `speaks`. */
void signals_begin(bool speaks);

/* From now on USR1, TERM and INT are noted; PIPE does nothing.  `driver` false:
 * they do nothing at all (a launcher sends them to all ranks; rank 0
 * answers). */
void signals_install(bool driver);

/* The first one that came, 0: none. */
int signals_first(void);

/* The process that sent it; 0: unknown. */
pid_t signals_sender(void);

/* From now on one more signal prints `last_words` (of which the first 4 KiB
 * are kept) and ends this process at once with CODE_RESUMABLE. */
void signals_next_ends(const char *last_words);

#endif /* CLI_SIGNALS_H */
