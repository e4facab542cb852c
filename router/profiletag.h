/* profiletag - the fields of a profile and what they may hold (REST v4 section 8). Pure. */

#ifndef ROUTER_PROFILETAG_H
#define ROUTER_PROFILETAG_H

#include <stdbool.h>
#include <stdint.h>

#include "client.pb-c.h"

enum { PROFILETAG_TEXT_MOST = 500 };

/* Check one field that somebody wants to set; admin: by REST. A number that came as text becomes a
 * number. Returns 0 or a code: 40009 no such tag, 40008 not for users to write, 40610 wrong type,
 * 40605 not one of the values, 40601 too long, 200008 not UTF-8. */
uint32_t profiletag_check(Hy__Field *field, bool admin);

#endif
