#include "store/settings.h"

#define S struct store_settings

static const struct hy_setting table[] = {
    HY_TEXT(S, bus_listen, "bus.listen", "tcp://127.0.0.1:*", false,
            "where routers and other stores connect: tcp://host:port or ipc:///path"),
    HY_TEXT(S, data_dir, "data_dir", "data/store", false, "directory of the database"),
    HY_TEXT(S, log_dir, "log_dir", "", false,
            "directory of the database's own log; \"\" is data_dir. Another volume is safer: a "
            "full disk"
            " then cannot stop the process"),
    HY_INT(S, shard, "shard", 0, 0, 16383, false,
           "which entry of `stores` this process is; their number is the number of shards"),
    HY_INT(
        S, min_insync, "min_insync", 0, 0, 7, false,
        "on so many copies of the shard, this one among them, a message is on disk before it is"
        " acknowledged; with fewer there it waits, and is refused (200001) after a while; 0: 2 in"
        " a cluster on etcd, else 1"),
    HY_INT(S, lease_s, "lease_s", 4, 2, 60, false,
           "a leader that etcd has not heard of for so long is replaced by another copy, s; 3 where"
           " etcd is close and answers within 0.5 s"),
    HY_INT(S, follower_timeout_ms, "follower_timeout_ms", 2000, 200, 60000, false,
           "a copy that is behind for so long is not waited for any more, ms"),
    HY_INT(S, block_cache_mb, "block_cache_mb", 128, 8, 1048576, false,
           "memory for blocks read from files, MB; filters and indexes of dedupe rows, groups,"
           " members and users come on top, 2 bytes a row"),
    HY_INT(S, write_buffer_mb, "write_buffer_mb", 32, 1, 1024, false,
           "memory a family of rows fills before it goes to a file, MB"),
    HY_INT(S, cache_rows, "cache_rows", 200000, 1000, 100000000, false,
           "heads, groups, members and users kept decoded in memory, rows"),
    HY_INT(S, history_cache_mb, "history_cache_mb", 64, 0, 1048576, false,
           "memory for messages of conversations whose history is asked for, MB"),
    HY_INT(S, readers, "readers", 2, 0, 64, false, "threads that answer history and lists"),
    HY_INT(S, moved_keep_s, "moved_keep_s", 600, 0, 86400, false,
           "rows of slots that moved to another shard are deleted here so much later, s"),
    HY_INT(S, reserve_mb, "reserve_mb", 256, 0, 1048576, false,
           "writes are refused (200002) while less than this is free on the disk, and no files are "
           "merged that would take of it, MB"),
    HY_BOOL(
        S, levels, "levels", false, false,
        "keep messages in levels: merging their files needs no room for a second copy, but costs "
        "more CPU the more is stored"),
    HY_BOOL(S, compact_on_start, "compact_on_start", false, false,
            "compact the whole database at start, so that what has expired leaves the disk"),
    {0},
};

const struct hy_settings_spec store_settings_spec = {"store", table, sizeof(struct store_settings)};
