/*
 * format.h - what is in the folder of a checkpoint; doc/checkpoint-format.md
 *
 *   MANIFEST.json   what it is, where each dataset lies, digest of blocks.xxh;
 *                   the last line is the digest of all before it
 *   blocks.xxh      checksums: a head, then a section of each rank that wrote
 *   state.h5        the data
 *   files/          what the program itself wrote, if it did
 *
 * A section lists the boxes that a rank wrote, each followed by the XXH3-64 of
 * every MiB of its stream, and ends with a seal: the XXH3-128 of the section.
 * The seal is written when the data are on the disk.
 */
#ifndef RPT_IO_CHECKPOINT_FORMAT_H
#define RPT_IO_CHECKPOINT_FORMAT_H

#include "base/buf.h"
#include "base/hash.h"
#include "io/checkpoint/box.h"

#include <repartir/types.h>

#define RPT_MANIFEST "MANIFEST.json"
#define RPT_DRAFT "draft.json"
#define RPT_SPARE ".spare-" /* and the id: of the job, as .tmp- is */
#define RPT_SCRATCH "scratch-" /* and a number: of a task's program */
#define RPT_BLOCKS "blocks.xxh"
#define RPT_STATE_FILE "state.h5"
#define RPT_FILES "files"
#define RPT_FORMAT_VERSION 2 /* the newest; what is in one piece has 1 */

enum {
    RPT_BLOCK_BYTES = 1 << 20,
    RPT_BLOCKS_HEAD_BYTES = 48, /* without the table of sections */
    RPT_SEAL_BYTES = 16,
    RPT_ID_BYTES = 17, /* of the text of an id: 16 digits and a 0 */
    /* What is longer is not written, and not read: who says that a file is
     * right takes no more memory than some times this.  For 100 000 datasets
     * and 64 TiB. */
    RPT_MANIFEST_BYTES_MAX = 16 << 20,
    RPT_BLOCKS_BYTES_MAX = 512 << 20,
    RPT_CHUNK_BYTES_MAX = 64 << 20 /* larger ones are not read */
};

/* Bytes of the file that belong to no dataset: HDF5's own. */
#define RPT_RAW UINT32_MAX

enum rpt_item_kind { RPT_ITEM_ARRAY, RPT_ITEM_VALUE, RPT_ITEM_BLOB };

const char *rpt__item_kind_name(enum rpt_item_kind kind);

/* Slots that follow each other in the file. */
struct rpt_slot_run {
    uint64_t n;
    uint64_t offset;
    uint64_t first; /* slot: of those before there are so many */
};

/* How a compressed dataset lies in the file: in chunks, each in a slot of its
 * own; slots.h. */
struct rpt_chunk_slots {
    uint64_t chunk[RPT_BOX_DIMS]; /* extents of a chunk          */
    uint64_t bytes;               /* of a slot                   */
    uint64_t n;                   /* chunks, and slots           */
    struct rpt_slot_run *runs;    /* in the order of the chunks  */
    size_t n_runs;
};

/* A dataset of the file. */
struct rpt_dataset {
    char *name;
    enum rpt_item_kind kind;
    rpt_type_t type;
    int n_dims; /* >= 1 */
    uint64_t dims[RPT_BOX_DIMS];
    bool is_scalar;  /* dims is 1, and HDF5 knows none */
    uint64_t offset; /* in the file, bytes; of slots: the first one's */
    uint64_t bytes;  /* of its elements                */
    struct rpt_chunk_slots *slots; /* NULL: its elements are in one piece */
};

/* A box that one rank wrote. */
struct rpt_part {
    uint32_t dataset; /* index, or RPT_RAW: bytes of the file */
    struct rpt_box box;
};

/* A file that the program wrote, below files/. */
struct rpt_routed {
    char *name;
    int rank;
    uint64_t bytes;
    struct rpt_digest digest;
};

/* What the manifest says. */
struct rpt_manifest {
    uint64_t id;
    char *task;
    char *host;
    char *engine;
    char *library;
    uint64_t iteration;
    double time_s; /* since 1970, when the save began */
    int n_ranks;
    uint64_t file_bytes;
    struct rpt_dataset *datasets;
    size_t n_datasets;
    struct rpt_routed *files;
    size_t n_files;
    uint64_t blocks_bytes;
    struct rpt_digest blocks_digest;
};

void rpt__manifest_free(struct rpt_manifest *manifest);
/* Whether something in it is compressed: the file has holes. */
bool rpt__manifest_has_slots(const struct rpt_manifest *manifest);
/* The files of one rank as sealed JSON, and back: added to the manifest's. */
void rpt__routed_write(const struct rpt_routed files[], size_t n,
                       struct rpt_buf *text);
