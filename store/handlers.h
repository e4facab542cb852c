/* handlers - every mutating request, and the small reads that go with them: one function each. They
 * decide with what core.h shares and answer through it. store.c has the table. */

#ifndef STORE_HANDLERS_H
#define STORE_HANDLERS_H

#include "store/core.h"

/* append.c */
void append_handle(struct core *core, const struct request *req);
/* mark.c */
void read_handle(struct core *core, const struct request *req);
void conv_set_handle(struct core *core, const struct request *req);
/* user.c */
void user_get_handle(struct core *core, const struct request *req);
void user_put_handle(struct core *core, const struct request *req);
void user_revoke_handle(struct core *core, const struct request *req);
/* group_create.c */
void group_create_handle(struct core *core, const struct request *req);
void group_destroy_handle(struct core *core, const struct request *req);
/* group_import.c */
void groups_import_handle(struct core *core, const struct request *req);
/* group_change.c */
void group_get_handle(struct core *core, const struct request *req);
void group_set_handle(struct core *core, const struct request *req);
void group_owner_handle(struct core *core, const struct request *req);
/* members_edit.c */
void members_add_handle(struct core *core, const struct request *req);
void members_remove_handle(struct core *core, const struct request *req);
/* sweep.c */
void sweep_handle(struct core *core, const struct request *req);
/* member_set.c */
void member_set_handle(struct core *core, const struct request *req);
/* delete_by_sender.c */
void delete_by_sender_handle(struct core *core, const struct request *req);
/* apps.c */
void apps_handle(struct core *core, const struct request *req);
void app_put_handle(struct core *core, const struct request *req);
/* online.c */
void online_handle(struct core *core, const struct request *req);
void online_get_handle(struct core *core, const struct request *req);
/* moves_in.c */
void move_handle(struct core *core, const struct request *req);
/* effects.c */
void effects_handle(struct core *core, const struct request *req);

#endif
