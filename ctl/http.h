/* http - one blocking GET of a small page from a process's status port, or POST to a gateway. */

#ifndef CTL_HTTP_H
#define CTL_HTTP_H

#include <stddef.h>
#include <stdint.h>

/* GET http://127.0.0.1:port/path within wait_ms. Returns the status, or 0 when there was no answer.
 * The body, cut to what fits, is NUL-terminated in body. */
int http_get(uint16_t port, const char *path, uint32_t wait_ms, char *body, size_t size);

/* POST a body and read the answer, up to 1 MB; the same otherwise. url: "http://ADDRESS:PORT" with
 * a numeric address. */
int http_post(const char *url, const char *path, const char *text, uint32_t wait_ms, char *body,
              size_t size);

#endif
