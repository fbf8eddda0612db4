/*
 * messages.c - active messages: whole, in order, unharmed
 *
 * The content of a message is computed from who sent it to whom, which one it
 * is, and the place in it; the receiver computes the same.
 */
#include "messages.h"

#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define TAG RPT_TAG_POOL_NUDGE
#define OTHER_TAG RPT_TAG_POOL_ASK

static const size_t sizes[] = { 0,     1,     7,     8,      39,     40,
                                63,    64,    65,    1000,   16383,  16384,
                                16385, 32767, 32768, 32769,  65536,  100001,
                                0,     3,     12345, 262144, 3000000 };
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static unsigned char byte_of(int from, int to, int which, size_t i)
{
    uint64_t x = (uint64_t)from * 1000003 + (uint64_t)to * 10007 +
                 (uint64_t)which * 101 + i * UINT64_C(0x9e3779b97f4a7c15);

    return (unsigned char)(x >> 37 ^ x);
}

struct inbox {
    struct rpt_comm *comm;
    int *n_from; /* messages so far from each rank */
    int n;
    int n_bad;
    int wanted;
};

static void open_inbox(struct inbox *inbox, struct rpt_comm *comm, int wanted)
{
    *inbox = (struct inbox){ comm,
                             calloc((size_t)rpt__comm_size(comm), sizeof(int)),
                             0, 0, wanted };
}

static bool is_full(void *arg)
{
    const struct inbox *inbox = arg;

    return inbox->n >= inbox->wanted;
}

/* Waits until all is here, everywhere; then forgets the tag. */
static void close_inbox(struct inbox *inbox, enum rpt_tag tag)
{
    struct rpt_comm *comm = inbox->comm;

    CHECK(rpt__comm_wait(comm, is_full, inbox, -1) == RPT_OK);
    CHECK(inbox->n == inbox->wanted);
    CHECK(inbox->n_bad == 0);
    CHECK(rpt__comm_flush(comm, -1) == RPT_OK);
    for (int r = 0; r < rpt__comm_size(comm); r++) {
        CHECK(rpt__comm_backlog(comm, r) == 0);
    }
    CHECK(rpt__comm_handle(comm, tag, NULL, NULL) == RPT_OK);
    unlock(comm);
    CHECK(meet(comm) == RPT_OK);
    free(inbox->n_from);
}

static void check_content(void *user, int source, const void *data,
                          size_t bytes)
{
    struct inbox *inbox = user;
    int which = inbox->n_from[source]++;
    int rank = rpt__comm_rank(inbox->comm);
    const unsigned char *at = data;

    inbox->n++;
    inbox->n_bad += (uintptr_t)data % 8 != 0 || which >= N_SIZES ||
                    bytes != sizes[which % N_SIZES];
    for (size_t i = 0; i < bytes; i++) {
        if (at[i] != byte_of(source, rank, which, i)) {
            inbox->n_bad++;
            return;
        }
    }
}

void all_sizes_from_all_to_all(struct rpt_comm *comm)
{
    int rank = rpt__comm_rank(comm), n = rpt__comm_size(comm);
    unsigned char *data = malloc(3000000);
    struct inbox inbox;

    open_inbox(&inbox, comm, n * N_SIZES);
    lock(comm);
    CHECK(rpt__comm_handle(comm, TAG, check_content, &inbox) == RPT_OK);
    for (int which = 0; which < N_SIZES; which++) {
        for (int i = 0; i < n; i++) {
            int to = (rank + i) % n;

            for (size_t k = 0; k < sizes[which]; k++) {
                data[k] = byte_of(rank, to, which, k);
            }
            CHECK(rpt__comm_send(comm, to, TAG, data, sizes[which]) == RPT_OK);
        }
    }
    free(data);
    close_inbox(&inbox, TAG);
}

static void check_order(void *user, int source, const void *data, size_t bytes)
{
    struct inbox *inbox = user;
    int64_t value;

    inbox->n++;
    if (bytes != sizeof value) {
        inbox->n_bad++;
        return;
    }
    memcpy(&value, data, sizeof value);
    inbox->n_bad += value != inbox->n_from[source]++;
}

void many_small_messages_in_order(struct rpt_comm *comm)
{
    int n = rpt__comm_size(comm), many = 20000 / n;
    struct inbox inbox;

    open_inbox(&inbox, comm, n * many);
    lock(comm);
    CHECK(rpt__comm_handle(comm, TAG, check_order, &inbox) == RPT_OK);
    for (int64_t i = 0; i < many; i++) {
        for (int to = 0; to < n; to++) {
            if (rpt__comm_send(comm, to, TAG, &i, sizeof i) != RPT_OK) {
                inbox.n_bad++;
            }
        }
    }
    close_inbox(&inbox, TAG);
}

static uint64_t word_of(size_t i)
{
    return (i + 1) * UINT64_C(0xd1342543de82ef95);
}

static void check_words(void *user, int source, const void *data, size_t bytes)
{
    struct inbox *inbox = user;
    const uint64_t *words = data;
    size_t n;

    (void)source;
    inbox->n++;
    /* The first word is the number of words. */
    n = bytes >= sizeof *words ? (size_t)words[0] : 0;
    inbox->n_bad += n == 0 || bytes != n * sizeof *words;
    for (size_t i = 1; i < n && inbox->n_bad == 0; i++) {
        inbox->n_bad += words[i] != word_of(i);
    }
}

