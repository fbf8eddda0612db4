/*
 * tables.c - checkpoints, datasets, blocks and events show what was saved
 */
#include "shown.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static void checkpoints_are_rows_newest_first(void)
{
    rpt_view_t *c = open_saved();
    char wanted[1024], *found;
    const char *path = committed_path(saved_folder(), "heat", 0);
    struct stat file;
    char name[1200];

    SHOWS(c,
          "SELECT task, iteration, ranks, engine, state FROM checkpoints "
          "ORDER BY task",
          "'big' 7 2 'direct' 'committed';'heat' 300 3 'direct' 'committed';"
          "'heat' 200 3 'direct' 'committed';"
          "'heat' 100 3 'direct' 'committed';");
    snprintf(name, sizeof name, "%s/state.h5", path);
    CU_ASSERT(stat(name, &file) == 0);
    snprintf(wanted, sizeof wanted, "'%s' '%s' '%s' %lld;", saved_folder(),
             strrchr(path, '/') + 1, strrchr(path, '-') + 1,
             (long long)file.st_size);
    SHOWS(c,
          "SELECT directory, name, id, file_bytes FROM checkpoints WHERE "
          "iteration = 300",
          wanted);
    /* 8 bytes are a time of this year or so. */
    SHOWS(c,
          "SELECT count(*) FROM checkpoints WHERE time BETWEEN "
          "strftime('%s', 'now') - 600 AND strftime('%s', 'now') + 600",
          "4;");
    found = shown(c, "SELECT library FROM checkpoints LIMIT 1", 0);
    snprintf(wanted, sizeof wanted, "'%s';", rpt_version_text());
    CU_ASSERT_STRING_EQUAL(found, wanted);
    free(found);
    SHOWS(c,
          "SELECT bytes - 8 * 1024 * 1024, n_datasets FROM checkpoints WHERE "
          "task = 'big'",
          "20 4;"); /* iteration, time, ranks: 8 + 8 + 4 */
    rpt_view_close(c);
}

static void datasets_have_their_shapes(void)
{
    rpt_view_t *c = open_saved();
    char wanted[1200];

    SHOWS(c,
          "SELECT d.name, kind, type, n_dims, dims, elements, d.bytes FROM "
          "datasets d JOIN checkpoints c ON c.id = d.checkpoint WHERE "
          "iteration = 200 AND d.name IN ('u', 'flow/w', 'none', 'opaque', "
          "'pack', 'empty', 'repartir/iteration') ORDER BY d.name",
          "'empty' 'value' 'f64' 1 '0' 0 0;"
          "'flow/w' 'array' 'i32' 3 '6x9x10' 540 2160;"
          "'none' 'array' 'f64' 2 '0x5' 0 0;"
          "'opaque' 'value' 'opaque3' 1 '3' 3 9;"
          "'pack' 'blob' 'u8' 1 '6' 6 6;"
          "'repartir/iteration' 'value' 'u64' 0 '' 1 8;"
          "'u' 'array' 'f64' 2 '60x40' 2400 19200;");
    snprintf(wanted, sizeof wanted, "'%s/state.h5' 'big';",
             committed_path(saved_folder(), "big", 0));
    SHOWS(c, "SELECT path, task FROM datasets WHERE name = 'field'", wanted);
    rpt_view_close(c);
}

/* The element (0, 0) of field, as it lies in the file. */
static void offsets_say_where_elements_are(void)
{
    rpt_view_t *c = open_saved();
    int64_t offset = number_of(c, "SELECT offset FROM datasets WHERE name = "
                                  "'field'");
    char path[1200];
    double row[3];
    int fd;

    snprintf(path, sizeof path, "%s/state.h5",
             committed_path(saved_folder(), "big", 0));
    fd = open(path, O_RDONLY);
    CU_ASSERT(pread(fd, row, sizeof row, offset) == (ssize_t)sizeof row);
    CU_ASSERT(row[0] == 0 && row[1] == 1 && row[2] == 2);
    close(fd);
    rpt_view_close(c);
}

