/* What a client sends over TCP: frames, each a Frame of client.proto, with the rules of a send. */

#include <stddef.h>
#include <stdint.h>

#include "client.pb-c.h"
#include "common/arena.h"
#include "gateway/frame.h"
#include "gateway/sendcheck.h"
#include "gateway/strings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct hy_arena *arena, const uint8_t *bytes, size_t len)
{
    const Hy__Frame *frame = hy__frame__unpack(&arena->pb, len, bytes);

    if (frame == NULL)
        return;
    (void)strings_ok(&frame->base);
    (void)strings_body(frame);
    if (frame->body_case == HY__FRAME__BODY_SEND)
        (void)send_check(frame->send, 9216);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hy_arena arena;
    const uint8_t *payload;
    size_t len;

    hy_arena_init(&arena);
    while (frame_next(data, size, 65536, &payload, &len) == FRAME_WHOLE) {
        look(&arena, payload, len);
        hy_arena_reset(&arena);
        data += FRAME_HEAD + len;
        size -= FRAME_HEAD + len;
    }
    hy_arena_free(&arena);
    return 0;
}
