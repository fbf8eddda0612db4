/*
 * repartir/options.h - the options registry, and logging
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_OPTIONS_H
#define REPARTIR_OPTIONS_H

#include <repartir/base.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_options Options
 *
 * One registry holds every option of the library.  An option has the same
 * name everywhere: `pool.slots` is the environment variable
 * `RPT_POOL_SLOTS`, the command line's `-o pool.slots=4`, and a line
 * `pool.slots = 4` in a file `repartir.conf`.
 *
 * Precedence: set by the program, environment, `./repartir.conf`,
 * `~/.config/repartir/repartir.conf`, `/etc/repartir.conf`, default.  A name
 * that does not exist is answered with the nearest one that does: an error
 * when the program sets it, a warning from the environment or a file.
 *
 * \since 0.1
 *
 * \{
 */

/** A set of option values.  One thread at a time. */
typedef struct rpt_options rpt_options_t;

/** Make a set with the values of the files and the environment.
 *
 * Not collective.  Release it with rpt_options_destroy().  A value there that
 * does not fit is an error; a name that does not exist is only a warning.
 * \retval RPT_ERR_PARSE  a value does not fit; the error says where it stands
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_options_create(rpt_options_t **options_out);

/** Set one option.
 *
 * \param name   e.g. "pool.slots"
 * \param value  as text: integers with KiB, MiB, GiB for sizes; seconds with
 *               an optional ms, s, min, h, d; yes or no for switches
 * \retval RPT_ERR_NOT_FOUND  no such option; the error names the nearest one
 * \retval RPT_ERR_PARSE      the value does not fit its type or range
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_options_set(rpt_options_t *options, const char *name,
                                     const char *value);

/** Read one option back as text.
 *
 * \param value_out  [out] belongs to the set, until the option is set again
 * \retval RPT_ERR_NOT_FOUND  no such option; the error names the nearest one
 * \retval RPT_ERR_INVALID
 * \since 0.1
 */
RPT_API rpt_status_t rpt_options_get(const rpt_options_t *options,
                                     const char *name, const char **value_out);

/** What is known about one option. */
typedef struct {
    size_t size;          /**< size of this struct, set by the library      */
    const char *name;     /**< e.g. "pool.slots"                            */
    const char *variable; /**< e.g. "RPT_POOL_SLOTS"                        */
    const char *type;     /**< "switch", "integer", "size", "seconds", "text" */
    const char *fallback; /**< the default, as text                         */
    const char *level;    /**< "user", "tuner" or "developer"               */
    const char *summary;  /**< one sentence                                 */
} rpt_option_info_t;

/** The i-th option of the registry.
 *
 * \param info_out  [out] belongs to the thread, until its next call of this
 * \retval RPT_END  there are only \a index options
 * \retval RPT_ERR_INVALID
 * \since 0.1
 */
RPT_API rpt_status_t rpt_option_info(size_t index,
                                     const rpt_option_info_t **info_out);

/** Where the value in a set came from: "default", "file …", "environment",
 * "program".  Belongs to the set.  NULL when there is no such option. */
RPT_API const char *rpt_options_origin(const rpt_options_t *options,
                                       const char *name);

/** Release a set.  Contexts made with it have copied it. */
RPT_API void rpt_options_destroy(rpt_options_t *options);

/** \} */

/**
 * \defgroup rpt_log Logging
 *
 * \since 0.1
 *
 * \{
 */

/** How much a message matters. */
typedef enum rpt_log_level {
    RPT_LOG_ERROR = 0,
    RPT_LOG_WARN = 1,
    RPT_LOG_INFO = 2,
    RPT_LOG_DEBUG = 3,
    RPT_LOG_TRACE = 4
} rpt_log_level_t;

/** Receives messages instead of standard error; may be called by any thread.
 */
typedef void (*rpt_log_fn)(rpt_log_level_t level, const char *message,
                           void *user);

/** Send the messages of this process to \a fn (NULL: to standard error).
 *
 * Not collective.  Call it while no other thread is inside the library.  The
 * text that \a fn gets is valid during the call, and has no line end; \a fn
 * must not call the library.
 * \since 0.1
 */
RPT_API void rpt_log_set(rpt_log_fn fn, void *user);

/** Print messages of this process up to a level; warnings by default.
 *
 * Not collective; any thread, at any time.  Making a context sets the level to
 * its option `log.level`, unless that has its default value: then what was set
 * here lasts.
 * \since 0.1
 */
RPT_API void rpt_log_set_level(rpt_log_level_t level);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_OPTIONS_H */
