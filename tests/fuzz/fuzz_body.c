/* Message bodies: what the walk accepts must decode, and nothing may be read past the end. */

#include <stdlib.h>

#include "common/arena.h"
#include "common/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hy_arena arena;

    if (hy_body_check(data, size, 9216) != 0)
        return 0;
    hy_arena_init(&arena);
    const Hy__Body *body = hy__body__unpack(&arena.pb, size, data);

    if (body == NULL || body->n_elems == 0 || hy_body_check_decoded(body, 9216) != 0)
        abort();
    hy_arena_free(&arena);
    return 0;
}
