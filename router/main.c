/* hongyan-router: rules across slots, and who is to be told. */

#include <stdlib.h>

#include "common/log.h"
#include "common/process.h"
#include "router/router.h"

static void on_left(void *arg)
{
    hy_loop_stop(arg);
}

struct running {
    struct hy_process *process;
    struct router *router;
};

static void on_stopping(void *ctx)
{
    struct running *running = ctx;

    router_leave(running->router, on_left, running->process->loop);
}

int main(int argc, char **argv)
{
    struct hy_process process = {.stopping = on_stopping};
    struct router *router = NULL;
    struct running running = {.process = &process};
    int exit_code = EXIT_FAILURE;
    enum hy_err err;

    if (!hy_process_start(&process, &router_settings_spec, argc, argv, &exit_code))
        return exit_code;
    err = router_open(process.loop, process.settings, &router);
    if (err == HY_OK) {
        running.router = router;
        process.ctx = &running;
        router_ready_checks(router, process.status);
        hy_process_port(&process, "bus", router_endpoint(router));
        hy_process_ports_done(&process);
        hy_process_run(&process);
    }
    hy_status_close(&process.status); /* its thread asks the router whether it is ready */
    router_close(&router);
    if (err != HY_OK)
        hy_log_error("router.not_started", "why=\"%s\"", hy_err_text(err));
    hy_process_end(&process);
    return err == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
