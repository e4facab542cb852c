/* codes - every code a client or REST caller may see, in one table (A15).
 *
 * Numbers are those of REST v4 where it has one for the case; 200001 and up are ours. From this table
 * come the texts, docs/codes.md and the web SDK's constants. A text says what is wrong and, where
 * that is not plain, what to do. */

#ifndef COMMON_CODES_H
#define COMMON_CODES_H

#include <stdbool.h>
#include <stdint.h>

#define HY_CODES(X)                                                                                \
    X(OK, 0, "")                                                                                   \
    /* link and session */                                                                         \
    X(LOGIN_TIMEOUT, 6012, "no sign-in within the deadline; connect and sign in again")            \
    X(NOT_LOGGED_IN, 6014, "sign in first")                                                        \
    X(SIG_EXPIRED_ONLINE, 6206, "the ticket has expired while connected; sign in with a new one")  \
    X(KICKED_BY_DEVICE, 6208, "another device signed in; sign in again to come back")              \
    X(FREQUENCY, 6226, "too many requests on this link; slow down")                                \
    /* entry layer */                                                                              \
    X(HTTP_PARSE, 60002, "the HTTP request could not be parsed; check the URL")                    \
    X(BODY_NOT_JSON, 60003, "the body is not valid JSON; send one JSON object in UTF-8")           \
    X(URL_ACCOUNT, 60004, "identifier is missing or malformed in the URL")                         \
    X(URL_TICKET, 60005, "usersig is missing or malformed in the URL")                             \
    X(APP_UNKNOWN, 60006, "no such sdkappid; check the number")                                    \
    X(RATE_COMMAND, 60007, "the call rate of this command is exceeded; slow down")                 \
    X(TIMEOUT, 60008, "no answer in time inside the cluster; try again")                           \
    X(NO_SUCH_PATH, 60009, "no such command; check service and command in the path")               \
    X(NOT_ADMIN, 60010, "identifier must be an administrator of the app")                          \
    X(RATE_APP, 60011, "the call rate of the app is exceeded; slow down")                          \
    X(APP_MISSING, 60012, "sdkappid is missing in the URL")                                        \
    X(ACCOUNT_NOT_TEXT, 60015, "an account in the body is not a string")                           \
    X(APP_DISABLED, 60016, "the app is suspended")                                                 \
    X(REQUEST_DISABLED, 60017, "this request is disabled for the app")                             \
    X(DIRTY_WORD, 80001, "the text has a forbidden word")                                          \
    X(MSG_TOO_LONG, 80002, "the message is too long; at most 9 KB with all elements")              \
    /* accounts and tickets */                                                                     \
    X(SIG_EXPIRED, 70001, "the ticket has expired; make a new one")                                \
    X(SIG_EMPTY, 70002, "the ticket is empty")                                                     \
    X(SIG_DECODE, 70003, "the ticket cannot be decoded; it may have been cut")                     \
    X(SIG_INVALID, 70005, "the ticket's fields are missing or ill-formed")                         \
    X(SIG_MISMATCH, 70009, "the ticket was not made with this app's key")                          \
    X(SIG_OTHER_USER, 70013, "the ticket belongs to another identifier")                           \
    X(SIG_OTHER_APP, 70014, "the ticket belongs to another sdkappid")                              \
    X(SIG_NO_METHOD, 70015, "the app has no key for this form of ticket")                          \
    X(SIG_NO_KEY, 70016, "the app has no public key for tickets of form v1")                       \
    X(APP_NOT_FOUND, 70020, "no such sdkappid")                                                    \
    X(SIG_TRIES, 70050, "too many failed tickets for this account; wait one minute")               \
    X(SIG_REVOKED, 70052, "the ticket was revoked by a kick; make a new one")                      \
    X(ACCOUNT_UNKNOWN, 70107, "the account does not exist")                                        \
    X(SESSION_OVER, 70221, "the session is over; sign in again")                                   \
    X(ACCOUNT_PARAM, 70402, "a parameter is missing or invalid")                                   \
    X(ACCOUNT_NOT_ADMIN, 70403, "the caller is not an app administrator")                          \
    X(ACCOUNT_INTERNAL, 70500, "internal error; try again")                                        \
    /* profile */                                                                                  \
    X(PROFILE_BAD, 40001, "the profile request is invalid; see ErrorInfo")                         \
    X(PROFILE_NO_ACCOUNT, 40002, "no account is given")                                            \
    X(PROFILE_UNKNOWN, 40003, "the account does not exist")                                        \
    X(PROFILE_INTERNAL, 40006, "internal error; try again")                                        \
    X(PROFILE_READ, 40007, "no right to read that field")                                          \
    X(PROFILE_WRITE, 40008, "no right to write that field")                                        \
    X(PROFILE_NO_TAG, 40009, "no such Tag")                                                        \
    X(PROFILE_TOO_LONG, 40601, "the value is over 500 bytes")                                      \
    X(PROFILE_VALUE, 40605, "that value is not allowed for this field")                            \
    X(PROFILE_TYPE, 40610, "the value has the wrong type")                                         \
    /* one-to-one */                                                                               \
    X(C2C_PACKET, 20001, "the request is malformed")                                               \
    X(C2C_ACCOUNT, 20003, "sender or receiver is invalid or not imported")                         \
    X(C2C_NETWORK, 20004, "no answer in time inside the cluster; try again")                       \
    X(C2C_INTERNAL, 20005, "internal error; try again")                                            \
    X(C2C_BLACKLISTED, 20007, "the sender is on the receiver's black list")                        \
    X(C2C_MUTED, 20012, "the sender is muted")                                                     \
    X(REST_JSON, 90001, "Fail to Parse json data of body, Please check it")                        \
    X(REST_MSG_FORMAT, 90002, "MsgBody is not in message format or has a bad element")             \
    X(REST_TO, 90003, "To_Account is missing or does not exist")                                   \
    X(REST_MSG_SEQ, 90004, "MsgSeq is not an integer")                                             \
    X(REST_MSG_RANDOM, 90005, "MsgRandom is missing or not an integer")                            \
    X(REST_TIMESTAMP, 90006, "MsgTimeStamp is not an integer")                                     \
    X(REST_BODY_ARRAY, 90007, "MsgBody is not an array")                                           \
    X(REST_FROM, 90008, "From_Account is not a string or does not exist")                          \
    X(REST_ADMIN, 90009, "administrator rights are needed")                                        \
    X(REST_NOT_MSG, 90010, "an element of MsgBody has an unknown MsgType")                         \
    X(REST_TARGETS, 90011, "more than 500 targets")                                                \
    X(REST_TO_UNKNOWN, 90012, "To_Account is not registered")                                      \
    X(REST_LIFE_BIG, 90026, "MsgLifeTime is over 604800 seconds")                                  \
    X(REST_TO_ARRAY, 90028, "To_Account is not an array")                                          \
    X(REST_TO_EMPTY, 90029, "To_Account is empty")                                                 \
    X(REST_SYNC, 90031, "SyncOtherMachine is not an integer")                                      \
    X(REST_PUSH_INFO, 90043, "OfflinePushInfo has a wrong type")                                   \
    X(REST_LIFE_TYPE, 90044, "MsgLifeTime is not an integer")                                      \
    X(REST_ACCOUNT, 90048, "the account does not exist")                                           \
    X(REST_MSG_KEY, 90054, "the message key is invalid")                                           \
    X(REST_BATCH_LONG, 90055, "the message is too long for a batch; at most 9 KB")                 \
    X(REST_INTERNAL, 91000, "internal error; try again")                                           \
    X(REST_TOO_LONG, 93000, "the JSON packet is too long")                                         \
    /* groups */                                                                                   \
    X(GROUP_INTERNAL, 10002, "internal error; try again")                                          \
    X(GROUP_NO_COMMAND, 10003, "no such command")                                                  \
    X(GROUP_PARAM, 10004, "a parameter is missing or invalid")                                     \
    X(GROUP_TOO_MANY, 10005, "too many accounts in the request")                                   \
    X(GROUP_RATE, 10006, "too frequent; slow down")                                                \
    X(GROUP_DENIED, 10007, "not permitted, or the group's type does not support it")               \
    X(GROUP_OWNER_QUIT, 10009, "the owner cannot quit; hand the group over or dissolve it")        \
    X(GROUP_UNKNOWN, 10010, "the group does not exist")                                            \
    X(GROUP_JSON, 10011, "the body is not valid JSON")                                             \
    X(GROUP_MEMBER_ALREADY, 10013, "already a member")                                             \
    X(GROUP_FULL, 10014, "the group is full")                                                      \
    X(GROUP_ID_BAD, 10015, "the group id is invalid")                                              \
    X(GROUP_MUTED, 10017, "muted in this group")                                                   \
    X(GROUP_ANSWER_BIG, 10018, "the answer would exceed 1 MB; page or filter")                     \
    X(GROUP_ACCOUNT, 10019, "the account does not exist")                                          \
    X(GROUP_ID_TAKEN, 10021, "the group id is in use")                                             \
    X(GROUP_MSG_RATE, 10023, "the group's message rate is exceeded")                               \
    X(GROUP_ID_OWN, 10025, "the group id is in use by a group of the same owner")                  \
    X(GROUP_NO_HISTORY, 10044, "groups of this type keep no history")                              \
    X(GROUP_QUOTA, 10058, "the app's number of groups is used up; raise max_groups")               \
    /* ours */                                                                                     \
    X(BUSY, 200001, "the cluster is overloaded; try again in a moment")                            \
    X(DISK_FULL, 200002, "the disk of this shard is full; free space, then send again")            \
    X(UNAVAILABLE, 200003, "the shard of this conversation is away; try again")                    \
    X(CLIENT_ID_REUSED, 200004, "this client id was used for another message; take a new one")     \
    X(FRAME_TOO_BIG, 200005, "the frame is over the limit of the gateway")                         \
    X(FRAME_MALFORMED, 200006, "the bytes are no frame of this protocol")                          \
    X(MSG_EMPTY, 200007, "the message is empty; give at least one element with content")           \
    X(NOT_UTF8, 200008, "a text is not valid UTF-8; convert it before sending")                    \
    X(MSG_INVALID, 200009, "the message body does not decode or has an element without a kind")    \
    X(PARAM, 200010, "a parameter is missing or invalid")                                          \
    X(KIND_UNKNOWN, 200011, "this gateway does not know that request; update it or the SDK")       \
    X(TOO_MANY_LINKS, 200012, "the gateway is full; try another")                                  \
    X(CONNECT_RATE, 200013, "too many connections from this address; slow down")                   \
    X(HEARTBEAT, 200014, "no heartbeat in time; resume the session")                               \
    X(SLOW_READER, 200015, "the client reads too slowly; resume the session")

#define HY_CODE_ENUM(name, number, text) HY_CODE_##name = number,
enum hy_code { HY_CODES(HY_CODE_ENUM) };

/* The table's sentence; "unknown code" for one that is not there. */
const char *hy_code_text(uint32_t code);

/* Is a send that was answered so certainly not taken, though another try of it is not answered? What is
 * wrong with the message or its people is wrong at every try. Also true of OK. */
bool hy_code_certain(uint32_t code);

/* Walk the table, for documents and constants. */
void hy_code_each(void (*fn)(void *arg, const char *name, uint32_t code, const char *text), void *arg);

#endif
