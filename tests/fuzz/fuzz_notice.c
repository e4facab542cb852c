/* What a server pushes, as the benchmark looks at it: every body lies within the frame. */

#include <stdlib.h>

#include "bench/notice.h"
#include "bench/stamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct frame {
    const uint8_t *data;
    size_t size;
};

static void on_body(void *arg, const uint8_t *body, size_t len)
{
    const struct frame *frame = arg;
    struct stamp stamp;

    if (body < frame->data || (size_t)(body - frame->data) + len > frame->size)
        abort();
    (void)stamp_read(body, len, &stamp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame frame = {data, size};

    (void)notice_each(data, size, on_body, &frame);
    return 0;
}
