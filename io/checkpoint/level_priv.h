/*
 * level_priv.h - what the files level_*.c share
 */
#ifndef RPT_IO_CHECKPOINT_LEVEL_PRIV_H
#define RPT_IO_CHECKPOINT_LEVEL_PRIV_H

#include "io/checkpoint/checkpoint_priv.h"
#include "io/checkpoint/format.h"
#include "io/checkpoint/level.h"

/* ---- level_nodes.c ---- */

rpt_status_t rpt__nodes_make(const struct rpt_group *group,
                             struct rpt_nodes *nodes_out);
void rpt__nodes_free(struct rpt_nodes *nodes);
/* Who keeps the copy of a rank: the same place on the next node; -1: nobody. */
int rpt__nodes_partner(const struct rpt_nodes *nodes, int rank);

/* Those who keep parity for each other: one rank of each node of a set. */
struct rpt_xor_set {
    int first;    /* node of member 0         */
    int n;        /* members, one of each node */
    int n_places; /* of the set of nodes: there are so many of these sets */
};
/* The set of nodes that a node is in; most: nodes that it should have. */
struct rpt_xor_set rpt__nodes_set(const struct rpt_nodes *nodes, int node,
                                  int most);
/* The rank that is member i of the set of a place; false: it has no data there,
 * only parity. */
bool rpt__nodes_member(const struct rpt_nodes *nodes,
                       const struct rpt_xor_set *set, int place, int i,
                       int *rank_out);

/* ---- parity: RAID 5 over the members of a set of n ----
 *
 * A file is n - 1 chunks; the chunk that stands for member i goes into the
 * parity that i keeps. */

uint64_t rpt__xor_chunk(uint64_t most_bytes, uint32_t n);
/* Which bytes of the file of member `of` go into the parity of member `at`. */
struct rpt_range {
    uint64_t begin, bytes;
};
struct rpt_range rpt__xor_range(uint32_t of, uint32_t at, uint64_t chunk,
                                uint64_t file_bytes);
/* to ^= from. */
void rpt__xor_into(char *to, const char *from, size_t bytes);

/* ---- level_file.c ---- */

enum rpt_local_kind { RPT_LOCAL_RANK, RPT_LOCAL_XOR };

enum { RPT_LOCAL_NAME_BYTES = 96 };

struct rpt_local_head {
    enum rpt_local_kind kind;
    uint32_t number; /* rank, or place of the parity */
    uint32_t n_ranks;
    uint64_t id;
    uint64_t iteration;
    double time_s;
    uint64_t base;
    uint64_t front_bytes; /* all before the body */
    uint64_t body_bytes;
    struct rpt_digest body;
};

/* A member of a set: its rank, UINT32_MAX: none, and the bytes of its file. */
struct rpt_local_member {
    uint32_t rank;
    uint64_t bytes;
};

/* The front of a file that was read; pointers go into `bytes`. */
struct rpt_local {
    struct rpt_local_head head;
    struct rpt_buf front;
    /* RPT_LOCAL_RANK; draft and table: of rank 0 */
    const char *section, *draft, *table;
    size_t section_bytes, draft_bytes, table_bytes;
    /* RPT_LOCAL_XOR */
    uint32_t me, n_members;
    uint64_t chunk;
    struct rpt_local_member *members;
};

void rpt__local_name(const struct rpt_local_head *head,
                     char name_out[RPT_LOCAL_NAME_BYTES]);
/* Whether it is one of this level, also with .tmp- before it. */
bool rpt__local_parse(const char *name, uint64_t *id_out, uint32_t *number_out);

/* Appends a front; head->front_bytes is set. */
void rpt__local_put_rank(struct rpt_local_head *head,
                         const struct rpt_buf *section,
                         const struct rpt_buf *draft,
                         const struct rpt_buf *table, struct rpt_buf *out);
void rpt__local_put_xor(struct rpt_local_head *head, uint32_t me,
                        uint64_t chunk, const struct rpt_local_member members[],
                        uint32_t n_members, struct rpt_buf *out);

/* The datasets as the section of a file of this level has them: none is
 * compressed.  The array is to be freed, what it points to is the other's.
 * NULL: there is no memory. */
struct rpt_dataset *rpt__local_datasets(const struct rpt_dataset datasets[],
                                        size_t n);

/* Bytes that come from memory or from a file. */
struct rpt_piece {
    const char *data;
    uint64_t bytes;
};
struct rpt_supply {
    const struct rpt_piece *pieces; /* NULL: the file */
    size_t n_pieces;
    int fd;
    uint64_t bytes;
};
/* 0, or the errno. */
int rpt__supply_read(const struct rpt_supply *supply, uint64_t from,
                     size_t bytes, char *to);

/* Reads the front, checks its seal and the length of the whole.
 * RPT_ERR_CORRUPT; `name` is for messages. */
rpt_status_t rpt__local_read(const char *name, const struct rpt_supply *supply,
                             struct rpt_local *local_out);
/* Reads the body, and compares its digest. */
rpt_status_t rpt__local_verify(const char *name,
                               const struct rpt_supply *supply,
                               const struct rpt_local_head *head);
void rpt__local_free(struct rpt_local *local);

/* ---- level_place.c ---- */

/* A file that is to be written. */
struct rpt_local_out {
    char name[RPT_LOCAL_NAME_BYTES];
    struct rpt_buf front;
    struct rpt_piece *pieces; /* the first one is the front, or all */
    size_t n_pieces;
    char *memory; /* of the body, NULL: somebody else's */
};

