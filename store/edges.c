#include "store/edges.h"

#include "common/slot.h"

/* Those for whom the same log begins elsewhere (joined later, cleared) lie apart. */
static size_t at(const struct convlog *log, uint64_t low)
{
    return hy_mix64(log->conversation ^ (uint64_t)log->home.slot << 48 ^ low << 20) % EDGES;
}

bool edges_find(const struct edge edges[static EDGES], const struct convlog *log, uint64_t low,
                uint64_t floor_ms, uint64_t *seq)
{
    const struct edge *edge = &edges[at(log, low)];

    if (edge->first.seq == 0 || edge->conversation != log->conversation || edge->low != low ||
        edge->slot != log->home.slot || edge->app != log->home.app ||
        edge->conv_type != log->conv_type)
        return false;
    if (floor_ms < edge->floor_ms || edge->first.time_ms < floor_ms)
        return false;
    *seq = edge->first.seq;
    return true;
}

void edges_note(struct edge edges[static EDGES], const struct convlog *log, uint64_t low,
                uint64_t floor_ms, struct convlog_place first)
{
    edges[at(log, low)] = (struct edge){
        .conversation = log->conversation,
        .low = low,
        .floor_ms = floor_ms,
        .first = first,
        .app = log->home.app,
        .slot = log->home.slot,
        .conv_type = (uint8_t)log->conv_type,
    };
}
