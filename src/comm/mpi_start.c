/*
 * mpi_start.c - the ranks of a communicator find out who is where
 *
 *   hello     host, thread level, options that must be the same
 *   brief     what rank 0 tells all, when there is something
 *   machine   the lowest rank of a host discovers, the others get the XML
 *   seats     where each rank sits; all make the same map of them
 *   offer     the lowest rank of a node makes the segment
 *   attached  whether all of the node have it; if not, none uses it
 *
 * Every other step is one all-gather of cards with a deadline.  Each card
 * begins with the status of its rank, so that what fails on one rank ends the
 * start of all.
 */
#include "comm/mpi_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct note {
    int32_t status;
    char host[RPT_SEAT_HOST_BYTES];
    char what[188];
};

struct hello {
    struct note note;
    uint64_t host_key;
    uint64_t ring_bytes;
    uint64_t coll_hash;   /* of what decides how a collective is done */
    uint64_t brief_bytes; /* of rank 0 */
    int32_t virtual_nodes;
    int32_t use_shm;
    int32_t virtual_domains;
    int32_t thread_level;
};

struct machine_card {
    struct note note;
    uint64_t xml_bytes; /* of the machine of its host; 0: not its lowest rank */
};

struct seat_card {
    struct note note;
    struct rpt_seat seat;
};

struct offer_card {
    struct note note;
    struct rpt_segment_offer offer;
};

struct attached_card {
    struct note note;
    int32_t attached;
    char why[252]; /* not */
};

struct start {
    struct rpt_mpi_end *end;
    char *cards; /* of all ranks, of the last step */
    size_t card_bytes;
    bool use_shm;
    size_t brief_bytes; /* of rank 0       */
    int n_members;      /* ranks of this node */
    int leader;         /* lowest of them     */
    struct rpt_segment_offer offer;
};

static void write_note(struct note *note, rpt_status_t status)
{
    memset(note, 0, sizeof *note);
    note->status = (int32_t)status;
    gethostname(note->host, sizeof note->host - 1);
    if (status != RPT_OK) {
        snprintf(note->what, sizeof note->what, "%s", rpt_last_error()->what);
    }
}

static const struct note *note_of(const char *cards, size_t bytes, int rank)
{
    return (const struct note *)(const void *)(cards + (size_t)rank * bytes);
}

/* The first rank that failed by itself, not because of another one. */
static rpt_status_t status_of_all(const struct rpt_mpi_end *end,
                                  const char *cards, size_t bytes)
{
    const struct note *worst = NULL;
    int rank = 0;

    for (int r = 0; r < end->size; r++) {
        const struct note *note = note_of(cards, bytes, r);

        if (note->status != RPT_OK &&
            (worst == NULL ||
             (worst->status == RPT_ERR_PEER && note->status != RPT_ERR_PEER))) {
            worst = note;
            rank = r;
        }
    }
    if (worst == NULL) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_PEER, "rank %d on %s could not join the context", rank,
              worst->host);
    rpt__fail_why("%s", worst->what);
    return RPT_ERR_PEER;
}

/* Exchanges cards.  Memory of an exchange that did not end stays MPI's. */
static rpt_status_t gather(struct rpt_mpi_end *end, rpt_status_t own,
                           struct note *card, size_t bytes, char **cards_out)
{
    char *all = malloc((size_t)(end->size + 1) * bytes);
    char *mine = all != NULL ? all + (size_t)end->size * bytes : NULL;
    MPI_Request request;
    rpt_status_t status;

    if (all == NULL) {
        end->lost = true;
        return rpt__fail_nomem((size_t)(end->size + 1) * bytes);
    }
    write_note(card, own);
    memcpy(mine, card, bytes);
    status = rpt__mpi_status(PMPI_Iallgather(mine, (int)bytes, MPI_BYTE, all,
                                             (int)bytes, MPI_BYTE, end->comm,
                                             &request),
                             "MPI_Iallgather");
    if (status == RPT_OK) {
        status = rpt__mpi_finish(&request, rpt__now_s() + end->deadline_s,
                                 "the start of a context");
    }
    if (status != RPT_OK) {
        end->lost = true;
        return status;
    }
    *cards_out = all;
    return RPT_OK;
}

