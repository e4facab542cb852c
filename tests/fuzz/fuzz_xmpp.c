/* What a server of XMPP says to the benchmark's driver. */

#include <stdint.h>
#include <stdlib.h>

#include "bench/peers/xmpp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct xmpp_slice slice, const char *begin, const char *end)
{
    if (slice.text != NULL && (slice.text < begin || slice.text + slice.len > end))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *end = text + size;
    struct xmpp_stanza stanza;
    ssize_t taken = 0;

    while ((taken = xmpp_read(text, (size_t)(end - text), &stanza)) > 0) {
        if (taken > end - text)
            abort();
        check_inside(stanza.whole, text, text + taken);
        check_inside(stanza.name, text, text + taken);
        check_inside(xmpp_attribute(&stanza, "type"), text, text + taken);
        check_inside(xmpp_text(&stanza, "<body"), text, text + taken);
        text += taken;
    }
    return 0;
}