/* From the first rank to the last. */
static void one_large(struct rpt_comm *comm, size_t bytes)
{
    int last = rpt__comm_size(comm) - 1, rank = rpt__comm_rank(comm);
    size_t n = bytes / sizeof(uint64_t);
    struct inbox inbox;

    open_inbox(&inbox, comm, rank == last);
    lock(comm);
    CHECK(rpt__comm_handle(comm, TAG, check_words, &inbox) == RPT_OK);
    if (rank == 0) {
        uint64_t *words = malloc(n * sizeof *words);

        words[0] = n;
        for (size_t i = 1; i < n; i++) {
            words[i] = word_of(i);
        }
        CHECK(rpt__comm_send(comm, last, TAG, words, n * sizeof *words) ==
              RPT_OK);
        free(words);
    }
    close_inbox(&inbox, TAG);
}

void one_message_of_30_megabytes(struct rpt_comm *comm)
{
    one_large(comm, 30000000);
}

void one_message_of_300_megabytes(struct rpt_comm *comm)
{
    one_large(comm, 300000000);
}

void one_message_above_two_gigabytes(struct rpt_comm *comm)
{
    one_large(comm, ((size_t)1 << 31) + 1000);
}

void messages_without_a_function_are_kept(struct rpt_comm *comm)
{
    enum { BEFORE = 5, AFTER = 3 };
    int n = rpt__comm_size(comm);
    struct inbox inbox;

    open_inbox(&inbox, comm, n * (BEFORE + AFTER));
    lock(comm);
    for (int64_t i = 0; i < BEFORE; i++) {
        for (int to = 0; to < n; to++) {
            CHECK(rpt__comm_send(comm, to, OTHER_TAG, &i, sizeof i) == RPT_OK);
        }
    }
    unlock(comm);
    CHECK(meet(comm) == RPT_OK);
    lock(comm);
    CHECK(rpt__comm_handle(comm, OTHER_TAG, check_order, &inbox) == RPT_OK);
    for (int64_t i = BEFORE; i < BEFORE + AFTER; i++) {
        for (int to = 0; to < n; to++) {
            CHECK(rpt__comm_send(comm, to, OTHER_TAG, &i, sizeof i) == RPT_OK);
        }
    }
    close_inbox(&inbox, OTHER_TAG);
}

/* The first message registers the function of the second kind. */
struct late_inbox {
    struct inbox inbox;
    int n_first;
};

static void open_late(void *user, int source, const void *data, size_t bytes)
{
    struct late_inbox *late = user;

    (void)source;
    (void)data;
    (void)bytes;
    if (late->n_first++ == 0) {
        CHECK(rpt__comm_handle(late->inbox.comm, OTHER_TAG, check_order,
                               &late->inbox) == RPT_OK);
    }
}

static bool has_first_of_all(void *arg)
{
    const struct late_inbox *late = arg;

    return late->n_first == rpt__comm_size(late->inbox.comm);
}

void a_function_may_register_another(struct rpt_comm *comm)
{
    int n = rpt__comm_size(comm);
    struct late_inbox late = { .n_first = 0 };

    open_inbox(&late.inbox, comm, 3 * n);
    lock(comm);
    CHECK(rpt__comm_handle(comm, TAG, open_late, &late) == RPT_OK);
    for (int to = 0; to < n; to++) {
        for (int64_t i = 0; i < 3; i++) {
            CHECK(rpt__comm_send(comm, to, OTHER_TAG, &i, sizeof i) == RPT_OK);
            if (i == 0) {
                CHECK(rpt__comm_send(comm, to, TAG, "", 0) == RPT_OK);
            }
        }
    }
    CHECK(rpt__comm_wait(comm, has_first_of_all, &late, -1) == RPT_OK);
    CHECK(rpt__comm_handle(comm, TAG, NULL, NULL) == RPT_OK);
    close_inbox(&late.inbox, OTHER_TAG);
}

void messages_on_the_way_at_the_end(struct rpt_comm *comm)
{
    int n = rpt__comm_size(comm);

    lock(comm);
    for (int i = 0; i < 40 * n; i++) {
        CHECK(rpt__comm_send(comm, i % n, TAG, sizes, 100) == RPT_OK);
    }
    unlock(comm);
}

void a_rank_that_does_not_exist(struct rpt_comm *comm)
{
    int n = rpt__comm_size(comm);

    lock(comm);
    CHECK(rpt__comm_send(comm, n, TAG, "x", 1) == RPT_ERR_INVALID);
    CHECK(rpt__comm_send(comm, -1, TAG, "x", 1) == RPT_ERR_INVALID);
    CHECK(strstr(rpt_last_error()->what, "no rank -1") != NULL);
    CHECK(rpt__comm_handle(comm, RPT_N_TAGS, check_order, NULL) ==
          RPT_ERR_INVALID);
    unlock(comm);
    CHECK(meet(comm) == RPT_OK);
}
