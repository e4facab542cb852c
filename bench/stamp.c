/* stamp - see stamp.h. */

#include "bench/stamp.h"

#include <string.h>

enum { TEXT = STAMP_TEXT, HEAD = 6, DIGITS = 11, FIRST_DIGIT = '?' };

_Static_assert(STAMP_BYTES == HEAD + TEXT, "three nested fields and a text");

/* Six bits a letter, '?' to '~', none of which XML minds: a driver does this for each delivery, so
 * it has no branch. */
static void put_number(char *text, uint64_t value)
{
    for (int i = 0; i < DIGITS; i++, value >>= 6)
        text[i] = (char)(FIRST_DIGIT + (value & 63));
}

void stamp_text_write(const struct stamp *stamp, char text[static STAMP_TEXT])
{
    put_number(text, stamp->stream);
    put_number(text + DIGITS, stamp->number);
    put_number(text + 2 * DIGITS, stamp->due_us);
    memset(text + 3 * DIGITS, '.', TEXT - 3 * DIGITS);
}

void stamp_write(const struct stamp *stamp, uint8_t body[static STAMP_BYTES])
{
    /* Body.elems { Elem.text { TextElem.text } }: three nested fields number 1 */
    static const uint8_t head[HEAD] = {0x0a, TEXT + 4, 0x0a, TEXT + 2, 0x0a, TEXT};

    memcpy(body, head, HEAD);
    stamp_text_write(stamp, (char *)body + HEAD);
}

static bool get_number(const char *text, uint64_t *value)
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

bool stamp_text_read(const char *text, size_t len, struct stamp *stamp)
{
    return len == STAMP_TEXT && get_number(text, &stamp->stream) &&
           get_number(text + DIGITS, &stamp->number) &&
           get_number(text + 2 * DIGITS, &stamp->due_us);
}

bool stamp_read(const uint8_t *body, size_t len, struct stamp *stamp)
{
    return len == STAMP_BYTES && stamp_text_read((const char *)body + HEAD, TEXT, stamp);
}
