/* What a server of MQTT says to the benchmark's driver. */

#include <stdint.h>
#include <stdlib.h>

#include "bench/peers/mqtt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mqtt_packet packet;
    size_t at = 0;
    ssize_t taken = 0;

    while ((taken = mqtt_read(data + at, size - at, &packet)) > 0) {
        if ((size_t)taken > size - at ||
            (packet.payload_len > 0 && packet.payload + packet.payload_len > data + at + taken))
            abort();
        at += (size_t)taken;
    }
    return 0;
}
