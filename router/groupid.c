#include "router/groupid.h"

#include <string.h>
#include <xxhash.h>

enum { PREFIX = 5, DIGITS = 9, BASE = 36 };

void groupid_make(const char *op_id, uint32_t attempt, char out[static GROUPID_SIZE])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    uint64_t bits = XXH3_64bits_withSeed(op_id, strlen(op_id), attempt);

    memcpy(out, "@TGS#", PREFIX);
    for (int i = 0; i < DIGITS; i++) {
        out[PREFIX + i] = digits[bits % BASE];
        bits /= BASE;
    }
    out[PREFIX + DIGITS] = '\0';
}
