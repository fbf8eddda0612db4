/*
 * schema.c - the columns of all tables: what SQLite is told, and what
 * `repartir query --schema` prints
 */
#include "io/catalog/catalog_priv.h"

/* The numbers of columns are enums beside the code that fills them in. */
#define CHECKPOINTS                                                            \
    "CREATE TABLE checkpoints(    -- folders of checkpoints, newest first\n"   \
    "  directory TEXT,            -- as it was given; of a task that was\n"    \
    "                             -- given, the one above it\n"                \
    "  task TEXT,\n"                                                           \
    "  id TEXT,                   -- 16 hexadecimal digits\n"                  \
    "  name TEXT,                 -- of the folder, in directory/task\n"       \
    "  iteration INTEGER,\n"                                                   \
    "  time REAL,                 -- of the save, seconds since 1970\n"        \
    "  ranks INTEGER,             -- that saved it\n"                          \
    "  host TEXT,                 -- of rank 0\n"                              \
    "  engine TEXT,\n"                                                         \
    "  library TEXT,              -- version that wrote it\n"                  \
    "  bytes INTEGER,             -- of all datasets\n"                        \
    "  file_bytes INTEGER,        -- of state.h5\n"                            \
    "  n_datasets INTEGER,\n"                                                  \
    "  n_files INTEGER,           -- that the program wrote itself\n"          \
    "  files_bytes INTEGER,       -- of these\n"                               \
    "  state TEXT                 -- committed, damaged, aside, unfinished,\n" \
    "                             -- unreadable, removed (since the start)\n"  \
    ")"

#define DATASETS                                                               \
    "CREATE TABLE datasets(       -- of committed checkpoints\n"               \
    "  checkpoint TEXT,           -- its id\n"                                 \
    "  task TEXT,\n"                                                           \
    "  name TEXT,\n"                                                           \
    "  kind TEXT,                 -- array, value, blob\n"                     \
    "  type TEXT,                 -- f64, i32, ..., opaque16\n"                \
    "  n_dims INTEGER,            -- 0: a scalar\n"                            \
    "  dims TEXT,                 -- 512x512\n"                                \
    "  elements INTEGER,\n"                                                    \
    "  offset INTEGER,            -- of the first element in the file\n"       \
    "  bytes INTEGER,\n"                                                       \
    "  path TEXT,                 -- of the file\n"                            \
    "  chunk TEXT                 -- 167x1001; NULL: it is not compressed\n"   \
    ")"

#define FILES                                                                  \
    "CREATE TABLE files(          -- of committed checkpoints: what the\n"     \
    "                             -- program wrote itself\n"                   \
    "  checkpoint TEXT,           -- its id\n"                                 \
    "  task TEXT,\n"                                                           \
    "  name TEXT,                 -- that it asked for\n"                      \
    "  writer INTEGER,            -- rank that wrote it\n"                     \
    "  bytes INTEGER,\n"                                                       \
    "  xxh3 TEXT,                 -- XXH3-128, 32 hexadecimal digits\n"        \
    "  path TEXT                  -- of the file\n"                            \
    ")"

#define BLOCKS                                                                 \
    "CREATE TABLE blocks(         -- checksums of committed checkpoints\n"     \
    "  checkpoint TEXT,           -- its id\n"                                 \
    "  dataset TEXT,              -- NULL: what HDF5 needs for itself\n"       \
    "  writer INTEGER,            -- rank that wrote the box\n"                \
    "  start TEXT,                -- where the box begins: 0,128\n"            \
    "  count TEXT,                -- its extent: 512x128\n"                    \
    "  block INTEGER,             -- which MiB or chunk of the box\n"          \
    "  bytes INTEGER,             -- of the block, in the file\n"              \
    "  xxh3 TEXT                  -- XXH3-64, 16 hexadecimal digits\n"         \
    ")"

#define EVENTS                                                                 \
    "CREATE TABLE events(         -- of all tasks with checkpoints\n"          \
    "  directory TEXT,\n"                                                      \
    "  task TEXT,\n"                                                           \
    "  time REAL,                 -- seconds since 1970\n"                     \
    "  event TEXT,                -- open, commit, failure, restore, ...\n"    \
    "  id TEXT,                   -- of the checkpoint, NULL: of none\n"       \
    "  iteration INTEGER,\n"                                                   \
    "  seconds REAL,\n"                                                        \
    "  pid INTEGER\n"                                                          \
    ")"