rpt_status_t rpt__routed_read(const char *name, const char *text, size_t bytes,
                              struct rpt_manifest *manifest);
/* Whether a name may be that of a file below files/, or of an item: NULL, or
 * why not. */
const char *rpt__name_check(const char *name);

/* As text; is_draft: without what is known at the end (blocks_digest). */
void rpt__manifest_write(const struct rpt_manifest *manifest, bool is_draft,
                         struct rpt_buf *text);
/* Of text that ends with a 0 behind its bytes; believes nothing.  `name` is for
 * messages.  RPT_ERR_CORRUPT, RPT_ERR_VERSION, RPT_ERR_NOMEM. */
rpt_status_t rpt__manifest_read(const char *name, const char *text,
                                size_t bytes, bool is_draft,
                                struct rpt_manifest *manifest_out);

/* it-000000001200-0123456789abcdef */
enum { RPT_FOLDER_NAME_BYTES = 64 };
void rpt__id_text(uint64_t id, char text_out[RPT_ID_BYTES]);
void rpt__folder_name(uint64_t iteration, uint64_t id,
                      char name_out[RPT_FOLDER_NAME_BYTES]);
/* Whether a name is one, exactly. */
bool rpt__folder_parse(const char *name, uint64_t *iteration_out,
                       uint64_t *id_out);

/* ---- blocks.xxh ---- */

size_t rpt__part_bytes_of_element(const struct rpt_dataset datasets[],
                                  const struct rpt_part *part);
int rpt__part_n_dims(const struct rpt_dataset datasets[],
                     const struct rpt_part *part);
/* Of the stream of a part. */
uint64_t rpt__part_bytes(const struct rpt_dataset datasets[],
                         const struct rpt_part *part);
/* Checksums that it has: of each MiB, or of each chunk. */
uint64_t rpt__part_n_blocks(const struct rpt_dataset datasets[],
                            const struct rpt_part *part);
/* Numbers of 8 bytes that its section has for these: checksums; of chunks, how
 * many bytes are in the slot comes before each. */
uint64_t rpt__part_n_words(const struct rpt_dataset datasets[],
                           const struct rpt_part *part);

/* Bytes of a section with these parts. */
uint64_t rpt__section_bytes(const struct rpt_dataset datasets[],
                            const struct rpt_part parts[], size_t n_parts);
/* Appends it; words: of all blocks of all parts, one after another. */
void rpt__section_write(uint64_t id, uint32_t writer, uint32_t n_files,
                        const struct rpt_dataset datasets[],
                        const struct rpt_part parts[], size_t n_parts,
                        const uint64_t words[], struct rpt_buf *out);

/* The least version of the format that can say this. */
uint32_t rpt__format_version(const struct rpt_dataset datasets[],
                             size_t n_datasets);
/* Appends the head: how many writers, and where the section of each is. */
void rpt__blocks_head(uint32_t version, uint64_t id, uint32_t n_writers,
                      const uint64_t offsets[], const uint64_t section_bytes[],
                      struct rpt_buf *out);

/* A part as its section says. */
struct rpt_written {
    struct rpt_part part;
    uint64_t bytes; /* of its stream */
    uint64_t n_blocks;
    const struct rpt_chunk_slots
        *slots; /* of its dataset: then blocks are chunks */
    uint32_t writer;
    const char *words; /* little-endian, in the bytes that were read */
};

uint64_t rpt__written_hash(const struct rpt_written *written, uint64_t block);
/* Bytes of the file that a block has: of a chunk, those that are not 0 behind
 * the stream. */
uint64_t rpt__written_stored(const struct rpt_written *written, uint64_t block);

/* All parts that are in the file, checked: seals, boxes inside their datasets.
 * The array is to be freed, before the data.  n_files_out: of each rank, array
 * of manifest->n_ranks; may be NULL.  RPT_ERR_CORRUPT; RPT_PENDING (nothing
 * recorded): a section has no seal, its rank had not finished. */
rpt_status_t rpt__blocks_read(const char *name, const void *data, size_t bytes,
                              const struct rpt_manifest *manifest,
                              struct rpt_written **written_out,
                              size_t *n_written_out, uint32_t n_files_out[]);

/* The same of one section. */
rpt_status_t rpt__section_read(const char *name, const void *data, size_t bytes,
                               const struct rpt_manifest *manifest,
                               uint32_t writer,
                               struct rpt_written **written_out,
                               size_t *n_written_out);

#endif /* RPT_IO_CHECKPOINT_FORMAT_H */
