#include "gateway/rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/body.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "common/slot.h"
#include "common/usersig.h"
#include "gateway/rest_core.h"
#include "gateway/rest_http.h"
#include "gateway/rest_json.h"
#include "gateway/rest_ticket.h"
#include "gateway/rest_url.h"

/* A call with what only this file needs. */
struct pending {
    struct rest_call call; /* first */
    TAILQ_ENTRY(pending) link;
    struct rest_request *request;
    struct rest_url url;
    const struct rest_service *service;
    uint64_t sig_time_s;
    uint64_t began_us;
};

struct rest {
    struct hy_loop *loop;
    struct upstream *upstream;
    struct rest_http *http;
    struct rest_tickets *tickets;
    uint32_t max_body_bytes;
    TAILQ_HEAD(pendings, pending) calls, unused;
    size_t unused_count;
    struct hy_buf answer; /* scratch */
    uint64_t ops;         /* calls so far, from a random start on: their ids */
    struct hy_metric *succeeded, *failed;
    struct hy_histogram *seconds;
};

enum { MOST_UNUSED = 256, KEPT_BYTES = 64 * 1024 };

static const char *const content_type = "application/json; charset=utf-8";

struct upstream *rest_upstream(const struct rest *rest)
{
    return rest->upstream;
}

/* ---------------------------------------------------------------- ending */

static void end(struct pending *p)
{
    struct rest *rest = p->call.rest;

    hy_observe_us(rest->seconds, hy_steady_us() - p->began_us);
    rest_gather_cancel(&p->call);
    TAILQ_REMOVE(&rest->calls, p, link);
    json_decref(p->call.kept);
    if (rest->unused_count == MOST_UNUSED || p->call.arena.size > KEPT_BYTES) {
        hy_arena_free(&p->call.arena);
        free(p);
        return;
    }
    hy_arena_reset(&p->call.arena);
    TAILQ_INSERT_HEAD(&rest->unused, p, link);
    rest->unused_count++;
}

/* A call, with the memory of an older one if there is one. NULL without memory. */
static struct pending *begin(struct rest *rest)
{
    struct pending *p = TAILQ_FIRST(&rest->unused);
    struct hy_arena arena;

    if (p == NULL) {
        p = malloc(sizeof *p);
        if (p == NULL)
            return NULL;
        hy_arena_init(&p->call.arena);
    } else {
        TAILQ_REMOVE(&rest->unused, p, link);
        rest->unused_count--;
    }
    arena = p->call.arena;
    *p = (struct pending){.call = {.rest = rest, .arena = arena}};
    TAILQ_INSERT_TAIL(&rest->calls, p, link);
    return p;
}

