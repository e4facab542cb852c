/* hongyanctl - start, look at and talk through a Hongyan cluster. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ctl/commands.h"

/* clang-format off */
static const struct command commands[] = {
    {"up", "--dir DIR [options]", "Start a cluster on this machine and look after it.", command_up},
    {"down", "--dir DIR", "Stop it.", command_down},
    {"status", "--dir DIR [--output json]", "Show processes and addresses.", command_status},
    {"add", "--dir DIR router|presence|gateway...", "Start one more in a running cluster with etcd; prints its name.", command_add},
    {"remove", "--dir DIR NAME...", "Let a router, presence process, gateway, or store of a drained shard leave it.", command_remove},
    {"node list", "--dir DIR [--output json]", "Show nodes and who leads each shard, as etcd has them.", command_node_list},
    {"backup list", "--from PATH", "List the backups of a folder.", command_backup_list},
    {"backup verify", "--from PATH [--at TIME]", "Check every byte of a backup.", command_backup_verify},
    {"backup", "--dir DIR --to PATH [--keep K]", "Back a running cluster up into a folder.", command_backup},
    {"restore", "--from PATH --dir DIR [--at TIME] [--shards N] [--replicas N]", "Make a cluster's data from a backup.", command_restore},
    {"shard add", "--dir DIR [--count N]", "Start the stores of one more shard; it owns no slots yet.", command_shard_add},
    {"shard drain", "--dir DIR N [--rate-mb R]", "Move all slots of shard N to the others.", command_shard_drain},
    {"shard hand-over", "--dir DIR N [--to NODE]", "Let another copy lead shard N.", command_shard_hand_over},
    {"rebalance plan", "--dir DIR [--drain N] [--output json]", "Show which slots would move so that all shards have as many.", command_rebalance_plan},
    {"rebalance start", "--dir DIR [--rate-mb R]", "Move them, while the cluster runs.", command_rebalance_start},
    {"rebalance status", "--dir DIR [--watch] [--output json]", "Show how far it is.", command_rebalance_status},
    {"rebalance pause", "--dir DIR", "Begin no more moves; those under way end.", command_rebalance_pause},
    {"rebalance resume", "--dir DIR", "Go on after a pause.", command_rebalance_resume},
    {"rebalance cancel", "--dir DIR", "Give up what has not moved; what has stays where it is.", command_rebalance_cancel},
    {"app create", "--dir DIR SDKAPPID [NAME=VALUE...]", "Make an app; prints its key.", command_app_create},
    {"app list", "--dir DIR", "List the apps.", command_app_list},
    {"app show", "--dir DIR SDKAPPID", "Show an app and its settings.", command_app_show},
    {"app online", "--dir DIR SDKAPPID", "Users online now, and the most of a day.", command_app_online},
    {"app set", "--dir DIR SDKAPPID NAME=VALUE...", "Change settings of an app.", command_app_set},
    {"app suspend", "--dir DIR SDKAPPID", "Shut an app: its users and servers are refused.", command_app_suspend},
    {"app resume", "--dir DIR SDKAPPID", "Open a suspended app again.", command_app_resume},
    {"app settings", "[--markdown]", "Explain the settings of an app.", command_app_settings},
    {"usersig issue", "--dir DIR USER", "Make a sign-in ticket.", command_usersig_issue},
    {"usersig check", "--dir DIR USER TICKET", "Check a ticket and say what is wrong with it.", command_usersig_check},
    {"chat", "--dir DIR USER", "Chat in the terminal.", command_chat},
    {"replay", "--cluster FILE LOG...", "Replay days of a chat log as a group and check what arrives.", command_replay},
    {"demo-talk", "--dir DIR", "Let two users talk for a moment, as a first check.", command_demo_talk},
    {"demo", "--cluster FILE --console DIR", "Serve the demo chat page; loopback only.", command_demo},
    {"keygen", "DIR COMPONENT...", "Make CURVE key pairs for processes on several machines.", command_keygen},
    {"codes", "[--markdown]", "Explain the codes that clients and app servers see.", command_codes},
};
/* clang-format on */

enum { COMMANDS = sizeof commands / sizeof *commands };

static int help(FILE *out)
{
    fputs("usage: hongyanctl COMMAND [options]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].help);
    fputs("\nhongyanctl COMMAND --help explains one.\n", out);
    return out == stdout ? EXIT_SUCCESS : 2;
}

/* How many words of argv the name takes; 0: it is another command. */
static int match(const char *name, int argc, char **argv)
{
    char words[64];

    if (argc >= 1 && strcmp(name, argv[0]) == 0)
        return 1;
    if (argc < 2)
        return 0;
    snprintf(words, sizeof words, "%s %s", argv[0], argv[1]);
    return strcmp(name, words) == 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
    hy_log_open("ctl", "hongyanctl", HY_LOG_WARN, false);
    if (argc < 2)
        return help(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return help(stdout);
    if (strcmp(argv[1], "--version") == 0) {
        puts("hongyanctl " HY_VERSION);
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        int words = match(commands[i].name, argc - 1, argv + 1);

        if (words > 0)
            return commands[i].run(&commands[i], argc - 1 - words, argv + 1 + words);
    }
    fprintf(stderr, "hongyanctl: unknown command %s (see hongyanctl --help)\n", argv[1]);
    return 2;
}