static void blocks_have_the_checksums_of_the_data(void)
{
    rpt_view_t *c = open_saved();
    double *block = malloc(1 << 20);
    char wanted[200];

    SHOWS(c,
          "SELECT count(*), sum(bytes), min(writer), max(writer), max(block) "
          "FROM blocks WHERE dataset = 'field'",
          "8 8388608 0 1 3;");
    /* Rank 1 has columns 512 to 1023; its third MiB begins with row 512. */
    for (uint64_t i = 0, n = 0; i < 256; i++) {
        for (uint64_t j = 512; j < 1024; j++) {
            block[n++] = (double)(1024 * (i + 512) + j);
        }
    }
    snprintf(wanted, sizeof wanted,
             "'0,512' '1024x512' 1048576 '%016" PRIx64 "';",
             (uint64_t)XXH3_64bits(block, 1 << 20));
    SHOWS(c,
          "SELECT start, count, bytes, xxh3 FROM blocks WHERE dataset = "
          "'field' AND writer = 1 AND block = 2",
          wanted);
    free(block);
    /* All of the file, each byte once. */
    SHOWS(c,
          "SELECT count(*) FROM checkpoints c WHERE file_bytes = (SELECT "
          "sum(bytes) FROM blocks WHERE checkpoint = c.id)",
          "4;");
    SHOWS(c, "SELECT count(*) FROM blocks WHERE checkpoint = 'no'", "0;");
    SHOWS(c, "SELECT count(*) FROM blocks WHERE checkpoint = NULL", "0;");
    rpt_view_close(c);
}

static void events_are_read_to_the_last_whole_line(void)
{
    const char *folder = scratch_make();
    char path[1024];
    rpt_view_t *c;
    FILE *file;

    CU_ASSERT(saved_more(folder, "t", 1, 2, "5"));
    snprintf(path, sizeof path, "%s/t/events.jsonl", folder);
    file = fopen(path, "a");
    fputs("no json\n{\"event\": 1, \"time\": 2}\n[]\n", file);
    for (int i = 0; i < 100000; i++) {
        fputc('x', file);
    }
    fputs("\n{\"time\": 5, \"event\": \"later\", \"more\": {}}\n"
          "{\"time\": 6, \"event\": \"torn",
          file);
    fclose(file);
    c = open_with(folder, NULL, NULL);
    SHOWS(c, "SELECT task, event, iteration FROM events",
          "'t' 'open' 0;'t' 'commit' 1;'t' 'commit' 2;'t' 'close' 2;"
          "'t' 'later' NULL;");
    SHOWS(c,
          "SELECT e.iteration, typeof(pid), typeof(seconds) FROM events e JOIN "
          "checkpoints c USING (id) WHERE event = 'commit'",
          "1 'integer' 'real';2 'integer' 'real';");
    SHOWS(c, "SELECT time, id, seconds, pid FROM events WHERE event = 'later'",
          "5.0 NULL NULL NULL;");
    rpt_view_close(c);
    scratch_remove(folder);
}

/* A job that never closed, and one that saved nothing; then somebody has the
 * lock. */
static void attempts_are_told_by_events(void)
{
    const char *folder = scratch_make();
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char path[1024], wanted[300], host[256] = "";
    rpt_view_t *c;
    FILE *file;
    int fd;

    CU_ASSERT(saved_more(folder, "t", 1, 2, "5"));
    gethostname(host, sizeof host - 1);
    snprintf(path, sizeof path, "%s/t/events.jsonl", folder);
    file = fopen(path, "a");
    fputs("{\"time\": 10, \"event\": \"open\", \"id\": \"0\", \"host\": "
          "\"n1\"}\n"
          "{\"time\": 11, \"event\": \"restore\", \"id\": \"1\", "
          "\"iteration\": 2}\n"
          "{\"time\": 12, \"event\": \"failure\", \"id\": \"3\"}\n"
          "{\"time\": 13, \"event\": \"open\", \"id\": \"0\"}\n"
          "{\"time\": 15.5, \"event\": \"close\", \"id\": \"0\"}\n"
          "{\"time\": 16, \"event\": \"open\", \"id\": \"0\"}\n",
          file);
    fclose(file);
    c = open_with(folder, NULL, NULL);
    SHOWS(c,
          "SELECT source, task, attempt, status, duration_s, checkpoints, "
          "failed_saves, resumed_iteration FROM attempts WHERE attempt > 1",
          "'events' 't' 2 'lost' NULL 0 1 2;'events' 't' 3 'closed' 2.5 0 0 "
          "NULL;'events' 't' 4 'lost' NULL 0 0 NULL;");
    SHOWS(c,
          "SELECT job, rank, exit_code, signal, wasted_s FROM attempts "
          "GROUP BY 1, 2, 3, 4, 5",
          "NULL NULL NULL NULL NULL;");
    SHOWS(c, "SELECT start_time, host FROM attempts WHERE attempt IN (2, 3)",
          "10.0 'n1';13.0 NULL;");
    snprintf(wanted, sizeof wanted, "'closed' 2 0 '%s' 1;", host);
    SHOWS(c,
          "SELECT status, checkpoints, failed_saves, host, duration_s > 0 FROM "
          "attempts WHERE attempt = 1",
          wanted);
    SHOWS(c, "SELECT count(*) FROM attempts a, attempts b", "16;");
    rpt_view_close(c);
    file = fopen(path, "w");
    fputs("{\"time\": 9, \"event\": \"history\", \"id\": \"0\", \"jobs\": 7, "
          "\"open\": 8}\n{\"time\": 10, \"event\": \"close\", \"id\": \"0\"}\n"
          "{\"time\": 16, \"event\": \"open\", \"id\": \"0\"}\n",
          file);
    fclose(file);
    c = open_with(folder, NULL, NULL);
    SHOWS(c,
          "SELECT attempt, start_time, status, duration_s, checkpoints FROM "
          "attempts",
          "7 8.0 'closed' 2.0 NULL;8 16.0 'lost' NULL 0;");
    rpt_view_close(c);
    snprintf(path, sizeof path, "%s/t/lock", folder);
    fd = open(path, O_RDWR);
    CU_ASSERT(fcntl(fd, F_OFD_SETLK, &lock) == 0);
    c = open_with(folder, NULL, NULL);
    SHOWS(c, "SELECT status FROM attempts WHERE attempt > 1",
          "'closed';'running';");
    rpt_view_close(c);
    close(fd);
    scratch_remove(folder);
}