/* The task's folder on this node.  RPT_ERR_NOT_FOUND: there is none. */
rpt_status_t rpt__place_open(const struct rpt_checkpoint *c,
                             struct rpt_dir *task_out);
/* What this rank writes to, made. */
rpt_status_t rpt__place_open_node(const struct rpt_checkpoint *c,
                                  struct rpt_dir *node_out);
rpt_status_t rpt__place_put(const struct rpt_dir *node,
                            const struct rpt_local_out *file, bool syncs);
/* Calls fn for each file of this rank's share: those of all folders of nodes
 * that are here are dealt among the ranks of the node.  dir: of that node. */
typedef rpt_status_t (*rpt_place_fn)(void *user, const struct rpt_dir *dir,
                                     const char *folder, const char *name);
rpt_status_t rpt__place_each(const struct rpt_checkpoint *c, rpt_place_fn fn,
                             void *user);
/* Removes folders that are empty. */
void rpt__place_leave(const struct rpt_checkpoint *c);

/* ---- level_ship.c ---- */

struct rpt_outgoing {
    int rank; /* of the group */
    uint32_t key;
    const struct rpt_supply *supply;
    struct rpt_range range;
    uint64_t sent;
    uint64_t mark; /* behind what was sent: see rpt__comm_mark() */
};
/* What comes is added to what is there, by exclusive or. */
struct rpt_incoming {
    int rank;
    uint32_t key;
    char *to;
    uint64_t bytes;
    uint64_t came;
};
struct rpt_ship {
    uint64_t id; /* the same on all ranks */
    struct rpt_outgoing *out;
    size_t n_out;
    struct rpt_incoming *in;
    size_t n_in;
    rpt_status_t status; /* of what could not be read here */
};
rpt_status_t rpt__ship_send(struct rpt_ship *ship, int rank, uint32_t key,
                            const struct rpt_supply *supply,
                            struct rpt_range range);
rpt_status_t rpt__ship_expect(struct rpt_ship *ship, int rank, uint32_t key,
                              char *to, uint64_t bytes);
/* Collective: own: whether this rank is ready, with its lists complete; when
 * one is not, nothing is sent, and that is what all get.  Else a failure is
 * this rank's own. */
rpt_status_t rpt__ship_run(struct rpt_checkpoint *c, struct rpt_ship *ship,
                           rpt_status_t own);
void rpt__ship_free(struct rpt_ship *ship);

/* ---- level_list.c ---- */

/* A file of some rank; the same list on all ranks. */
struct rpt_seen {
    struct rpt_local_head head; /* without lengths and digest         */
    uint64_t bytes;             /* of the file                        */
    int holder;                 /* who can read it                    */
    size_t index;               /* in the holder's own list           */
    bool is_good;               /* the holder has read and compared it */
    bool is_out;                /* nothing came of that checkpoint    */
    /* parity */
    uint32_t me, n_members;
    uint64_t chunk;
    const struct rpt_local_member *members;
};
/* One that this rank can read. */
struct rpt_own {
    char folder[32]; /* node-NNNNN */
    char name[RPT_LOCAL_NAME_BYTES];
};
struct rpt_finding {
    struct rpt_checkpoint *c;
    struct rpt_own *own;
    size_t n_own;
    struct rpt_seen *seen;
    size_t n_seen;
    struct rpt_local_member **members; /* to be freed */
    size_t n_member_lists;
};

/* Collective: fills in all but c. */
rpt_status_t rpt__finding_list(struct rpt_finding *f);
void rpt__finding_free(struct rpt_finding *f);
/* A file of this rank's list, open. */
rpt_status_t rpt__own_open(const struct rpt_finding *f, size_t index,
                           struct rpt_supply *supply_out);

/* ---- level_rebuild.c ---- */

/* A rank's part, where this rank has it. */
struct rpt_held {
    struct rpt_local local;
    struct rpt_supply supply;
    const struct rpt_finding *finding; /* of a file: whose list, and where */
    size_t index;
    char *memory; /* of a rebuilt one */
    struct rpt_piece piece;
};
void rpt__held_free(struct rpt_held *held);
/* A file is open only while it is read. */
rpt_status_t rpt__held_open(struct rpt_held *held);
void rpt__held_close(struct rpt_held *held);

/* Which file has the part of a rank, index of `seen`; -1: none. */
int64_t rpt__found_part(const struct rpt_finding *f, uint64_t id,
                        uint32_t rank);
/* Whether it can be made again of what others have. */
bool rpt__can_rebuild(const struct rpt_finding *f, uint64_t id, uint32_t rank);
/* Collective: makes it, on that rank of the group.  RPT_ERR_CORRUPT. */
rpt_status_t rpt__rebuild(const struct rpt_finding *f, uint64_t id,
                          uint32_t rank, int on, struct rpt_held *held_out);

/* ---- level_flush.c ---- */

/* Collective.  held[i]: what this rank has; root: who has that of rank 0.
 * RPT_ERR_CORRUPT: they do not belong together. */
rpt_status_t rpt__level_flush(struct rpt_checkpoint *c, uint64_t id, int root,
                              struct rpt_held held[], size_t n_held);

#endif /* RPT_IO_CHECKPOINT_LEVEL_PRIV_H */
