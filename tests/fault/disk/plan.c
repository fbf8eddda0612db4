/*
 * plan.c - the rules of RPT_DISK_FAULT
 *
 *   RULE;RULE;...   each WORD,WORD,...: one fault, and what limits it
 *
 * README.md lists the words.  A call is shown to every rule in turn, and each
 * that it fits counts it, so a rule's n does not depend on its neighbours.  All
 * that wait do so; of the others the first whose turn it is decides.  A plan
 * that makes no sense ends the process: a test with it would prove nothing.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum fault { NONE, FAIL, SHORT, KILL, STOP, DELAY, BUDGET, COUNT };

struct rule {
    enum fault fault;
    int error;
    bool is_after, is_of_job;
    enum disk_death death;
    int64_t delay_ns, budget_bytes;
    uint64_t kinds;
    const char *path; /* NULL: any */
    int rank;         /* -1: any */
    int64_t first, last;
    _Atomic int64_t *seen, *used;
};

static struct rule rules[DISK_MAX_RULES];
static int n_rules;
static char plan[8192];

/* What rules count: here, or in a file that the processes of a job share. */
struct tally {
    _Atomic int64_t seen[DISK_MAX_RULES], used[DISK_MAX_RULES];
};
static struct tally own;

static const struct {
    const char *name;
    int classes;
} groups[] = {
    { "@open", DISK_OPENS },
    { "@write", DISK_WRITES },
    { "@read", DISK_READS },
    { "@sync", DISK_SYNCS },
    { "@name", DISK_NAMES },
    { "@size", DISK_SIZES },
    { "@change",
      DISK_OPENS | DISK_WRITES | DISK_SYNCS | DISK_NAMES | DISK_SIZES },
};

static uint64_t kinds_of_classes(int classes)
{
    uint64_t kinds = 0;

    for (int kind = 0; kind < DISK_N_KINDS; kind++) {
        if (disk_classes[kind] & classes) {
            kinds |= (uint64_t)1 << kind;
        }
    }
    return kinds;
}

/* The calls that one pattern stands for. */
static uint64_t kinds_of(const char *pattern)
{
    uint64_t kinds = 0;

    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (strcmp(groups[i].name, pattern) == 0) {
            return kinds_of_classes(groups[i].classes);
        }
    }
    for (int kind = 0; kind < DISK_N_KINDS; kind++) {
        if (fnmatch(pattern, disk_names[kind], 0) == 0) {
            kinds |= (uint64_t)1 << kind;
        }
    }
    return kinds;
}

static void read_calls(struct rule *rule, char *list, const char *word)
{
    char *rest;

    rule->kinds = 0;
    for (char *one = strtok_r(list, "|", &rest); one != NULL;
         one = strtok_r(NULL, "|", &rest)) {
        const uint64_t kinds = kinds_of(one);
        if (kinds == 0) {
            disk_refuse(word, "no call has this name");
        }
        rule->kinds |= kinds;
    }
}

static int64_t number_of(const char *text, const char *word, char **end)
{
    char *here;

    errno = 0;
    const long long value = strtoll(text, &here, 10);
    if (here == text || value < 0 || errno != 0 ||
        (end == NULL && *here != '\0')) {
        disk_refuse(word, "this is no number");
    }
    if (end != NULL) {
        *end = here;
    }
    return value;
}

/* 3, 3+ or 3-5 */
static void read_turns(struct rule *rule, const char *text, const char *word)
{
    char *end;

    rule->first = rule->last = number_of(text, word, &end);
    if (strcmp(end, "+") == 0) {
        rule->last = INT64_MAX;
    } else if (*end == '-') {
        rule->last = number_of(end + 1, word, NULL);
    } else if (*end != '\0') {
        disk_refuse(word, "write n=3, n=3+ or n=3-5");
    }
    if (rule->first < 1 || rule->last < rule->first) {
        disk_refuse(word, "the first call is n=1");
    }
}

static void set_fault(struct rule *rule, enum fault fault, const char *word)
{
    if (rule->fault != NONE) {
        disk_refuse(word, "a rule has one fault; write ; before the next");
    }
    rule->fault = fault;
}

/* Faults that are a word. */
static bool read_plain(struct rule *rule, const char *word)
{
    static const struct {
        const char *name;
        enum fault fault;
        int error;
        bool is_after;
        enum disk_death death;
    } faults[] = {
        { "short", SHORT, 0, false, DISK_LIVES },
        { "EINTR", FAIL, EINTR, false, DISK_LIVES },
        { "emfile", FAIL, EMFILE, false, DISK_LIVES },
        { "kill", KILL, 0, false, DISK_KILLED },
        { "kill-after", KILL, 0, true, DISK_KILLED },
        { "kill-all", KILL, 0, false, DISK_ALL_KILLED },
        { "kill-all-after", KILL, 0, true, DISK_ALL_KILLED },
        { "stop", STOP, 0, false, DISK_LIVES },
        { "count", COUNT, 0, false, DISK_LIVES },
    };

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (strcmp(word, faults[i].name) == 0) {
            set_fault(rule, faults[i].fault, word);
            rule->error = faults[i].error;
            rule->is_after = faults[i].is_after;
            rule->death = faults[i].death;
            return true;
        }
    }
    return false;
}

