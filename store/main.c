/* hongyan-store: one shard of what lasts. */

#include <stdlib.h>

#include "common/log.h"
#include "common/process.h"
#include "store/serve.h"

struct running {
    struct hy_process *process;
    struct serve *serve;
};

static void on_left(void *arg)
{
    hy_loop_stop(arg);
}

static void on_stopping(void *ctx)
{
    struct running *running = ctx;

    serve_leave(running->serve, on_left, running->process->loop);
}

int main(int argc, char **argv)
{
    struct hy_process process = {.stopping = on_stopping};
    struct serve *serve = NULL;
    struct running running = {.process = &process};
    char why[256];
    int exit_code = EXIT_FAILURE;
    enum hy_err err;

    if (!hy_process_start(&process, &store_settings_spec, argc, argv, &exit_code))
        return exit_code;
    err = serve_open(process.loop, process.settings, &serve, why);
    if (err == HY_OK) {
        running.serve = serve;
        process.ctx = &running;
        hy_status_ready(process.status, "database", serve_ready, serve);
        hy_process_port(&process, "bus", serve_endpoint(serve));
        hy_process_ports_done(&process);
        hy_log_info("store.ready", "bus=%s", serve_endpoint(serve));
        hy_process_run(&process);
    } else {
        hy_log_error("store.not_started", "why=\"%s\"", why);
    }
    hy_status_close(&process.status); /* it asks serve */
    serve_close(&serve);
    hy_process_end(&process);
    return err == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
