/* WebSocket frames, whole and then in pieces: both ways must come to the same messages. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "gateway/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Feed bytes, step more at a time; a digest of what came out. */
static uint64_t feed(const uint8_t *data, size_t size, size_t step)
{
    struct websocket ws = {0};
    struct websocket_event event;
    uint8_t *bytes = malloc(size + 1);
    uint64_t digest = 1;
    size_t at = 0, have = 0;

    assert(bytes != NULL);
    memcpy(bytes, data, size);
    for (;;) {
        enum websocket_result result = websocket_next(&ws, bytes + at, have - at, 4096, &event);

        if (result == WEBSOCKET_WHOLE && event.len > 0)
            digest = XXH3_64bits_withSeed(event.data, event.len, digest + event.opcode);
        if (result == WEBSOCKET_WRONG)
            digest += event.code;
        if (result == WEBSOCKET_WRONG || (result == WEBSOCKET_MORE && have == size))
            break;
        if (result == WEBSOCKET_MORE)
            have = size - have < step ? size : have + step;
        else
            at += event.used;
    }
    websocket_free(&ws);
    free(bytes);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (feed(data, size, size + 1) != feed(data, size, 3))
        abort();
    return 0;
}
