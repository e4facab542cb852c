/* rest_send - what sends of all kinds share: content, control fields, keys (reference 4). */

#ifndef GATEWAY_REST_SEND_H
#define GATEWAY_REST_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/rest_call.h"

enum { REST_MSG_KEY_SIZE = 40 };

/* Read MsgBody, CloudCustomData, OfflinePushInfo, SendMsgControl and IsNeedReadReceipt into req.
 * Answers and returns false when something is wrong; too_long is the code for that. */
bool rest_send_content(struct rest_call *call, uint32_t too_long, Hy__SendReq *req);

/* "<MsgSeq>_<MsgRandom>_<MsgTimeStamp>" */
void rest_msg_key(uint32_t msg_seq, uint32_t random, uint64_t time_s,
                  char key[static REST_MSG_KEY_SIZE]);

/* MsgSeq of a message: as its REST sender gave it, else its place in the conversation. */
uint32_t rest_msg_seq(const Hy__Msg *msg);

/* Did a router say that some account does not exist? */
bool rest_unknown_account(uint32_t code);

#endif
