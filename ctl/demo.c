#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/body.h"
#include "common/loop.h"
#include "ctl/admin.h"
#include "ctl/cluster.h"
#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/static_files.h"

enum { TICKET_S = 7 * 86400, IMPORT_MS = 5000 };

struct demo {
    struct hy_loop *loop;
    struct evhttp *http;
    struct event *stop[2];
    struct admin *admin;
    const char *cluster_file, *console, *sdk, *ports_file;
    int64_t port;
};

/* ---- answers ---- */

/* Send and let go of json. */
static void answer(struct evhttp_request *request, int status, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

    json_decref(json);
    evhttp_add_header(headers, "Content-Type", "application/json");
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evbuffer_add_printf(evhttp_request_get_output_buffer(request), "%s\n",
                        text != NULL ? text : "{}");
    evhttp_send_reply(request, status, NULL, NULL);
    free(text);
}

static void refuse(struct evhttp_request *request, int status, const char *why)
{
    answer(request, status, json_pack("{s:s}", "error", why));
}

/* A page of another site, by a name that leads here, must not get tickets: only our own names are
 * served. */
static bool is_for_us(struct evhttp_request *request)
{
    const char *host = evhttp_request_get_host(request);

    return host != NULL && (strcmp(host, "127.0.0.1") == 0 || strcmp(host, "localhost") == 0);
}

static void on_config(struct evhttp_request *request, void *arg)
{
    struct demo *demo = arg;
    struct cluster cluster;

    if (!is_for_us(request)) {
        refuse(request, 403, "ask 127.0.0.1 or localhost");
    } else if (cluster_load(NULL, demo->cluster_file, 0, &cluster) != HY_OK) {
        refuse(request, 503, "the cluster is not up");
    } else {
        json_t *all = json_array();

        for (size_t i = 0; i < cluster.gateways; i++)
            if (cluster.ws[i] != NULL)
                json_array_append_new(all, json_string(cluster.ws[i]));
        answer(request, 200,
               json_pack("{s:I, s:s?, s:o}", "sdkappid", (json_int_t)cluster.app.sdkappid, "ws",
                         cluster.ws[0], "ws_all", all));
        cluster_free(&cluster);
    }
}

/* ---- tickets ---- */

/* A ticket is ready; it goes out when the account is there. */
struct ticket {
    struct evhttp_request *request;
    json_t *answer;
};

static void on_imported(void *arg, enum hy_err err, const Hy__AdminAnswer *result)
{
    struct ticket *ticket = arg;

    if (err != HY_OK)
        refuse(ticket->request, 503, hy_err_text(err));
    else if (result->code != 0)
        refuse(ticket->request, 400, result->info);
    else
        answer(ticket->request, 200, json_incref(ticket->answer));
    json_decref(ticket->answer);
    free(ticket);
}

static void import(struct demo *demo, struct evhttp_request *request, const struct cluster *cluster,
                   const char *user, const char *sig)
{
    Hy__AdminCall call = HY__ADMIN_CALL__INIT;
    Hy__UserImport op = HY__USER_IMPORT__INIT;
    struct ticket *ticket = calloc(1, sizeof *ticket);

    if (ticket == NULL) {
        refuse(request, 503, hy_err_text(HY_ENOMEM));
        return;
    }
    ticket->request = request;
    ticket->answer = json_pack("{s:I, s:s, s:s}", "sdkappid", (json_int_t)cluster->app.sdkappid,
                               "user", user, "usersig", sig);
    op.user = (char *)user;
    call.op_case = HY__ADMIN_CALL__OP_USER_IMPORT;
    call.user_import = &op;
    admin_begin(demo->admin, cluster->app.sdkappid, &call, IMPORT_MS, on_imported, ticket);
}

static void give_ticket(struct demo *demo, struct evhttp_request *request, const char *user)
{
    struct cluster cluster;
    char sig[HY_USERSIG_MAX];

    if (user == NULL || !hy_account_ok(user)) {
        refuse(request, 400, "user is needed: 1 to 32 printable ASCII characters");
    } else if (cluster_load(NULL, demo->cluster_file, 0, &cluster) != HY_OK) {
        refuse(request, 503, "the cluster is not up");
    } else {
        if (strcmp(user, cluster.app.admin) == 0)
            refuse(request, 403, "the administrator does not chat here");
        else if (cluster_ticket(&cluster, user, TICKET_S, sig) != HY_OK)
            refuse(request, 500, "the ticket cannot be made");
        else
            import(demo, request, &cluster, user, sig);
        cluster_free(&cluster);
    }
}

static void on_usersig(struct evhttp_request *request, void *arg)
{
    struct evkeyvalq query = {0};
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *text = uri != NULL ? evhttp_uri_get_query(uri) : NULL;

    if (!is_for_us(request)) {
        refuse(request, 403, "ask 127.0.0.1 or localhost");
        return;
    }
    if (text == NULL || evhttp_parse_query_str(text, &query) != 0) {
        refuse(request, 400, "user is needed: /api/usersig?user=NAME");
        return;
    }
    give_ticket(arg, request, evhttp_find_header(&query, "user"));
    evhttp_clear_headers(&query);
}