/* splitmix64: a random start is spread over all ids, at the price of no system call. */
static uint64_t next_op(struct rest *rest)
{
    uint64_t x = rest->ops += 0x9e3779b97f4a7c15ull;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

/* ---------------------------------------------------------------- answering */

/* A JSON string of text, with its quotes. */
static bool put_text(struct hy_buf *out, const char *text)
{
    json_t *json = NULL;
    char *dumped = NULL;
    bool good = false;

    if (*text == '\0')
        return hy_buf_put(out, "\"\"", 2) == HY_OK;
    json = rest_json_text(text);
    dumped = json_dumps(json, JSON_ENCODE_ANY);
    good = dumped != NULL && hy_buf_put(out, dumped, strlen(dumped)) == HY_OK;
    free(dumped);
    json_decref(json);
    return good;
}

static int put_json(const char *bytes, size_t len, void *arg)
{
    return hy_buf_put(arg, bytes, len) == HY_OK ? 0 : -1;
}

static bool put(struct hy_buf *out, const char *text)
{
    return hy_buf_put(out, text, strlen(text)) == HY_OK;
}

/* What every answer begins with; its object is still open. */
static bool put_outcome(struct hy_buf *out, const struct rest_family *family, uint32_t code,
                        const char *info)
{
    char number[32];

    snprintf(number, sizeof number, ",\"ErrorCode\":%u", code);
    out->len = 0;
    return put(out, code == HY_CODE_OK ? "{\"ActionStatus\":\"OK\",\"ErrorInfo\":"
                                       : "{\"ActionStatus\":\"FAIL\",\"ErrorInfo\":") &&
           put_text(out, info) && put(out, number) &&
           (!family->display || put(out, ",\"ErrorDisplay\":\"\""));
}

/* fields, an object, without its opening brace: ours is open. */
static bool put_fields(struct hy_buf *out, const json_t *fields)
{
    size_t at = out->len;

    if (json_object_size(fields) == 0)
        return put(out, "}");
    if (json_dump_callback(fields, put_json, out, JSON_COMPACT) != 0)
        return false;
    out->data[at] = ',';
    return true;
}

/* Send rest->answer (whole: it could be written) and end the call. */
static void deliver(struct pending *p, bool whole, bool ok)
{
    static const char no_memory[] =
        "{\"ActionStatus\":\"FAIL\",\"ErrorInfo\":\"out of memory; try again\","
        "\"ErrorCode\":200001}";
    struct rest *rest = p->call.rest;
    const struct hy_buf *answer = &rest->answer;

    hy_add(ok ? rest->succeeded : rest->failed, 1);
    if (whole)
        rest_http_answer(&p->request, 200, content_type, answer->data, answer->len);
    else
        rest_http_answer(&p->request, 200, content_type, no_memory, sizeof no_memory - 1);
    if (rest->answer.cap > KEPT_BYTES)
        hy_buf_free(&rest->answer);
    end(p);
}

void rest_finish(struct rest_call *call, json_t *fields, uint32_t code, const char *info)
{
    struct hy_buf *out = &call->rest->answer;
    const struct rest_family *family = call->family;
    bool whole = put_outcome(out, family, code, info) && put_fields(out, fields);

    json_decref(fields);
    if (family->most_answer_bytes > 0 && out->len > family->most_answer_bytes) {
        code = HY_CODE_GROUP_ANSWER_BIG;
        whole = put_outcome(out, family, code, hy_code_text(code)) && put(out, "}");
    }
    deliver((struct pending *)call, whole, code == HY_CODE_OK);
}

void rest_finish_text(struct rest_call *call, const char *members)
{
    struct hy_buf *out = &call->rest->answer;
    bool whole = put_outcome(out, call->family, HY_CODE_OK, "") && put(out, ",") &&
                 put(out, members) && put(out, "}");

    deliver((struct pending *)call, whole, true);
}

/* ---------------------------------------------------------------- the command */

static void run(struct pending *p)
{
    struct rest_call *call = &p->call;
    const struct rest_command *command =
        p->service != NULL ? rest_command_find(p->service, p->url.command) : NULL;
    const char *why = NULL;
    char *body;
    size_t len;

    if (command == NULL) {
        rest_fail(call, rest_no_command(p->url.service), NULL);
        return;
    }
    body = rest_request_body(p->request, &len);
    if (len > call->rest->max_body_bytes) {
        rest_fail(call, HY_CODE_REST_TOO_LONG, NULL);
        return;
    }
    call->body = rest_json_parse(body, len, &call->arena, &why);
    if (call->body == NULL)
        rest_failf(call, call->family->bad_json, "%s (%s)", hy_code_text(call->family->bad_json),
                   why);
    else
        command->handle(call);
}

/* ---------------------------------------------------------------- who calls */

static void ask_revoked(struct rest_call *call, size_t index)
{
    const struct pending *p = (const struct pending *)call;
    Hy__SignInCall question = HY__SIGN_IN_CALL__INIT;

    question.app = call->app;
    question.user = (char *)call->admin;
    question.sig_time_s = p->sig_time_s;
    rest_ask_sign_in(call, index, hy_slot_user(call->app, call->admin), &question);
}

static void on_revoked(struct rest_call *call)
{
    struct pending *p = (struct pending *)call;
    const struct rest_answer *answer = &call->gather.answers[0];

    if (answer->code != HY_CODE_OK) {
        rest_fail(call, answer->code, answer->info);
        return;
    }
    rest_tickets_confirm(call->rest->tickets, call->app, call->admin, p->url.usersig,
                         hy_steady_ms());
    run(p);
}

/* The app of the URL; answers 0 or a code. */
static uint32_t check_app(const struct rest *rest, const struct rest_url *url, const Hy__App **app)
{
    uint32_t sdkappid = 0;

    if (url->sdkappid == NULL || *url->sdkappid == '\0')
        return HY_CODE_APP_MISSING;
    if (!rest_url_app(url->sdkappid, &sdkappid))
        return HY_CODE_APP_UNKNOWN;
    *app = hy_apps_find(upstream_apps(rest->upstream), sdkappid);
    if (*app == NULL && !upstream_ready(rest->upstream))
        return HY_CODE_TIMEOUT; /* just started: there may be such an app */
    if (*app == NULL || (*app)->state > 1)
        return HY_CODE_APP_UNKNOWN;
    return (*app)->state == 1 ? HY_CODE_APP_DISABLED : HY_CODE_OK;
}

/* Who calls, by URL and ticket; 0 or a code. *ask: it is time to ask if the ticket was revoked. */
static uint32_t check_caller(struct pending *p, const Hy__App *app, bool *ask)
{
    const struct rest_url *url = &p->url;
    uint32_t code;

    if (url->identifier == NULL || !hy_account_ok(url->identifier))
        return HY_CODE_URL_ACCOUNT;
    if (url->usersig == NULL || strlen(url->usersig) >= HY_USERSIG_MAX)
        return HY_CODE_URL_TICKET;
    code = rest_tickets_check(p->call.rest->tickets, app, url->identifier, url->usersig,
                              p->call.wall_ms / 1000, hy_steady_ms(), &p->sig_time_s, ask);
    if (code == HY_CODE_OK && !hy_app_admin(app, url->identifier))
        code = HY_CODE_NOT_ADMIN;
    return code;
}

static void admit(struct pending *p)
{
    struct rest_call *call = &p->call;
    const Hy__App *app = NULL;
    bool ask = true;
    uint32_t code = check_app(call->rest, &p->url, &app);

    if (code == HY_CODE_OK)
        code = check_caller(p, app, &ask);
    if (code != HY_CODE_OK) {
        rest_finish(call, NULL, code, hy_code_text(code));
        return;
    }
    call->app = app->sdkappid;
    call->admin = p->url.identifier;
    if (ask)
        rest_gather(call, 1, ask_revoked, on_revoked);
    else
        run(p);
}

/* ---------------------------------------------------------------- requests */

static void answer_plain(struct rest_request **request, int status, const char *text)
{
    rest_http_answer(request, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void on_request(void *ctx, struct rest_request *request)
{
    struct rest *rest = ctx;
    struct pending *p = NULL;
    uint32_t code;

    if (rest_request_method(request) == REST_OPTIONS) {
        rest_http_answer(&request, 200, NULL, NULL, 0);
        return;
    }
    if (rest_request_method(request) == REST_OTHER) {
        answer_plain(&request, 405, "use POST\n");
        return;
    }
    p = begin(rest);
    if (p == NULL) {
        answer_plain(&request, 503, "out of memory\n");
        return;
    }
    p->request = request;
    p->began_us = hy_steady_us();
    p->call.family = &rest_entry_family;
    p->call.client_ip = *rest_request_peer(request);
    p->call.wall_ms = hy_wall_ms();
    p->call.op = next_op(rest);
    code = rest_url_parse(rest_request_target(request), &p->call.arena, &p->url);
    if (code == 404) {
        answer_plain(&p->request, 404, "REST v4 is at /v4/<service>/<command>\n");
        end(p);
        return;
    }
    if (code != HY_CODE_OK) {
        rest_finish(&p->call, NULL, code, hy_code_text(code));
        return;
    }
    p->service = rest_service_find(p->url.service);
    if (p->service != NULL)
        p->call.family = p->service->family;
    admit(p);
}

const Hy__App *rest_app(const struct rest_call *call)
{
    return hy_apps_find(upstream_apps(call->rest->upstream), call->app);
}

void rest_doubt(struct rest_call *call, const char *user)
{
    rest_tickets_doubt(call->rest->tickets, call->app, user);
}

/* ---------------------------------------------------------------- the front */

enum hy_err rest_open(struct hy_loop *loop, int listener, const struct rest_settings *settings,
                      struct upstream *upstream, struct rest **rest)
{
    /* What is somewhat too long gets its code; what is far too long is not even read. */
    const struct rest_http_settings http = {
        .max_body_bytes = settings->max_body_bytes * 2ull + (1 << 20),
        .timeout_s = settings->timeout_s,
        .max_connections = settings->max_connections,
    };
    enum hy_err err = HY_ENOMEM;
    struct rest *r = calloc(1, sizeof *r);

    if (r == NULL)
        goto fail;
    *r = (struct rest){
        .loop = loop, .upstream = upstream, .max_body_bytes = settings->max_body_bytes};
    TAILQ_INIT(&r->calls);
    TAILQ_INIT(&r->unused);
    r->ops = hy_random64();
    r->succeeded = hy_counter("hongyan_gateway_rest_calls_total", "status=\"OK\"",
                              "REST calls answered, by ActionStatus.");
    r->failed = hy_counter("hongyan_gateway_rest_calls_total", "status=\"FAIL\"",
                           "REST calls answered, by ActionStatus.");
    r->seconds = hy_histogram_us("hongyan_gateway_rest_call_seconds", "",
                                 "Time from a REST request to its answer.");
    err = rest_tickets_open(&r->tickets);
    if (err != HY_OK)
        goto fail;
    err = rest_http_open(loop, listener, &http, on_request, r, &r->http);
    listener = -1;
    if (err != HY_OK)
        goto fail;
    *rest = r;
    return HY_OK;

fail:
    if (listener >= 0)
        close(listener);
    rest_close(&r);
    return err;
}

void rest_close(struct rest **rest)
{
    struct rest *r = *rest;

    if (r == NULL)
        return;
    *rest = NULL;
    if (r->http != NULL)
        rest_http_drain(r->http); /* a pipeline goes no further */
    for (struct pending *p = TAILQ_FIRST(&r->calls), *next; p != NULL; p = next) {
        next = TAILQ_NEXT(p, link);
        rest_finish(&p->call, NULL, HY_CODE_TIMEOUT, hy_code_text(HY_CODE_TIMEOUT));
    }
    for (struct pending *p = TAILQ_FIRST(&r->unused), *next; p != NULL; p = next) {
        next = TAILQ_NEXT(p, link);
        hy_arena_free(&p->call.arena);
        free(p);
    }
    hy_buf_free(&r->answer);
    rest_http_close(&r->http);
    rest_tickets_close(&r->tickets);
    free(r);
}

void rest_drain(struct rest *rest)
{
    rest_http_drain(rest->http);
}
