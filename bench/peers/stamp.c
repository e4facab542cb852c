/* stamp - see stamp.h. */

#include "bench/peers/stamp.h"

#include <string.h>

enum { HEX = 16 };

static void write_hex(uint64_t value, char *out)
{
    for (int i = HEX - 1; i >= 0; i--, value >>= 4)
        out[i] = "0123456789abcdef"[value & 15];
}

static bool read_hex(const char *text, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < HEX; i++) {
        char c = text[i];

        if (c >= '0' && c <= '9')
            *value = *value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *value = *value << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    return true;
}

void stamp_write(const struct stamp *stamp, char text[static STAMP_TEXT])
{
    memset(text, '.', STAMP_TEXT);
    write_hex(stamp->stream, text);
    write_hex(stamp->number, text + HEX);
    write_hex(stamp->due_us, text + 2 * HEX);
}

bool stamp_read(const char *text, size_t len, struct stamp *stamp)
{
    return len == STAMP_TEXT && read_hex(text, &stamp->stream) &&
           read_hex(text + HEX, &stamp->number) && read_hex(text + 2 * HEX, &stamp->due_us);
}
