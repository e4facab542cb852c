/* process - what the four programs do alike: arguments, settings, log, signals, status server.
 *
 * gateway/main.c is: hy_process_start(), open, hy_process_run(), close. Options: --config FILE,
 * --name NAME, --check-config, --print-config, --config-doc, --version, --help. */

#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include "common/err.h"
#include "common/loop.h"
#include "common/settings.h"
#include "common/status.h"

struct hy_process {
    const struct hy_settings_spec *spec;
    void *settings;          /* struct of spec; replaced by a reload */
    const char *config_file; /* NULL without */
    struct hy_loop *loop;    /* the main thread's */
    struct hy_status *status;
    void *ctx;                                  /* for the callbacks below */
    void (*reloaded)(void *ctx, void *settings); /* after SIGHUP, in the loop; old struct is gone */
    void (*stopping)(void *ctx);                /* SIGTERM or SIGINT: begin to drain; then call hy_loop_stop().
                                                   NULL: stop at once. A second signal stops at once. */
};

/* Parse arguments, load settings, open log, loop and status. Returns false when the program is to end
 * now with *exit_code (--help, --check-config, an error already printed). SIGPIPE is ignored,
 * RLIMIT_NOFILE raised to its hard limit. */
bool hy_process_start(struct hy_process *process, const struct hy_settings_spec *spec, int argc,
                      char **argv, int *exit_code);

/* Handle signals and turn the loop until it is stopped. */
void hy_process_run(struct hy_process *process);

void hy_process_end(struct hy_process *process);

/* Append "key=value" to the ports file, if the settings name one; the file appears whole (written
 * aside, renamed) when hy_process_ports_done() is called. Writes status=PORT itself. */
void hy_process_port(struct hy_process *process, const char *key, const char *value);
void hy_process_ports_done(struct hy_process *process);

#endif
