/* sendcheck - what a client may send: common/body.h and the fields around it. Rules only. */

#ifndef GATEWAY_SENDCHECK_H
#define GATEWAY_SENDCHECK_H

#include <stdint.h>

#include "client.pb-c.h"

/* 0 or a code. max_message_bytes is the app's, for body and custom data together. */
uint32_t send_check(const Hy__SendReq *req, uint32_t max_message_bytes);

#endif
