/* err - how functions of this project fail. Codes for clients are in codes.h. */

#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#define HY_ERRORS(X)                                                \
    X(HY_ENOMEM, "out of memory")                                   \
    X(HY_EIO, "disk or network failed")                             \
    X(HY_EBUSY, "queue is full, try again")                         \
    X(HY_ETIMEOUT, "no answer in time, try again")                  \
    X(HY_EMALFORMED, "bytes do not decode")                         \
    X(HY_ENOTFOUND, "not there")                                    \
    X(HY_EEXIST, "is there already")                                \
    X(HY_EDENIED, "not allowed")                                    \
    X(HY_ETOOBIG, "over the limit")                                 \
    X(HY_ECONFIG, "settings are wrong")                             \
    X(HY_EFULL, "disk is full")                                     \
    X(HY_ECLOSED, "the other side is gone")                         \
    X(HY_ECORRUPT, "stored bytes are damaged")

#define HY_ERR_NAME(name, text) name,

/* The attribute makes the compiler find every caller who forgets to look. */
#if defined(__GNUC__)
#define HY_CHECKED __attribute__((warn_unused_result))
#endif

enum hy_err { HY_OK, HY_ERRORS(HY_ERR_NAME) HY_ERR_COUNT };

/* A sentence for logs; never NULL. */
const char *hy_err_text(enum hy_err err);

#endif