/* The value is cut up, the word is not. */
static void read_value(struct rule *rule, const char *word, char *value)
{
    const size_t n = strcspn(word, "=");
#define IS(name) (n == sizeof(name) - 1 && strncmp(word, name, n) == 0)

    if (IS("call")) {
        read_calls(rule, value, word);
    } else if (IS("path")) {
        rule->path = value;
    } else if (IS("n")) {
        read_turns(rule, value, word);
    } else if (IS("rank")) {
        rule->rank = (int)number_of(value, word, NULL);
    } else if (IS("fail") || IS("fail-after")) {
        set_fault(rule, FAIL, word);
        rule->is_after = n > 4;
        rule->error = disk_error_of(value);
        if (rule->error == 0) {
            disk_refuse(word, "this error is not known; its number will do");
        }
    } else if (IS("budget")) {
        set_fault(rule, BUDGET, word);
        rule->budget_bytes = number_of(value, word, NULL);
    } else if (IS("delay")) {
        char *end;
        const double delay_s = strtod(value, &end);
        set_fault(rule, DELAY, word);
        if (end == value || *end != '\0' || !(delay_s >= 0 && delay_s < 1e6)) {
            disk_refuse(word, "delay=0.1 is a number of seconds");
        }
        rule->delay_ns = (int64_t)(delay_s * 1e9);
    } else {
        disk_refuse(word, "no rule has this word");
    }
#undef IS
}

/* What was not said: which calls, and which of them. */
static void complete(struct rule *rule, const char *text)
{
    const int data = DISK_WRITES | DISK_READS;
    int classes = ~0;

    if (rule->fault == SHORT) {
        classes = rule->kinds == 0 ? DISK_WRITES : data;
    } else if (rule->fault == BUDGET) {
        classes = DISK_WRITES | DISK_SIZES;
    } else if (rule->kinds == 0 && rule->error == EMFILE) {
        classes = DISK_OPENS;
    } else if (rule->kinds == 0 && rule->error == EINTR) {
        classes = data;
    }
    rule->kinds = rule->kinds == 0 ? ~(uint64_t)0 : rule->kinds;
    rule->kinds &= kinds_of_classes(classes);
    rule->kinds &= ~((uint64_t)1 << DISK_mmap);
    if (rule->fault == NONE) {
        disk_refuse(text, "a rule with no fault in it");
    }
    if (rule->kinds == 0) {
        disk_refuse(text, "this fault cannot be had from these calls");
    }
    if (rule->first == 0) {
        const bool is_once = rule->fault == SHORT || rule->fault == KILL ||
                             rule->fault == STOP || rule->error == EINTR;
        rule->first = 1;
        rule->last = is_once ? 1 : INT64_MAX;
    }
}

static void read_rule(struct rule *rule, char *text)
{
    const size_t length = strlen(text);
    char copy[512], whole[512];
    char *rest;

    if (length >= sizeof copy) {
        disk_refuse(text, "a rule of more than 511 characters");
    }
    strcpy(copy, text);
    strcpy(whole, text);
    rule->rank = -1;
    for (char *word = strtok_r(text, ",", &rest); word != NULL;
         word = strtok_r(NULL, ",", &rest)) {
        /* The word as it was, for messages: text is cut up. */
        const char *shown = copy + (word - text);
        copy[(word - text) + (ptrdiff_t)strlen(word)] = '\0';
        char *equals = strchr(word, '=');
        if (strcmp(word, "job") == 0) {
            rule->is_of_job = true;
        } else if (equals != NULL) {
            read_value(rule, shown, equals + 1);
        } else if (!read_plain(rule, word)) {
            disk_refuse(shown, "no rule has this word");
        }
    }
    complete(rule, whole);
}

void disk_plan_start(const char *text)
{
    char *rest;

    if (text == NULL) {
        return;
    }
    if (strlen(text) >= sizeof plan) {
        disk_refuse("RPT_DISK_FAULT", "a plan of more than 8191 characters");
    }
    strcpy(plan, text);
    for (char *one = strtok_r(plan, ";", &rest); one != NULL;
         one = strtok_r(NULL, ";", &rest)) {
        if (n_rules == DISK_MAX_RULES) {
            disk_refuse(one, "a plan has at most 32 rules");
        }
        struct rule *rule = &rules[n_rules];
        read_rule(rule, one);
        rule->seen = &own.seen[n_rules];
        rule->used = &own.used[n_rules];
        n_rules++;
    }
    if (n_rules == 0) {
        disk_refuse("RPT_DISK_FAULT", "there is no rule in it");
    }
}

