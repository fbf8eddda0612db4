/*
 * request_priv.h - one request, unpacked (tests and the fuzzer reach it here)
 */
#ifndef RPT_JOURNAL_REQUEST_PRIV_H
#define RPT_JOURNAL_REQUEST_PRIV_H

#include <stdbool.h>
#include <stddef.h>

struct rpt_request {
    char kind[32];
    const char *text; /* points into what was unpacked; bytes of it */
    size_t bytes;
};

/* False when the bytes are no intact request. */
bool rpt__request_unpack(const char *data, size_t bytes,
                         struct rpt_request *request_out);

#endif /* RPT_JOURNAL_REQUEST_PRIV_H */