static void states_say_what_folders_are(void)
{
    const char *folder = scratch_make();
    char from[1200], to[1200], id[32];
    rpt_view_t *c;
    FILE *file;

    CU_ASSERT(saved_more(folder, "t", 1, 5, "5"));
    snprintf(id, sizeof id, "%s",
             strrchr(committed_path(folder, "t", 0), '-') + 1);
    snprintf(from, sizeof from, "%s", committed_path(folder, "t", 0));
    snprintf(to, sizeof to, "%s/t/.bad-%s", folder, id);
    CU_ASSERT(rename(from, to) == 0);
    snprintf(from, sizeof from, "%s", committed_path(folder, "t", 0));
    snprintf(to, sizeof to, "%s/t/.tmp-%s", folder, strrchr(from, '-') + 1);
    CU_ASSERT(rename(from, to) == 0);
    /* Iteration 3: checksums; 2: the manifest. */
    for (int n = 0; n < 2; n++) {
        snprintf(from, sizeof from, "%s/%s", committed_path(folder, "t", n),
                 n == 0 ? "blocks.xxh" : "MANIFEST.json");
        file = fopen(from, "r+");
        fseek(file, 30, SEEK_SET);
        fputc('~', file);
        fclose(file);
    }
    snprintf(to, sizeof to, "%s/t/.tmp-0123456789abcdef", folder);
    CU_ASSERT(mkdir(to, 0755) == 0);
    rpt_log_set_level(RPT_LOG_ERROR);
    c = open_with(folder, NULL, NULL);
    SHOWS(c, "SELECT iteration, state, host IS NULL FROM checkpoints",
          "5 'aside' 0;4 'unfinished' 0;3 'damaged' 0;2 'damaged' 1;"
          "1 'committed' 0;NULL 'unfinished' 1;");
    SHOWS(c, "SELECT count(DISTINCT checkpoint), count(*) FROM datasets",
          "1 4;");
    SHOWS(c, "SELECT count(DISTINCT checkpoint) FROM blocks", "1;");
    SHOWS(c, "SELECT DISTINCT value FROM array('v')", "1;");
    FAILS(c, "SELECT * FROM array('v', 3)", RPT_ERR_CORRUPT, "blocks.xxh");
    FAILS(c, "SELECT * FROM array('v', 2)", RPT_ERR_NOT_FOUND, "iteration 2");
    FAILS(c,
          "SELECT * FROM array('v', (SELECT id FROM checkpoints WHERE "
          "state = 'aside'))",
          RPT_ERR_NOT_FOUND, id);
    rpt_view_close(c);
    rpt_log_set_level(RPT_LOG_WARN);
    scratch_remove(folder);
}

