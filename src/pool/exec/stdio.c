/*
 * stdio.c - the three descriptors of a program
 *
 * What is not asked for is /dev/null, which the keeper itself has as 0 and 1:
 * a program whose output is discarded costs no descriptor at all.  Our ends of
 * pipes do not block, the program's do.  Standard input is put into its pipe
 * before the program starts, as far as it fits; mostly it all does.
 */
#include "pool/exec/keeper_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_pipe(struct rpt_stdio *io, int stream,
                     char message[RPT_MESSAGE_BYTES])
{
    int ends[2], ours = stream == 0 ? 1 : 0;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        int error = errno;

        snprintf(message, RPT_MESSAGE_BYTES, "make a pipe: %s",
                 strerror(error));
        return error;
    }
    fcntl(ends[ours], F_SETFL, O_NONBLOCK);
    io->pipes[stream] = ends[ours];
    io->fds[stream] = ends[1 - ours];
    return 0;
}

static int open_stdin(struct rpt_stdio *io, const struct rpt_program *program,
                      char message[RPT_MESSAGE_BYTES])
{
    int error = open_pipe(io, 0, message);
    ssize_t n;

    if (error != 0) {
        return error;
    }
    n = write(io->pipes[0], program->stdin_data, program->stdin_bytes);
    io->n_written = n > 0 ? (size_t)n : 0;
    if (io->n_written == program->stdin_bytes) {
        close(io->pipes[0]);
        io->pipes[0] = -1;
    }
    return 0;
}

/* O_NONBLOCK while it is opened: a FIFO that nobody reads is an error then,
 * and does not hold up all the other programs. */
static int open_file(struct rpt_stdio *io, int stream, const char *path,
                     int dir, char message[RPT_MESSAGE_BYTES])
{
    int fd = openat(
        dir, path,
        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);

    if (fd < 0) {
        int error = errno;

        snprintf(message, RPT_MESSAGE_BYTES, "output file %s: %s", path,
                 error == ENXIO ? "a FIFO or device that nobody reads"
                                : strerror(error));
        return error;
    }
    fcntl(fd, F_SETFL, 0);
    io->fds[stream] = fd;
    return 0;
}

static int open_files(struct rpt_stdio *io, const struct rpt_program *program,
                      int dir, char message[RPT_MESSAGE_BYTES])
{
    const char *out = program->stdout_path, *err = program->stderr_path;
    int error = 0;

    if (out != NULL) {
        error = open_file(io, 1, out, dir, message);
    }
    if (error == 0 && err != NULL) {
        if (out != NULL && strcmp(out, err) == 0) {
            io->fds[2] = io->fds[1];
        } else {
            error = open_file(io, 2, err, dir, message);
        }
    }
    return error;
}

int rpt__stdio_open(struct rpt_stdio *io, const struct rpt_program *program,
                    int dir, char message[RPT_MESSAGE_BYTES])
{
    int error = 0;

    *io = (struct rpt_stdio){ { 0, 0, 0 }, { -1, -1, -1 }, 0 };
    if (program->stdin_bytes > 0) {
        error = open_stdin(io, program, message);
    }
    if (error == 0 && program->output == RPT_OUTPUT_FILES) {
        error = open_files(io, program, dir, message);
    } else if (error == 0 && program->output != RPT_OUTPUT_DISCARD) {
        error = open_pipe(io, 1, message);
        if (error == 0) {
            error = open_pipe(io, 2, message);
        }
    }
    if (error != 0) {
        rpt__stdio_close(io);
    }
    return error;
}

void rpt__stdio_close_far(struct rpt_stdio *io)
{
    for (int i = 0; i < 3; i++) {
        if (io->fds[i] != 0 && (i != 2 || io->fds[2] != io->fds[1])) {
            close(io->fds[i]);
        }
    }
    io->fds[0] = io->fds[1] = io->fds[2] = 0;
}

void rpt__stdio_close(struct rpt_stdio *io)
{
    rpt__stdio_close_far(io);
    for (int i = 0; i < 3; i++) {
        if (io->pipes[i] >= 0) {
            close(io->pipes[i]);
            io->pipes[i] = -1;
        }
    }
}
