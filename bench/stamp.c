/* stamp - see stamp.h. */

#include "bench/stamp.h"

#include <string.h>

enum { TEXT = 100, HEAD = 6, DIGITS = 16 };

_Static_assert(STAMP_BYTES == HEAD + TEXT, "three nested fields and a text");

static void put_hex16(uint8_t *text, uint64_t value)
{
    for (int i = DIGITS - 1; i >= 0; i--, value >>= 4)
        text[i] = (uint8_t) "0123456789abcdef"[value & 15];
}

void stamp_write(const struct stamp *stamp, uint8_t body[static STAMP_BYTES])
{
    /* Body.elems { Elem.text { TextElem.text } }: three nested fields number 1 */
    static const uint8_t head[HEAD] = {0x0a, TEXT + 4, 0x0a, TEXT + 2, 0x0a, TEXT};

    memcpy(body, head, HEAD);
    put_hex16(body + HEAD, stamp->stream);
    put_hex16(body + HEAD + DIGITS, stamp->number);
    put_hex16(body + HEAD + 2 * DIGITS, stamp->due_us);
    memset(body + HEAD + 3 * DIGITS, '.', TEXT - 3 * DIGITS);
}

static bool hex16(const uint8_t *text, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < DIGITS; i++) {
        uint8_t c = text[i];

        if (c >= '0' && c <= '9')
            *value = *value << 4 | (c - '0');
        else if (c >= 'a' && c <= 'f')
            *value = *value << 4 | (c - 'a' + 10);
        else
            return false;
    }
    return true;
}

bool stamp_read(const uint8_t *body, size_t len, struct stamp *stamp)
{
    return len == STAMP_BYTES && hex16(body + HEAD, &stamp->stream) &&
           hex16(body + HEAD + DIGITS, &stamp->number) &&
           hex16(body + HEAD + 2 * DIGITS, &stamp->due_us);
}
