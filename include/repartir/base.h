/*
 * repartir/base.h - statuses, errors, version: what every other header needs
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_BASE_H
#define REPARTIR_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define RPT_BEGIN_DECLS extern "C" {
#define RPT_END_DECLS }
#else
#define RPT_BEGIN_DECLS
#define RPT_END_DECLS
#endif

#if defined(__GNUC__)
#define RPT_API __attribute__((visibility("default")))
#define RPT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define RPT_API
#define RPT_PRINTF(text, first)
#endif

/** Version of these headers.  The library's is rpt_version(). */
#define RPT_VERSION_MAJOR 0
#define RPT_VERSION_MINOR 1
#define RPT_VERSION_PATCH 0
#define RPT_VERSION_NUMBER                                                     \
    (RPT_VERSION_MAJOR * 10000 + RPT_VERSION_MINOR * 100 + RPT_VERSION_PATCH)

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_base Statuses and errors
 *
 * Every function that can fail returns an #rpt_status_t: 0 is success, a
 * positive value is news that is no failure, a negative value is a failure.
 * On failure the output arguments keep the value they had, and
 * rpt_last_error() of the same thread says what happened, why we think so,
 * and what to do.  Functions named *_destroy, *_close and *_release take
 * NULL and cannot fail.
 *
 * The library never exits, aborts, prints to standard output, installs a
 * signal handler unasked, or calls MPI_Init or MPI_Finalize.
 *
 * \since 0.1
 *
 * \{
 */

/** All statuses: name, value, text.  The one place where they are listed. */
#define RPT_STATUS_LIST(X)                                                     \
    X(OK, 0, "success")                                                        \
    X(PENDING, 1, "not finished yet")                                          \
    X(END, 2, "nothing more to come")                                          \
    X(ERR_INVALID, -1, "invalid argument")                                     \
    X(ERR_NOMEM, -2, "out of memory")                                          \
    X(ERR_IO, -3, "input/output error")                                        \
    X(ERR_MPI, -4, "an MPI call failed")                                       \
    X(ERR_TIMEOUT, -5, "the time limit passed")                                \
    X(ERR_MISMATCH, -6, "ranks made different calls")                          \
    X(ERR_PEER, -7, "another rank failed")                                     \
    X(ERR_STATE, -8, "not allowed at this moment")                             \
    X(ERR_FULL, -9, "the queue is full")                                       \
    X(ERR_NOT_FOUND, -10, "no such thing")                                     \
    X(ERR_EXISTS, -11, "it exists already")                                    \
    X(ERR_CYCLE, -12, "the dependencies form a cycle")                         \
    X(ERR_PARSE, -13, "malformed input")                                       \
    X(ERR_BUSY, -14, "in use by another job")                                  \
    X(ERR_CORRUPT, -15, "corrupt data")                                        \
    X(ERR_UNSUPPORTED, -16, "not supported here")                              \
    X(ERR_SYSTEM, -17, "a system call failed")                                 \
    X(ERR_VERSION, -18, "versions do not fit together")                        \
    X(ERR_OVERFLOW, -19, "a size or count is too large")                       \
    X(ERR_CANCELLED, -20, "cancelled")                                         \
    X(ERR_SHUTDOWN, -21, "the pool is shutting down")                          \
    X(ERR_INTERNAL, -22, "a defect in librepartir")

/** What a function has to say about how it went. */
typedef enum rpt_status {
#define RPT_STATUS_ENUM(name, value, text) RPT_##name = (value),
    RPT_STATUS_LIST(RPT_STATUS_ENUM)
#undef RPT_STATUS_ENUM
} rpt_status_t;

/** Name of a status, e.g. "RPT_ERR_IO".  Never NULL; not to be freed. */
RPT_API const char *rpt_status_name(rpt_status_t status);

/** A status in words, e.g. "input/output error".  Never NULL; not to be freed.
 */
RPT_API const char *rpt_status_text(rpt_status_t status);

/** What is known about a failure. */
typedef struct rpt_error {
    size_t size;         /**< size of this struct, set by the library       */
    rpt_status_t status; /**< what the function returned                    */
    int rank;            /**< rank that found the fault, -1: none           */
    int n_ranks;         /**< ranks of its context, 0 when there is none    */
    const char *host;    /**< its host, "" when unknown                     */
    const char *what;    /**< what happened, one line                       */
    const char *why;     /**< why we think so, "" when nothing is known   */
    const char *hint;    /**< what to do, "" when there is no advice        */
} rpt_error_t;

/** The last failure seen by the calling thread.
 *
 * Not collective.  The record belongs to the library and is valid until the
 * next call of a library function in this thread.  Success does not clear it.
 *
 * \return the record; its status is #RPT_OK when nothing failed so far
 * \since 0.1
 */
RPT_API const rpt_error_t *rpt_last_error(void);

/** The last failure as text for a person: what, why and do, three lines; no
 * newline ends the last one.
 *
 * Not collective.  The text belongs to the library, as in rpt_last_error().
 * \since 0.1
 */
RPT_API const char *rpt_last_error_text(void);

/** Version of the library that runs, as MAJOR * 10000 + MINOR * 100 + PATCH. */
RPT_API int rpt_version(void);

/** Version of the library that runs, e.g. "0.1.0". */
RPT_API const char *rpt_version_text(void);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_BASE_H */