/* RPT_OK when it is that on all ranks; then start->cards is filled.  Every rank
 * goes through all steps, whatever its status, until one is lost. */
static rpt_status_t meet(struct start *start, rpt_status_t own,
                         struct note *card, size_t bytes)
{
    char *cards = NULL;
    rpt_status_t status;

    if (start->end->lost) {
        return own;
    }
    status = gather(start->end, own, card, bytes, &cards);
    free(start->cards);
    start->cards = cards;
    start->card_bytes = bytes;
    if (status == RPT_OK) {
        status = own != RPT_OK ? own : status_of_all(start->end, cards, bytes);
    }
    return status;
}

static const void *card_of(const struct start *start, int rank)
{
    return note_of(start->cards, start->card_bytes, rank);
}

rpt_status_t rpt__mpi_agree(struct rpt_mpi_end *end, rpt_status_t own)
{
    struct start start = { .end = end };
    struct note note;
    rpt_status_t status = meet(&start, own, &note, sizeof note);

    free(start.cards);
    return status;
}

/* ---- hello ---- */

static rpt_status_t compare(const struct start *start)
{
    const struct hello *first = card_of(start, 0);

    for (int r = 1; r < start->end->size; r++) {
        const struct hello *other = card_of(start, r);

        if (other->virtual_nodes != first->virtual_nodes ||
            other->virtual_domains != first->virtual_domains ||
            other->use_shm != first->use_shm ||
            other->ring_bytes != first->ring_bytes) {
            return rpt__fail(RPT_ERR_MISMATCH,
                             "rank %d on %s and rank 0 on %s differ in "
                             "topo.virtual_nodes, topo.virtual_domains, "
                             "comm.shm or comm.ring_bytes",
                             r, other->note.host, first->note.host);
        }
        if (other->coll_hash != first->coll_hash) {
            rpt__fail(RPT_ERR_MISMATCH,
                      "rank %d on %s and rank 0 on %s differ in an option of "
                      "collectives",
                      r, other->note.host, first->note.host);
            rpt__fail_hint("all of coll.* but coll.deadline_s must be the same "
                           "on all ranks; `repartir info` shows them");
            return RPT_ERR_MISMATCH;
        }
    }
    return RPT_OK;
}

/* Of rank 0, before anybody else needs it. */
static rpt_status_t make_brief(struct rpt_mpi_end *end)
{
    rpt_status_t status;

    if (end->rank != 0 || end->brief_fn == NULL) {
        return RPT_OK;
    }
    status = end->brief_fn(end->options, &end->brief);
    if (status == RPT_OK) {
        status = rpt__buf_status(&end->brief);
    }
    if (status == RPT_OK && end->brief.bytes > INT_MAX) {
        status = rpt__fail(RPT_ERR_OVERFLOW, "%zu bytes for all ranks",
                           end->brief.bytes);
    }
    return status;
}

