/*
 * test_peek.c - memory of another process is read, all of it or with a reason
 *
 * The other process is a child, which nothing but a filter keeps from being
 * read.
 */
#include "base/peek.h"

#include "forbid.h"
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, BYTES = 3 * 1024 * 1024 };

/* A child that does something and sleeps until it is ended. */
static pid_t child_that(void (*fn)(void *arg), void *arg)
{
    int ready[2];
    char byte = 0;
    pid_t pid;

    CU_ASSERT_FATAL(pipe(ready) == 0);
    pid = fork();
    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0) {
        fn(arg);
        if (write(ready[1], &byte, 1) == 1) {
            pause();
        }
        _exit(0);
    }
    CU_ASSERT_FATAL(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void fill(void *memory)
{
    unsigned char *bytes = memory;

    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = (unsigned char)(i * 7 + i / PAGE);
    }
}

static void memory_of_another_process_is_read(void)
{
    enum { FROM = 5, N = BYTES - 11 };
    unsigned char *memory = calloc(BYTES, 1), *copy = calloc(BYTES, 1);
    pid_t pid = child_that(fill, memory);
    size_t n_wrong = 0;

    CU_ASSERT_EQUAL(memory[1], 0); /* the child's is another */
    CU_ASSERT_EQUAL(
        rpt__peek(pid, (uint64_t)(uintptr_t)(memory + FROM), copy + 1, N),
        RPT_OK);
    fill(memory);
    for (size_t i = 0; i < N; i++) {
        n_wrong += copy[1 + i] != memory[FROM + i];
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
    CU_ASSERT_EQUAL(copy[0], 0);
    CU_ASSERT_EQUAL(copy[1 + N], 0);
    end(pid);
    free(memory);
    free(copy);
}

static void unmap_second_page(void *memory)
{
    munmap((char *)memory + PAGE, PAGE);
}

static void a_range_that_ends_early_is_an_error(void)
{
    char copy[2 * PAGE];
    char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid = child_that(unmap_second_page, memory);
    uint64_t from = (uint64_t)(uintptr_t)memory;

    CU_ASSERT_EQUAL(rpt__peek(pid, from, copy, PAGE), RPT_OK);
    CU_ASSERT_EQUAL(rpt__peek(pid, from, copy, PAGE + 1), RPT_ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(rpt_last_error()->hint, "as large as it said"));
    CU_ASSERT_EQUAL(rpt__peek_try(pid, from + PAGE, copy, 1), EFAULT);
    end(pid);
    munmap(memory, 2 * PAGE);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static void a_process_that_is_gone_is_an_error(void)
{
    char byte = 1, copy = 2;
    pid_t pid = child_that(do_nothing, NULL);

    end(pid);
    CU_ASSERT_EQUAL(rpt__peek(pid, (uint64_t)(uintptr_t)&byte, &copy, 1),
                    RPT_ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->hint, "is gone"));
    CU_ASSERT_EQUAL(copy, 2);
    CU_ASSERT_EQUAL(rpt__peek(pid, 0, NULL, 0), RPT_OK); /* nothing to read */
}

struct attempt {
    int error;
};

/* In a child that a filter keeps from reading others. */
static void read_with_filter(void *arg)
{
    struct attempt *attempt = arg;
    char byte = 1, copy;

    if (!rpt_test_forbid_reads()) {
        attempt->error = -1;
        return;
    }
    attempt->error = rpt__peek_try(getpid(), (uint64_t)(uintptr_t)&byte, &copy,
                                   1);
}

static void what_is_forbidden_is_an_error(void)
{
    struct attempt *attempt = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = child_that(read_with_filter, attempt);

    if (attempt->error == -1) {
        rpt_test_skip("no filters of system calls here");
    } else {
        CU_ASSERT_EQUAL(attempt->error, EPERM);
    }
    end(pid);
    munmap(attempt, PAGE);
}

static const struct rpt_test tests[] = {
    RPT_TEST(memory_of_another_process_is_read),
    RPT_TEST(a_range_that_ends_early_is_an_error),
    RPT_TEST(a_process_that_is_gone_is_an_error),
    RPT_TEST(what_is_forbidden_is_an_error), RPT_TEST_END
};

int main(int argc, char *argv[])
{
    return rpt_test_main("test_peek", tests, 60, argc, argv);
}
