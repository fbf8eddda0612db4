/*
 * spawn_loop.c - the least that starting programs costs: posix_spawn and wait
 *
 *   spawn_loop N [IN_FLIGHT]
 *
 * Runs /bin/true N times, IN_FLIGHT (2) at a time, and nothing else: no queue,
 * no result, no log.  Output goes where this program's goes.  What any task
 * runner can reach on this machine, and the peer of one row.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(int argc, char *argv[])
{
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    long most = argc > 2 ? strtol(argv[2], NULL, 10) : 2;
    long started = 0, running = 0;
    char *child[] = { (char[]){ "/bin/true" }, NULL };
    double begin = now(), seconds;

    while (started < n || running > 0) {
        if (started < n && running < most) {
            pid_t pid;

            if (posix_spawn(&pid, child[0], NULL, NULL, child, environ) != 0) {
                perror("spawn_loop");
                return 1;
            }
            started++;
            running++;
        } else {
            int status;

            if (wait(&status) < 0 || status != 0) {
                fputs("spawn_loop: a child failed\n", stderr);
                return 1;
            }
            running--;
        }
    }
    seconds = now() - begin;
    fprintf(stderr, "{\"tasks\": %ld, \"seconds\": %.6f}\n", n, seconds);
    return 0;
}