static rpt_status_t say_hello(struct start *start, rpt_status_t own)
{
    struct rpt_mpi_end *end = start->end;
    struct hello hello = { .host_key = rpt__host_key(),
                           .thread_level = end->thread_level };
    rpt_status_t status;

    if (own == RPT_OK) {
        own = make_brief(end);
    }
    if (own == RPT_OK) {
        hello.brief_bytes = end->brief.bytes;
        hello.ring_bytes = rpt__option_size(end->options,
                                            RPT_OPT_COMM_RING_BYTES);
        hello.coll_hash = rpt__options_hash(end->options,
                                            RPT_OPT_COLL_REPRODUCIBLE,
                                            RPT_OPT_COLL_SEGMENT_BYTES);
        hello.virtual_nodes = (int32_t)rpt__option_integer(
            end->options, RPT_OPT_TOPO_VIRTUAL_NODES);
        hello.virtual_domains = (int32_t)rpt__option_integer(
            end->options, RPT_OPT_TOPO_VIRTUAL_DOMAINS);
        hello.use_shm = rpt__option_switch(end->options, RPT_OPT_COMM_SHM);
    }
    status = meet(start, own, &hello.note, sizeof hello);
    if (status == RPT_OK) {
        status = compare(start);
    }
    if (status != RPT_OK) {
        return status;
    }
    start->use_shm = hello.use_shm != 0;
    start->brief_bytes = ((const struct hello *)card_of(start, 0))->brief_bytes;
    end->host_lead = -1;
    end->n_on_host = 0;
    for (int r = 0; r < end->size; r++) {
        const struct hello *other = card_of(start, r);

        if (other->thread_level < end->thread_level) {
            end->thread_level = other->thread_level;
        }
        if (other->host_key == hello.host_key) {
            end->host_lead = end->host_lead < 0 ? r : end->host_lead;
            end->places[r] = end->n_on_host++; /* on the host, for now */
        }
    }
    return RPT_OK;
}

/* ---- brief ---- */

static rpt_status_t share_brief(struct start *start)
{
    struct rpt_mpi_end *end = start->end;
    size_t bytes = start->brief_bytes;
    MPI_Request request;
    rpt_status_t status;

    if (bytes == 0) {
        return RPT_OK;
    }
    if (end->rank != 0 && rpt__buf_reserve(&end->brief, bytes) == NULL) {
        end->lost = true;
        return rpt__buf_status(&end->brief);
    }
    end->brief.bytes = bytes;
    status = rpt__mpi_status(PMPI_Ibcast(end->brief.data, (int)bytes, MPI_BYTE,
                                         0, end->comm, &request),
                             "MPI_Ibcast");
    if (status == RPT_OK) {
        status = rpt__mpi_finish(&request, rpt__now_s() + end->deadline_s,
                                 "the start of a context");
    }
    if (status != RPT_OK) {
        end->lost = true; /* MPI still has the memory */
        end->brief = (struct rpt_buf)RPT_BUF_EMPTY;
    }
    return status;
}

/* ---- machine ---- */

/* The lowest rank of the host sends the XML to the others there.  Where a send
 * fails those before it are still under way: the XML is empty afterwards if MPI
 * still has the memory. */
static rpt_status_t send_machine(struct rpt_mpi_end *end, struct rpt_buf *xml,
                                 double until_s)
{
    size_t n = (size_t)end->size;
    MPI_Request *requests = malloc(n * sizeof *requests);
    rpt_status_t status = RPT_OK;
    int n_requests = 0;

    if (requests == NULL) {
        return rpt__fail_nomem(n * sizeof *requests);
    }
    for (int r = end->rank + 1; status == RPT_OK && r < end->size; r++) {
        if (end->places[r] >= 0) {
            status = rpt__mpi_status(PMPI_Isend(xml->data, (int)xml->bytes,
                                                MPI_BYTE, r,
                                                RPT_MPI_TAG_MACHINE, end->comm,
                                                &requests[n_requests]),
                                     "MPI_Isend");
            n_requests += status == RPT_OK;
        }
    }
    for (int i = 0; i < n_requests; i++) {
        rpt_status_t one = rpt__mpi_finish(&requests[i], until_s,
                                           "handing over the machine");

        status = one != RPT_OK ? one : status;
        if (one == RPT_ERR_TIMEOUT) {
            *xml = (struct rpt_buf)RPT_BUF_EMPTY;
        }
    }
    free(requests);
    return status;
}

static rpt_status_t receive_machine(struct rpt_mpi_end *end, size_t bytes,
                                    double until_s)
{
    char *xml = malloc(bytes);
    MPI_Request request;
    rpt_status_t status;

    if (xml == NULL) {
        return rpt__fail_nomem(bytes);
    }
    status = rpt__mpi_status(PMPI_Irecv(xml, (int)bytes, MPI_BYTE,
                                        end->host_lead, RPT_MPI_TAG_MACHINE,
                                        end->comm, &request),
                             "MPI_Irecv");
    if (status == RPT_OK) {
        status = rpt__mpi_finish(&request, until_s, "handing over the machine");
    }
    if (status == RPT_ERR_TIMEOUT) {
        end->lost = true; /* MPI still has the memory */
        return status;
    }
    if (status == RPT_OK) {
        status = rpt__machine_import(xml, bytes, &end->machine);
    }
    free(xml);
    return status;
}

