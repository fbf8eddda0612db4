/*
 * signals.c - notes that a signal has come, if a program asked for that
 *
 * A handler that sets a flag, for the whole process; what was there before is
 * called too, and put back when nobody asks any more.
 */
#include "io/checkpoint/due.h"

#include "base/error.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

static const struct {
    const char *name;
    int number;
} known[] = { { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "TERM", SIGTERM },
              { "INT", SIGINT },   { "HUP", SIGHUP },   { "XCPU", SIGXCPU } };

enum { N_KNOWN = sizeof known / sizeof known[0] };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int n_users[N_KNOWN];
static struct sigaction before[N_KNOWN];
static volatile sig_atomic_t has_come[N_KNOWN];
/* The program has found ours and put another there, which may call it. */
static volatile sig_atomic_t is_below[N_KNOWN];
static volatile sig_atomic_t is_passed_on[N_KNOWN];

static void pass_on(const struct sigaction *to, int number, siginfo_t *info,
                    void *context)
{
    if ((to->sa_flags & SA_SIGINFO) != 0) {
        to->sa_sigaction(number, info, context);
    } else if (to->sa_handler != SIG_DFL && to->sa_handler != SIG_IGN) {
        to->sa_handler(number);
    }
}

static void come(int number, siginfo_t *info, void *context)
{
    for (int i = 0; i < N_KNOWN; i++) {
        if (known[i].number != number) {
            continue;
        }
        has_come[i] = 1;
        /* Ours may be above that one now, too. */
        if (!is_below[i] || !is_passed_on[i]) {
            is_passed_on[i] = 1;
            pass_on(&before[i], number, info, context);
            is_passed_on[i] = 0;
        }
    }
}

static bool is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == come;
}

/* Calls fn for each name of the list; -1: there is one that is not known. */
static int each(const char *list, void (*fn)(int index))
{
    while (*list != '\0') {
        size_t bytes = strcspn(list, ",");
        int index = 0;

        if (bytes > 3 && strncmp(list, "SIG", 3) == 0) {
            list += 3;
            bytes -= 3;
        }
        while (index < N_KNOWN && (strlen(known[index].name) != bytes ||
                                   strncmp(known[index].name, list, bytes))) {
            index++;
        }
        if (index == N_KNOWN) {
            return -1;
        }
        if (fn != NULL) {
            fn(index);
        }
        list += bytes + (list[bytes] == ',');
    }
    return 0;
}

int rpt__signal_number(const char *name)
{
    if (strncmp(name, "SIG", 3) == 0) {
        name += 3;
    }
    for (int i = 0; i < N_KNOWN; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].number;
        }
    }
    return 0;
}

static void note(int index)
{
    struct sigaction action = { .sa_flags = SA_RESTART | SA_SIGINFO };

    if (n_users[index]++ == 0) {
        action.sa_sigaction = come;
        sigemptyset(&action.sa_mask);
        has_come[index] = 0;
        sigaction(known[index].number, &action, &before[index]);
    }
}

/* A handler that the program has set since stays. */
static void forget(int index)
{
    struct sigaction now;

    if (--n_users[index] > 0) {
        return;
    }
    if (sigaction(known[index].number, NULL, &now) == 0 && is_ours(&now)) {
        sigaction(known[index].number, &before[index], NULL);
    } else {
        is_below[index] = 1;
    }
}

rpt_status_t rpt__signals_note(const char *list)
{
    if (each(list, NULL) != 0) {
        rpt__fail(RPT_ERR_INVALID, "io.checkpoint.signals=%s", list);
        rpt__fail_hint("it is a list of USR1, USR2, TERM, INT, HUP, XCPU, such "
                       "as USR1,TERM");
        return RPT_ERR_INVALID;
    }
    pthread_mutex_lock(&lock);
    each(list, note);
    pthread_mutex_unlock(&lock);
    return RPT_OK;
}

void rpt__signals_forget(const char *list)
{
    pthread_mutex_lock(&lock);
    each(list, forget);
    pthread_mutex_unlock(&lock);
}

static _Thread_local bool any_came;

static void look(int index)
{
    any_came |= has_come[index] != 0;
}

bool rpt__signals_came(const char *list)
{
    any_came = false;
    each(list, look);
    return any_came;
}
