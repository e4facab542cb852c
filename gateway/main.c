/* hongyan-gateway: where clients and app servers connect. */

#include <stdlib.h>

#include "common/log.h"
#include "gateway/gateway.h"
#include "gateway/settings.h"

int main(int argc, char **argv)
{
    struct hy_process process = {0};
    struct gateway *gateway = NULL;
    int exit_code = EXIT_SUCCESS;
    enum hy_err err;

    if (!hy_process_start(&process, &gateway_settings_spec, argc, argv, &exit_code))
        return exit_code;
    err = gateway_open(&process, &gateway);
    if (err == HY_OK)
        hy_process_run(&process); /* returns once drained after SIGTERM */
    else
        hy_log_error("gateway.stopped", "why=\"%s\"", hy_err_text(err));
    gateway_stop(gateway);
    hy_process_end(&process);
    gateway_close(&gateway);
    return err == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
