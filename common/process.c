#include "common/process.h"

#include <event2/event.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/settings_table.h"

enum { SIGNALS = 3 };
static const int handled[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};

/* What belongs to the program and not to a struct: there is one process in a process. */
static struct {
    struct event *signals[SIGNALS];
    struct hy_buf ports;
    bool stopping;
    _Atomic bool started; /* read by the status thread */
    struct hy_metric *reload_ok, *reload_at;
} own;

enum action { RUN, CHECK, PRINT, DOCUMENT, VERSION, HELP, WRONG };

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},    {"name", required_argument, NULL, 'n'},
    {"check-config", no_argument, NULL, CHECK},  {"print-config", no_argument, NULL, PRINT},
    {"config-doc", no_argument, NULL, DOCUMENT}, {"version", no_argument, NULL, VERSION},
    {"help", no_argument, NULL, HELP},           {0},
};

static void print_help(const struct hy_settings_spec *spec)
{
    const struct hy_setting *row;

    printf("hongyan-%s [--config FILE] [--name NAME]\n"
           "  --config FILE    settings, in libconfig's form\n"
           "  --name NAME      name of this process in the cluster\n"
           "  --check-config   read the settings, say what is wrong, end\n"
           "  --print-config   print the settings as they would be used\n"
           "  --config-doc     print the table of settings as Markdown\n"
           "  --version, --help\n\n"
           "Settings (key, default, meaning):\n",
           spec->component);
    for (size_t i = 0; (row = hy_setting_at(spec, i)) != NULL; i++)
        printf("  %-28s %-16s %s\n", row->key, row->fallback, row->help);
}

/* --name is an override like the environment's, so that a reload sees it too. */
static void override_name(const struct hy_settings_spec *spec, const char *name)
{
    char variable[128];

    hy_setting_variable(spec, "name", variable);
    setenv(variable, name, 1);
}

static enum action parse_arguments(struct hy_process *process, int argc, char **argv)
{
    enum action action = RUN;
    int option;

    optind = 1;
    while ((option = getopt_long(argc, argv, "c:n:", options, NULL)) != -1) {
        if (option == 'c')
            process->config_file = optarg;
        else if (option == 'n')
            override_name(process->spec, optarg);
        else if (option == '?')
            return WRONG; /* getopt has said what */
        else
            action = (enum action)option;
    }
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected argument %s; see --help\n", argv[0], argv[optind]);
        return WRONG;
    }
    return action;
}

/* Do what ends at once. True: it was that, or the settings are wrong. */
static bool quick_action(struct hy_process *process, enum action action, int *exit_code)
{
    *exit_code = EXIT_SUCCESS;
    if (action == VERSION)
        printf("hongyan-%s %s\n", process->spec->component, HY_VERSION);
    else if (action == HELP)
        print_help(process->spec);
    else if (action == DOCUMENT)
        hy_settings_document(process->spec, stdout);
    if (action == VERSION || action == HELP || action == DOCUMENT)
        return true;

    *exit_code = action == WRONG ? 2 : EXIT_FAILURE;
    if (action == WRONG ||
        hy_settings_load(process->spec, process->config_file, stderr, &process->settings) != HY_OK)
        return true;
    *exit_code = EXIT_SUCCESS;
    if (action == RUN)
        return false;
    if (action == PRINT)
        hy_settings_print(process->spec, process->settings, stdout);
    hy_settings_free(process->spec, &process->settings);
    return true;
}

static struct hy_common_settings *common_of(const struct hy_process *process)
{
    return process->settings;
}

/* ---- signals ---- */

static void reload(struct hy_process *process)
{
    enum hy_log_level level;
    enum hy_err err =
        hy_settings_reload(process->spec, process->config_file, stderr, &process->settings);

    hy_set(own.reload_ok, err == HY_OK);
    if (err != HY_OK) {
        hy_log_error("settings.reload_refused", "file=\"%s\" why=\"%s\"",
                     process->config_file != NULL ? process->config_file : "", hy_err_text(err));
        return;
    }
    hy_set(own.reload_at, (int64_t)(hy_wall_ms() / 1000));
    if (hy_log_level_parse(common_of(process)->log_level, &level) == HY_OK)
        hy_log_set_level(level);
    hy_loop_pace(process->loop, (uint32_t)common_of(process)->pace_us);
    if (process->reloaded != NULL)
        process->reloaded(process->ctx, process->settings);
    hy_log_info("settings.reloaded", "file=\"%s\"",
                process->config_file != NULL ? process->config_file : "");
}

static void stop(struct hy_process *process, int signal_number)
{
    bool again = own.stopping;

    own.stopping = true;
    hy_log_info("process.stopping", "signal=%d again=%d", signal_number, again);
    if (again || process->stopping == NULL)
        hy_loop_stop(process->loop);
    else
        process->stopping(process->ctx);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)what;
    if (number == SIGHUP)
        reload(arg);
    else
        stop(arg, (int)number);
}

