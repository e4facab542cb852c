/* stamp - see stamp.h. */

#include "bench/stamp.h"

#include <string.h>

enum { TEXT = 100, HEAD = 6, DIGITS = 11, FIRST_DIGIT = '0' };

_Static_assert(STAMP_BYTES == HEAD + TEXT, "three nested fields and a text");

/* Six bits a letter, '0' to 'o': a driver does this for each delivery, so it has no branch. */
static void put_number(uint8_t *text, uint64_t value)
{
    for (int i = 0; i < DIGITS; i++, value >>= 6)
        text[i] = (uint8_t)(FIRST_DIGIT + (value & 63));
}

void stamp_write(const struct stamp *stamp, uint8_t body[static STAMP_BYTES])
{
    /* Body.elems { Elem.text { TextElem.text } }: three nested fields number 1 */
    static const uint8_t head[HEAD] = {0x0a, TEXT + 4, 0x0a, TEXT + 2, 0x0a, TEXT};

    memcpy(body, head, HEAD);
    put_number(body + HEAD, stamp->stream);
    put_number(body + HEAD + DIGITS, stamp->number);
    put_number(body + HEAD + 2 * DIGITS, stamp->due_us);
    memset(body + HEAD + 3 * DIGITS, '.', TEXT - 3 * DIGITS);
}

static bool get_number(const uint8_t *text, uint64_t *value)
{
    unsigned wrong = 0;

    *value = 0;
    for (int i = DIGITS - 1; i >= 0; i--) {
        unsigned digit = (unsigned)text[i] - FIRST_DIGIT;

        wrong |= digit;
        *value = *value << 6 | (digit & 63);
    }
    return wrong < 64;
}

bool stamp_read(const uint8_t *body, size_t len, struct stamp *stamp)
{
    return len == STAMP_BYTES && get_number(body + HEAD, &stamp->stream) &&
           get_number(body + HEAD + DIGITS, &stamp->number) &&
           get_number(body + HEAD + 2 * DIGITS, &stamp->due_us);
}
