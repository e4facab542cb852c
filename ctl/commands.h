/* commands - what hongyanctl can do; main.c has the table. Each reads its own options and returns
 * the exit code. */

#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include "ctl/args.h"

int command_up(const struct command *command, int argc, char **argv);
int command_down(const struct command *command, int argc, char **argv);
int command_status(const struct command *command, int argc, char **argv);
int command_add(const struct command *command, int argc, char **argv);
int command_remove(const struct command *command, int argc, char **argv);
int command_node_list(const struct command *command, int argc, char **argv);
int command_shard_hand_over(const struct command *command, int argc, char **argv);
int command_shard_add(const struct command *command, int argc, char **argv);
int command_shard_drain(const struct command *command, int argc, char **argv);
int command_rebalance_plan(const struct command *command, int argc, char **argv);
int command_rebalance_start(const struct command *command, int argc, char **argv);
int command_rebalance_status(const struct command *command, int argc, char **argv);
int command_rebalance_pause(const struct command *command, int argc, char **argv);
int command_rebalance_resume(const struct command *command, int argc, char **argv);
int command_rebalance_cancel(const struct command *command, int argc, char **argv);
int command_keygen(const struct command *command, int argc, char **argv);

int command_backup(const struct command *command, int argc, char **argv);
int command_backup_list(const struct command *command, int argc, char **argv);
int command_backup_verify(const struct command *command, int argc, char **argv);
int command_restore(const struct command *command, int argc, char **argv);

int command_app_create(const struct command *command, int argc, char **argv);
int command_app_list(const struct command *command, int argc, char **argv);
int command_app_show(const struct command *command, int argc, char **argv);
int command_app_online(const struct command *command, int argc, char **argv);
int command_app_set(const struct command *command, int argc, char **argv);
int command_app_suspend(const struct command *command, int argc, char **argv);
int command_app_resume(const struct command *command, int argc, char **argv);
int command_app_settings(const struct command *command, int argc, char **argv);

int command_usersig_issue(const struct command *command, int argc, char **argv);
int command_usersig_check(const struct command *command, int argc, char **argv);

int command_chat(const struct command *command, int argc, char **argv);
int command_demo_talk(const struct command *command, int argc, char **argv);
int command_demo(const struct command *command, int argc, char **argv);
int command_replay(const struct command *command, int argc, char **argv);

int command_codes(const struct command *command, int argc, char **argv);

#endif