static rpt_status_t discover(struct rpt_mpi_end *end, struct rpt_buf *xml)
{
    rpt_status_t status = rpt__machine_discover(
        rpt__option_text(end->options, RPT_OPT_TOPO_SYNTHETIC),
        rpt__option_switch(end->options, RPT_OPT_TOPO_DEVICES), &end->machine);

    if (status == RPT_OK) {
        status = rpt__machine_export(end->machine, xml);
    }
    return status == RPT_OK ? rpt__buf_status(xml) : status;
}

static rpt_status_t share_machine(struct start *start, rpt_status_t own)
{
    struct rpt_mpi_end *end = start->end;
    struct rpt_buf xml = RPT_BUF_EMPTY;
    bool leads = end->host_lead == end->rank;
    struct machine_card card = { .xml_bytes = 0 };
    rpt_status_t status;
    double until_s;

    if (own == RPT_OK && leads) {
        own = discover(end, &xml);
        card.xml_bytes = xml.bytes;
    }
    status = meet(start, own, &card.note, sizeof card);
    until_s = rpt__now_s() + end->deadline_s;
    if (status == RPT_OK && leads) {
        status = send_machine(end, &xml, until_s);
    } else if (status == RPT_OK) {
        const struct machine_card *lead = card_of(start, end->host_lead);

        status = receive_machine(end, lead->xml_bytes, until_s);
    }
    rpt__buf_free(&xml);
    return status;
}

/* ---- seats ---- */

static rpt_status_t make_map(struct start *start)
{
    struct rpt_mpi_end *end = start->end;
    size_t n = (size_t)end->size;
    struct rpt_seat *seats = malloc(n * sizeof *seats);
    rpt_status_t status;

    if (seats == NULL) {
        return rpt__fail_nomem(n * sizeof *seats);
    }
    for (int r = 0; r < end->size; r++) {
        const struct seat_card *card = card_of(start, r);

        seats[r] = card->seat;
    }
    status = rpt__map_create(
        seats, end->size,
        (int)rpt__option_integer(end->options, RPT_OPT_TOPO_VIRTUAL_NODES),
        &end->map);
    free(seats);
    if (status == RPT_OK) {
        status = rpt__map_set_domains(
            end->map, (int)rpt__option_integer(end->options,
                                               RPT_OPT_TOPO_VIRTUAL_DOMAINS));
    }
    return status;
}

static rpt_status_t exchange_seats(struct start *start, rpt_status_t own)
{
    struct rpt_mpi_end *end = start->end;
    struct seat_card card;
    rpt_status_t status;

    memset(&card, 0, sizeof card);
    if (own == RPT_OK) {
        own = rpt__seat_take(end->machine, end->places[end->rank],
                             end->n_on_host, &card.seat);
    }
    status = meet(start, own, &card.note, sizeof card);
    return status == RPT_OK ? make_map(start) : status;
}

/* ---- segment ---- */

/* Places of the ranks of this node, 0 ...; -1 for all others. */
static void take_places(struct start *start)
{
    struct rpt_mpi_end *end = start->end;
    int node = rpt__map_node_of(end->map, end->rank);

    start->n_members = 0;
    start->leader = -1;
    for (int r = 0; r < end->size; r++) {
        end->places[r] = -1;
        if (rpt__map_node_of(end->map, r) == node) {
            start->leader = start->leader < 0 ? r : start->leader;
            end->places[r] = start->n_members++;
        }
    }
    end->place = end->places[end->rank];
}

