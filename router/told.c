#include "router/told.h"

#include "common/slot.h"
#include "router/table.h"

uint64_t told_key(uint32_t app, Hy__ConvType type, const char *from, const char *to, uint64_t seq)
{
    return hy_mix64(table_hash(app, from) + hy_mix64(table_hash((uint32_t)type, to) + seq));
}

bool told_again(struct told *told, uint64_t key)
{
    uint64_t *kept = &told->keys[key % TOLD_SIZE];
    bool again = *kept == key;

    *kept = key;
    return again;
}