/* From here on a signal waits for the loop instead of ending the process. */
static enum hy_err open_signals(struct hy_process *process)
{
    own.stopping = false;
    for (int i = 0; i < SIGNALS; i++) {
        own.signals[i] = evsignal_new(hy_loop_base(process->loop), handled[i], on_signal, process);
        if (own.signals[i] == NULL || event_add(own.signals[i], NULL) != 0)
            return HY_ENOMEM;
    }
    return HY_OK;
}

/* ---- start and end ---- */

/* Every link is a descriptor: take all that the system grants. */
static void raise_limits(void)
{
    struct rlimit limit;

    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void open_metrics(void)
{
    own.reload_ok = hy_gauge("hongyan_config_last_reload_successful", "",
                             "1 if the last reading of the settings was good");
    own.reload_at = hy_gauge("hongyan_config_last_reload_success_timestamp_seconds", "",
                             "when the settings were last read");
    hy_set(own.reload_ok, 1);
    hy_set(own.reload_at, (int64_t)(hy_wall_ms() / 1000));
}

/* The status port answers before the program has registered its checks: without this one it would
 * be ready for a moment. */
static const char *check_started(void *arg)
{
    (void)arg;
    return own.started ? NULL : "the process is starting";
}

/* Batches on the bus have up to 256 KB. By glibc's own limits each is mapped, touched page by page
 * and unmapped again, on either side: two page faults for a page of history. */
static void keep_memory(void)
{
    enum { MB = 1 << 20 };

    (void)mallopt(M_MMAP_THRESHOLD, 4 * MB);
    (void)mallopt(M_TRIM_THRESHOLD, 8 * MB);
}

static enum hy_err open_parts(struct hy_process *process)
{
    struct hy_common_settings *settings = common_of(process);
    enum hy_log_level level = HY_LOG_INFO;
    enum hy_err err = hy_log_level_parse(settings->log_level, &level);
    char port[16];

    if (err != HY_OK)
        return err;
    hy_log_open(process->spec->component, settings->name, level,
                strcmp(settings->log_format, "json") == 0);
    raise_limits();
    keep_memory();
    open_metrics();
    err = hy_loop_open(&process->loop);
    if (err != HY_OK)
        return err;
    hy_loop_pace(process->loop, (uint32_t)settings->pace_us);
    err = open_signals(process);
    if (err != HY_OK)
        return err;
    err = hy_status_open(settings->status_listen, &process->status);
    if (err != HY_OK)
        return err;
    hy_status_ready(process->status, "started", check_started, NULL);
    hy_status_live(process->status, "main", process->loop);
    snprintf(port, sizeof port, "%u", (unsigned)hy_status_port(process->status));
    hy_process_port(process, "status", port);
    return HY_OK;
}

bool hy_process_start(struct hy_process *process, const struct hy_settings_spec *spec, int argc,
                      char **argv, int *exit_code)
{
    process->spec = spec;
    if (quick_action(process, parse_arguments(process, argc, argv), exit_code))
        return false;
    enum hy_err err = open_parts(process);

    if (err == HY_OK) {
        hy_log_info("process.started", "version=%s pid=%d status_port=%u", HY_VERSION,
                    (int)getpid(), (unsigned)hy_status_port(process->status));
        return true;
    }
    hy_log_error("process.start_failed", "status_listen=%s why=\"%s\"",
                 common_of(process)->status_listen, hy_err_text(err));
    hy_process_end(process);
    *exit_code = EXIT_FAILURE;
    return false;
}

void hy_process_run(struct hy_process *process)
{
    hy_loop_run(process->loop);
    hy_log_info("process.stopped", "pid=%d", (int)getpid());
}

void hy_process_end(struct hy_process *process)
{
    for (int i = 0; i < SIGNALS; i++) {
        if (own.signals[i] != NULL)
            event_free(own.signals[i]);
        own.signals[i] = NULL;
    }
    hy_status_close(&process->status);
    hy_loop_close(&process->loop);
    hy_buf_free(&own.ports);
    hy_settings_free(process->spec, &process->settings);
}

/* ---- ports ---- */

void hy_process_port(struct hy_process *process, const char *key, const char *value)
{
    char line[512];
    int n = snprintf(line, sizeof line, "%s=%s\n", key, value);

    if (*common_of(process)->ports_file == '\0' || n < 0 || (size_t)n >= sizeof line)
        return;
    if (hy_buf_put(&own.ports, line, (size_t)n) != HY_OK)
        hy_log_warn("ports.lost", "key=%s", key);
}

void hy_process_ports_done(struct hy_process *process)
{
    const char *path = common_of(process)->ports_file;
    char why[256];

    own.started = true;
    if (*path != '\0' && hy_file_replace(path, own.ports.data, own.ports.len, false, why) != HY_OK)
        hy_log_error("ports.not_written", "why=\"%s\"", why);
}
