/* key - every key of the database, made and read back.
 *
 * All keys begin with: slot u16, format u8, app u32. Numbers are big-endian, so byte order is
 * number order and a run of slots is one range in each family. Slot 0xFFFF is the shard itself.
 *
 *   family   format            after the head                         value
 *   default  KEY_EPOCH         number (epoch)                         u64 first sequence
 *   default  KEY_COUNTER       -                                      u64 conversations so far
 *   default  KEY_GROUP_COUNT   -                                      GroupCount
 *   default  KEY_APP_COPY      -                                      App, as another shard told it
 *   default  KEY_SLOTS         -                                      ShardSlots
 *   default  KEY_MOVE_OUT      number (move)                          MoveOut
 *   default  KEY_MOVE_IN       number (move)                          MoveIn
 *   entity   KEY_APP           -                                      App
 *   entity   KEY_USER          user                                   User
 *   entity   KEY_GROUP         group                                  Group
 *   entity   KEY_MEMBER        conversation u64, user                 Member
 *   entity   KEY_MUTE          conversation u64, user                 Mute
 *   entity   KEY_PAIR          user NUL user, sorted                  Pair
 *   entity   KEY_ONLINE        number (day)                           OnlineDay
 *   entity   KEY_ROSTER        conversation u64                       Roster
 *   log      KEY_LOG_C2C       conversation u64, number (seq)         head, Msg (value.h)
 *   log      KEY_LOG_GROUP     conversation u64, number (seq)         head, Msg
 *   index    KEY_INDEX         user NUL, type u8, peer NUL, part u8   IndexRow: part 0 is what
 *                                                                     conversations say, 1 the
 *                                                                     user's own marks
 *   dedupe   KEY_SENT          conversation u64, user NUL, client id  time, DedupeRow (value.h)
 *   dedupe   KEY_OP            kind u16, op id                        time, DedupeRow
 *   outbox   KEY_OUT_PAIR      user NUL user, sorted                  empty: the head is read
 *   outbox   KEY_OUT_MEMBER    conversation u64, user                 Effect
 *
 * Texts are at most KEY_TEXT_MAX bytes and hold no NUL; callers check (key_text_ok). */

#ifndef STORE_KEY_H
#define STORE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Column families in the order of their creation: logs of changes address them by number. */
enum family {
    FAMILY_DEFAULT,
    FAMILY_ENTITY,
    FAMILY_LOG,
    FAMILY_INDEX,
    FAMILY_DEDUPE,
    FAMILY_OUTBOX,
    FAMILY_COUNT,
};

enum key_format {
    KEY_EPOCH = 0x01,
    KEY_COUNTER = 0x02,
    KEY_GROUP_COUNT = 0x03,
    KEY_APP_COPY = 0x04,
    KEY_SLOTS = 0x05,
    KEY_MOVE_OUT = 0x06,
    KEY_MOVE_IN = 0x07,
    KEY_APP = 0x10,
    KEY_USER = 0x11,
    KEY_GROUP = 0x12,
    KEY_MEMBER = 0x13,
    KEY_MUTE = 0x14,
    KEY_PAIR = 0x15,
    KEY_ONLINE = 0x16,
    KEY_ROSTER = 0x17,
    KEY_LOG_C2C = 0x20,
    KEY_LOG_GROUP = 0x21,
    KEY_INDEX = 0x30,
    KEY_SENT = 0x40,
    KEY_OP = 0x41,
    KEY_OUT_PAIR = 0x50,
    KEY_OUT_MEMBER = 0x51,
};

enum { KEY_HEAD = 7, KEY_TEXT_MAX = 128, KEY_MAX = KEY_HEAD + 2 * KEY_TEXT_MAX + 16 };
enum { KEY_SLOT_SHARD = 0xFFFF };
enum key_index_part { KEY_INDEX_ROW = 0, KEY_INDEX_MARKS = 1 };

struct key {
    uint16_t len;
    uint8_t bytes[KEY_MAX];
};

/* Where a thing lives; the head of its key, but for the format. */
struct key_home {
    uint16_t slot;
    uint32_t app;
};

/* May text be part of a key: 1..KEY_TEXT_MAX bytes? */
bool key_text_ok(const char *text);

/* The head alone: the first key of a format in a home, and itself the key of the formats with "-".
 */
void key_head(struct key *key, struct key_home home, enum key_format format);

/* Formats of one number: KEY_EPOCH, KEY_ONLINE, KEY_MOVE_OUT, KEY_MOVE_IN. */
void key_number(struct key *key, struct key_home home, enum key_format format, uint64_t number);

/* Formats of one text: KEY_USER, KEY_GROUP. */
void key_text(struct key *key, struct key_home home, enum key_format format, const char *text);

/* Formats of conversation and user: KEY_MEMBER, KEY_MUTE, KEY_OUT_MEMBER. user NULL: the first key
 * of the conversation, or, of KEY_ROSTER, the only one. */
void key_member(struct key *key, struct key_home home, enum key_format format,
                uint64_t conversation, const char *user);

/* KEY_PAIR, KEY_OUT_PAIR; the two users come in any order. */
void key_pair(struct key *key, struct key_home home, enum key_format format, const char *a,
              const char *b);

/* KEY_LOG_C2C, KEY_LOG_GROUP. */
void key_log(struct key *key, struct key_home home, enum key_format format, uint64_t conversation,
             uint64_t seq);

/* KEY_INDEX. type 0: the first key of the user; peer NULL: the first of the type. */
void key_index(struct key *key, struct key_home home, const char *user, uint8_t type,
               const char *peer, enum key_index_part part);

/* KEY_SENT. user NULL: the first key of the conversation. */
void key_sent(struct key *key, struct key_home home, uint64_t conversation, const char *user,
              const char *client_id);

/* KEY_OP: the answer to an operation of a bus kind. */
void key_op(struct key *key, struct key_home home, uint16_t kind, const char *op_id);

/* Make key the first one behind all keys that begin with it. */
void key_after(struct key *key);

/* A key taken apart. Texts are lent from the bytes and not NUL-terminated. */
struct key_parts {
    struct key_home home;
    enum key_format format;
    uint64_t conversation;
    uint64_t number; /* epoch, day, seq, move, or kind */
    const char *first, *second;
    size_t first_len, second_len;
    uint8_t type, part;
};

/* HY_EMALFORMED: no key of ours. */
enum hy_err key_parse(const void *bytes, size_t len, struct key_parts *parts) HY_CHECKED;

/* Copy a text of a key and end it with NUL. False: it does not fit, or holds a NUL. */
bool key_copy_text(const char *text, size_t len, char out[static KEY_TEXT_MAX + 1]);

#endif
