/*
 * fuzz_journal.c - journal files, epoch files and requests made of any bytes
 *
 * The first byte of the input says what the rest is:
 *
 *   0  a journal file as it stands
 *   1  a journal file whose checksums are made right first
 *   2  a script: records, marks, garbage, flipped bytes, cuts.  What is read
 *      back must be a beginning of what was written.
 *   3  the text of an epoch file, its checksum made right first
 *   4  a request
 *
 * Built by tests/fuzz/run-fuzzers with libFuzzer; without -DRPT_LIBFUZZER it
 * is a program that tries every file of the corpus once.
 *
 * fuzz-sources: src/base src/journal
 * fuzz-packages: libxxhash
 */
#include "base/buf.h"
#include "base/hash.h"
#include "journal/files_priv.h"
#include "journal/frame_priv.h"
#include "journal/journal.h"
#include "journal/request_priv.h"

#include <repartir/options.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define SEED 0x0123456789abcdefu
static const char plain_name[] = "e00000001-r00000.rptj";
static const char compact_name[] = "e00000000-r00000.rptj";

/* ---- a directory for one file ---- */

static char dir[256];

static void remove_dir(void)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", dir, plain_name);
    unlink(path);
    snprintf(path, sizeof path, "%s/%s", dir, compact_name);
    unlink(path);
    rmdir(dir);
}

static void make_dir(void)
{
    const char *base = getenv("TMPDIR");

    if (dir[0] != '\0') {
        return;
    }
    if (base == NULL) {
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    snprintf(dir, sizeof dir, "%s/rpt-fuzz-XXXXXX", base);
    if (mkdtemp(dir) == NULL) {
        perror(dir);
        exit(1);
    }
    atexit(remove_dir);
    rpt_log_set_level(RPT_LOG_ERROR);
}

/* ---- replaying ---- */

struct expected {
    const struct rpt_buf *payloads; /* blobs, one after the other */
    struct rpt_reader next;
};

static rpt_status_t compare(void *user, uint64_t epoch, int writer,
                            uint32_t type, const void *data, size_t bytes)
{
    struct expected *expected = user;
    const void *payload;
    size_t n;

    (void)epoch;
    (void)writer;
    if (type >= RPT_TYPE_OWN) {
        abort();
    }
    if (expected == NULL) {
        /* Every byte must be readable. */
        return rpt__hash64(data, bytes, 0) == 0 ? RPT_END : RPT_OK;
    }
    payload = rpt__read_blob(&expected->next, &n);
    if (expected->next.failed || n != bytes ||
        (n > 0 && memcmp(payload, data, n) != 0)) {
        abort();
    }
    return RPT_OK;
}

static void replay(const char *name, const void *data, size_t bytes,
                   const struct rpt_buf *payloads)
{
    struct expected expected;
    char path[512];
    int fd;

    make_dir();
    snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, bytes) != (ssize_t)bytes) {
        perror(path);
        exit(1);
    }
    close(fd);
    if (payloads != NULL) {
        expected.next = rpt__reader(payloads->data, payloads->bytes);
    }
    rpt__journal_replay(dir, UINT64_MAX, compare,
                        payloads != NULL ? &expected : NULL);
    unlink(path);
}

static void pack_head(bool compact, char to[RPT_FILE_HEAD])
{
    struct rpt_file_head head = { .version = RPT_JOURNAL_VERSION,
                                  .epoch = compact ? 0 : 1,
                                  .covers = compact ? 1 : 0,
                                  .seed = SEED };

    rpt__file_head_pack(&head, to);
}

/* ---- 1: right checksums over any frames ---- */

static void repair_and_replay(const uint8_t *data, size_t bytes)
{
    bool compact = bytes > 0 && (data[0] & 1) != 0;
    size_t at = RPT_FILE_HEAD;
    char *copy;

    if (bytes < RPT_FILE_HEAD) {
        return;
    }
    copy = malloc(bytes);
    memcpy(copy, data, bytes);
    pack_head(compact, copy);
    while (at + RPT_FRAME_HEAD <= bytes) {
        uint32_t payload;

        memcpy(copy + at, "rptf", 4);
        memcpy(&payload, copy + at + 12, sizeof payload);
        if (rpt__frame_bytes(payload) > bytes - at) {
            break;
        }
        at += rpt__frame_seal(copy + at, SEED);
    }
    replay(compact ? compact_name : plain_name, copy, bytes, NULL);
    free(copy);
}

