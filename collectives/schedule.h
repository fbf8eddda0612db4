/*
 * schedule.h - what one rank has to do in one collective, as plain data
 *
 * An algorithm fills a schedule; the engine runs it, the simulator proves it,
 * explain prints it.
 *
 * Steps stand in lanes.  The steps of a lane go in order; lanes go side by
 * side, but lane n + window begins only when lane n is over.  Ranges are
 * elements, so that a schedule knows neither types nor addresses and can be run
 * again.
 *
 *   lane 0   SEND 0..4 ->1   RECV 4..8 <-2   REDUCE   SEND ...
 *   lane 1   SEND 8..12 ->1  RECV ...
 *
 * Messages from one rank to another are matched by the number of their lane,
 * and in its order.  Lanes are numbered as they stand, unless the schedule is
 * made of parts (pattern/part.h), of which ranks may have different ones.
 */
#ifndef RPT_COLLECTIVES_SCHEDULE_H
#define RPT_COLLECTIVES_SCHEDULE_H

#include <repartir/base.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RPT_MAX_INPUTS = 256, /* of one reduction */
    RPT_MAX_PARTS = 5,
    RPT_PART_LANES = 1 << 28 /* between the numbers of the lanes of two parts */
};

enum rpt_step_kind {
    RPT_STEP_COPY,   /* to <- the one input                                  */
    RPT_STEP_REDUCE, /* to <- input 0 op input 1 op ..., from the left       */
    RPT_STEP_SEND,   /* the one input goes to the peer; returns at once      */
    RPT_STEP_RECV,   /* to <- from the peer                                  */
    RPT_STEP_FLUSH,  /* until what this lane has sent may be written again,
                        but for the last `value` sends                       */
    RPT_STEP_SIGNAL, /* raises this rank's flag to value                     */
    RPT_STEP_WAIT    /* until the peer's flag has at least value             */
};

enum rpt_place_kind {
    RPT_IN_INPUT,    /* what the caller gives; never written       */
    RPT_IN_OUTPUT,   /* what the caller gets                       */
    RPT_IN_SCRATCH,  /* this rank's own, of this schedule          */
    RPT_IN_STAGE,    /* a rank's memory that its node can read     */
    RPT_IN_INPUT_OF, /* of a rank whose buffers its node can read */
    RPT_IN_OUTPUT_OF /* ...                                       */
};

struct rpt_place {
    enum rpt_place_kind kind;
    int rank;      /* of the last three; else this rank, whatever stands here */
    size_t offset; /* elements                                         */
};

struct rpt_step {
    enum rpt_step_kind kind;
    int peer;     /* SEND, RECV, WAIT: rank in the group            */
    size_t count; /* elements; never 0 where there is a range       */
    struct rpt_place to;
    size_t first_input; /* in the schedule's list of inputs         */
    int n_inputs;
    uint32_t value; /* SIGNAL, WAIT: from 1 to n_values; FLUSH      */
    bool everywhere; /* REDUCE: into the outputs of all ranks, where `to` is */
    bool is_token;   /* SEND, RECV: a byte, that is nowhere, whatever an
                        element has; only that it comes matters */
};

struct rpt_lane {
    size_t first_step;
    size_t n_steps;
    uint32_t number;  /* messages are matched by it                       */
    bool begins_part; /* begins only when all lanes before it are over    */
};

/* What a part has for itself: see pattern/part.h. */
struct rpt_room {
    uint32_t n_values;
    size_t stage_count;
    bool by_messages; /* on some ranks it raises no flags */
};

