/*
 * signals.c - the signals that ask the command to stop
 *
 * The first one is noted; the driver looks several times a second, and drains.
 * One more while it drains ends the process on the spot: keepers end what
 * runs, and the state directory is made for sudden ends.  Handlers rather than
 * SIG_IGN: ignored signals would be inherited by the tasks.
 */
#include "cli/signals.h"

#include "cli/fault.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t first;
static volatile sig_atomic_t sender;
static volatile sig_atomic_t next_ends;
static char words[4096];
static size_t n_words;

static void nothing(int number)
{
    (void)number;
}

static void note(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (next_ends) {
        ssize_t n = n_words > 0 ? write(STDERR_FILENO, words, n_words) : 0;

        (void)n;
        _exit(CODE_RESUMABLE);
    }
    if (first == 0) {
        sender = info->si_code == SI_USER ? info->si_pid : 0;
        first = number;
    }
}

static const int numbers[] = { SIGUSR1, SIGTERM, SIGINT };

static void install(int number, bool noted)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_flags = SA_RESTART;
    if (noted) {
        action.sa_sigaction = note;
        action.sa_flags |= SA_SIGINFO;
    } else {
        action.sa_handler = nothing;
    }
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void signals_begin(bool speaks)
{
    signals_next_ends(
        speaks ? "repartir: interrupted before anything ran\n" : "");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        install(numbers[i], true);
    }
}

void signals_install(bool driver)
{
    next_ends = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        install(numbers[i], driver);
    }
    install(SIGPIPE, false);
}

int signals_first(void)
{
    return first;
}

pid_t signals_sender(void)
{
    return sender;
}

void signals_next_ends(const char *last_words)
{
    n_words = strnlen(last_words, sizeof words);
    memcpy(words, last_words, n_words);
    next_ends = 1;
}
