/*
 * mailbox.c - letters that groups get, also before they are made
 *
 * A faster rank may write to a group that this one has not made yet: such
 * letters lie in `early` until it is.  Reports about waiting ranks are not
 * kept that way, they are written again when somebody asks.  What comes for a
 * group that failed and was destroyed is dropped; the last of those are known.
 */
#include "comm/group_priv.h"

#include "base/error.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { N_BUCKETS = 256, N_DEAD = 64 };

struct rpt_groups {
    struct rpt_comm *comm;
    struct rpt_group *buckets[N_BUCKETS];
    struct rpt_group *world;
    uint64_t count;
    struct rpt_letter *early;
    uint64_t dead[N_DEAD];
    unsigned n_dead; /* ever */
};

static struct rpt_group **bucket_of(struct rpt_groups *groups, uint64_t number)
{
    return &groups->buckets[rpt__hash64(&number, sizeof number, 0) % N_BUCKETS];
}

static struct rpt_group *find(struct rpt_groups *groups, uint64_t number)
{
    struct rpt_group *group = *bucket_of(groups, number);

    while (group != NULL && group->number != number) {
        group = group->next;
    }
    return group;
}

static bool is_dead(const struct rpt_groups *groups, uint64_t number)
{
    for (unsigned i = 0; i < groups->n_dead && i < N_DEAD; i++) {
        if (groups->dead[i] == number) {
            return true;
        }
    }
    return false;
}

static void append(struct rpt_letter **list, struct rpt_letter *letter)
{
    while (*list != NULL) {
        list = &(*list)->next;
    }
    letter->next = NULL;
    *list = letter;
}

static bool is_kept_early(uint32_t kind)
{
    return kind == RPT_LETTER_DATA || kind == RPT_LETTER_UP ||
           kind == RPT_LETTER_DOWN || kind == RPT_LETTER_FAIL;
}

static struct rpt_letter *read_letter(int source, const void *data,
                                      size_t bytes)
{
    size_t rest = bytes - sizeof(struct rpt_letter_head);
    struct rpt_letter *letter = malloc(sizeof *letter + rest);

    if (letter == NULL) {
        rpt__fail_nomem(sizeof *letter + rest);
        return NULL;
    }
    memcpy(&letter->head, data, sizeof letter->head);
    memcpy(letter->data, (const char *)data + sizeof letter->head, rest);
    letter->source = source;
    letter->bytes = rest;
    return letter;
}

static void deliver(struct rpt_group *group, struct rpt_letter *letter)
{
    if (letter->head.kind == RPT_LETTER_FAIL) {
        rpt__group_failed(group, letter);
        free(letter);
    } else if (letter->head.kind == RPT_LETTER_PLACE) {
        rpt__place_came(group, letter);
        free(letter);
    } else {
        append(&group->letters, letter);
    }
    rpt__engine_tell(group->comm->engine);
}

static void letter_came(void *user, int source, const void *data, size_t bytes)
{
    struct rpt_groups *groups = user;
    const struct rpt_letter_head *head = data;
    struct rpt_letter *letter;
    struct rpt_group *group;

    if (bytes < sizeof *head || is_dead(groups, head->number)) {
        return;
    }
    group = find(groups, head->number);
    if (group == NULL && !is_kept_early(head->kind)) {
        return;
    }
    letter = read_letter(source, data, bytes);
    if (letter == NULL) {
        rpt__engine_break(groups->comm->engine, RPT_ERR_NOMEM);
    } else if (group != NULL) {
        deliver(group, letter);
    } else {
        append(&groups->early, letter);
    }
}

rpt_status_t rpt__groups_create(struct rpt_comm *comm,
                                struct rpt_groups **groups_out)
{
    struct rpt_groups *groups = calloc(1, sizeof *groups);

    if (groups == NULL) {
        return rpt__fail_nomem(sizeof *groups);
    }
    groups->comm = comm;
    *groups_out = groups;
    return rpt__comm_handle(comm, RPT_TAG_GROUP, letter_came, groups);
}

static void free_letters(struct rpt_letter *letter)
{
    while (letter != NULL) {
        struct rpt_letter *next = letter->next;

        free(letter);
        letter = next;
    }
}

