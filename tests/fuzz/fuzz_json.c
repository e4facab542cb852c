/* fuzz_json - bodies of REST calls, as JSON, through every command's handler up to what it would
 * ask the cluster. The first byte chooses the command; questions stay unanswered or are refused. */

#include <stdlib.h>
#include <string.h>

#include "common/slot.h"
#include "gateway/rest_core.h"
#include "gateway/rest_json.h"
#include "gateway/upstream.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What a handler came to; one at a time. */
static bool finished;
static struct {
    hy_call_fn *done;
    void *arg;
} open_calls[2048];
static size_t open_count;

/* The parts of the front that need a network, without one. */

struct upstream *rest_upstream(const struct rest *rest)
{
    (void)rest;
    return NULL;
}

const Hy__App *rest_app(const struct rest_call *call)
{
    (void)call;
    return NULL;
}

void rest_doubt(struct rest_call *call, const char *user)
{
    (void)call;
    (void)user;
}

void rest_finish(struct rest_call *call, json_t *fields, uint32_t code, const char *info)
{
    char *text = fields != NULL ? json_dumps(fields, JSON_COMPACT) : NULL;

    if (finished || (code != HY_CODE_OK && *info == '\0'))
        abort(); /* two answers, or a failure without a sentence */
    finished = true;
    call->gather.count = 0;
    free(text);
    json_decref(fields);
}

void rest_finish_text(struct rest_call *call, const char *members)
{
    (void)members;
    rest_finish(call, NULL, HY_CODE_OK, "");
}

uint64_t upstream_router(struct upstream *upstream, uint16_t slot, uint16_t kind,
                         uint32_t deadline_ms, const ProtobufCMessage *msg, hy_call_fn *done,
                         void *arg)
{
    uint8_t *bytes = malloc(protobuf_c_message_get_packed_size(msg) + 1);

    (void)upstream;
    (void)kind;
    (void)deadline_ms;
    if (slot >= HY_SLOTS || open_count == sizeof open_calls / sizeof open_calls[0])
        abort();
    if (bytes != NULL)
        protobuf_c_message_pack(msg, bytes);
    free(bytes);
    open_calls[open_count].done = done;
    open_calls[open_count++].arg = arg;
    return open_count;
}

struct hy_bus *upstream_bus(struct upstream *upstream)
{
    (void)upstream;
    return NULL;
}

/* The command of a number, all services in a row. */
static const struct rest_command *command_of(unsigned number, const struct rest_family **family)
{
    static const struct rest_service *const services[] = {
        &rest_account_service, &rest_openim_service, &rest_profile_service, &rest_group_service};

    for (;;) {
        for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
            *family = services[i]->family;
            for (const struct rest_command *c = services[i]->commands; c->command != NULL; c++)
                if (number-- == 0)
                    return c;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct rest_call call = {.app = 1400000001, .admin = "administrator"};
    const struct rest_command *command;
    const char *why = NULL;
    char *body;

    if (len < 1)
        return 0;
    body = malloc(len > 1 ? len - 1 : 1); /* no byte more than there are */
    if (body == NULL)
        return 0;
    memcpy(body, bytes + 1, len - 1);
    command = command_of(bytes[0] % 64, &call.family);
    call.wall_ms = 1546300901000;
    call.op = 42;
    hy_arena_init(&call.arena);
    finished = false;
    open_count = 0;
    call.body = rest_json_parse(body, len - 1, &call.arena, &why);
    if (call.body != NULL) {
        command->handle(&call);
        for (size_t i = 0; i < open_count; i++) /* refusals may make the handler ask more */
            open_calls[i].done(open_calls[i].arg, HY_ETIMEOUT, NULL);
        if (!finished)
            abort();
    } else if (why == NULL || *why == '\0') {
        abort();
    }
    json_decref(call.kept);
    free(body);
    hy_arena_free(&call.arena);
    return 0;
}
