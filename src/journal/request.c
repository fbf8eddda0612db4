/*
 * request.c - messages for a running job, left as files
 *
 * DIR/requests/00000001, 00000002, …: one line that says kind, length and
 * checksum, then the text.  The number is claimed by linking a finished file
 * to it, so two processes never get the same one and no reader sees half a
 * request.  Cost: one listing and two syncs to leave one, one open to look.
 */
#include "journal/journal.h"

#include "base/error.h"
#include "base/hash.h"
#include "journal/disk_priv.h"
#include "journal/request_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KIND_BYTES = 32, TEXT_MAX = 1 << 30 };

static const char folder_name[] = "requests";

static uint64_t sum_of(const char *kind, const void *text, size_t bytes)
{
    return rpt__hash64(text, bytes, rpt__hash64(kind, strlen(kind), 0));
}

static bool is_kind(const char *kind)
{
    size_t n = strspn(kind, "abcdefghijklmnopqrstuvwxyz");

    return n > 0 && n < KIND_BYTES && kind[n] == '\0';
}

static rpt_status_t open_requests(const char *path, bool make, char **where_out,
                                  struct rpt_folder *out)
{
    struct rpt_folder folder;
    char *where = NULL;
    rpt_status_t status = rpt__folder_open(path, &folder);

    if (status != RPT_OK) {
        return status;
    }
    if (make && mkdirat(folder.fd, folder_name, 0777) == 0) {
        status = rpt__disk_sync_dir(&folder);
    } else if (make && errno != EEXIST) {
        status = rpt__disk_fail(&folder, folder_name, "make", errno, 1);
    }
    if (status == RPT_OK && asprintf(&where, "%s/%s", path, folder_name) < 0) {
        where = NULL;
        status = rpt__fail_nomem(strlen(path) + sizeof folder_name);
    }
    if (status == RPT_OK) {
        int fd = openat(folder.fd, folder_name,
                        O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 && errno == ENOENT) {
            status = RPT_END;
        } else if (fd < 0) {
            status = rpt__disk_fail(&folder, folder_name, "open", errno, 0);
        } else {
            *out = (struct rpt_folder){ fd, where };
        }
    }
    rpt__folder_close(&folder);
    if (status != RPT_OK) {
        free(where);
        return status;
    }
    *where_out = where;
    return RPT_OK;
}

static void number_name(char name_out[RPT_NAME_BYTES], uint64_t number)
{
    snprintf(name_out, RPT_NAME_BYTES, "%08" PRIu64, number);
}