/* ---- pages ---- */

static void on_page(struct evhttp_request *request, void *arg)
{
    struct demo *demo = arg;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *raw = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
    size_t len = 0;
    char *path = raw != NULL ? evhttp_uridecode(raw, 0, &len) : NULL;

    if (!is_for_us(request))
        evhttp_send_error(request, 403, NULL);
    else if (path == NULL || strlen(path) != len || path[0] != '/')
        evhttp_send_error(request, HTTP_BADREQUEST, NULL);
    else if (strncmp(path, "/sdk/", 5) == 0)
        static_files_serve(request, demo->sdk, path + 4);
    else
        static_files_serve(request, demo->console, path);
    free(path);
}

/* ---- life ---- */

static void on_stop(evutil_socket_t number, short what, void *arg)
{
    struct demo *demo = arg;

    (void)number;
    (void)what;
    hy_loop_stop(demo->loop);
}

static uint16_t listen_port(struct evhttp_bound_socket *bound)
{
    struct sockaddr_in at = {0};
    socklen_t size = sizeof at;

    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &size);
    return ntohs(at.sin_port);
}

static enum hy_err listen_http(struct demo *demo)
{
    struct evhttp_bound_socket *bound = NULL;
    char text[64];
    uint16_t port = 0;
    int len = 0;

    demo->http = evhttp_new(hy_loop_base(demo->loop));
    if (demo->http == NULL)
        return HY_ENOMEM;
    evhttp_set_allowed_methods(demo->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_timeout(demo->http, 30);
    evhttp_set_max_headers_size(demo->http, 16384);
    evhttp_set_max_body_size(demo->http, 4096);
    evhttp_set_gencb(demo->http, on_page, demo);
    if (evhttp_set_cb(demo->http, "/api/config", on_config, demo) != 0 ||
        evhttp_set_cb(demo->http, "/api/usersig", on_usersig, demo) != 0)
        return HY_ENOMEM;
    bound = evhttp_bind_socket_with_handle(demo->http, "127.0.0.1", (uint16_t)demo->port);
    if (bound == NULL)
        return HY_EIO;
    port = listen_port(bound);
    if (demo->ports_file == NULL) {
        printf("http://127.0.0.1:%u/\n", port);
        fflush(stdout);
        return HY_OK;
    }
    len = snprintf(text, sizeof text, "http=127.0.0.1:%u\n", port);
    return files_write(demo->ports_file, text, (size_t)len);
}

static enum hy_err open_admin(struct demo *demo)
{
    struct cluster cluster;
    enum hy_err err = cluster_load(NULL, demo->cluster_file, 0, &cluster);

    if (err != HY_OK)
        return err;
    err = admin_open_cluster(demo->loop, &cluster, &demo->admin);
    cluster_free(&cluster);
    return err;
}

static int serve(struct demo *demo)
{
    const int numbers[] = {SIGTERM, SIGINT};
    enum hy_err err = hy_loop_open(&demo->loop);

    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 2 && err == HY_OK; i++) {
        demo->stop[i] = evsignal_new(hy_loop_base(demo->loop), numbers[i], on_stop, demo);
        err = demo->stop[i] != NULL && event_add(demo->stop[i], NULL) == 0 ? HY_OK : HY_ENOMEM;
    }
    if (err == HY_OK)
        err = open_admin(demo);
    if (err == HY_OK)
        err = listen_http(demo);
    if (err == HY_OK)
        hy_loop_run(demo->loop);
    else
        fprintf(stderr, "hongyanctl: the demo cannot be served: %s\n", hy_err_text(err));
    admin_close(&demo->admin);
    if (demo->http != NULL)
        evhttp_free(demo->http);
    for (int i = 0; i < 2; i++)
        if (demo->stop[i] != NULL)
            event_free(demo->stop[i]);
    hy_loop_close(&demo->loop);
    return err == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* clang-format off */
#define D struct demo
static const struct arg args[] = {
    {"cluster", "FILE", ARG_TEXT, offsetof(D, cluster_file), 0, 0, true, "cluster.json of a running cluster"},
    {"console", "DIR", ARG_TEXT, offsetof(D, console), 0, 0, true, "the pages, served under /"},
    {"sdk", "DIR", ARG_TEXT, offsetof(D, sdk), 0, 0, false, "the web SDK, served under /sdk (CONSOLE/../sdk/web/dist)"},
    {"port", "N", ARG_INT, offsetof(D, port), 0, 65535, false, "port on 127.0.0.1 (any)"},
    {"ports-file", "FILE", ARG_TEXT, offsetof(D, ports_file), 0, 0, false, "where to write the port"},
    {0},
};
#undef D
/* clang-format on */

int command_demo(const struct command *command, int argc, char **argv)
{
    struct demo demo = {0};
    struct arg_list rest = {0};
    char sdk[4096];
    int code = args_parse(command, args, argc, argv, &demo, &rest);

    args_free(&rest);
    if (code >= 0)
        return code;
    files_path(sdk, "%s/../sdk/web/dist", demo.console);
    if (demo.sdk == NULL)
        demo.sdk = sdk;
    return serve(&demo);
}
