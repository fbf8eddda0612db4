/*
 * routes.c - files that the program writes itself, where it is told to
 */
#include "io/checkpoint/routes.h"

#include "base/again.h"
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20, LIST_NAME_BYTES = 32 };

void rpt__routes_clear(struct rpt_routes *routes)
{
    for (size_t i = 0; i < routes->n; i++) {
        free(routes->list[i].name);
    }
    free(routes->list);
    rpt__table_free(&routes->names, NULL);
    *routes = (struct rpt_routes){ NULL, 0, RPT_TABLE_EMPTY };
}

/* ---- folders above a file ---- */

/* Opens files/ and the folders of a name below it, made if `makes`; last_out:
 * the name in the last one. */
static rpt_status_t enter(const struct rpt_dir *folder, const char *name,
                          bool makes, struct rpt_dir *dir_out,
                          const char **last_out)
{
    struct rpt_dir dir = RPT_DIR_CLOSED, next;
    rpt_status_t status = makes ? rpt__dir_make(folder, RPT_FILES, true)
                                : RPT_OK;

    if (status == RPT_OK) {
        status = rpt__dir_open(folder, RPT_FILES, &dir);
    }
    for (const char *slash;
         status == RPT_OK && (slash = strchr(name, '/')) != NULL;
         name = slash + 1) {
        char part[256];

        snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
        status = makes ? rpt__dir_make(&dir, part, true) : RPT_OK;
        if (status == RPT_OK) {
            status = rpt__dir_open(&dir, part, &next);
        }
        if (status == RPT_OK) {
            rpt__dir_close(&dir);
            dir = next;
        }
    }
    if (status != RPT_OK) {
        rpt__dir_close(&dir);
        return status;
    }
    *dir_out = dir;
    *last_out = name;
    return RPT_OK;
}

/* The length of the name of the folder above; 0: that is files/. */
static size_t above(const char *name, size_t length)
{
    while (length > 0 && name[length - 1] != '/') {
        length--;
    }
    return length > 0 ? length - 1 : 0;
}

static rpt_status_t sync_folder(const struct rpt_dir *folder, const char *name,
                                size_t length)
{
    char path[512];
    struct rpt_dir dir;
    const char *last;
    rpt_status_t status;

    snprintf(path, sizeof path, "%.*s/", (int)length, name);
    status = enter(folder, length > 0 ? path : "", false, &dir, &last);
    if (status == RPT_OK) {
        status = rpt__dir_sync(&dir);
        rpt__dir_close(&dir);
    }
    return status;
}

/* The folders of all files and those above them, up to files/, each once. */
static rpt_status_t sync_folders(const struct rpt_routes *routes,
                                 const struct rpt_dir *folder)
{
    struct rpt_table done = RPT_TABLE_EMPTY;
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < routes->n && status == RPT_OK; i++) {
        char *name = routes->list[i].name;
        size_t length = strlen(name);

        do {
            struct rpt_digest key;

            length = above(name, length);
            key = rpt__digest(name, length);
            if (rpt__table_get(&done, key) != NULL) {
                break; /* so are those above it */
            }
            status = sync_folder(folder, name, length);
            if (status == RPT_OK) {
                status = rpt__table_put(&done, key, name);
            }
        } while (length > 0 && status == RPT_OK);
    }
    rpt__table_free(&done, NULL);
    return status;
}

/* Room for one more in the list, which doubles. */
static rpt_status_t reserve(struct rpt_routes *routes)
{
    size_t bytes = 2 * (routes->n > 0 ? routes->n : 1) * sizeof *routes->list;
    struct rpt_routed *list;

    if ((routes->n & (routes->n - 1)) != 0) {
        return RPT_OK; /* not a power of two: it was doubled there */
    }
    list = realloc(routes->list, bytes);
    if (list == NULL) {
        return rpt__fail_nomem(bytes);
    }
    routes->list = list;
    return RPT_OK;
}

