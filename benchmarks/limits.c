/*
 * limits.c - what the machine allows, before any figure of ours is judged
 *
 *   limits FILE
 *
 * Wake: a thread sleeps on a semaphore for 20 ms, another posts; from post to
 * running.  Sync: append 4 KiB to FILE and fdatasync.  Medians; fork and exec
 * are measured by spawn_loop.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { N_WAKES = 100, N_SYNCS = 30 };

static sem_t ring;
static double posted, woken[N_WAKES];

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    return values[n / 2];
}

static void *sleeper(void *unused)
{
    for (int i = 0; i < N_WAKES; i++) {
        while (sem_wait(&ring) != 0) {
        }
        woken[i] = 1e6 * (now() - posted);
    }
    return unused;
}

static double wake_us(void)
{
    const struct timespec pause = { .tv_nsec = 20000000 };
    pthread_t thread;

    if (sem_init(&ring, 0, 0) != 0 ||
        pthread_create(&thread, NULL, sleeper, NULL) != 0) {
        exit(1);
    }
    for (int i = 0; i < N_WAKES; i++) {
        nanosleep(&pause, NULL);
        posted = now();
        sem_post(&ring);
    }
    pthread_join(thread, NULL);
    return median(woken, N_WAKES);
}

static double sync_us(const char *path)
{
    static const char block[4096];
    double times[N_SYNCS];
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    if (fd < 0) {
        perror(path);
        exit(1);
    }
    for (int i = 0; i < N_SYNCS; i++) {
        double start = now();

        if (write(fd, block, sizeof block) < 0 || fdatasync(fd) != 0) {
            perror(path);
            exit(1);
        }
        times[i] = 1e6 * (now() - start);
    }
    close(fd);
    unlink(path);
    return median(times, N_SYNCS);
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fputs("usage: limits FILE\n", stderr);
        return 64;
    }
    printf("{\"wake_us\": %.1f, ", wake_us());
    printf("\"sync_us\": %.1f}\n", sync_us(argv[1]));
    return 0;
}
