#include <stdlib.h>

#include "common/log.h"
#include "common/process.h"
#include "presence/presence.h"

struct running {
    struct hy_process *process;
    struct presence *presence;
};

static void reloaded(void *ctx, void *settings)
{
    presence_reload(((struct running *)ctx)->presence, settings);
}

static void on_left(void *arg)
{
    hy_loop_stop(arg);
}

static void on_stopping(void *ctx)
{
    struct running *running = ctx;

    presence_leave(running->presence, on_left, running->process->loop);
}

int main(int argc, char **argv)
{
    struct hy_process process = {.reloaded = reloaded, .stopping = on_stopping};
    struct presence *presence = NULL;
    struct running running = {.process = &process};
    int exit_code = EXIT_SUCCESS;

    if (!hy_process_start(&process, &presence_spec, argc, argv, &exit_code))
        return exit_code;
    enum hy_err err = presence_open(process.loop, process.settings, &presence);

    if (err == HY_OK) {
        running.presence = presence;
        process.ctx = &running;
        hy_status_ready(process.status, "router", presence_ready, presence);
        hy_process_port(&process, "bus", presence_endpoint(presence));
        hy_process_ports_done(&process);
        hy_process_run(&process);
    } else {
        hy_log_error("presence.not_opened", "why=\"%s\"", hy_err_text(err));
        exit_code = EXIT_FAILURE;
    }
    hy_status_close(&process.status); /* it asks presence whether it is ready */
    presence_close(&presence);
    hy_process_end(&process);
    return exit_code;
}