rpt_status_t rpt__routes_add(struct rpt_routes *routes,
                             const struct rpt_dir *folder, const char *name,
                             int rank)
{
    struct rpt_digest key = rpt__digest(name, strlen(name));
    struct rpt_dir dir;
    const char *last;
    char *copy;
    rpt_status_t status = enter(folder, name, true, &dir, &last);

    if (status != RPT_OK) {
        return status;
    }
    rpt__dir_close(&dir);
    if (rpt__table_get(&routes->names, key) != NULL) {
        return RPT_OK;
    }
    status = reserve(routes);
    copy = status == RPT_OK ? strdup(name) : NULL;
    if (copy == NULL) {
        return status == RPT_OK ? rpt__fail_nomem(strlen(name) + 1) : status;
    }
    status = rpt__table_put(&routes->names, key, copy);
    if (status != RPT_OK) {
        free(copy);
        return status;
    }
    routes->list[routes->n++] = (struct rpt_routed){ .name = copy,
                                                     .rank = rank };
    return RPT_OK;
}

/* ---- hashing ---- */

static rpt_status_t hash_all(const struct rpt_dir *dir, const char *name,
                             int fd, struct rpt_hasher *hasher, char *buffer,
                             uint64_t bytes)
{
    for (uint64_t at = 0; at < bytes; at += READ_BYTES) {
        size_t n = bytes - at < READ_BYTES ? (size_t)(bytes - at) : READ_BYTES;
        int error = rpt__read_at(fd, buffer, n, at);

        if (error != 0) {
            return rpt__dir_fail(dir, name, "read", error, 0);
        }
        rpt__hasher_add(hasher, buffer, n);
    }
    return RPT_OK;
}

static rpt_status_t hash_file(const struct rpt_dir *dir, const char *name,
                              int fd, struct rpt_routed *file)
{
    struct rpt_hasher *hasher = rpt__hasher_create();
    char *buffer = malloc(READ_BYTES);
    rpt_status_t status = hasher != NULL && buffer != NULL
                              ? rpt__dir_bytes(dir, name, fd, &file->bytes)
                              : rpt__fail_nomem(READ_BYTES);

    if (status == RPT_OK) {
        status = hash_all(dir, name, fd, hasher, buffer, file->bytes);
    }
    if (status == RPT_OK) {
        file->digest = rpt__hasher_digest(hasher);
    }
    free(buffer);
    rpt__hasher_destroy(hasher);
    return status;
}

static rpt_status_t seal_file(struct rpt_routed *file,
                              const struct rpt_dir *folder, bool syncs)
{
    struct rpt_dir dir;
    const char *name;
    int fd = -1, error = 0;
    rpt_status_t status = enter(folder, file->name, false, &dir, &name);

    if (status != RPT_OK) {
        return status;
    }
    status = rpt__dir_open_file(&dir, name, false, &fd);
    if (status == RPT_ERR_NOT_FOUND) {
        rpt__fail(RPT_ERR_NOT_FOUND,
                  "file \"%s\" of the checkpoint is not there", file->name);
        rpt__fail_why("rpt_checkpoint_route() was asked for its path, and "
                      "nothing was written to it");
        rpt__fail_hint("write and close it before the save");
    }
    if (status == RPT_OK) {
        status = hash_file(&dir, name, fd, file);
        error = syncs ? rpt__sync_file(fd, false) : 0;
        close(fd);
    }
    if (status == RPT_OK && error != 0) {
        status = rpt__dir_fail(&dir, name, "sync", error, 0);
    }
    rpt__dir_close(&dir);
    return status;
}

static void list_name(int rank, char name_out[LIST_NAME_BYTES])
{
    snprintf(name_out, LIST_NAME_BYTES, "files-%05d.json", rank);
}

