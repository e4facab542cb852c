#include "common/bus_wire.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

void bus_head_put(uint8_t out[static HY_BUS_RECORD_HEAD], uint16_t kind, uint64_t id, size_t len)
{
    uint32_t le_len = htole32((uint32_t)len);
    uint16_t le_kind = htole16(kind);
    uint64_t le_id = htole64(id);

    memcpy(out, &le_len, 4);
    memcpy(out + 4, &le_kind, 2);
    memset(out + 6, 0, 2);
    memcpy(out + 8, &le_id, 8);
}

enum hy_err hy_bus_batch_each(const uint8_t *bytes, size_t len,
                              void (*fn)(void *arg, const struct hy_record *record), void *arg)
{
    while (len > 0) {
        uint32_t payload_len;
        uint16_t kind;
        uint64_t id;
        struct hy_record record = {0};

        if (len < HY_BUS_RECORD_HEAD)
            return HY_EMALFORMED;
        memcpy(&payload_len, bytes, 4);
        memcpy(&kind, bytes + 4, 2);
        memcpy(&id, bytes + 8, 8);
        record.len = le32toh(payload_len);
        if (record.len > len - HY_BUS_RECORD_HEAD)
            return HY_EMALFORMED;
        record.kind = le16toh(kind);
        record.id = le64toh(id);
        record.payload = bytes + HY_BUS_RECORD_HEAD;
        fn(arg, &record);
        bytes += HY_BUS_RECORD_HEAD + record.len;
        len -= HY_BUS_RECORD_HEAD + record.len;
    }
    return HY_OK;
}

enum hy_err bus_hello_put(struct hy_buf *buf, const struct bus_hello *hello)
{
    uint32_t version = htole32(hello->version);
    uint64_t boot = htole64(hello->boot);
    const char *const texts[] = {hello->name, hello->component, hello->cluster_id};
    enum hy_err err = hy_buf_put(buf, &version, sizeof version);

    if (err == HY_OK)
        err = hy_buf_put(buf, &boot, sizeof boot);
    for (size_t i = 0; err == HY_OK && i < sizeof texts / sizeof texts[0]; i++)
        err = hy_buf_put(buf, texts[i], strlen(texts[i]) + 1);
    return err;
}

/* Take a NUL-terminated printable text of 1 to HY_BUS_NAME_MAX bytes from the front. */
static const char *take_text(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *text = *at;
    const uint8_t *nul = memchr(text, '\0', (size_t)(end - text));

    if (nul == NULL || nul == text || nul - text > HY_BUS_NAME_MAX)
        return NULL;
    for (const uint8_t *c = text; c < nul; c++) {
        if (*c < 0x21 || *c > 0x7e)
            return NULL;
    }
    *at = nul + 1;
    return (const char *)text;
}

enum hy_err bus_hello_get(const uint8_t *payload, size_t len, struct bus_hello *hello)
{
    const uint8_t *at = payload + 12, *end = payload + len;

    if (len < 12)
        return HY_EMALFORMED;
    memcpy(&hello->version, payload, 4);
    memcpy(&hello->boot, payload + 4, 8);
    hello->version = le32toh(hello->version);
    hello->boot = le64toh(hello->boot);
    hello->name = take_text(&at, end);
    hello->component = hello->name != NULL ? take_text(&at, end) : NULL;
    hello->cluster_id = hello->component != NULL ? take_text(&at, end) : NULL;
    if (hello->cluster_id == NULL || hello->version == 0)
        return HY_EMALFORMED;
    return HY_OK;
}