void rpt__groups_destroy(struct rpt_groups *groups)
{
    if (groups == NULL) {
        return;
    }
    if (groups->world != NULL) {
        free_letters(groups->world->letters);
        free(groups->world->texts);
        free(groups->world);
    }
    free_letters(groups->early);
    free(groups);
}

struct rpt_group **rpt__groups_world(struct rpt_comm *comm)
{
    return &comm->groups->world;
}

uint64_t *rpt__groups_count(struct rpt_comm *comm)
{
    return &comm->groups->count;
}

struct rpt_group *rpt__group_find(struct rpt_comm *comm, uint64_t number)
{
    return find(comm->groups, number);
}

rpt_status_t rpt__groups_enter(struct rpt_group *group)
{
    struct rpt_groups *groups = group->comm->groups;
    struct rpt_group **bucket = bucket_of(groups, group->number);
    struct rpt_letter **link = &groups->early;

    if (is_dead(groups, group->number)) {
        return rpt__fail(RPT_ERR_STATE, "a group of these ranks failed before");
    }
    if (find(groups, group->number) != NULL) {
        return rpt__fail(RPT_ERR_EXISTS, "there is a group of this number");
    }
    group->next = *bucket;
    *bucket = group;
    while (*link != NULL) {
        struct rpt_letter *letter = *link;

        if (letter->head.number == group->number) {
            *link = letter->next;
            deliver(group, letter);
        } else {
            link = &letter->next;
        }
    }
    return RPT_OK;
}

void rpt__groups_leave(struct rpt_group *group, bool keep)
{
    struct rpt_groups *groups = group->comm->groups;
    struct rpt_group **link = bucket_of(groups, group->number);

    while (*link != group) {
        link = &(*link)->next;
    }
    *link = group->next;
    if (group->failed != RPT_OK) {
        groups->dead[groups->n_dead++ % N_DEAD] = group->number;
    }
    while (group->letters != NULL) {
        struct rpt_letter *letter = group->letters;

        group->letters = letter->next;
        if (keep && is_kept_early(letter->head.kind)) {
            append(&groups->early, letter);
        } else {
            free(letter);
        }
    }
}

rpt_status_t rpt__letter_send(struct rpt_group *group, int to,
                              enum rpt_letter_kind kind, const void *data,
                              size_t bytes)
{
    struct rpt_letter_head head = { group->number, group->seq, kind, 0 };
    char small[256], *whole = small;
    rpt_status_t status;

    if (sizeof head + bytes > sizeof small) {
        whole = malloc(sizeof head + bytes);
        if (whole == NULL) {
            return rpt__fail_nomem(sizeof head + bytes);
        }
    }
    memcpy(whole, &head, sizeof head);
    if (bytes > 0) {
        memcpy(whole + sizeof head, data, bytes);
    }
    status = rpt__comm_send(group->comm, rpt__group_world_rank(group, to),
                            RPT_TAG_GROUP, whole, sizeof head + bytes);
    if (whole != small) {
        free(whole);
    }
    return status;
}

struct rpt_letter *rpt__letter_find(struct rpt_group *group,
                                    enum rpt_letter_kind kind, int from)
{
    int source = rpt__group_world_rank(group, from);
    struct rpt_letter *letter = group->letters;

    while (letter != NULL &&
           (letter->head.seq != group->seq || letter->head.kind != kind ||
            letter->source != source)) {
        letter = letter->next;
    }
    return letter;
}

bool rpt__letter_any(const struct rpt_group *group, enum rpt_letter_kind kind)
{
    const struct rpt_letter *letter = group->letters;

    while (letter != NULL &&
           (letter->head.seq != group->seq || letter->head.kind != kind)) {
        letter = letter->next;
    }
    return letter != NULL;
}

void rpt__letter_done(struct rpt_group *group, struct rpt_letter *letter)
{
    struct rpt_letter **link = &group->letters;

    while (*link != letter) {
        link = &(*link)->next;
    }
    *link = letter->next;
    free(letter);
}

void rpt__letters_clear(struct rpt_group *group)
{
    struct rpt_letter **link = &group->letters;

    while (*link != NULL) {
        struct rpt_letter *letter = *link;

        if (letter->head.seq <= group->seq &&
            !is_kept_early(letter->head.kind)) {
            *link = letter->next;
            free(letter);
        } else {
            link = &letter->next;
        }
    }
}
