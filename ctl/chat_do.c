#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/chat.h"
#include "ctl/talk.h"

enum { PAGE = 20 };

void chat_turn_to(struct chat *chat, Hy__ConvType type, const char *peer)
{
    chat->type = type;
    snprintf(chat->peer, sizeof chat->peer, "%s", peer);
}

static void say(const char *text)
{
    puts(text);
    fflush(stdout);
}

/* The request went out, or could not. */
static void asked(struct chat *chat, enum hy_err err)
{
    chat->busy = err == HY_OK;
    if (err != HY_OK)
        printf("* %s\n", hy_err_text(err));
}

/* False, and told, when the answer is a refusal. */
static bool good(uint32_t code, const char *info)
{
    if (code != 0)
        printf("* %u %s\n", code, info);
    fflush(stdout);
    return code == 0;
}

/* ---- answers ---- */

static void on_sent(void *arg, const struct hongyan_sent *sent)
{
    if (sent->code != 0)
        printf("* not sent: %u %s\n", sent->code, sent->info);
    fflush(stdout);
    chat_done(arg);
}

static void on_done(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    (void)answer;
    if (good(code, info))
        say("* done");
    chat_done(arg);
}

static void on_history(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    if (good(code, info)) {
        const Hy__HistoryRes *res = answer->history_res;

        for (size_t i = 0; i < res->n_msgs; i++) {
            char line[5000];

            talk_line(res->msgs[i], line, sizeof line);
            printf("%6" PRIu64 " %s\n", res->msgs[i]->seq, line);
        }
        if (res->n_msgs == 0)
            say("* nothing");
    }
    fflush(stdout);
    chat_done(arg);
}

static void on_list(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    for (size_t i = 0; good(code, info) && i < answer->conv_list_res->n_convs; i++) {
        const Hy__Conv *conv = answer->conv_list_res->convs[i];
        char line[5000] = "";

        if (conv->last_msg != NULL)
            talk_line(conv->last_msg, line, sizeof line);
        printf("%s %-24s %4u unread  %s\n",
               conv->type == HY__CONV_TYPE__CONV_GROUP ? "group" : "user ", conv->peer,
               conv->unread, line);
    }
    fflush(stdout);
    chat_done(arg);
}

static void on_members(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    static const char *const roles[] = {"", "member", "admin", "owner"};

    for (size_t i = 0; good(code, info) && i < answer->members_get_res->n_members; i++) {
        const Hy__MemberInfo *member = answer->members_get_res->members[i];

        printf("%-8s %s\n", (unsigned)member->role < 4 ? roles[member->role] : "", member->user);
    }
    fflush(stdout);
    chat_done(arg);
}

/* ---- commands ---- */

static void do_to(struct chat *chat, const char *word)
{
    chat_turn_to(chat, HY__CONV_TYPE__CONV_C2C, word);
}

static void do_group(struct chat *chat, const char *word)
{
    chat_turn_to(chat, HY__CONV_TYPE__CONV_GROUP, word);
}

static void do_history(struct chat *chat, const char *word)
{
    uint64_t from = strtoull(word, NULL, 10);

    asked(chat, hongyan_history(chat->client, chat->type, chat->peer, from, false, PAGE, on_history,
                                chat));
}

static void do_read(struct chat *chat, const char *word)
{
    (void)word;
    asked(chat, hongyan_read(chat->client, chat->type, chat->peer, 0, on_done, chat));
}

static void do_list(struct chat *chat, const char *word)
{
    (void)word;
    asked(chat, hongyan_conv_list(chat->client, on_list, chat));
}

static void do_create(struct chat *chat, const char *word)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupCreateReq req = HY__GROUP_CREATE_REQ__INIT;
    Hy__GroupInfo info = HY__GROUP_INFO__INIT;

    info.group = info.name = (char *)word;
    info.type = (char *)"Public";
    info.apply_join = (char *)"FreeAccess";
    req.info = &info;
    frame.body_case = HY__FRAME__BODY_GROUP_CREATE;
    frame.group_create = &req;
    asked(chat, hongyan_request(chat->client, &frame, on_done, chat));
    do_group(chat, word);
}

