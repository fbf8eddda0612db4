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
static volatile sig_atomic_t next_ends;

static void nothing(int number)
{
    (void)number;
}

static void note(int number)
{
    static const char words[] = "repartir: one more signal: ending now\n";

    if (next_ends) {
        ssize_t n = write(STDERR_FILENO, words, sizeof words - 1);

        (void)n;
        _exit(CODE_RESUMABLE);
    }
    if (first == 0) {
        first = number;
    }
}

static void install(int number, void (*handler)(int))
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void signals_install(bool driver)
{
    static const int numbers[] = { SIGUSR1, SIGTERM, SIGINT };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        install(numbers[i], driver ? note : nothing);
    }
    install(SIGPIPE, nothing);
}

int signals_first(void)
{
    return first;
}

void signals_next_ends(void)
{
    next_ends = 1;
}
