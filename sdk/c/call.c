#include "sdk/c/call.h"

#include <stdlib.h>

#include "common/codes.h"

struct call *calls_add(struct calls *calls, const Hy__Frame *frame)
{
    size_t len = hy__frame__get_packed_size(frame);
    struct call *call = malloc(sizeof *call + len);

    if (call == NULL)
        return NULL;
    *call = (struct call){.id = frame->id, .len = len, .prev = calls->last};
    hy__frame__pack(frame, call->frame);
    if (calls->last != NULL)
        calls->last->next = call;
    else
        calls->first = call;
    calls->last = call;
    calls->count++;
    return call;
}

struct call *calls_find(const struct calls *calls, uint64_t id)
{
    struct call *call = calls->first;

    while (call != NULL && call->id != id)
        call = call->next;
    return call;
}

void calls_remove(struct calls *calls, struct call *call)
{
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        calls->first = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    else
        calls->last = call->prev;
    call->prev = call->next = NULL;
    calls->count--;
}

bool call_is_safe(Hy__Frame__BodyCase kind)
{
    switch (kind) {
    case HY__FRAME__BODY_HISTORY:
    case HY__FRAME__BODY_READ:
    case HY__FRAME__BODY_CONV_LIST:
    case HY__FRAME__BODY_CONV_SET:
    case HY__FRAME__BODY_CONV_GET:
    case HY__FRAME__BODY_PROFILE_GET:
    case HY__FRAME__BODY_PROFILE_SET:
    case HY__FRAME__BODY_STATE_GET:
    case HY__FRAME__BODY_GROUP_GET:
    case HY__FRAME__BODY_GROUP_LIST:
    case HY__FRAME__BODY_MEMBERS_GET:
    case HY__FRAME__BODY_GROUP_ONLINE:
        return true;
    default:
        return false;
    }
}

bool call_is_temporary(uint32_t code)
{
    switch (code) {
    case HY_CODE_TIMEOUT:
    case HY_CODE_FREQUENCY:
    case HY_CODE_BUSY:
    case HY_CODE_UNAVAILABLE:
    case HY_CODE_ACCOUNT_INTERNAL:
    case HY_CODE_C2C_NETWORK:
    case HY_CODE_C2C_INTERNAL:
    case HY_CODE_GROUP_INTERNAL:
    case HY_CODE_PROFILE_INTERNAL:
    case HY_CODE_REST_INTERNAL:
    case HY_CODE_TOO_MANY_LINKS:
    case HY_CODE_CONNECT_RATE:
        return true;
    default:
        return false;
    }
}

bool call_is_unknown(uint32_t code)
{
    return code == HY_CODE_TIMEOUT || code == HY_CODE_UNAVAILABLE;
}

uint64_t call_jitter_ms(uint32_t tries, uint64_t base_ms, uint64_t cap_ms, uint64_t random)
{
    uint64_t most = base_ms;

    for (uint32_t i = 1; i < tries && most < cap_ms; i++)
        most *= 2;
    if (most > cap_ms)
        most = cap_ms;
    return most > 0 ? 1 + random % most : 0;
}
