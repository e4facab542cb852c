#include "common/etcd_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/etcd_http.h"
#include "common/log.h"
#include "common/metrics.h"

enum { TOKEN_MAX = 2048, PASSWORD_MAX = 256, URL_MAX = 320, LEAST_MS = 50, REST_MS = 100 };

/* Where an ask is. */
enum ask_state {
    ASK_NEW,     /* to be sent by the timer */
    ASK_WAITING, /* for the token */
    ASK_SENT,
};

struct etcd_ask {
    struct etcd_ask *next, **link;
    struct etcd_client *client;
    enum ask_state state;
    const char *path;
    char *body;
    bool once, signed_in_again;
    bool signs_in; /* it brings the token, and needs none */
    unsigned tries;
    size_t member; /* that it was sent to */
    uint64_t due_ms, sent_ms;
    uint64_t from_ms; /* not to be sent before: all members have just been tried */
    etcd_reply_fn *done;
    void *arg;
    struct etcd_http_call *call;
};

struct etcd_client {
    struct hy_loop *loop;
    struct etcd_http *http;
    char **members;
    size_t member_count, member; /* the one that is asked */
    char *user, *ca, *certificate, *key;
    char password[PASSWORD_MAX];
    char token[TOKEN_MAX]; /* "": not signed in */
    bool signing_in;
    bool up, told_down;
    hy_loop_fn *moved;
    void *arg;
    bool has_moved;
    struct hy_timer *soon;
    struct etcd_ask *asks; /* newest first */
    struct hy_metric *up_gauge;
};

/* ---- members ---- */

static void answered(struct etcd_client *client)
{
    if (!client->up)
        hy_log_info("coord.connected", "member=%s", client->members[client->member]);
    client->up = true;
    client->told_down = false;
    hy_set(client->up_gauge, 1);
}

/* Only the first of a row is worth a warning. */
static void silent(struct etcd_client *client, const char *why)
{
    const char *member = client->members[client->member];

    client->up = false;
    hy_set(client->up_gauge, 0);
    if (client->told_down)
        hy_log_debug("coord.member_silent", "member=%s why=\"%s\"", member, why);
    else
        hy_log_warn("coord.member_silent",
                    "member=%s why=\"%s\" hint=\"traffic goes on with what is known; look whether "
                    "most members of etcd run and are reached from here (etcd.endpoints)\"",
                    member, why);
    client->told_down = true;
}

void etcd_client_move(struct etcd_client *client, const char *why)
{
    silent(client, why);
    client->member = (client->member + 1) % client->member_count;
    client->has_moved = true;
    hy_timer_set(client->soon, 0);
}

bool etcd_client_up(const struct etcd_client *client)
{
    return client->up;
}

void etcd_client_sign_out(struct etcd_client *client)
{
    explicit_bzero(client->token, sizeof client->token);
}

/* ---- asks ---- */

static void ask_free(struct etcd_ask *ask)
{
    *ask->link = ask->next;
    if (ask->next != NULL)
        ask->next->link = ask->link;
    etcd_http_cancel(ask->client->http, &ask->call);
    if (ask->body != NULL)
        explicit_bzero(ask->body, strlen(ask->body)); /* it may hold a password */
    free(ask->body);
    free(ask);
}

/* Tell and free. */
static void ask_end(struct etcd_ask *ask, const struct etcd_reply *reply)
{
    etcd_reply_fn *done = ask->done;
    void *arg = ask->arg;

    ask_free(ask);
    if (done != NULL)
        done(arg, reply);
}

static void ask_fail(struct etcd_ask *ask, enum hy_err err)
{
    struct etcd_reply reply = {.err = err, .text = ""};

    ask_end(ask, &reply);
}

/* To be sent at the next turn of the timer. */
static void ask_soon(struct etcd_ask *ask)
{
    ask->state = ASK_NEW;
    hy_timer_set(ask->client->soon, 0);
}

/* It surely had no effect where it was sent. */
static void ask_next_member(struct etcd_ask *ask, const char *why)
{
    if (ask->member == ask->client->member) /* else somebody else has moved already */
        etcd_client_move(ask->client, why);
    uint64_t now = hy_steady_ms();

    if (++ask->tries % ask->client->member_count == 0)
        ask->from_ms = now + REST_MS;
    if ((ask->from_ms > now ? ask->from_ms : now) + LEAST_MS < ask->due_ms)
        ask_soon(ask);
    else
        ask_fail(ask, HY_ECLOSED);
}

/* The token is too old, or etcd has forgotten it. */
static bool is_stale_token(const struct etcd_error *error)
{
    return error->code == ETCD_UNAUTHENTICATED ||
           strstr(error->text, "revision of auth store is old") != NULL ||
           strstr(error->text, "user name is empty") != NULL;
}

