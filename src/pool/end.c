/*
 * end.c - how an attempt ended: as bytes, and as a result for the user
 */
#include "pool/pool_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

enum {
    HAS_FAILURE = 1,
    HAS_OUTPUT = 2,
    HAS_STREAMS = 4,
    BY_SHUTDOWN = 8,
    HAS_HOST = 16,
    HAS_SAVED = 32
};

/* Numbers that every end has; what follows is there when its flag is set. */
struct packed_end {
    uint8_t outcome;
    uint8_t flags;
    int16_t signal;
    int32_t exit_code;
    int32_t attempts;
    int32_t rank;
    double start_time;
    double duration_s;
    uint64_t max_rss_kib;
};

void rpt__attempt_pack(struct rpt_buf *buf, const struct rpt_end *end)
{
    bool failure = end->message != NULL && end->message[0] != '\0';
    bool streams = end->stdout_bytes > 0 || end->stderr_bytes > 0 ||
                   end->stdout_dropped > 0 || end->stderr_dropped > 0;
    bool saved = end->checkpoints > 0 || end->restored > 0 || end->wasted_s > 0;
    struct packed_end packed = {
        .outcome = (uint8_t)end->outcome,
        .flags = (uint8_t)((failure ? HAS_FAILURE : 0) |
                           (end->output_bytes > 0 ? HAS_OUTPUT : 0) |
                           (streams ? HAS_STREAMS : 0) |
                           (end->by_shutdown ? BY_SHUTDOWN : 0) |
                           (end->host != NULL ? HAS_HOST : 0) |
                           (saved ? HAS_SAVED : 0)),
        .signal = (int16_t)end->signal,
        .exit_code = end->exit_code,
        .attempts = end->attempts,
        .rank = end->rank,
        .start_time = end->start_time,
        .duration_s = end->duration_s,
        .max_rss_kib = end->max_rss_kib,
    };

    rpt__buf_add(buf, &packed, sizeof packed);
    if (packed.flags & HAS_FAILURE) {
        rpt__buf_str(buf, end->message);
    }
    if (packed.flags & HAS_HOST) {
        rpt__buf_str(buf, end->host);
    }
    if (packed.flags & HAS_OUTPUT) {
        rpt__buf_blob(buf, end->output, end->output_bytes);
    }
    if (packed.flags & HAS_STREAMS) {
        rpt__buf_blob(buf, end->stdout_data, end->stdout_bytes);
        rpt__buf_blob(buf, end->stderr_data, end->stderr_bytes);
        rpt__buf_u64(buf, end->stdout_dropped);
        rpt__buf_u64(buf, end->stderr_dropped);
    }
    if (packed.flags & HAS_SAVED) {
        rpt__buf_u64(buf, end->checkpoints);
        rpt__buf_u64(buf, end->restored);
        rpt__buf_f64(buf, end->wasted_s);
    }
}

bool rpt__attempt_unpack(struct rpt_reader *reader, struct rpt_end *end_out)
{
    const void *start = rpt__read_bytes(reader, sizeof(struct packed_end));
    struct packed_end packed;

    memset(end_out, 0, sizeof *end_out);
    if (start == NULL) {
        return false;
    }
    memcpy(&packed, start, sizeof packed);
    end_out->outcome = (rpt_outcome_t)packed.outcome;
    end_out->exit_code = packed.exit_code;
    end_out->signal = packed.signal;
    end_out->attempts = packed.attempts;
    end_out->rank = packed.rank;
    end_out->by_shutdown = (packed.flags & BY_SHUTDOWN) != 0;
    end_out->start_time = packed.start_time;
    end_out->duration_s = packed.duration_s;
    end_out->max_rss_kib = packed.max_rss_kib;
    end_out->message = packed.flags & HAS_FAILURE ? rpt__read_str(reader) : "";
    end_out->host = packed.flags & HAS_HOST ? rpt__read_str(reader) : NULL;
    if (packed.flags & HAS_OUTPUT) {
        end_out->output = rpt__read_blob(reader, &end_out->output_bytes);
    }
    if (packed.flags & HAS_STREAMS) {
        end_out->stdout_data = rpt__read_blob(reader, &end_out->stdout_bytes);
        end_out->stderr_data = rpt__read_blob(reader, &end_out->stderr_bytes);
        end_out->stdout_dropped = rpt__read_u64(reader);
        end_out->stderr_dropped = rpt__read_u64(reader);
    }
    if (packed.flags & HAS_SAVED) {
        end_out->checkpoints = rpt__read_u64(reader);
        end_out->restored = rpt__read_u64(reader);
        end_out->wasted_s = rpt__read_f64(reader);
    }
    return !reader->failed && packed.outcome < RPT_N_OUTCOMES;
}

const char *rpt_outcome_name(rpt_outcome_t outcome)
{
    static const char *const names[RPT_N_OUTCOMES] = {
        "ok", "failed", "signaled", "timeout", "cancelled", "skipped", "lost"
    };

    return outcome >= 0 && outcome < RPT_N_OUTCOMES ? names[outcome]
                                                    : "unknown";
}

static void *append(char **next, const void *data, size_t bytes)
{
    void *start = *next;

    if (bytes > 0) {
        memcpy(start, data, bytes);
    }
    *next += bytes;
    return start;
}

static const char *append_text(char **next, const char *text)
{
    return append(next, text, strlen(text) + 1);
}

struct rpt_box *rpt__box_make(const char *id, const struct rpt_end *end)
{
    const char *host = end->host != NULL ? end->host : "";
    const char *message = end->message != NULL ? end->message : "";
    size_t bytes = strlen(id) + strlen(host) + strlen(message) + 3 +
                   end->output_bytes + end->stdout_bytes + end->stderr_bytes;
    struct rpt_box *box = malloc(sizeof *box + 16 + bytes);
    rpt_result_t *r;
    char *next;

    if (box == NULL) {
        rpt__fail_nomem(sizeof *box + bytes);
        return NULL;
    }
    /* The output first, aligned as malloc aligns. */
    next = (char *)box + ((sizeof *box + 15) & ~(size_t)15);
    memset(box, 0, sizeof *box);
    r = &box->result;
    box->n_users = 1;
    r->size = sizeof *r;
    r->output = append(&next, end->output, end->output_bytes);
    r->output_bytes = end->output_bytes;
    r->stdout_data = append(&next, end->stdout_data, end->stdout_bytes);
    r->stdout_bytes = end->stdout_bytes;
    r->stderr_data = append(&next, end->stderr_data, end->stderr_bytes);
    r->stderr_bytes = end->stderr_bytes;
    r->stdout_dropped = end->stdout_dropped;
    r->stderr_dropped = end->stderr_dropped;
    r->id = append_text(&next, id);
    r->host = append_text(&next, host);
    r->message = append_text(&next, message);
    r->outcome = end->outcome;
    r->exit_code = end->exit_code;
    r->signal = end->signal;
    r->attempts = end->attempts;
    r->resumed = end->resumed;
    r->rank = end->rank;
    r->start_time = end->start_time;
    r->duration_s = end->duration_s;
    r->max_rss_kib = end->max_rss_kib;
    r->checkpoints = end->checkpoints;
    r->resumed_iteration = end->restored;
    r->wasted_s = end->wasted_s;
    return box;
}

void rpt__box_release(struct rpt_box *box)
{
    if (box != NULL && --box->n_users == 0) {
        free(box);
    }
}
