/* node - a node's value in the coordinator. */

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fleet.h"

static const char *const states[] = {
    [HY_NODE_JOINING] = "joining", [HY_NODE_SERVING] = "serving", [HY_NODE_LEAVING] = "leaving"};

enum { STATES = sizeof states / sizeof *states };

/* "node/COMPONENT/NAME" */
static enum hy_err parse_key(const char *key, struct hy_node_text *texts)
{
    const char *component = key + strlen("node/"), *slash = NULL;
    size_t len;

    if (strncmp(key, "node/", strlen("node/")) != 0 || (slash = strchr(component, '/')) == NULL)
        return HY_EMALFORMED;
    len = (size_t)(slash - component);
    if (len == 0 || len >= sizeof texts->component || slash[1] == '\0' ||
        strlen(slash + 1) >= sizeof texts->name)
        return HY_EMALFORMED;
    memcpy(texts->component, component, len);
    texts->component[len] = '\0';
    strcpy(texts->name, slash + 1);
    return HY_OK;
}

static enum hy_err take_text(const json_t *tree, const char *member, char *out, size_t size)
{
    const json_t *value = json_object_get(tree, member);
    const char *text = value == NULL ? "" : json_string_value(value);

    if (text == NULL || strlen(text) >= size)
        return HY_EMALFORMED;
    strcpy(out, text);
    return HY_OK;
}

static enum hy_err take_number(const json_t *tree, const char *member, uint32_t *out)
{
    const json_t *value = json_object_get(tree, member);
    json_int_t number = json_integer_value(value);

    if (value != NULL && (!json_is_integer(value) || number < 0 || number > UINT32_MAX))
        return HY_EMALFORMED;
    *out = (uint32_t)number;
    return HY_OK;
}

static enum hy_err take_boot(const json_t *tree, uint64_t *boot)
{
    char text[17], *end;

    if (take_text(tree, "boot", text, sizeof text) != HY_OK)
        return HY_EMALFORMED;
    *boot = strtoull(text, &end, 16);
    return *end == '\0' ? HY_OK : HY_EMALFORMED;
}

static enum hy_err take_state(const json_t *tree, enum hy_node_state *state)
{
    char text[16];

    if (take_text(tree, "state", text, sizeof text) != HY_OK)
        return HY_EMALFORMED;
    *state = HY_NODE_SERVING;
    for (int i = 0; i < STATES; i++) {
        if (strcmp(text, states[i]) == 0)
            *state = (enum hy_node_state)i;
    }
    return HY_OK;
}

enum hy_err hy_node_parse(const char *key, const char *text, struct hy_node_text *texts,
                          struct hy_node *node)
{
    json_t *tree = NULL;
    enum hy_err err = parse_key(key, texts);

    if (err != HY_OK)
        return err;
    tree = json_loads(text, 0, NULL);
    if (!json_is_object(tree))
        err = HY_EMALFORMED;
    *node = (struct hy_node){.component = texts->component,
                             .name = texts->name,
                             .endpoint = texts->endpoint,
                             .version = texts->version};
    if (err == HY_OK)
        err = take_text(tree, "endpoint", texts->endpoint, sizeof texts->endpoint);
    if (err == HY_OK)
        err = take_text(tree, "version", texts->version, sizeof texts->version);
    if (err == HY_OK)
        err = take_number(tree, "shard", &node->shard);
    if (err == HY_OK)
        err = take_number(tree, "workers", &node->workers);
    if (err == HY_OK)
        err = take_boot(tree, &node->boot);
    if (err == HY_OK)
        err = take_state(tree, &node->state);
    json_decref(tree);
    return err;
}

char *hy_node_print(const struct hy_node *node)
{
    json_t *tree = json_object();
    char boot[17];
    char *text;

    snprintf(boot, sizeof boot, "%016" PRIx64, node->boot);
    if (node->endpoint[0] != '\0')
        json_object_set_new(tree, "endpoint", json_string(node->endpoint));
    json_object_set_new(tree, "boot", json_string(boot));
    json_object_set_new(tree, "version", json_string(node->version));
    if (strcmp(node->component, "store") == 0)
        json_object_set_new(tree, "shard", json_integer(node->shard));
    if (node->workers > 0)
        json_object_set_new(tree, "workers", json_integer(node->workers));
    if ((size_t)node->state < sizeof states / sizeof *states)
        json_object_set_new(tree, "state", json_string(states[node->state]));
    text = json_dumps(tree, JSON_COMPACT);
    json_decref(tree);
    return text;
}