static void ask_refused(struct etcd_ask *ask, const struct etcd_http_answer *answer)
{
    struct etcd_reply reply = {.err = HY_EDENIED, .text = "", .sent_ms = ask->sent_ms};
    struct etcd_client *client = ask->client;

    etcd_error_read(answer->text, answer->len, &reply.error);
    if (is_stale_token(&reply.error) && *client->user != '\0' && !ask->signs_in &&
        !ask->signed_in_again) {
        etcd_client_sign_out(client);
        ask->signed_in_again = true;
        ask_soon(ask);
    } else if (reply.error.code == ETCD_UNAVAILABLE &&
               strstr(reply.error.text, "no leader") != NULL) {
        ask_next_member(ask, reply.error.text);
    } else if (reply.error.code == ETCD_UNAVAILABLE || reply.error.code == 0 ||
               answer->status >= 500) {
        if (ask->member == client->member)
            etcd_client_move(client, *reply.error.text != '\0' ? reply.error.text : "failed");
        ask_fail(ask, HY_ETIMEOUT);
    } else {
        answered(client);
        ask_end(ask, &reply);
    }
}

static void on_answer(void *arg, const struct etcd_http_answer *answer)
{
    struct etcd_ask *ask = arg;
    struct etcd_reply reply = {
        .err = HY_OK, .text = answer->text, .len = answer->len, .sent_ms = ask->sent_ms};

    ask->call = NULL;
    if (answer->err == HY_ECLOSED) {
        ask_next_member(ask, answer->why);
    } else if (answer->err != HY_OK) {
        if (ask->member == ask->client->member)
            etcd_client_move(ask->client, answer->why);
        ask_fail(ask, HY_ETIMEOUT);
    } else if (answer->status != 200) {
        ask_refused(ask, answer);
    } else {
        answered(ask->client);
        ask_end(ask, &reply);
    }
}

static void ask_send(struct etcd_ask *ask)
{
    struct etcd_client *client = ask->client;
    uint64_t now = hy_steady_ms();
    char url[URL_MAX];
    struct etcd_http_request request = {
        .url = url,
        .body = ask->body,
        .token = *client->token != '\0' ? client->token : NULL,
        .timeout_ms = ask->due_ms > now + LEAST_MS ? (uint32_t)(ask->due_ms - now) : LEAST_MS,
        .fresh = ask->once,
        .done = on_answer,
        .arg = ask,
    };

    snprintf(url, sizeof url, "%s%s", client->members[client->member], ask->path);
    ask->member = client->member;
    ask->sent_ms = now;
    ask->state = ASK_SENT;
    ask->call = ask->body != NULL ? etcd_http_post(client->http, &request) : NULL;
    if (ask->call == NULL)
        ask_fail(ask, HY_ECLOSED);
}

static struct etcd_ask *ask_make(struct etcd_client *client, const struct etcd_question *question)
{
    struct etcd_ask *ask = calloc(1, sizeof *ask);

    if (ask == NULL)
        abort(); /* some hundred bytes; who asks cannot go on without an answer */
    *ask = (struct etcd_ask){
        .client = client,
        .path = question->path,
        .body = question->body,
        .once = question->once,
        .due_ms =
            hy_steady_ms() + (question->patience_ms > 0 ? question->patience_ms : ETCD_PATIENCE_MS),
        .done = question->done,
        .arg = question->arg,
        .next = client->asks,
        .link = &client->asks,
    };
    if (ask->next != NULL)
        ask->next->link = &ask->next;
    client->asks = ask;
    return ask;
}

struct etcd_ask *etcd_client_ask(struct etcd_client *client, const struct etcd_question *question)
{
    struct etcd_ask *ask = ask_make(client, question);

    ask_soon(ask);
    return ask;
}

void etcd_client_forget(struct etcd_ask **ask)
{
    if (*ask != NULL)
        ask_free(*ask);
    *ask = NULL;
}

/* ---- signing in ---- */

static void on_signed_in(void *arg, const struct etcd_reply *reply)
{
    struct etcd_client *client = arg;
    bool good = reply->err == HY_OK && etcd_token_read(reply->text, reply->len, client->token,
                                                       sizeof client->token) == HY_OK;

    client->signing_in = false;
    if (!good && reply->err != HY_ECLOSED)
        hy_log_error("coord.sign_in_failed",
                     "user=%s why=\"%s\" hint=\"check etcd.user and etcd.password_file\"",
                     client->user,
                     reply->err == HY_EDENIED ? reply->error.text : hy_err_text(reply->err));
    for (struct etcd_ask *ask = client->asks, *next; ask != NULL; ask = next) {
        next = ask->next;
        if (ask->state == ASK_WAITING && good)
            ask_soon(ask);
        else if (ask->state == ASK_WAITING)
            ask->due_ms = 0; /* told from the timer, in a turn of their own */
    }
    hy_timer_set(client->soon, 0);
}

