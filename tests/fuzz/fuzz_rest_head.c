/* fuzz_rest_head - the head of an HTTP request, and chunks, in one piece and byte by byte. */

#include <stdlib.h>
#include <string.h>

#include "gateway/rest_head.h"

enum { MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_head(const char *text, size_t len)
{
    struct rest_head head, again;
    enum rest_parsed parsed = rest_head_parse(text, len, &head);

    if (parsed == REST_WRONG && (head.status < 400 || head.status > 505))
        abort();
    if (parsed != REST_WHOLE)
        return;
    if (head.used > len || head.target < text || head.target + head.target_len > text + head.used ||
        memchr(head.target, '\0', head.target_len) != NULL ||
        memchr(head.target, ' ', head.target_len) != NULL || (head.chunked && head.body_len > 0))
        abort();
    /* what follows the head does not matter to it, and less is not enough */
    if (rest_head_parse(text, head.used, &again) != REST_WHOLE || again.used != head.used ||
        rest_head_parse(text, head.used - 1, &again) == REST_WHOLE)
        abort();
}

static enum rest_parsed chunks_of(const char *text, size_t len, size_t step,
                                  struct rest_chunks *chunks, char *out)
{
    enum rest_parsed parsed = REST_MORE;

    *chunks = (struct rest_chunks){0};
    for (size_t had = 0; had < len && parsed == REST_MORE; had += step) {
        size_t here = len - had < step ? len - had : step;

        memcpy(out + had, text + had, here);
        parsed = rest_chunks_take(chunks, out, had + here, MOST);
        if (chunks->len > MOST || chunks->len > chunks->at || chunks->at > had + here)
            abort();
    }
    return parsed;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *text = malloc(len + 1), *whole = malloc(len + 1), *slow = malloc(len + 1);
    struct rest_chunks a, b;

    if (text != NULL && whole != NULL && slow != NULL) {
        if (len > 0)
            memcpy(text, bytes, len);
        text[len] = '\0';
        check_head(text, len);
        if (chunks_of(text, len, len + 1, &a, whole) != chunks_of(text, len, 1, &b, slow) ||
            a.status != b.status || a.len != b.len || memcmp(whole, slow, a.len) != 0)
            abort();
    }
    free(text);
    free(whole);
    free(slow);
    return 0;
}