/* The highest number so far, 0 when there is none. */
static rpt_status_t last_number(const struct rpt_folder *requests,
                                uint64_t *number_out)
{
    int fd = openat(requests->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    uint64_t last = 0;

    if (names == NULL) {
        int error = errno;

        if (fd >= 0) {
            close(fd);
        }
        return rpt__disk_fail(requests, ".", "list", error, 0);
    }
    while ((entry = readdir(names)) != NULL) {
        char again[RPT_NAME_BYTES];
        uint64_t number;

        if (sscanf(entry->d_name, "%19" SCNu64, &number) == 1) {
            number_name(again, number);
            if (strcmp(again, entry->d_name) == 0 && number > last) {
                last = number;
            }
        }
    }
    closedir(names);
    *number_out = last;
    return RPT_OK;
}

/* The job of this epoch takes no more when the last request is its mark. */
static rpt_status_t check_open(const struct rpt_folder *requests, uint64_t last,
                               uint64_t epoch)
{
    struct rpt_buf content = RPT_BUF_EMPTY;
    struct rpt_request request;
    char name[RPT_NAME_BYTES];
    rpt_status_t status;

    if (last == 0) {
        return RPT_OK;
    }
    number_name(name, last);
    status = rpt__disk_read_file(requests, name, &content);
    if (status == RPT_END) {
        status = RPT_OK; /* somebody removed it */
    } else if (status == RPT_OK &&
               rpt__request_unpack(content.data, content.bytes, &request) &&
               strcmp(request.kind, RPT_REQUEST_CLOSE) == 0 &&
               request.bytes == sizeof epoch &&
               memcmp(request.text, &epoch, sizeof epoch) == 0) {
        rpt__fail(RPT_ERR_STATE, "the job is ending and takes nothing more");
        rpt__fail_hint("start it again with the command that made it, or add "
                       "the tasks to its file");
        status = RPT_ERR_STATE;
    }
    rpt__buf_free(&content);
    return status;
}

/* At most `most` in all, if that is not 0: RPT_END when there are more. */
static rpt_status_t leave(const struct rpt_folder *requests,
                          const struct rpt_buf *content, uint64_t epoch,
                          uint64_t most)
{
    char aside[RPT_NAME_BYTES], name[RPT_NAME_BYTES];
    uint64_t last = 0;
    rpt_status_t status;

    do {
        status = last_number(requests, &last);
        if (status == RPT_OK && most > 0 && last >= most) {
            return RPT_END;
        }
        if (status == RPT_OK) {
            status = check_open(requests, last, epoch);
        }
        if (status == RPT_OK) {
            status = rpt__disk_put_aside(requests, content->data,
                                         content->bytes, aside);
        }
        if (status == RPT_OK) {
            number_name(name, last + 1);
            status = rpt__disk_claim(requests, aside, name);
        }
    } while (status == RPT_END);
    return status;
}

static rpt_status_t put_request(const char *path, const char *kind,
                                const void *text, size_t bytes, uint64_t epoch,
                                uint64_t most)
{
    struct rpt_buf content = RPT_BUF_EMPTY;
    struct rpt_folder requests;
    char *where;
    rpt_status_t status;

    rpt__buf_printf(&content, "repartir-request 1 %s %zu %016" PRIx64 "\n",
                    kind, bytes, sum_of(kind, text, bytes));
    rpt__buf_add(&content, text, bytes);
    status = rpt__buf_status(&content);
    if (status == RPT_OK) {
        status = open_requests(path, true, &where, &requests);
    }
    if (status == RPT_OK) {
        status = leave(&requests, &content, epoch, most);
        rpt__folder_close(&requests);
        free(where);
    }
    rpt__buf_free(&content);
    return status;
}

rpt_status_t rpt__statedir_request(const char *path, const char *kind,
                                   const void *text, size_t bytes,
                                   uint64_t epoch)
{
    if (!is_kind(kind)) {
        return rpt__fail(RPT_ERR_INVALID,
                         "a kind of request has 1 to %d small letters, not "
                         "\"%s\"",
                         KIND_BYTES - 1, kind);
    }
    if (bytes > TEXT_MAX) {
        return rpt__fail(RPT_ERR_OVERFLOW,
                         "a request of %zu bytes is larger than 1 GiB", bytes);
    }
    return put_request(path, kind, text, bytes, epoch, 0);
}

rpt_status_t rpt__statedir_close_requests(const char *path, uint64_t number,
                                          uint64_t epoch)
{
    return put_request(path, RPT_REQUEST_CLOSE, &epoch, sizeof epoch, epoch,
                       number);
}

/* ---- reading ---- */

static rpt_status_t damaged(const char *where, const char *name)
{
    rpt__fail(RPT_ERR_CORRUPT, "the request %s/%s is damaged", where, name);
    rpt__fail_why("its first line or its checksum does not fit");
    rpt__fail_hint("remove it and leave the request again");
    return RPT_ERR_CORRUPT;
}

bool rpt__request_unpack(const char *data, size_t bytes,
                         struct rpt_request *request_out)
{
    const char *line_end = memchr(data, '\n', bytes < 128 ? bytes : 128);
    char line[129], kind[KIND_BYTES];
    uint64_t sum;
    size_t length;

    if (line_end == NULL) {
        return false;
    }
    memcpy(line, data, (size_t)(line_end - data));
    line[line_end - data] = '\0';
    if (sscanf(line, "repartir-request 1 %31s %10zu %16" SCNx64, kind, &length,
               &sum) != 3 ||
        !is_kind(kind) || length != bytes - (size_t)(line_end + 1 - data) ||
        sum != sum_of(kind, line_end + 1, length)) {
        return false;
    }
    memcpy(request_out->kind, kind, sizeof kind);
    request_out->text = line_end + 1;
    request_out->bytes = length;
    return true;
}

static rpt_status_t hand_out(const struct rpt_request *request, char **kind_out,
                             char **text_out, size_t *bytes_out)
{
    char *kind = strdup(request->kind);
    char *text = malloc(request->bytes + 1);

    if (kind == NULL || text == NULL) {
        free(kind);
        free(text);
        return rpt__fail_nomem(request->bytes + 1);
    }
    memcpy(text, request->text, request->bytes);
    text[request->bytes] = '\0';
    *kind_out = kind;
    *text_out = text;
    *bytes_out = request->bytes;
    return RPT_OK;
}

rpt_status_t rpt__statedir_read_request(const char *path, uint64_t number,
                                        char **kind_out, char **text_out,
                                        size_t *bytes_out)
{
    struct rpt_buf content = RPT_BUF_EMPTY;
    struct rpt_folder requests;
    struct rpt_request request;
    char name[RPT_NAME_BYTES], *where;
    rpt_status_t status = open_requests(path, false, &where, &requests);

    if (status != RPT_OK) {
        return status;
    }
    number_name(name, number);
    status = rpt__disk_read_file(&requests, name, &content);
    if (status == RPT_OK &&
        !rpt__request_unpack(content.data, content.bytes, &request)) {
        status = damaged(where, name);
    }
    if (status == RPT_OK) {
        status = hand_out(&request, kind_out, text_out, bytes_out);
    }
    rpt__buf_free(&content);
    rpt__folder_close(&requests);
    free(where);
    return status;
}
