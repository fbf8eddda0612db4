/*
 * writer.c - a program that writes files and says which calls it made
 *
 *   writer ACTION ARGUMENT...     in the current folder; see the table below
 *
 * Calls are told as CALL PATH PATH2 RESULT, as the trace has them.  It knows
 * nothing of the library that disk-faults puts in front of it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <mpi.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char data[1000];

static const char *error_name(void)
{
    switch (errno) {
    case EBADF:
        return "EBADF";
    case EEXIST:
        return "EEXIST";
    case EINTR:
        return "EINTR";
    case EIO:
        return "EIO";
    case EMFILE:
        return "EMFILE";
    case ENOENT:
        return "ENOENT";
    case ENOSPC:
        return "ENOSPC";
    case EOPNOTSUPP:
        return "EOPNOTSUPP";
    default:
        return strerror(errno);
    }
}

static void tell(const char *call, const char *path, const char *path2,
                 long result)
{
    if (result >= 0) {
        printf("%s %s %s %ld\n", call, path, path2, result);
    } else {
        printf("%s %s %s -%s\n", call, path, path2, error_name());
    }
}

#define TELL(name, path, path2, arguments)                                     \
    tell(#name, path, path2, (long)name arguments)

static int open_file(const char *path, int flags)
{
    const int fd = open(path, flags, 0666);

    tell("open", path, "-", fd);
    if (fd < 0) {
        exit(1);
    }
    return fd;
}

/* One of each. */
static void call_data(int fd, int copy)
{
    struct iovec parts[2] = { { data, 300 }, { data + 300, 500 } };

    TELL(write, "f", "-", (fd, data, 100));
    TELL(pwrite, "f", "-", (fd, data, 200, 4096));
    tell("pwrite", "f", "-", pwrite64(fd, data, 200, 8192));
    TELL(writev, "f", "-", (fd, parts, 2));
    TELL(pwritev, "f", "-", (fd, parts, 2, 0));
    tell("pwritev", "f", "-", pwritev64(fd, parts, 2, 0));
    TELL(pwritev2, "f", "-", (fd, parts, 2, 0, 0));
    TELL(read, "f", "-", (fd, data, 10));
    TELL(pread, "f", "-", (fd, data, 20, 0));
    tell("pread", "f", "-", pread64(fd, data, 30, 0));
    TELL(readv, "f", "-", (fd, parts, 2));
    TELL(preadv, "f", "-", (fd, parts, 2, 0));
    TELL(preadv2, "f", "-", (fd, parts, 2, 0, 0));
    TELL(fsync, "f", "-", (fd));
    TELL(fdatasync, "f", "-", (fd));
    TELL(sync_file_range, "f", "-", (fd, 0, 100, SYNC_FILE_RANGE_WRITE));
    TELL(syncfs, "f", "-", (fd));
    TELL(ftruncate, "f", "-", (fd, 5000));
    tell("ftruncate", "f", "-", ftruncate64(fd, 6000));
    TELL(fallocate, "f", "-", (fd, 0, 0, 7000));
    TELL(posix_fallocate, "f", "-", (fd, 0, 8000));
    TELL(fchmod, "f", "-", (fd, 0644));
    off_t from = 0;
    TELL(sendfile, "f", "copy", (copy, fd, &from, 600));
    loff_t from_at = 0, to_at = 0;
    TELL(copy_file_range, "f", "copy", (fd, &from_at, copy, &to_at, 700, 0));
    struct file_clone_range range = { .src_fd = fd, .src_length = 4096 };
    TELL(ioctl, "f", "copy", (copy, FICLONERANGE, &range));
    const void *mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    tell("mmap", "f", "-", mapped == MAP_FAILED ? -1 : 0);
    TELL(dup, "f", "-", (fd));
    TELL(dup2, "f", "-", (fd, 40));
    TELL(dup3, "f", "-", (fd, 41, O_CLOEXEC));
    TELL(close, "f", "-", (40));
    TELL(close, "f", "-", (fd));
}

