/* See broken.h. */
#include "store/replica/broken.h"

unsigned replica_broken_rules;
