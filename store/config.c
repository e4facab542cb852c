#include "store/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

enum { TEXTS = 4 };

static uint64_t wall_ms(void *arg)
{
    (void)arg;
    return hy_wall_ms();
}

static void send_nowhere(void *ctx, uint32_t shard, uint64_t token, const void *payload, size_t len)
{
    (void)ctx;
    (void)shard;
    (void)token;
    (void)payload;
    (void)len;
}

static void texts_of(struct store_config *config, const char **texts[static TEXTS])
{
    texts[0] = &config->cluster_id;
    texts[1] = &config->data_dir;
    texts[2] = &config->log_dir;
    texts[3] = &config->name;
}

enum hy_err config_copy(struct store_config *copy, const struct store_config *config)
{
    const char **texts[TEXTS];
    bool whole = true;

    *copy = *config;
    texts_of(copy, texts);
    for (int i = 0; i < TEXTS; i++) {
        *texts[i] = strdup(*texts[i] == NULL ? "" : *texts[i]);
        whole = whole && *texts[i] != NULL;
    }
    if (copy->now_ms == NULL)
        copy->now_ms = wall_ms;
    if (copy->send == NULL)
        copy->send = send_nowhere;
    return whole ? HY_OK : HY_ENOMEM;
}

void config_free(struct store_config *copy)
{
    const char **texts[TEXTS];

    texts_of(copy, texts);
    for (int i = 0; i < TEXTS; i++) {
        free((char *)*texts[i]);
        *texts[i] = NULL;
    }
}
