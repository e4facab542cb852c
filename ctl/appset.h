/* appset - one change of an app as written on a command line: NAME=VALUE. */

#ifndef CTL_APPSET_H
#define CTL_APPSET_H

#include "common/err.h"
#include "records.pb-c.h"

/* Apply "c2c_quarters=4", or the texts name=..., to the app in place (texts are lent by change).
 * Prints what is wrong, with what is allowed. */
enum hy_err appset_apply(Hy__App *app, const char *change) HY_CHECKED;

#endif
