/* What copies of a shard say to each other, as another process may have sent it. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "store/replica/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct msg msg, back;
    uint8_t out[WIRE_SAY_MAX];

    (void)wire_reign(data, size);
    if (wire_batch_parse(data, size, 3, &msg) == HY_OK && msg.batch.count == 0)
        __builtin_trap();
    if (wire_say_parse(data, size, 3, "store-3a", &msg) != HY_OK)
        return 0;
    if (wire_say_parse(out, wire_say(&msg, 3, out), 3, "store-3a", &back) != HY_OK ||
        back.seq != msg.seq || back.place_count != msg.place_count)
        __builtin_trap(); /* what we write we can read */
    return 0;
}
