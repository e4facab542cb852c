/* hongyan-bench - measures a running cluster.
 *
 * usage: hongyan-bench SCENARIO --cluster FILE [options]; see --help. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/environment.h"
#include "bench/html.h"
#include "bench/json.h"
#include "bench/scenarios.h"
#include "bench/table.h"
#include "bench/threshold.h"

enum exit_code {
    EXIT_GOOD = 0,
    EXIT_ACCOUNT = 1, /* lost, doubled or reordered; or the run failed */
    EXIT_CALL = 2,
    EXIT_THRESHOLD = 3,
};

static const char help_head[] =
    "usage: hongyan-bench SCENARIO --cluster DIR/cluster.json [options]\n"
    "       hongyan-bench SCENARIO --help\n"
    "       hongyan-bench report --html OUT RUN.json...   one page from what --json wrote\n"
    "\n";

static const char help_tail[] =
    "\n"
    "Start a cluster with: hongyanctl up --dir DIR --detach\n"
    "\n"
    "lost, doubled and reordered count pushes as they come, without what a client does about "
    "them:\n"
    "it drops what comes twice and pulls what is missing. They are 0 on a cluster that is left "
    "alone;\n"
    "when processes are killed or restarted meanwhile they are not, though no user misses or sees\n"
    "anything twice. What users see then is counted by: hongyan-probe load\n"
    "\n"
    "Warm-up: the load runs for a tenth of the measured time, and at least a second, before the\n"
    "measured time begins. CPU, rate and latency are those of the measured time; messages are\n"
    "accounted for from the first to the last.\n"
    "\n"
    "Exit status: 0; 1 when a push was lost, doubled or reordered, or the run failed; 2 for a "
    "wrong\n"
    "call; 3 when a --fail-if holds.\n";

static const struct scenario *const scenarios[] = {
    &scenario_s1, &scenario_s2, &scenario_s3, &scenario_s4, &scenario_s4l,
    &scenario_s5, &scenario_s6, &scenario_s7, &scenario_s8, &scenario_s9,
};

static const struct arg common_rows[] = {
    {"cluster", "FILE", ARG_TEXT, offsetof(struct bench_common, cluster), 0, 0, false,
     "the cluster.json of the cluster to measure"},
    {"seconds", "S", ARG_INT, offsetof(struct bench_common, seconds), 1, 1000000, false,
     "measured time (10); a tenth more, at least a second, runs before"},
    {"workers", "N", ARG_INT, offsetof(struct bench_common, workers), 1, 64, false,
     "driver processes (2, or 1 on one core; more when descriptors call for it)"},
    {"tls", NULL, ARG_FLAG, offsetof(struct bench_common, tls), 0, 0, false, "over TLS"},
    {"source", "ADDRESS", ARG_LIST, offsetof(struct bench_common, source), 0, 0, false,
     "connect from this address; give it again for more (of 127.0.0.0/8, as many as are needed)"},
    {"json", "FILE", ARG_TEXT, offsetof(struct bench_common, json), 0, 0, false,
     "write the figures as JSON"},
    {"html", "FILE", ARG_TEXT, offsetof(struct bench_common, html), 0, 0, false,
     "write a page with plots"},
    {"fail-if", "KEY>X", ARG_LIST, offsetof(struct bench_common, fail_if), 0, 0, false,
     "exit with 3 if a number of the JSON is so; >, >=, <, <=; may be given again"},
    {"progress", NULL, ARG_FLAG, offsetof(struct bench_common, progress), 0, 0, false,
     "a line each second on stderr, also when it is no terminal"},
};

enum { COMMON_ROWS = sizeof common_rows / sizeof *common_rows };

static void print_help(FILE *out)
{
    fputs(help_head, out);
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        fprintf(out, "  %-4s %s\n", scenarios[i]->name, scenarios[i]->summary);
    fputs(help_tail, out);
}

static const struct scenario *find(const char *name)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(scenarios[i]->name, name) == 0)
            return scenarios[i];
    return NULL;
}

/* The scenario's own rows, then the common ones; free() it. */
static struct arg *join_rows(const struct arg *own)
{
    size_t count = 0;
    struct arg *rows = NULL;

    while (own[count].name != NULL)
        count++;
    rows = calloc(count + COMMON_ROWS + 1, sizeof *rows);
    if (rows == NULL)
        return NULL;
    memcpy(rows, own, count * sizeof *rows);
    memcpy(rows + count, common_rows, sizeof common_rows);
    return rows;
}

/* What was asked for, by option; for the report. */
static json_t *settings_of(const struct arg *rows, const void *options)
{
    json_t *out = json_object();

    for (; rows->name != NULL; rows++) {
        const void *at = (const char *)options + rows->offset;

        if (rows->type == ARG_INT && *(const int64_t *)at != 0)
            json_object_set_new(out, rows->name, json_integer(*(const int64_t *)at));
        else if (rows->type == ARG_FLAG && *(const bool *)at)
            json_object_set_new(out, rows->name, json_true());
    }
    return out;
}

/* ---- thresholds ---- */

static bool thresholds_good(const struct arg_list *list)
{
    struct threshold threshold;

    for (size_t i = 0; i < list->count; i++) {
        if (threshold_read(list->items[i], &threshold))
            continue;
        fprintf(stderr, "hongyan-bench: --fail-if takes KEY>NUMBER, not %s\n", list->items[i]);
        return false;
    }
    return true;
}

