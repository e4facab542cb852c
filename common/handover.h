/* handover - telling ThreadSanitizer what libraries do under locks of their own.
 *
 * Libraries from packages are not instrumented, so it does not see that one thread gave memory to
 * another by way of them: the one says HY_GIVES, the other HY_TAKES, about the same place. Nothing
 * in other builds. */

#ifndef COMMON_HANDOVER_H
#define COMMON_HANDOVER_H

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define HY_GIVES(place) __tsan_release(place)
#define HY_TAKES(place) __tsan_acquire(place)
#else
#define HY_GIVES(place) ((void)(place))
#define HY_TAKES(place) ((void)(place))
#endif

#endif