/* Zeros are an empty schedule. */
struct rpt_schedule {
    struct rpt_step *steps;
    struct rpt_place *inputs;
    struct rpt_lane *lanes;
    size_t n_steps, n_inputs, n_lanes;
    size_t max_steps, max_inputs, max_lanes;
    bool pulls;    /* reads buffers of others: begins when all have met    */
    size_t window; /* lanes at a time, at least 1            */
    size_t scratch_count; /* elements of scratch                    */
    bool has_token; /* the first of them is only sent as a token: it need not be
                       written before */
    size_t stage_count; /* elements of a stage, on all ranks alike */
    uint32_t n_values;  /* flags end at this value, on all ranks  */
    /* When all flags have this value, nobody reads this rank's stage any more,
     * nor waits for its flag.
     * n_values + 1: when all are in the next collective. */
    uint32_t free_value;
    /* When it is done this rank knows, from their flags or from who has seen
     * them, that all flags of its node have this value; 0: it does not. */
    uint32_t seen_value;
    struct rpt_room rooms[RPT_MAX_PARTS]; /* while it is built of parts */
    rpt_status_t status; /* of the building: the first failure       */
};

/* Building.  What fails is noted in schedule->status, and all that comes after
 * does nothing, so that one look at the end is enough.  Steps of no elements
 * are left out. */
void rpt__lane(struct rpt_schedule *schedule);
void rpt__step_copy(struct rpt_schedule *schedule, struct rpt_place to,
                    struct rpt_place from, size_t count);
/* inputs[0] op inputs[1] op ...; `to` may be one of them, of the first
 * RPT_MAX_INPUTS; what is more is added in further steps. */
void rpt__step_reduce(struct rpt_schedule *schedule, struct rpt_place to,
                      const struct rpt_place inputs[], int n_inputs,
                      size_t count);
/* The last step, a reduction into the output, writes the same into the outputs
 * of all ranks.  Only when all have met; nothing if that step was left out. */
void rpt__step_everywhere(struct rpt_schedule *schedule);
void rpt__step_send(struct rpt_schedule *schedule, int peer,
                    struct rpt_place from, size_t count);
void rpt__step_recv(struct rpt_schedule *schedule, int peer,
                    struct rpt_place to, size_t count);
/* The last step, a message of one element, is a token. */
void rpt__step_token(struct rpt_schedule *schedule);
void rpt__step_flush(struct rpt_schedule *schedule, uint32_t but_last);
void rpt__step_signal(struct rpt_schedule *schedule, uint32_t value);
void rpt__step_wait(struct rpt_schedule *schedule, int peer, uint32_t value);

/* Puts the steps of a part behind those of the whole; see pattern/part.h. */
void rpt__schedule_append(struct rpt_schedule *whole,
                          const struct rpt_schedule *part, uint32_t number,
                          const int ranks[], struct rpt_place input,
                          struct rpt_place output);

bool rpt__schedule_has_messages(const struct rpt_schedule *schedule);

/* Of a run whose flags stood at `flag` before the first step (and, when its
 * ranks met, behind the meeting), and are not above `end` before the next run:
 * when all flags have this value, nobody reads the block any more, nor what
 * lies beside the flag in it. */
uint64_t rpt__schedule_free_at(const struct rpt_schedule *schedule, bool met,
                               uint64_t flag, uint64_t end);

void rpt__schedule_free(struct rpt_schedule *schedule);

static inline struct rpt_place rpt__input(size_t offset)
{
    return (struct rpt_place){ RPT_IN_INPUT, 0, offset };
}

static inline struct rpt_place rpt__output(size_t offset)
{
    return (struct rpt_place){ RPT_IN_OUTPUT, 0, offset };
}

static inline struct rpt_place rpt__scratch(size_t offset)
{
    return (struct rpt_place){ RPT_IN_SCRATCH, 0, offset };
}

static inline struct rpt_place rpt__input_of(int rank, size_t offset)
{
    return (struct rpt_place){ RPT_IN_INPUT_OF, rank, offset };
}

static inline struct rpt_place rpt__output_of(int rank, size_t offset)
{
    return (struct rpt_place){ RPT_IN_OUTPUT_OF, rank, offset };
}

static inline struct rpt_place rpt__stage(int rank, size_t offset)
{
    return (struct rpt_place){ RPT_IN_STAGE, rank, offset };
}

#endif /* RPT_COLLECTIVES_SCHEDULE_H */
