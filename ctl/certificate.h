/* certificate - a self-signed TLS certificate for a cluster on this machine. */

#ifndef CTL_CERTIFICATE_H
#define CTL_CERTIFICATE_H

#include "common/err.h"

/* Write a P-256 key (mode 0600) and a certificate for localhost, 127.0.0.1 and ::1, good for ten
 * years. */
enum hy_err certificate_make(const char *certificate_file, const char *key_file) HY_CHECKED;

#endif
