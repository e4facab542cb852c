/* bus_wire - the bytes of the bus: record heads, and what a HELLO says. Pure. */

#ifndef COMMON_BUS_WIRE_H
#define COMMON_BUS_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/bus.h"

/* The bus's own kinds; those of its users begin at BUS_KIND_FIRST. */
enum bus_kind {
    BUS_HELLO = 1, /* dialler: this is me. id counts them */
    BUS_WELCOME,   /* server: this is me. id is the HELLO's */
    BUS_WHO,       /* server: I do not know you, say HELLO */
    BUS_BEAT,      /* I am here */
    BUS_BYE,       /* I am going */
    BUS_KIND_FIRST = 0x10,
};

enum { BUS_VERSION = 1, BUS_PAYLOAD_MAX = 32 << 20 };

/* Texts are lent from the payload. */
struct bus_hello {
    uint32_t version;
    uint64_t boot;
    const char *name, *component, *cluster_id;
};

/* Write a record's head. */
void bus_head_put(uint8_t out[static HY_BUS_RECORD_HEAD], uint16_t kind, uint64_t id, size_t len);

/* u32 LE version | u64 LE boot | name | 0 | component | 0 | cluster id | 0; later versions append.
 * HY_ENOMEM. */
enum hy_err bus_hello_put(struct hy_buf *buf, const struct bus_hello *hello) HY_CHECKED;

/* HY_EMALFORMED: too short, an empty or overlong name, a byte that is not printable ASCII. */
enum hy_err bus_hello_get(const uint8_t *payload, size_t len, struct bus_hello *hello) HY_CHECKED;

#endif