static void do_join(struct chat *chat, const char *word)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupJoinReq req = HY__GROUP_JOIN_REQ__INIT;

    req.group = (char *)word;
    frame.body_case = HY__FRAME__BODY_GROUP_JOIN;
    frame.group_join = &req;
    asked(chat, hongyan_request(chat->client, &frame, on_done, chat));
    do_group(chat, word);
}

static void do_quit_group(struct chat *chat, const char *word)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupQuitReq req = HY__GROUP_QUIT_REQ__INIT;

    req.group = (char *)word;
    frame.body_case = HY__FRAME__BODY_GROUP_QUIT;
    frame.group_quit = &req;
    asked(chat, hongyan_request(chat->client, &frame, on_done, chat));
}

static void do_members(struct chat *chat, const char *word)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__MembersGetReq req = HY__MEMBERS_GET_REQ__INIT;

    (void)word;
    req.group = chat->peer;
    frame.body_case = HY__FRAME__BODY_MEMBERS_GET;
    frame.members_get = &req;
    asked(chat, hongyan_request(chat->client, &frame, on_members, chat));
}

static void do_quit(struct chat *chat, const char *word)
{
    (void)word;
    chat->over = true;
}

static void do_help(struct chat *chat, const char *word);

static const struct verb {
    const char *name, *word; /* word: what it needs, or NULL */
    bool needs_peer;
    void (*run)(struct chat *chat, const char *word);
    const char *help;
} verbs[] = {
    {"/to", "USER", false, do_to, "talk with a user"},
    {"/group", "GROUP", false, do_group, "talk with a group"},
    {"/history", NULL, true, do_history, "the last messages, or those up to a number"},
    {"/read", NULL, true, do_read, "mark the conversation as read"},
    {"/list", NULL, false, do_list, "recent conversations"},
    {"/create", "GROUP", false, do_create, "make a group that anybody may join"},
    {"/join", "GROUP", false, do_join, "join a group"},
    {"/leave", "GROUP", false, do_quit_group, "leave a group"},
    {"/members", NULL, true, do_members, "who is in the group"},
    {"/help", NULL, false, do_help, "this"},
    {"/quit", NULL, false, do_quit, "end"},
};

enum { VERBS = sizeof verbs / sizeof *verbs };

static void do_help(struct chat *chat, const char *word)
{
    (void)chat;
    (void)word;
    for (size_t i = 0; i < VERBS; i++)
        printf("  %-9s %-6s %s\n", verbs[i].name, verbs[i].word != NULL ? verbs[i].word : "",
               verbs[i].help);
    say("  anything else is said");
}

static void do_verb(struct chat *chat, const char *line)
{
    size_t len = strcspn(line, " ");
    const char *word = line + len + strspn(line + len, " ");

    for (size_t i = 0; i < VERBS; i++) {
        const struct verb *verb = &verbs[i];

        if (strlen(verb->name) != len || memcmp(verb->name, line, len) != 0)
            continue;
        if (verb->word != NULL && *word == '\0')
            printf("* %s needs a %s\n", verb->name, verb->word);
        else if (verb->needs_peer && chat->type == HY__CONV_TYPE__CONV_NONE)
            say("* with whom? /to USER or /group GROUP");
        else
            verb->run(chat, word);
        return;
    }
    printf("* no command %.*s; /help tells them\n", (int)len, line);
}

void chat_do(struct chat *chat, const char *line)
{
    if (line[0] == '\0')
        return;
    if (line[0] == '/')
        do_verb(chat, line);
    else if (chat->type == HY__CONV_TYPE__CONV_NONE)
        say("* with whom? /to USER or /group GROUP");
    else
        asked(chat, hongyan_send_text(chat->client, chat->type, chat->peer, line, on_sent, chat));
    fflush(stdout);
}