/* ---- 2: a script ---- */

struct script {
    struct rpt_reader in;
    struct rpt_buf file;
    struct rpt_buf payloads;
    uint64_t sequence;
};

static void put(struct script *s, uint32_t type, const void *payload,
                size_t bytes)
{
    struct rpt_frame frame = { type, (uint32_t)bytes, ++s->sequence };
    char *end = rpt__buf_reserve(&s->file, rpt__frame_bytes(bytes));

    rpt__frame_put(end, &frame, payload);
    s->file.bytes += rpt__frame_seal(end, SEED);
}

static void put_number(struct script *s, uint32_t type, uint64_t number)
{
    put(s, type, &number, sizeof number);
}

static const void *take(struct script *s, size_t *bytes_out)
{
    size_t left = (size_t)(s->in.end - s->in.next);
    size_t n = rpt__read_u8(&s->in);

    left -= left > 0;
    *bytes_out = n < left ? n : left;
    return rpt__read_bytes(&s->in, *bytes_out);
}

static void step(struct script *s)
{
    uint8_t what = rpt__read_u8(&s->in);
    const void *payload;
    size_t n;

    switch (what % 7) {
    case 0:
    case 1:
        payload = take(s, &n);
        rpt__buf_blob(&s->payloads, payload, n);
        put(s, 7, payload, n);
        break;
    case 2:
        put_number(s, RPT_TYPE_MARK, s->file.bytes);
        break;
    case 3:
        put_number(s, RPT_TYPE_LAST, s->sequence);
        break;
    case 4:
        payload = take(s, &n);
        rpt__buf_add(&s->file, payload, n);
        break;
    case 5:
        n = rpt__read_u8(&s->in);
        n = (n << 8 | rpt__read_u8(&s->in)) % s->file.bytes;
        s->file.data[n] ^= (char)rpt__read_u8(&s->in);
        break;
    default:
        n = rpt__read_u8(&s->in);
        s->file.bytes -= n < s->file.bytes ? n : s->file.bytes - 1;
        break;
    }
}

static void run_script(const uint8_t *data, size_t bytes)
{
    struct script s = { rpt__reader(data, bytes), RPT_BUF_EMPTY, RPT_BUF_EMPTY,
                        0 };
    bool compact = (rpt__read_u8(&s.in) & 1) != 0;
    char head[RPT_FILE_HEAD];

    pack_head(compact, head);
    rpt__buf_add(&s.file, head, sizeof head);
    while (s.in.next < s.in.end && s.file.bytes < 1 << 20) {
        step(&s);
    }
    replay(compact ? compact_name : plain_name, s.file.data, s.file.bytes,
           &s.payloads);
    rpt__buf_free(&s.file);
    rpt__buf_free(&s.payloads);
}

/* ---- 3 and 4 ---- */

static void parse_epoch(const uint8_t *data, size_t bytes)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    struct rpt_epoch epoch;

    rpt__buf_add(&text, data, bytes);
    rpt__buf_printf(&text, "sum %016" PRIx64 "\n", rpt__hash64(data, bytes, 0));
    rpt__epoch_parse("fuzz", text.data, text.bytes, &epoch, NULL, NULL);
    rpt__buf_free(&text);
}

static void unpack_request(const uint8_t *data, size_t bytes)
{
    struct rpt_request request;

    if (rpt__request_unpack((const char *)data, bytes, &request) &&
        request.text + request.bytes != (const char *)data + bytes) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    switch (data[0] % 5) {
    case 0:
        replay(plain_name, data + 1, bytes - 1, NULL);
        break;
    case 1:
        repair_and_replay(data + 1, bytes - 1);
        break;
    case 2:
        run_script(data + 1, bytes - 1);
        break;
    case 3:
        parse_epoch(data + 1, bytes - 1);
        break;
    default:
        unpack_request(data + 1, bytes - 1);
        break;
    }
    return 0;
}

#ifndef RPT_LIBFUZZER
#include "corpus.h"

int main(int argc, char *argv[])
{
    return rpt_fuzz_corpus("journal", argc, argv);
}
#endif
