/* address - a client's address, as other processes are told it. */

#ifndef GATEWAY_ADDRESS_H
#define GATEWAY_ADDRESS_H

#include <netinet/in.h>
#include <protobuf-c/protobuf-c.h>

/* Caller.client_ip: 4 bytes, or the 16 of IPv6, in network order; lent from ip, where IPv4 is
 * ::ffff:a.b.c.d. */
static inline ProtobufCBinaryData address_bytes(const struct in6_addr *ip)
{
    size_t skipped = IN6_IS_ADDR_V4MAPPED(ip) ? 12 : 0;

    return (ProtobufCBinaryData){sizeof *ip - skipped, (uint8_t *)(uintptr_t)ip->s6_addr + skipped};
}

#endif
