#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/probe.h"
#include "tests/lib/probe_users.h"

/* ---- out ---- */

/* Takes event. */
static void tell(json_t *event)
{
    json_dumpf(event, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(event);
}

static json_t *event_of(const char *kind, const char *user)
{
    return json_pack("{s:s, s:s}", "ev", kind, "u", user);
}

static void tell_about(const char *kind, const char *user, const ProtobufCMessage *msg)
{
    json_t *event = event_of(kind, user), *fields = probe_to_json(msg);

    json_object_update(event, fields);
    json_decref(fields);
    tell(event);
}

static json_t *message_json(const Hy__Msg *msg)
{
    json_t *out = probe_to_json(&msg->base);
    char text[16384];

    hongyan_body_text(msg->body.data, msg->body.len, text, sizeof text);
    json_object_set_new(out, "text", json_string(text));
    return out;
}

void probe_refuse(const json_t *command, const char *why)
{
    json_t *event = json_pack("{s:s, s:i, s:s}", "ev", "answer", "code", -1, "info", why);

    if (json_object_get(command, "id") != NULL)
        json_object_set(event, "id", json_object_get(command, "id"));
    tell(event);
}

/* ---- events ---- */

static void on_state(void *ctx, const struct hongyan_change *change)
{
    static const char *const names[] = {"offline", "connecting", "online", "kicked"};
    struct user *user = ctx;
    json_t *event = event_of("state", user->name);

    json_object_set_new(event, "state", json_string(names[change->state]));
    json_object_set_new(event, "why", json_integer(change->why));
    json_object_set_new(event, "code", json_integer(change->code));
    json_object_set_new(event, "info", json_string(change->info));
    json_object_set_new(event, "resumed", json_boolean(change->resumed));
    tell(event);
}

static void on_message(void *ctx, const Hy__Msg *msg)
{
    struct user *user = ctx;
    json_t *event = event_of("message", user->name), *fields = message_json(msg);

    json_object_update(event, fields);
    json_decref(fields);
    tell(event);
}

static void on_read(void *ctx, const Hy__ReadNotice *notice)
{
    tell_about("read", ((struct user *)ctx)->name, &notice->base);
}

static void on_conv(void *ctx, const Hy__ConvNotice *notice)
{
    tell_about("conv", ((struct user *)ctx)->name, &notice->base);
}

static void on_profile(void *ctx, const Hy__ProfileNotice *notice)
{
    tell_about("profile", ((struct user *)ctx)->name, &notice->base);
}

static void on_system(void *ctx, const Hy__SystemNotice *notice)
{
    tell_about("system", ((struct user *)ctx)->name, &notice->base);
}

const struct hongyan_events probe_events = {on_state, on_message, on_read,
                                            on_conv,  on_profile, on_system};

/* ---- answers ---- */

static void answer(struct asked *asked, uint32_t code, const char *info, json_t *event)
{
    json_object_set_new(event, "code", json_integer(code));
    json_object_set_new(event, "info", json_string(info));
    if (asked->id != NULL)
        json_object_set_new(event, "id", asked->id);
    free(asked);
    tell(event);
}

void probe_on_sent(void *arg, const struct hongyan_sent *sent)
{
    struct asked *asked = arg;
    json_t *event = event_of("answer", asked->name);

    json_object_set_new(event, "client_id", json_string(sent->client_id));
    json_object_set_new(event, "seq", json_integer((json_int_t)sent->seq));
    json_object_set_new(event, "time_ms", json_integer((json_int_t)sent->time_ms));
    answer(asked, sent->code, sent->info, event);
}

void probe_on_answer(void *arg, uint32_t code, const char *info, const Hy__Frame *frame)
{
    struct asked *asked = arg;
    json_t *event = event_of("answer", asked->name);

    if (frame != NULL) {
        json_t *fields = probe_to_json(&frame->base);

        json_object_del(fields, "id");
        json_object_update(event, fields);
        json_decref(fields);
    }
    if (frame != NULL && frame->body_case == HY__FRAME__BODY_HISTORY_RES) {
        json_t *texts = json_array();

        for (size_t i = 0; i < frame->history_res->n_msgs; i++)
            json_array_append_new(texts, message_json(frame->history_res->msgs[i]));
        json_object_set_new(event, "msgs", texts);
    }
    answer(asked, code, info, event);
}