#define TASKS                                                                  \
    "CREATE TABLE tasks(          -- of the state directories of pools\n"      \
    "  directory TEXT,            -- the state directory\n"                    \
    "  id TEXT,\n"                                                             \
    "  status TEXT,               -- queued, running, ok, failed, ...\n"       \
    "  exit_code INTEGER,\n"                                                   \
    "  signal INTEGER,\n"                                                      \
    "  attempts INTEGER,          -- how often it was started\n"               \
    "  rank INTEGER,              -- of the last attempt, as the next two\n"   \
    "  host TEXT,\n"                                                           \
    "  start_time REAL,           -- seconds since 1970\n"                     \
    "  duration_s REAL,           -- NULL until it has ended\n"                \
    "  checkpoints INTEGER,       -- committed, by all attempts of its job\n"  \
    "  resumed_iteration INTEGER, -- the last one began with; NULL: anew\n"    \
    "  wasted_s REAL              -- by attempts that did not succeed\n"       \
    ")"

#define ATTEMPTS                                                               \
    "CREATE TABLE attempts(       -- each time that a task was started\n"      \
    "  directory TEXT,            -- as in tasks, or in events\n"              \
    "  source TEXT,               -- journal, or events: each has its rows\n"  \
    "  task TEXT,\n"                                                           \
    "  job INTEGER,               -- of the state directory, from 1; NULL:\n"  \
    "                             -- a compacted one, or source is events\n"   \
    "  attempt INTEGER,           -- from 1: in its job, or in events\n"       \
    "  rank INTEGER,              -- NULL in events\n"                         \
    "  host TEXT,                 -- of the rank; in events of rank 0\n"       \
    "  start_time REAL,           -- seconds since 1970\n"                     \
    "  duration_s REAL,           -- NULL: it runs, or nobody knows\n"         \
    "  status TEXT,               -- running, ok, failed, ...; closed; lost\n" \
    "                             -- (not heard of since)\n"                   \
    "  exit_code INTEGER,\n"                                                   \
    "  signal INTEGER,\n"                                                      \
    "  checkpoints INTEGER,       -- that it committed\n"                      \
    "  failed_saves INTEGER,      -- NULL in the journal\n"                    \
    "  resumed_iteration INTEGER, -- it began with; NULL: anew\n"              \
    "  wasted_s REAL              -- since its last checkpoint, without\n"     \
    "                             -- success; NULL: nobody knows\n"            \
    ")"

#define ARRAY                                                                  \
    "CREATE TABLE array(          -- array('NAME' [, checkpoint [, task]])\n"  \
    "  i0 INTEGER,                -- where the element is; NULL beyond the\n"  \
    "  i1 INTEGER,                -- dimensions\n"                             \
    "  i2 INTEGER,\n"                                                          \
    "  i3 INTEGER,\n"                                                          \
    "  i4 INTEGER,\n"                                                          \
    "  i5 INTEGER,\n"                                                          \
    "  i6 INTEGER,\n"                                                          \
    "  i7 INTEGER,\n"                                                          \
    "  value,                     -- the number; a blob of an opaque type\n"   \
    "  imag REAL,                 -- of complex numbers\n"                     \
    "  index_ INTEGER,            -- of pairs of a value and an index\n"       \
    "  name TEXT HIDDEN,\n"                                                    \
    "  checkpoint HIDDEN,         -- id (text) or iteration; the newest\n"     \
    "                             -- committed one\n"                          \
    "  task TEXT HIDDEN           -- needed where several have the name\n"     \
    ")"

const char rpt__schema_checkpoints[] = CHECKPOINTS;
const char rpt__schema_datasets[] = DATASETS;
const char rpt__schema_files[] = FILES;
const char rpt__schema_blocks[] = BLOCKS;
const char rpt__schema_events[] = EVENTS;
const char rpt__schema_tasks[] = TASKS;
const char rpt__schema_attempts[] = ATTEMPTS;
const char rpt__schema_array[] = ARRAY;

const char *rpt__view_schema(void)
{
    return CHECKPOINTS ";\n\n" DATASETS ";\n\n" FILES ";\n\n" BLOCKS
                       ";\n\n" EVENTS ";\n\n" TASKS ";\n\n" ATTEMPTS
                       ";\n\n" ARRAY ";\n";
}