static void several_directories_are_seen_together(void)
{
    const char *folders[2] = { scratch_make(), scratch_make() };
    rpt_view_t *c = NULL;

    CU_ASSERT(saved_more(folders[0], "t", 1, 1, "5"));
    CU_ASSERT(saved_more(folders[1], "t", 2, 2, "5"));
    CU_ASSERT(rpt_view_open(folders, 2, NULL, &c) == RPT_OK);
    SHOWS(c,
          "SELECT count(DISTINCT directory), sum(iteration) FROM checkpoints",
          "2 3;");
    SHOWS(c, "SELECT DISTINCT value FROM array('v', 2)", "2;");
    FAILS(c, "SELECT * FROM array('v', NULL, 't')", RPT_ERR_INVALID,
          "several tasks");
    rpt_view_close(c);
    scratch_remove(folders[0]);
    scratch_remove(folders[1]);
}

static void an_empty_directory_has_empty_tables(void)
{
    const char *folder = scratch_make();
    rpt_view_t *c = open_with(folder, NULL, NULL);

    SHOWS(c,
          "SELECT (SELECT count(*) FROM checkpoints), (SELECT count(*) FROM "
          "datasets), (SELECT count(*) FROM blocks), (SELECT count(*) FROM "
          "events), (SELECT count(*) FROM tasks), (SELECT count(*) FROM "
          "attempts)",
          "0 0 0 0 0 0;");
    FAILS(c, "SELECT * FROM array('u')", RPT_ERR_NOT_FOUND, "\"u\"");
    rpt_view_close(c);
    scratch_remove(folder);
}

/* The columns that are printed are those that SQLite knows. */
static void the_schema_is_that_of_the_tables(void)
{
    static const char *const tables[] = { "checkpoints", "datasets", "files",
                                          "blocks",      "events",   "tasks",
                                          "attempts",    "array" };
    rpt_view_t *c = open_saved();
    const char *schema = rpt_view_schema();

    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        char sql[128], line[64], *columns, *rest = NULL;

        snprintf(line, sizeof line, "CREATE TABLE %s(", tables[t]);
        CU_ASSERT(strstr(schema, line) != NULL);
        snprintf(sql, sizeof sql, "SELECT name FROM pragma_table_xinfo('%s')",
                 tables[t]);
        columns = shown(c, sql, 0);
        CU_ASSERT(strlen(columns) > 40);
        for (char *name = strtok_r(columns, "';", &rest); name != NULL;
             name = strtok_r(NULL, "';", &rest)) {
            snprintf(line, sizeof line, "\n  %s", name);
            CU_ASSERT(strstr(schema, line) != NULL);
        }
        free(columns);
    }
    rpt_view_close(c);
}

/* How a statement wants ids compared counts, not how the table finds them. */
static void ids_are_compared_as_the_statement_says(void)
{
    rpt_view_t *c = open_saved();

    SHOWS(c,
          "SELECT count(DISTINCT b.checkpoint) FROM checkpoints c, blocks b "
          "WHERE b.checkpoint = c.id",
          "4;");
    SHOWS(c,
          "SELECT count(DISTINCT b.checkpoint) FROM checkpoints c, blocks b "
          "WHERE b.checkpoint = upper(c.id) || '  '",
          "0;");
    SHOWS(c,
          "SELECT count(DISTINCT b.checkpoint) FROM checkpoints c, blocks b "
          "WHERE b.checkpoint = upper(c.id) COLLATE NOCASE",
          "4;");
    SHOWS(c,
          "SELECT count(DISTINCT b.checkpoint) FROM checkpoints c, blocks b "
          "WHERE b.checkpoint = c.id || '  ' COLLATE RTRIM",
          "4;");
    rpt_view_close(c);
}

const struct rpt_test table_tests[] = {
    RPT_TEST(checkpoints_are_rows_newest_first),
    RPT_TEST(datasets_have_their_shapes),
    RPT_TEST(offsets_say_where_elements_are),
    RPT_TEST(blocks_have_the_checksums_of_the_data),
    RPT_TEST(events_are_read_to_the_last_whole_line),
    RPT_TEST(attempts_are_told_by_events),
    RPT_TEST(states_say_what_folders_are),
    RPT_TEST(several_directories_are_seen_together),
    RPT_TEST(an_empty_directory_has_empty_tables),
    RPT_TEST(the_schema_is_that_of_the_tables),
    RPT_TEST(ids_are_compared_as_the_statement_says),
    RPT_TEST_END,
};