void disk_plan_share(const char *file)
{
    struct tally *shared = MAP_FAILED;

    if (file != NULL) {
        const int fd = (int)syscall(SYS_openat, AT_FDCWD, file,
                                    O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd >= 0 && syscall(SYS_ftruncate, fd, sizeof *shared) == 0) {
            shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                          MAP_SHARED, fd, 0);
        }
        if (shared == MAP_FAILED) {
            disk_refuse(file, "the counts cannot be shared by this file");
        }
        syscall(SYS_close, fd);
    }
    for (int i = 0; i < n_rules; i++) {
        if (rules[i].is_of_job && file == NULL) {
            disk_refuse("job", "RPT_DISK_SHARED is not set");
        }
        if (rules[i].is_of_job) {
            rules[i].seen = &shared->seen[i];
            rules[i].used = &shared->used[i];
        }
    }
}

void disk_plan_forget(void)
{
    for (int i = 0; i < DISK_MAX_RULES; i++) {
        own.seen[i] = own.used[i] = 0;
    }
}

int disk_plan_rules(void)
{
    return n_rules;
}

int64_t disk_plan_seen(int rule)
{
    return *rules[rule - 1].seen;
}

static bool fits(const struct rule *rule, const struct disk_call *call)
{
    return (rule->kinds >> call->kind & 1) != 0 &&
           (rule->rank < 0 || rule->rank == disk_rank) &&
           (rule->path == NULL || fnmatch(rule->path, call->path, 0) == 0 ||
            (call->path2[0] != '\0' &&
             fnmatch(rule->path, call->path2, 0) == 0));
}

/* As a disk that gets full: first what still goes, then nothing. */
static bool spend(const struct rule *rule, struct disk_call *call)
{
    int64_t wanted = call->bytes > 0 ? call->bytes : 0;
    int64_t used = *rule->used;
    int64_t granted;

    if (disk_classes[call->kind] == DISK_SIZES) {
        const bool is_grown = call->kind == DISK_fallocate ||
                              call->kind == DISK_posix_fallocate;
        call->error = is_grown && wanted > rule->budget_bytes - used ? ENOSPC
                                                                     : 0;
        return call->error != 0;
    }
    if ((int64_t)call->allowed < wanted) {
        wanted = (int64_t)call->allowed;
    }
    do {
        const int64_t left = rule->budget_bytes - used;
        granted = wanted < left ? wanted : left;
    } while (!atomic_compare_exchange_weak(rule->used, &used, used + granted));
    if (granted == wanted) {
        return false;
    }
    call->allowed = (size_t)granted;
    call->error = granted == 0 ? ENOSPC : 0;
    return true;
}

static void wait_ns(int64_t ns)
{
    struct timespec rest = { (time_t)(ns / 1000000000), ns % 1000000000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR) {
    }
}

static void stop(struct disk_call *call, int rule)
{
    call->rule = rule;
    call->begin_ns = disk_now_ns();
    disk_trace(call, 0, 0, "stopped");
    raise(SIGSTOP); /* this thread, so that it does not go on a little */
}

/* Whether the rule has decided what becomes of the call. */
static bool act(const struct rule *rule, struct disk_call *call)
{
    switch (rule->fault) {
    case FAIL:
        call->error = rule->error;
        call->is_after = rule->is_after;
        return true;
    case KILL:
        call->death = rule->death;
        call->is_after = rule->is_after;
        return true;
    case SHORT:
        if (call->bytes < 2) {
            return false;
        }
        call->allowed = (size_t)call->bytes / 2;
        return true;
    case BUDGET:
        return spend(rule, call);
    default:
        return false;
    }
}

void disk_plan_apply(struct disk_call *call)
{
    bool is_decided = false;

    for (int i = 0; i < n_rules; i++) {
        const struct rule *rule = &rules[i];
        if (!fits(rule, call)) {
            continue;
        }
        const int64_t n = atomic_fetch_add(rule->seen, 1) + 1;
        if (n < rule->first || n > rule->last) {
            continue;
        }
        if (rule->fault == DELAY) {
            call->rule = call->rule == 0 ? i + 1 : call->rule;
            wait_ns(rule->delay_ns);
        } else if (rule->fault == STOP) {
            stop(call, i + 1);
        } else if (!is_decided && act(rule, call)) {
            is_decided = true;
            call->rule = i + 1;
        }
    }
}
