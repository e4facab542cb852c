/* crc32c - the checksum of files and records (Castagnoli). Any thread. */

#ifndef COMMON_CRC32C_H
#define COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Go on from crc (0 at first) over more bytes. */
uint32_t hy_crc32c(uint32_t crc, const void *bytes, size_t len);

#endif
