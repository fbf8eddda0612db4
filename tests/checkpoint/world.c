/*
 * world.c - what both kinds of world have
 */
#include "world.h"

#include "base/error.h"
#include "comm/comm.h"
#include "comm/engine.h"

#include <dirent.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool check_here(bool good, const char *condition, const char *file, int line)
{
    pthread_mutex_lock(&lock);
    CU_assertImplementation(good, (unsigned)line, condition, file, "",
                            CU_FALSE);
    pthread_mutex_unlock(&lock);
    return good;
}

bool works_here(rpt_status_t status, const char *call, const char *file,
                int line)
{
    if (status != RPT_OK) {
        fprintf(stderr, "%s: %s\n%s\n", call, rpt_status_name(status),
                status < 0 ? rpt_last_error_text() : "");
    }
    return check_here(status == RPT_OK, call, file, line);
}

bool fails_here(rpt_status_t wanted, const char *words, rpt_status_t status,
                const char *call, const char *file, int line)
{
    const char *text = status < 0 ? rpt_last_error_text() : "";
    bool good = status == wanted && strstr(text, words) != NULL;

    if (!good) {
        fprintf(stderr, "%s: %s, \"%s\" is not in:\n%s\n", call,
                rpt_status_name(status), words, text);
    }
    return check_here(good, call, file, line);
}

void meet(struct world *world)
{
    CHECK(rpt_group_barrier(world->group) == RPT_OK);
}

rpt_options_t *options_with(const char *settings)
{
    rpt_options_t *options = NULL;
    char *copy = strdup(settings != NULL ? settings : ""), *rest = NULL;

    CHECK(rpt_options_create(&options) == RPT_OK);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '=');

        *value++ = '\0';
        WORKS(rpt_options_set(options, word, value));
    }
    free(copy);
    return options;
}

/* ---- files ---- */

const char *scratch_make(void)
{
    const char *top = getenv("TMPDIR");
    static char folder[256];

    snprintf(folder, sizeof folder, "%s/rpt-ckpt.XXXXXX",
             top != NULL ? top : "/tmp");
    return mkdtemp(folder);
}

static int remove_one(const char *path, const struct stat *file, int kind,
                      struct FTW *where)
{
    (void)file;
    (void)kind;
    (void)where;
    return remove(path);
}

void scratch_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *path_of(const struct world *world, const char *a, const char *b)
{
    static _Thread_local char paths[8][1024];
    static _Thread_local int next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s%s%s", world->folder, a,
             b != NULL ? "/" : "", b != NULL ? b : "");
    return path;
}

static int is_committed(const struct dirent *entry)
{
    return strncmp(entry->d_name, "it-", 3) == 0;
}

char *nth_newest(const struct world *world, const char *task, int n)
{
    struct dirent **names = NULL;
    int count = scandir(path_of(world, task, NULL), &names, is_committed,
                        alphasort);
    char *name = n < count ? strdup(names[count - 1 - n]->d_name) : NULL;

    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
    return name;
}

const char *in_newest(const struct world *world, const char *task,
                      const char *file)
{
    char *name = nth_newest(world, task, 0), inner[512];

    snprintf(inner, sizeof inner, "%s/%s", name != NULL ? name : "none", file);
    free(name);
    return path_of(world, task, inner);
}

void die_before_close(struct world *world, const char *task)
{
    char line[2048];

    meet(world);
    if (world->rank == 0) {
        snprintf(line, sizeof line, "sed -i '${/\"close\"/d}' %s",
                 path_of(world, task, "events.jsonl"));
        CHECK(system(line) == 0);
    }
    meet(world);
}

rpt_status_t give_up(rpt_group_t *group)
{
    struct rpt_engine *engine = rpt__comm_engine(rpt__group_comm(group));
    rpt_status_t status;

    rpt__engine_lock(engine);
    status = rpt__group_fail(group, rpt__fail_nomem(12345));
    rpt__engine_unlock(engine);
    return status;
}

uint64_t room_of(const struct world *w, const char *task)
{
    struct stat file = { .st_blocks = 0 };

    CHECK(stat(in_newest(w, task, "state.h5"), &file) == 0);
    return (uint64_t)file.st_blocks * 512;
}

int count_names(const struct world *world, const char *task, const char *start)
{
    DIR *dir = opendir(path_of(world, task, NULL));
    struct dirent *entry;
    int n = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        n += strncmp(entry->d_name, start, strlen(start)) == 0;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return n;
}

/* ---- the tests ---- */

struct rpt_test *all_tests(void)
{
    struct rpt_test *all = NULL;
    size_t n = 0;

    for (int t = 0; test_tables[t] != NULL; t++) {
        for (const struct rpt_test *test = test_tables[t]; test->name != NULL;
             test++) {
            all = realloc(all, (n + 2) * sizeof *all);
            all[n++] = *test;
        }
    }
    all[n] = (struct rpt_test)RPT_TEST_END;
    return all;
}