rpt_status_t rpt__routes_seal(struct rpt_routes *routes,
                              const struct rpt_dir *folder, int rank,
                              bool syncs)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    char name[LIST_NAME_BYTES];
    rpt_status_t status = RPT_OK;

    if (routes->n == 0) {
        return RPT_OK;
    }
    for (size_t i = 0; i < routes->n && status == RPT_OK; i++) {
        status = seal_file(&routes->list[i], folder, syncs);
    }
    if (status == RPT_OK && syncs) {
        status = sync_folders(routes, folder);
    }
    if (status == RPT_OK) {
        rpt__routed_write(routes->list, routes->n, &text);
        status = rpt__buf_status(&text);
    }
    if (status == RPT_OK && text.bytes > RPT_MANIFEST_BYTES_MAX) {
        rpt__fail(RPT_ERR_OVERFLOW, "%zu files of one rank in a checkpoint",
                  routes->n);
        rpt__fail_why("their list has %zu bytes, and a manifest may have %d",
                      text.bytes, RPT_MANIFEST_BYTES_MAX);
        rpt__fail_hint("write fewer files, with shorter names");
        status = RPT_ERR_OVERFLOW;
    }
    if (status == RPT_OK) {
        /* It is of use until the manifest has it, and is not synced. */
        list_name(rank, name);
        status = rpt__dir_write(folder, name, text.data, text.bytes);
    }
    rpt__buf_free(&text);
    return status;
}

/* ---- the commit ---- */

rpt_status_t rpt__routes_read(const struct rpt_dir *folder, int rank,
                              struct rpt_manifest *manifest)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    char name[LIST_NAME_BYTES];
    rpt_status_t status;

    list_name(rank, name);
    status = rpt__dir_read_all(folder, name, RPT_MANIFEST_BYTES_MAX, &text);
    if (status == RPT_OK) {
        status = rpt__routed_read(name, text.data, text.bytes, manifest);
    }
    rpt__buf_free(&text);
    return status;
}

rpt_status_t rpt__routes_forget(const struct rpt_dir *folder,
                                const struct rpt_manifest *manifest)
{
    rpt_status_t status = RPT_OK;
    char name[LIST_NAME_BYTES];
    int last = -1;

    /* Files stand rank by rank. */
    for (size_t i = 0; i < manifest->n_files && status == RPT_OK; i++) {
        if (manifest->files[i].rank != last) {
            last = manifest->files[i].rank;
            list_name(last, name);
            status = rpt__dir_remove(folder, name);
        }
    }
    return status;
}

/* ---- verifying ---- */

rpt_status_t rpt__routed_is_long(const struct rpt_dir *folder,
                                 const struct rpt_routed *file)
{
    struct rpt_dir dir;
    const char *name;
    rpt_status_t status = enter(folder, file->name, false, &dir, &name);

    if (status == RPT_OK) {
        status = rpt__dir_is_long(&dir, name, file->bytes);
        rpt__dir_close(&dir);
    }
    return status;
}

static rpt_status_t damaged(const struct rpt_dir *folder,
                            const struct rpt_routed *file, const char *why)
{
    rpt__fail(RPT_ERR_CORRUPT, "%s/" RPT_FILES "/%s is damaged", folder->path,
              file->name);
    rpt__fail_why("%s (written by rank %d)", why, file->rank);
    return RPT_ERR_CORRUPT;
}

rpt_status_t rpt__routed_verify(const struct rpt_dir *folder,
                                const struct rpt_routed *file)
{
    struct rpt_routed found = { .bytes = 0 };
    struct rpt_dir dir;
    const char *name;
    int fd = -1;
    rpt_status_t status = enter(folder, file->name, false, &dir, &name);

    if (status == RPT_OK) {
        status = rpt__dir_open_file(&dir, name, false, &fd);
        if (status == RPT_OK) {
            status = hash_file(&dir, name, fd, &found);
            close(fd);
        }
        rpt__dir_close(&dir);
    }
    if (status == RPT_ERR_NOT_FOUND || status == RPT_ERR_INVALID) {
        return damaged(folder, file, "it is not there, or no regular file");
    }
    if (status == RPT_OK &&
        (found.bytes != file->bytes || found.digest.high != file->digest.high ||
         found.digest.low != file->digest.low)) {
        return damaged(folder, file, "it has another length or digest");
    }
    return status;
}
