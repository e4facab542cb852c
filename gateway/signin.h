/* signin - from a SignInReq or ResumeReq to a session: the rules of the ticket, the account (a
 * router), the place (presence), the answer. */

#ifndef GATEWAY_SIGNIN_H
#define GATEWAY_SIGNIN_H

#include <stdbool.h>
#include <stdint.h>

#include "client.pb-c.h"
#include "gateway/link.h"

struct session;
struct worker;

/* Begin; frame is lent. Answers sign_in_res, now or later. */
void signin_begin(struct worker *worker, struct link *link, const Hy__Frame *frame);
void signin_resume(struct worker *worker, struct link *link, const Hy__Frame *frame);

/* The link of a session that is not signed in yet has ended: forget what is under way. True: the
 * session is of no more use; false: it was being resumed, and may be again. */
bool signin_forget(struct worker *worker, struct session *session);

#endif
