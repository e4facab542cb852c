/* settings - what hongyan-store can be told. */

#ifndef STORE_SETTINGS_H
#define STORE_SETTINGS_H

#include "common/settings.h"

struct store_settings {
    struct hy_common_settings common;
    char *bus_listen;
    char *data_dir;
    char *log_dir;
    int64_t shard;
    int64_t min_insync;
    int64_t lease_s;
    int64_t follower_timeout_ms;
    int64_t block_cache_mb;
    int64_t write_buffer_mb;
    int64_t cache_rows;
    int64_t history_cache_mb;
    int64_t readers;
    int64_t moved_keep_s;
    int64_t reserve_mb;
    bool levels;
    bool compact_on_start;
};

extern const struct hy_settings_spec store_settings_spec;

#endif
