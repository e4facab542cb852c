/* device - the multi-device rule (A10): which sessions of an account may stay when another begins.
 */

#ifndef PRESENCE_DEVICE_H
#define PRESENCE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/* One installation; platform is a Hy__Platform. */
struct device {
    int platform;
    const char *id; /* "" counts as one of its platform */
};

enum device_verdict {
    DEVICE_STAYS,
    DEVICE_SAME,  /* the same installation signs in again: the old session ends in every mode */
    DEVICE_OTHER, /* the rule allows only one of the two */
};

/* What becomes of a session on old when one on fresh begins. mode is App.multi_device:
 *   1 all stay
 *   2 one mobile and one PC
 *   3 one Android, one iOS (iPhone or iPad) and one PC
 *   4 one in all
 * In 2 and 3 browsers and mini-programs are a kind of their own: one of them beside the others.
 * What does not say its platform counts as a PC. A mode that is none of these is 1. */
enum device_verdict device_judge(unsigned mode, const struct device *old,
                                 const struct device *fresh);

/* Does the platform keep receiving offline push when its link is lost? */
bool device_mobile(int platform);

/* The name of a platform in metrics. */
const char *device_platform_name(int platform);

#endif
