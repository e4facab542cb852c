/* hongyan-router: rules across slots, and who is to be told. */

#include <stdlib.h>

#include "common/log.h"
#include "common/process.h"
#include "router/router.h"

int main(int argc, char **argv)
{
    struct hy_process process = {0};
    struct router *router = NULL;
    int exit_code = EXIT_FAILURE;
    enum hy_err err;

    if (!hy_process_start(&process, &router_settings_spec, argc, argv, &exit_code))
        return exit_code;
    err = router_open(process.loop, process.settings, &router);
    if (err == HY_OK) {
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