static void call_names(void)
{
    char name[] = "mXXXXXX", folder[] = "dXXXXXX";

    TELL(mkdir, "sub", "-", ("sub", 0777));
    TELL(mkdir, "sub", "-", ("sub", 0777));
    const int sub = open_file("sub", O_RDONLY | O_DIRECTORY);
    TELL(mkdirat, "sub/deep", "-", (sub, "deep", 0777));
    TELL(openat, "sub/g", "-", (sub, "g", O_WRONLY | O_CREAT, 0666));
    tell("openat", "top", "-",
         openat64(sub, "../top", O_WRONLY | O_CREAT, 0666));
    TELL(creat, "c", "-", ("c", 0666));
    const int made = mkstemp(name);
    tell("mkstemp", name, "-", made);
    tell("mkdtemp", mkdtemp(folder), "-", 0);
    TELL(truncate, "f", "-", ("f", 100));
    TELL(rename, "f", "sub/h", ("f", "sub/h"));
    TELL(renameat, "sub/h", "f", (sub, "h", AT_FDCWD, "f"));
    TELL(renameat2, "f", "g", (AT_FDCWD, "f", AT_FDCWD, "g", 0));
    TELL(link, "g", "l", ("g", "l"));
    TELL(linkat, "sub/g", "ll", (sub, "g", AT_FDCWD, "ll", 0));
    TELL(symlink, "way", "-", ("sub", "way"));
    TELL(symlinkat, "sub/s", "-", ("g", sub, "s"));
    tell("unlink", "sub/s", "-", unlink("way/s"));
    TELL(unlink, "none", "-", ("none"));
    TELL(unlinkat, "sub/g", "-", (sub, "g", 0));
    TELL(remove, "l", "-", ("l"));
    TELL(rmdir, "sub/deep", "-", ("sub//deep/"));
    TELL(fsync, "sub", "-", (sub));
    /* A file whose name is gone is known by the one that it had. */
    TELL(unlink, name, "-", (name));
    TELL(write, name, "-", (made, data, 7));
}

static void do_every(char **arguments)
{
    (void)arguments;
    const int fd = open_file("f", O_RDWR | O_CREAT | O_TRUNC);
    const int copy = open_file("copy", O_RDWR | O_CREAT);

    call_data(fd, copy);
    call_names();
}