static rpt_status_t offer_segment(struct start *start, rpt_status_t own)
{
    struct rpt_mpi_end *end = start->end;
    struct offer_card card = { .offer = { .fd = -1 } };
    const struct offer_card *leader;
    rpt_status_t status;

    if (own == RPT_OK) {
        take_places(start);
        /* That it fails is no fault yet: there is the mpi transport. */
        if (start->leader == end->rank && start->n_members > 1 &&
            start->use_shm &&
            rpt__segment_create(
                start->n_members,
                rpt__option_size(end->options, RPT_OPT_COMM_RING_BYTES),
                rpt__option_size(end->options, RPT_OPT_COMM_SHARED_BYTES),
                &end->segment) == RPT_OK) {
            rpt__segment_offer(&end->segment, &card.offer);
        }
    }
    status = meet(start, own, &card.note, sizeof card);
    if (status == RPT_OK) {
        leader = card_of(start, start->leader);
        start->offer = leader->offer;
    }
    return status;
}

static void warn_of_mpi(const struct start *start, int rank,
                        const struct attached_card *card)
{
    char verb[64] = "could not make shared memory";

    if (rank != start->leader) {
        snprintf(verb, sizeof verb, "has no shared memory with rank %d",
                 start->leader);
    }
    rpt__log(RPT_LOG_WARN,
             "rank %d on %s %s (%s): messages between the %d ranks of the node "
             "go through MPI",
             rank, card->note.host, verb, card->why, start->n_members);
}

/* The lowest rank of a node says why it has no shared memory. */
static bool all_attached(const struct start *start)
{
    const struct rpt_mpi_end *end = start->end;

    for (int r = 0; r < end->size; r++) {
        const struct attached_card *card = card_of(start, r);

        if (end->places[r] < 0 || card->attached) {
            continue;
        }
        if (end->rank == start->leader && start->use_shm &&
            start->n_members > 1) {
            warn_of_mpi(start, r, card);
        }
        return false;
    }
    return true;
}

/* A rank that shares with nobody has a bell, too. */
static rpt_status_t stay_alone(struct rpt_mpi_end *end)
{
    for (int r = 0; r < end->size; r++) {
        end->places[r] = -1;
    }
    end->place = 0;
    rpt__segment_release(&end->segment);
    return rpt__segment_create(1, 0, 0, &end->segment);
}

static rpt_status_t attach_segment(struct start *start, rpt_status_t own)
{
    struct rpt_mpi_end *end = start->end;
    struct attached_card card = { .attached = end->segment.base != NULL };
    rpt_status_t status;

    if (own == RPT_OK && !card.attached && start->offer.fd >= 0) {
        card.attached = rpt__segment_attach(&start->offer, &end->segment) ==
                        RPT_OK;
    }
    if (own == RPT_OK && !card.attached) {
        snprintf(card.why, sizeof card.why, "%.180s: %.60s",
                 rpt_last_error()->what, rpt_last_error()->why);
    }
    status = meet(start, own, &card.note, sizeof card);
    if (status != RPT_OK) {
        return status;
    }
    end->has_shm = all_attached(start);
    end->has_far = end->size > 1 &&
                   (rpt__map_n_nodes(end->map) > 1 || !end->has_shm);
    return end->has_shm ? RPT_OK : stay_alone(end);
}

rpt_status_t rpt__mpi_start(struct rpt_mpi_end *end, rpt_status_t own)
{
    struct start start = { .end = end };
    size_t n = (size_t)end->size;
    rpt_status_t status;

    end->places = malloc(n * sizeof *end->places);
    if (end->places == NULL && own == RPT_OK) {
        own = rpt__fail_nomem(n * sizeof *end->places);
    }
    for (int r = 0; end->places != NULL && r < end->size; r++) {
        end->places[r] = -1;
    }
    status = say_hello(&start, own);
    if (status == RPT_OK) {
        status = share_brief(&start);
    }
    status = share_machine(&start, status);
    status = exchange_seats(&start, status);
    status = offer_segment(&start, status);
    status = attach_segment(&start, status);
    free(start.cards);
    return status;
}