static void sign_in(struct etcd_client *client)
{
    const struct etcd_question question = {
        .path = "/v3/auth/authenticate",
        .body = etcd_login_text(client->user, client->password),
        .done = on_signed_in,
        .arg = client,
    };

    struct etcd_ask *ask = ask_make(client, &question);

    client->signing_in = true;
    ask->signs_in = true;
    ask_send(ask);
}

/* ---- turns ---- */

/* The oldest ask that can go on; NULL: none now. *rest_ms gets how long until one can. */
static struct etcd_ask *ask_ready(struct etcd_client *client, uint64_t *rest_ms)
{
    struct etcd_ask *oldest = NULL;
    uint64_t now = hy_steady_ms();

    *rest_ms = UINT64_MAX;
    for (struct etcd_ask *ask = client->asks; ask != NULL; ask = ask->next) {
        /* who is freed unlinks itself. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        if (ask->state == ASK_NEW && ask->from_ms > now)
            *rest_ms = ask->from_ms - now < *rest_ms ? ask->from_ms - now : *rest_ms;
        else if (ask->state == ASK_NEW || (ask->state == ASK_WAITING && ask->due_ms == 0))
            oldest = ask;
    }
    return oldest;
}

static void ask_go(struct etcd_ask *ask)
{
    struct etcd_client *client = ask->client;

    if (ask->due_ms == 0) {
        ask_fail(ask, HY_ECLOSED);
    } else if (ask->signs_in || *client->user == '\0' || *client->token != '\0') {
        ask_send(ask);
    } else {
        ask->state = ASK_WAITING;
        if (!client->signing_in)
            sign_in(client);
    }
}

static void on_soon(void *arg)
{
    struct etcd_client *client = arg;
    struct etcd_ask *ask;
    uint64_t rest_ms;

    if (client->has_moved) {
        client->has_moved = false;
        client->moved(client->arg);
    }
    while ((ask = ask_ready(client, &rest_ms)) != NULL)
        ask_go(ask);
    if (client->has_moved || rest_ms != UINT64_MAX)
        hy_timer_set(client->soon, client->has_moved ? 0 : rest_ms);
}

/* ---- streams ---- */

struct etcd_http_call *etcd_client_stream(struct etcd_client *client,
                                          const struct etcd_stream *stream)
{
    char url[URL_MAX];
    struct etcd_http_request request = {
        .url = url,
        .body = stream->body,
        .token = *client->token != '\0' ? client->token : NULL,
        .line = stream->line,
        .done = stream->done,
        .arg = stream->arg,
    };
    struct etcd_http_call *call = NULL;

    snprintf(url, sizeof url, "%s%s", client->members[client->member], stream->path);
    if (stream->body != NULL)
        call = etcd_http_post(client->http, &request);
    free(stream->body);
    return call;
}

void etcd_client_unstream(struct etcd_client *client, struct etcd_http_call **call)
{
    etcd_http_cancel(client->http, call);
}

/* ---- open and close ---- */

bool etcd_client_last_word(struct etcd_client *client, const char *path, char *body,
                           uint32_t wait_ms)
{
    char url[URL_MAX];
    struct etcd_http_request request = {.url = url,
                                        .body = body,
                                        .token = *client->token != '\0' ? client->token : NULL,
                                        .timeout_ms = wait_ms};
    bool good = false;

    snprintf(url, sizeof url, "%s%s", client->members[client->member], path);
    if (body != NULL)
        good = etcd_http_post_now(client->http, &request);
    free(body);
    return good;
}

/* Is a file with a secret there, and ours alone? */
static enum hy_err check_secret(const char *setting, const char *path, char why[static 256])
{
    struct stat st;

    if (stat(path, &st) != 0 || access(path, R_OK) != 0) {
        snprintf(why, 256, "%s: \"%.160s\" cannot be read", setting, path);
        return HY_ECONFIG;
    }
    if ((st.st_mode & 077) != 0) {
        snprintf(why, 256, "%s: \"%.160s\" is open to others; chmod 600 it", setting, path);
        return HY_ECONFIG;
    }
    return HY_OK;
}

/* The first line. */
static enum hy_err read_password(const char *path, char password[static PASSWORD_MAX],
                                 char why[static 256])
{
    enum hy_err err = check_secret("etcd.password_file", path, why);
    FILE *file = err == HY_OK ? fopen(path, "re") : NULL;

    if (err != HY_OK)
        return err;
    if (file == NULL || fgets(password, PASSWORD_MAX, file) == NULL)
        *password = '\0';
    if (file != NULL)
        fclose(file);
    password[strcspn(password, "\r\n")] = '\0';
    if (*password != '\0')
        return HY_OK;
    snprintf(why, 256, "etcd.password_file: \"%.160s\" holds no password", path);
    return HY_ECONFIG;
}

static enum hy_err check_readable(const char *setting, const char *path, char why[static 256])
{
    if (*path == '\0' || access(path, R_OK) == 0)
        return HY_OK;
    snprintf(why, 256, "%s: \"%.160s\" cannot be read", setting, path);
    return HY_ECONFIG;
}

/* Settings that go together, and files that must be there. */
static enum hy_err check_settings(const struct hy_common_settings *settings, char why[static 256])
{
    enum hy_err err = check_readable("etcd.ca", settings->etcd_ca, why);

    if (err == HY_OK)
        err = check_readable("etcd.certificate", settings->etcd_certificate, why);
    if (err == HY_OK && *settings->etcd_key != '\0')
        err = check_secret("etcd.key", settings->etcd_key, why);
    if (err != HY_OK)
        return err;
    if ((*settings->etcd_certificate == '\0') != (*settings->etcd_key == '\0'))
        snprintf(why, 256, "etcd.certificate and etcd.key go together: set both or none");
    else if ((*settings->etcd_user == '\0') != (*settings->etcd_password_file == '\0'))
        snprintf(why, 256, "etcd.user and etcd.password_file go together: set both or none");
    else
        return HY_OK;
    return HY_ECONFIG;
}

static enum hy_err copy_members(struct etcd_client *client, const struct hy_text_list *list)
{
    client->members = calloc(list->count, sizeof(char *));
    for (size_t i = 0; i < list->count && client->members != NULL; i++) {
        client->members[i] = strdup(list->items[i]);
        if (client->members[i] == NULL)
            return HY_ENOMEM;
        client->member_count++;
    }
    /* processes do not all begin with the same one */
    client->member = client->member_count > 0 ? hy_random64() % client->member_count : 0;
    return client->members != NULL ? HY_OK : HY_ENOMEM;
}

static enum hy_err copy_settings(struct etcd_client *client,
                                 const struct hy_common_settings *settings, char why[static 256])
{
    enum hy_err err = copy_members(client, &settings->etcd_endpoints);

    if (err != HY_OK)
        return err;
    client->user = strdup(settings->etcd_user);
    client->ca = strdup(settings->etcd_ca);
    client->certificate = strdup(settings->etcd_certificate);
    client->key = strdup(settings->etcd_key);
    if (client->user == NULL || client->ca == NULL || client->certificate == NULL ||
        client->key == NULL)
        return HY_ENOMEM;
    return *client->user != '\0'
               ? read_password(settings->etcd_password_file, client->password, why)
               : HY_OK;
}

static enum hy_err open_parts(struct etcd_client *client, const struct hy_common_settings *settings,
                              char why[static 256])
{
    enum hy_err err = check_settings(settings, why);

    if (err == HY_OK)
        err = copy_settings(client, settings, why);
    if (err == HY_OK)
        err = hy_timer_open(client->loop, on_soon, client, &client->soon);
    if (err == HY_OK) {
        const struct etcd_http_tls tls = {client->ca, client->certificate, client->key};

        err = etcd_http_open(client->loop, &tls, &client->http);
    }
    return err;
}

enum hy_err etcd_client_open(struct hy_loop *loop, const struct hy_common_settings *settings,
                             hy_loop_fn *moved, void *arg, struct etcd_client **client,
                             char why[static 256])
{
    struct etcd_client *c = calloc(1, sizeof *c);

    if (c == NULL)
        return HY_ENOMEM;
    c->loop = loop;
    c->moved = moved;
    c->arg = arg;
    c->up_gauge = hy_gauge("hongyan_coord_up", "",
                           "1 while etcd answers; without it traffic goes on with what is known");
    enum hy_err err = open_parts(c, settings, why);

    if (err != HY_OK)
        etcd_client_close(&c);
    else
        *client = c;
    return err;
}

void etcd_client_close(struct etcd_client **client)
{
    struct etcd_client *c = *client;

    if (c == NULL)
        return;
    *client = NULL;
    while (c->asks != NULL)
        ask_free(c->asks);
    etcd_http_close(&c->http);
    hy_timer_close(&c->soon);
    for (size_t i = 0; i < c->member_count; i++)
        free(c->members[i]);
    free(c->members);
    free(c->user);
    free(c->ca);
    free(c->certificate);
    free(c->key);
    explicit_bzero(c, sizeof *c);
    free(c);
}