/* FILE BYTES: as a careful program does, in pieces of 300. */
static void do_fill(char **arguments)
{
    const int fd = open(arguments[0], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const long bytes = atol(arguments[1]);
    long done = 0, n_calls = 0;
    ssize_t n = fd < 0 ? -1 : 0;

    while (fd >= 0 && done < bytes) {
        const long left = bytes - done;
        n = write(fd, data, (size_t)(left < 300 ? left : 300));
        n_calls++;
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        done += n;
    }
    printf("%ld bytes, %ld calls, %s\n", done, n_calls,
           n < 0 ? error_name() : "well");
    if (fd >= 0 && close(fd) != 0) {
        printf("close: %s, ", error_name());
        printf("then %s\n", close(fd) < 0 ? error_name() : "again");
    }
}

/* NAME HOW: a checkpoint in a folder that gets its name in the end. */
static void do_save(char **arguments)
{
    const char *how = arguments[1];
    char aside[64], file[80];

    snprintf(aside, sizeof aside, "tmp.%s", arguments[0]);
    snprintf(file, sizeof file, "%s/state.h5", aside);
    mkdir(aside, 0777);
    const int fd = open(file, O_WRONLY | O_CREAT, 0666);
    const int folder = open(aside, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 4; i++) {
        (void)!pwrite(fd, data, sizeof data, i * 1000);
    }
    if (strcmp(how, "right") == 0) {
        fdatasync(fd);
        fsync(folder);
    }
    rename(aside, arguments[0]);
    if (strcmp(how, "late") == 0) {
        fdatasync(fd);
        fsync(folder);
    }
    const int top = open(".", O_RDONLY | O_DIRECTORY);
    fsync(top);
    close(top);
    close(folder);
    close(fd);
}

static void *write_pieces(void *bad_out)
{
    const int fd = open("threads", O_WRONLY | O_CREAT, 0666);
    long *n_bad = bad_out;

    for (int i = 0; i < 250; i++) {
        free(malloc(100));
        if (pwrite(fd, data, 10, i * 10) != 10) {
            (*n_bad)++;
        }
    }
    close(fd);
    return NULL;
}

static void do_threads(char **arguments)
{
    pthread_t threads[4];
    long n_bad[4] = { 0 };

    (void)arguments;
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, write_pieces, &n_bad[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%ld bad\n", n_bad[0] + n_bad[1] + n_bad[2] + n_bad[3]);
}

/* FILE: two writes here, two in a child that begins between them. */
static void do_fork(char **arguments)
{
    const int fd = open(arguments[0], O_WRONLY | O_CREAT, 0666);
    ssize_t first = write(fd, data, 10);
    const pid_t child = fork();

    if (child == 0) {
        first = write(fd, data, 10);
    }
    const ssize_t second = write(fd, data, 10);
    printf("%zd %zd\n", first, second);
    if (child != 0) {
        waitpid(child, NULL, 0);
    }
}

static void write_word(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT, 0666);

    (void)!write(fd, "x", 1);
    close(fd);
}

static char termed[80];

static void note_term(int signal_number)
{
    (void)signal_number;
    write_word(termed);
}

/* Waits to be killed, with a child that knows of no rank; notes it where it is
 * asked to end first. */
static void do_linger(char **arguments)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    char here[80];

    (void)arguments;
    rank = rank != NULL ? rank : getenv("PMI_RANK");
    snprintf(termed, sizeof termed, "termed.%s", rank);
    snprintf(here, sizeof here, "here.%s", rank);
    signal(SIGTERM, note_term);
    if (strcmp(rank, "0") == 0) {
        (void)!system("env -u OMPI_COMM_WORLD_RANK -u PMIX_RANK -u PMI_RANK "
                      "sleep 30 &");
    }
    write_word(here);
    /* The last one here begins what the others wait for. */
    while (access("here.0", F_OK) != 0 || access("here.1", F_OK) != 0 ||
           access("here.2", F_OK) != 0) {
        usleep(1000);
    }
    if (strcmp(rank, "1") == 0) {
        write_word("end");
    }
    for (int i = 0; i < 300; i++) {
        usleep(100000);
    }
}

/* FILE: all ranks write a piece of 1000 bytes by MPI, all at once. */
static void do_mpi(char **arguments)
{
    MPI_File file;
    MPI_Status status;
    int rank;

    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int code = MPI_File_open(MPI_COMM_WORLD, arguments[0],
                             MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL,
                             &file);
    if (code == MPI_SUCCESS) {
        code = MPI_File_write_at_all(file, rank * 1000, data, 1000, MPI_CHAR,
                                     &status);
        const int sync_code = MPI_File_sync(file);
        code = code != MPI_SUCCESS ? code : sync_code;
        MPI_File_close(&file);
    }
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    MPI_Error_string(code, text, &length);
    printf("rank %d: %s: %s\n", rank, code == MPI_SUCCESS ? "well" : "bad",
           text);
    MPI_Finalize();
}

static const struct {
    const char *name;
    int n_arguments;
    void (*act)(char **arguments);
} actions[] = {
    { "every", 0, do_every }, { "fill", 2, do_fill },
    { "save", 2, do_save },   { "threads", 0, do_threads },
    { "fork", 1, do_fork },   { "linger", 0, do_linger },
    { "mpi", 1, do_mpi },
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int at = 1; at < argc;) {
        size_t i = 0;
        while (i < sizeof actions / sizeof *actions &&
               strcmp(actions[i].name, argv[at]) != 0) {
            i++;
        }
        if (i == sizeof actions / sizeof *actions ||
            at + actions[i].n_arguments >= argc) {
            fprintf(stderr, "writer: %s: no such action\n", argv[at]);
            return 64;
        }
        actions[i].act(argv + at + 1);
        at += 1 + actions[i].n_arguments;
    }
    return 0;
}
