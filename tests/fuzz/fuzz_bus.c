/* What a peer may send: a batch of records, and the HELLO in it. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/bus_wire.h"

static volatile uint8_t sink;

static void read_record(void *arg, const struct hy_record *record)
{
    struct bus_hello hello;
    size_t *total = arg;

    *total += HY_BUS_RECORD_HEAD + record->len;
    for (size_t i = 0; i < record->len; i++)
        sink ^= record->payload[i];
    if (bus_hello_get(record->payload, record->len, &hello) == HY_OK &&
        (strlen(hello.name) > HY_BUS_NAME_MAX || hello.component[0] == '\0' ||
         hello.cluster_id[0] == '\0'))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t total = 0;

    if (hy_bus_batch_each(data, size, read_record, &total) == HY_OK && total != size)
        abort();
    return 0;
}
