/* hongyan-store: one shard of what lasts. */

#include <stdlib.h>

#include "common/log.h"
#include "common/process.h"
#include "store/serve.h"
#include "store/standing.h"

int main(int argc, char **argv)
{
    struct hy_process process = {0};
    struct serve *serve = NULL;
    struct standing *standing = NULL;
    char why[256];
    int exit_code = EXIT_FAILURE;
    enum hy_err err;

    if (!hy_process_start(&process, &store_settings_spec, argc, argv, &exit_code))
        return exit_code;
    err = serve_open(process.loop, process.settings, &serve, why);
    if (err == HY_OK)
        err = standing_open(process.loop, process.settings, serve_endpoint(serve), &standing, why);
    if (err == HY_OK) {
        hy_status_ready(process.status, "database", serve_ready, serve);
        hy_process_port(&process, "bus", serve_endpoint(serve));
        hy_process_ports_done(&process);
        hy_log_info("store.ready", "bus=%s", serve_endpoint(serve));
        hy_process_run(&process);
    } else {
        hy_log_error("store.not_started", "why=\"%s\"", why);
    }
    hy_status_close(&process.status); /* it asks serve */
    standing_close(&standing);
    serve_close(&serve);
    hy_process_end(&process);
    return err == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
