/* clock - the two clocks. Deadlines and leases use the steady one; what users see uses the wall. */

#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds since some start, never going back (CLOCK_BOOTTIME). */
uint64_t hy_steady_ms(void);

/* Microseconds of the same clock, for durations. */
uint64_t hy_steady_us(void);

/* Milliseconds since 1970 UTC. */
uint64_t hy_wall_ms(void);

/* Fill with random bytes from the kernel's generator. Aborts if there are none. */
void hy_random_fill(void *out, size_t size);

/* 64 random bits from the kernel's generator; for ids and secrets. Aborts if there are none. */
uint64_t hy_random64(void);

#endif
