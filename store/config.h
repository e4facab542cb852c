/* config - what a shard was opened with, kept. */

#ifndef STORE_CONFIG_H
#define STORE_CONFIG_H

#include "store/store.h"

/* Keep a copy, texts and all, with what was left out filled in. HY_ENOMEM: config_free() it. */
enum hy_err config_copy(struct store_config *copy, const struct store_config *config) HY_CHECKED;
void config_free(struct store_config *copy);

#endif
