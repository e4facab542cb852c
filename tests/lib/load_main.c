#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/files.h"
#include "tests/lib/load.h"
#include "tests/lib/probe.h"

enum { PATIENCE_S = 90 };

/* Was everything read back? */
static bool is_complete(const struct load *load)
{
    return load->stage == LOAD_HEARS;
}

static json_t *to_json(const struct load *load)
{
    const struct accounts *a = &load->accounts;
    struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"users", load->seat_count},
        {"conversations", load->talk_count},
        {"sent", a->sent},
        {"acked", a->acked},
        {"failed", a->failed},
        {"unknown", a->unknown},
        {"delivered", a->delivered},
        {"peeks", a->peeks},
        {"max_gap_ms", a->max_gap_ms},
        {"max_ack_ms", a->max_ack_ms},
        {"last_code", load->last_code},
    };
    json_t *out = json_object();

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        json_object_set_new(out, rows[i].name, json_integer((json_int_t)rows[i].value));
    json_object_set_new(out, "complete", json_boolean(is_complete(load)));
    return out;
}

static int report(struct load *load)
{
    json_t *json = NULL;
    char *text = NULL;
    bool good = is_complete(load);

    load->accounts.unknown += load->open;
    for (size_t i = 0; i < load->seat_count; i++)
        load->accounts.delivered += load->seats[i].stream.count;
    if (!good)
        fprintf(stderr, "hongyan-probe: given up: %zu of %zu users were online, %zu still read\n",
                load->online, load->seat_count, load->reading);
    json = to_json(load);
    text = json_dumps(json, JSON_INDENT(2));
    puts(text);
    if (load->json_file != NULL && files_write(load->json_file, text, strlen(text)) != HY_OK)
        good = false;
    if (load->history_file != NULL && load_write_history(load) != HY_OK)
        good = false;
    free(text);
    json_decref(json);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* clang-format off */
#define L struct load
static const struct arg args[] = {
    {"cluster", "FILE", ARG_TEXT, offsetof(L, cluster_file), 0, 0, true, "cluster.json of a running cluster"},
    {"pairs", "N", ARG_INT, offsetof(L, pairs), 0, 100000, false, "one-to-one conversations (4)"},
    {"groups", "N", ARG_INT, offsetof(L, groups), 0, 100000, false, "groups (1)"},
    {"members", "N", ARG_INT, offsetof(L, members), 2, 2000, false, "members of each (5)"},
    {"rate", "N", ARG_INT, offsetof(L, rate), 0, 1000000, false, "messages a second over all (100); 0: only read back what an earlier run with this name left"},
    {"reads", "N", ARG_INT, offsetof(L, reads), 0, 1000000, false, "newest pages read a second over all while sending (0)"},
    {"seconds", "N", ARG_INT, offsetof(L, seconds), 1, 1000000, false, "how long (10); SIGINT ends it before"},
    {"send-patience", "SECONDS", ARG_INT, offsetof(L, send_s), 1, 3600, false, "how long a send is tried again; its end is unknown after that (for ever)"},
    {"patience", "SECONDS", ARG_INT, offsetof(L, patience_s), 1, 3600, false, "give up when nothing moves for so long (90)"},
    {"json", "FILE", ARG_TEXT, offsetof(L, json_file), 0, 0, false, "where to write the accounts"},
    {"history", "FILE", ARG_TEXT, offsetof(L, history_file), 0, 0, false, "where to write what was sent, told and read, for tests/fault/lab_check.py"},
    {"run", "NAME", ARG_TEXT, offsetof(L, run), 0, 0, false, "begins all names of users and groups; at most 8 characters (random)"},
    {0},
};
#undef L
/* clang-format on */

int probe_load(int argc, char **argv)
{
    static const struct command command = {"load", "--cluster FILE [options]",
                                           "Send, and note what everybody was told and read.",
                                           NULL};
    struct load load = {.pairs = 4, .groups = 1, .members = 5, .rate = 100, .seconds = 10};
    struct arg_list rest = {0};
    int code = 0;

    load.patience_s = PATIENCE_S;
    code = args_parse(&command, args, argc, argv, &load, &rest);
    args_free(&rest);
    if (code >= 0)
        return code;
    code = EXIT_FAILURE;
    if (cluster_load(NULL, load.cluster_file, 0, &load.cluster) == HY_OK &&
        load_set_up(&load) == HY_OK && load_run(&load) == HY_OK)
        code = report(&load);
    load_close(&load);
    return code;
}
