/*
 * waiting.c - RUN frames whose program starts when another one has ended
 *
 *   rank:    RUN 1, RUN 2 after 1, RUN 3 after 2             RUN 4 after 3
 *   keeper:  [--- 1 ---][--- 2 ---][--- 3 ---] ...
 *                                  END 1, END 2 -> rank
 *
 * The next programs of a slot are here before the slot is free, so that nothing
 * waits for messages.  While more than one is left, ends are not told one by
 * one: each would wake the rank.  A frame that waits is copied.  Looking for a
 * key costs a walk over those that wait, a few for each slot.  What may start
 * is marked first and launched by the loop, because a launch can fail, which
 * frees the next ones.
 *
 * It is launched when the end before it is in the socket.  Should we be killed,
 * by the program itself perhaps, the rank knows which ones can have started:
 * those whose predecessor's end it finds there.  While the rank leaves the
 * socket full, with large outputs, they wait.
 */
#include "pool/exec/keeper_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct rpt_waiting *find(struct rpt_kept *kept, uint64_t key)
{
    struct rpt_waiting *w;

    STAILQ_FOREACH(w, &kept->waiting, link)
    {
        if (w->key == key) {
            break;
        }
    }
    return w;
}

/* The one that waits for it, or NULL. */
static struct rpt_waiting *find_next(struct rpt_kept *kept, uint64_t key)
{
    struct rpt_waiting *w;

    STAILQ_FOREACH(w, &kept->waiting, link)
    {
        if (w->after == key) {
            break;
        }
    }
    return w;
}

static void take_out(struct rpt_kept *kept, struct rpt_waiting *w)
{
    STAILQ_REMOVE(&kept->waiting, w, rpt_waiting, link);
    kept->n_ready -= w->ready;
}

static void report_start(struct rpt_kept *kept, uint64_t key, int error,
                         const char *message)
{
    rpt__report_end(kept, key,
                    &(struct rpt_program_end){ .error = error,
                                               .message = message,
                                               .killed = error == ECANCELED,
                                               .exit_code = -1 });
}

void rpt__waiting_take(struct rpt_kept *kept, const struct rpt_frame *frame)
{
    struct rpt_reader reader = rpt__reader(frame->data, frame->bytes);
    uint64_t key = rpt__read_u64(&reader);
    uint64_t after = rpt__read_u64(&reader);
    bool ready = after == 0 || (rpt__child_find(kept, after) == NULL &&
                                find(kept, after) == NULL);
    struct rpt_waiting *w;

    if (after == 0 || (ready && rpt__reports_send(kept))) {
        rpt__launch(kept, frame);
        return;
    }
    w = malloc(sizeof *w + frame->bytes);
    if (w == NULL) {
        report_start(kept, key, ENOMEM, "no memory for the request");
        return;
    }
    w->key = key;
    w->after = after;
    w->ready = ready;
    w->bytes = frame->bytes;
    memcpy(w->data, frame->data, frame->bytes);
    STAILQ_INSERT_TAIL(&kept->waiting, w, link);
    kept->n_ready += ready;
}

void rpt__waiting_free_from(struct rpt_kept *kept, uint64_t key)
{
    struct rpt_waiting *w = find_next(kept, key);

    if (w != NULL && !w->ready) {
        w->ready = true;
        kept->n_ready++;
    }
    if (w == NULL || find_next(kept, w->key) == NULL) {
        kept->hurried = true;
    }
}

void rpt__waiting_launch(struct rpt_kept *kept)
{
    struct rpt_waiting *w = STAILQ_FIRST(&kept->waiting);

    while (kept->n_ready > 0 && rpt__reports_send(kept)) {
        struct rpt_frame frame;

        while (!w->ready) {
            w = STAILQ_NEXT(w, link);
        }
        take_out(kept, w);
        frame = (struct rpt_frame){ RPT_FRAME_RUN, w->data, w->bytes };
        rpt__launch(kept, &frame);
        free(w);
        /* From the start: what failed has freed others. */
        w = STAILQ_FIRST(&kept->waiting);
    }
}

static void take_back(struct rpt_kept *kept, struct rpt_waiting *w)
{
    uint64_t key = w->key;
    struct rpt_waiting *next = find_next(kept, key);

    if (next != NULL && !w->ready) {
        next->after = w->after;
    }
    take_out(kept, w);
    free(w);
    report_start(kept, key, ECANCELED, "taken back before it started");
}

/* To the rank one that may start is as good as started. */
void rpt__waiting_recall(struct rpt_kept *kept, uint64_t key)
{
    struct rpt_waiting *w = find(kept, key);

    if (w != NULL && !w->ready) {
        take_back(kept, w);
    }
}

void rpt__waiting_cancel(struct rpt_kept *kept, uint64_t key)
{
    struct rpt_waiting *w = find(kept, key);

    if (w != NULL) {
        take_back(kept, w);
    }
}

void rpt__waiting_close(struct rpt_kept *kept)
{
    struct rpt_waiting *w;

    while ((w = STAILQ_FIRST(&kept->waiting)) != NULL) {
        take_out(kept, w);
        free(w);
    }
}
