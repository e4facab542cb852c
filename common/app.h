/* app - the apps (tenants) this process knows, and their settings with defaults.
 *
 * The list is the store's; every process polls for changes twice a second (hy_apps_merge), so a
 * change acts within a second (A14). One thread. */

#ifndef COMMON_APP_H
#define COMMON_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "records.pb-c.h"

struct hy_apps;

enum hy_err hy_apps_open(struct hy_apps **apps) HY_CHECKED;
void hy_apps_close(struct hy_apps **apps);

/* The app, or NULL. Lent until the next hy_apps_merge(). */
const Hy__App *hy_apps_find(const struct hy_apps *apps, uint32_t sdkappid);

/* The newest version known; 0 at first. */
uint64_t hy_apps_version(const struct hy_apps *apps);

/* Take over the apps of an AppsRes (copies). HY_ENOMEM changes nothing. */
enum hy_err hy_apps_merge(struct hy_apps *apps, size_t count, Hy__App *const *list,
                          uint64_t version) HY_CHECKED;

void hy_apps_each(const struct hy_apps *apps, void (*fn)(void *arg, const Hy__App *app), void *arg);

/* Is user an administrator of the app? */
bool hy_app_admin(const Hy__App *app, const char *user);

/* Set what is 0 in a new app to its default (multi_device 1, max_message_bytes 9216, retention_days
 * 7, ...). */
void hy_app_defaults(Hy__App *app);

/* Set what is 0 and must not be to its default: what an older caller does not know of. */
void hy_app_repair(Hy__App *app);

/* Set one setting by its name ("c2c_quarters") from text, with its range check.
 * HY_ENOTFOUND: no such setting; HY_ECONFIG: out of range, *hint says what is allowed. */
enum hy_err hy_app_set(Hy__App *app, const char *name, const char *value, const char **hint) HY_CHECKED;

/* Walk the settings: name, value, least, most, help. */
void hy_app_settings_each(const Hy__App *app,
                          void (*fn)(void *arg, const char *name, uint32_t value, uint32_t least,
                                     uint32_t most, const char *help),
                          void *arg);

/* Messages sent before this are expired at now_ms: retention (7 days, or 365/4 days a quarter),
 * but never before the floor (I5). conv_type is a Hy__ConvType. app NULL: 0, nothing expires. */
uint64_t hy_app_floor_ms(const Hy__App *app, int conv_type, uint64_t now_ms);

/* A deep copy, or NULL; free with hy_app_free(). */
Hy__App *hy_app_copy(const Hy__App *app);
void hy_app_free(Hy__App *app);

#endif
