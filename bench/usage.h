/* usage - what the server's processes have used so far, by kind of process (Linux, /proc). */

#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/target.h"

enum usage_kind {
    USAGE_GATEWAY,
    USAGE_ROUTER,
    USAGE_PRESENCE,
    USAGE_STORE,
    USAGE_OTHER,
    USAGE_KINDS
};

extern const char *const usage_names[USAGE_KINDS];

struct usage {
    struct {
        uint64_t user_us, system_us; /* CPU time; the kernel counts it in steps of 10 ms */
        uint64_t switches;           /* context switches of all its threads */
    } of[USAGE_KINDS];
    uint64_t disk_bytes; /* written by stores to their disks */
};

void usage_now(const struct target *target, struct usage *usage);

/* later - earlier */
void usage_since(const struct usage *later, const struct usage *earlier, struct usage *since);

uint64_t usage_cpu_us(const struct usage *usage, enum usage_kind kind);
uint64_t usage_cpu_all_us(const struct usage *usage);
uint64_t usage_switches(const struct usage *usage);

/* The same two of any one process; false: it is gone. */
bool usage_process_cpu(int pid, uint64_t *user_us, uint64_t *system_us);

#endif
