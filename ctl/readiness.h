/* readiness - is a process of the cluster ready, and if not, why not? */

#ifndef CTL_READINESS_H
#define CTL_READINESS_H

#include <stddef.h>

#include "ctl/child.h"
#include "ctl/layout.h"

/* NULL: it is ready. Else a sentence, which may lie in text. Blocks for at most a second. */
const char *readiness_why_not(const struct layout *layout, const struct child *child, char *text,
                              size_t size);

#endif