static int check_thresholds(const struct arg_list *list, const json_t *root)
{
    int code = EXIT_GOOD;

    for (size_t i = 0; i < list->count; i++) {
        struct threshold threshold;
        bool known = false;
        bool hit =
            threshold_read(list->items[i], &threshold) && threshold_hit(&threshold, root, &known);

        if (!known)
            fprintf(stderr, "hongyan-bench: the result has no number %s\n", threshold.key);
        else if (hit)
            fprintf(stderr, "hongyan-bench: %s: it is %g\n", list->items[i],
                    json_number_value(json_object_get(root, threshold.key)));
        if (!known)
            return EXIT_CALL;
        if (hit)
            code = EXIT_THRESHOLD;
    }
    return code;
}

/* ---- a run ---- */

static enum hy_err write_files(const struct bench *bench, const json_t *root)
{
    json_t *runs = NULL;
    enum hy_err err = HY_OK;

    if (bench->common->json != NULL &&
        json_dump_file(root, bench->common->json, JSON_INDENT(2)) != 0) {
        fprintf(stderr, "%s: cannot be written\n", bench->common->json);
        return HY_EIO;
    }
    if (bench->common->html == NULL)
        return HY_OK;
    runs = json_pack("[O]", root);
    err = html_write(bench->common->html, runs);
    json_decref(runs);
    return err;
}

/* The exit code. */
static int tell(const struct bench *bench)
{
    const struct result *result = bench->result;
    json_t *root = json_of_result(bench->scenario->name, result);
    int code = EXIT_ACCOUNT;

    table_print(bench->scenario->name, result, stdout);
    if (root != NULL && write_files(bench, root) == HY_OK)
        code = check_thresholds(&bench->common->fail_if, root);
    if (code != EXIT_CALL && result->lost + result->doubled + result->reordered > 0)
        code = EXIT_ACCOUNT;
    json_decref(root);
    return code;
}

static int run(const struct scenario *scenario, const struct arg *rows, const void *options)
{
    static struct result result;
    static struct target target;
    struct bench bench = {scenario, &target, options, options, &result};
    enum hy_err err = HY_OK;
    int code = EXIT_ACCOUNT;

    if (!thresholds_good(&bench.common->fail_if))
        return EXIT_CALL;
    if (bench.common->cluster != NULL && target_load(bench.common->cluster, &target) != HY_OK)
        return EXIT_CALL;
    result.settings = settings_of(rows, options);
    result.environment = environment_of(&target);
    err = scenario->run(&bench);
    if (err == HY_OK)
        code = tell(&bench);
    else
        fprintf(stderr, "hongyan-bench: %s\n", hy_err_text(err));
    if (err == HY_ECONFIG) /* links that do not fit, or no such listener: told already */
        code = EXIT_CALL;
    target_free(&target);
    result_free(&result);
    return code;
}

static int run_scenario(const struct scenario *scenario, int argc, char **argv)
{
    const struct command command = {.name = scenario->name,
                                    .usage = "--cluster DIR/cluster.json [options]",
                                    .help = scenario->help};
    struct bench_common *common = malloc(scenario->size);
    struct arg *rows = join_rows(scenario->rows);
    struct arg_list rest = {NULL, 0};
    int code = EXIT_ACCOUNT;

    if (common == NULL || rows == NULL)
        goto done;
    memcpy(common, scenario->defaults, scenario->size);
    code = args_parse(&command, rows, argc, argv, common, &rest);
    if (code < 0 && rest.count > 0)
        code = args_wrong(&command, "%s is no option", rest.items[0]);
    if (code < 0 && common->cluster == NULL &&
        (scenario->alone == NULL || !scenario->alone(common)))
        code = args_wrong(&command, "--cluster FILE is needed");
    if (code < 0)
        code = run(scenario, rows, common);
    args_free(&common->fail_if);
    args_free(&common->source);

done:
    args_free(&rest);
    free(rows);
    free(common);
    return code;
}

/* ---- report: several runs on one page ---- */

static int run_report(int argc, char **argv)
{
    static const struct arg rows[] = {{"html", "OUT", ARG_TEXT, 0, 0, 0, true, "the page to write"},
                                      {.name = NULL}};
    static const struct command command = {.name = "report",
                                           .usage = "--html OUT RUN.json...",
                                           .help = "One page from runs that --json wrote."};
    const char *html = NULL;
    struct arg_list files = {NULL, 0};
    json_t *runs = json_array();
    int code = args_parse(&command, rows, argc, argv, (void *)&html, &files);

    if (code < 0 && files.count == 0)
        code = args_wrong(&command, "no RUN.json is given");
    for (size_t i = 0; code < 0 && i < files.count; i++) {
        json_error_t error;
        json_t *root = json_load_file(files.items[i], 0, &error);

        if (json_is_object(root)) {
            json_array_append(runs, root);
        } else {
            fprintf(stderr, "%s: %s\n", files.items[i], root == NULL ? error.text : "no run");
            code = EXIT_CALL;
        }
        json_decref(root);
    }
    if (code < 0)
        code = html_write(html, runs) == HY_OK ? EXIT_GOOD : EXIT_ACCOUNT;
    json_decref(runs);
    args_free(&files);
    return code;
}

int main(int argc, char **argv)
{
    const struct scenario *scenario = argc > 1 ? find(argv[1]) : NULL;

    args_program = "hongyan-bench";
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_help(stdout);
        return EXIT_GOOD;
    }
    if (argc > 1 && strcmp(argv[1], "report") == 0)
        return run_report(argc - 2, argv + 2);
    if (scenario != NULL)
        return run_scenario(scenario, argc - 2, argv + 2);
    print_help(stderr);
    return EXIT_CALL;
}
