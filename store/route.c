#include "store/route.h"

#include "store/handlers.h"

static const struct route routes[] = {
    {HY__BUS_KIND__STORE_APPEND, ROUTE_WRITES, append_handle, NULL},
    {HY__BUS_KIND__STORE_HISTORY, ROUTE_READS_ASIDE, NULL, history_read},
    {HY__BUS_KIND__STORE_READ, ROUTE_WRITES, read_handle, NULL},
    {HY__BUS_KIND__STORE_HEADS, ROUTE_READS_ASIDE, NULL, heads_read},
    {HY__BUS_KIND__STORE_INDEX, ROUTE_READS_ASIDE, NULL, index_read},
    {HY__BUS_KIND__STORE_CONV_SET, ROUTE_WRITES, conv_set_handle, NULL},
    {HY__BUS_KIND__STORE_USER_GET, ROUTE_READS_SOON, user_get_handle, NULL},
    {HY__BUS_KIND__STORE_USER_PUT, ROUTE_WRITES, user_put_handle, NULL},
    {HY__BUS_KIND__STORE_USER_REVOKE, ROUTE_WRITES, user_revoke_handle, NULL},
    {HY__BUS_KIND__STORE_GROUP_CREATE, ROUTE_WRITES, group_create_handle, NULL},
    {HY__BUS_KIND__STORE_GROUP_GET, ROUTE_READS_SOON, group_get_handle, NULL},
    {HY__BUS_KIND__STORE_GROUP_SET, ROUTE_WRITES, group_set_handle, NULL},
    {HY__BUS_KIND__STORE_GROUP_DESTROY, ROUTE_WRITES, group_destroy_handle, NULL},
    {HY__BUS_KIND__STORE_GROUP_OWNER, ROUTE_WRITES, group_owner_handle, NULL},
    {HY__BUS_KIND__STORE_MEMBERS_GET, ROUTE_READS_ASIDE, NULL, members_read},
    {HY__BUS_KIND__STORE_MEMBERS_ADD, ROUTE_WRITES, members_add_handle, NULL},
    {HY__BUS_KIND__STORE_MEMBERS_REMOVE, ROUTE_WRITES, members_remove_handle, NULL},
    {HY__BUS_KIND__STORE_MEMBER_SET, ROUTE_WRITES, member_set_handle, NULL},
    {HY__BUS_KIND__STORE_DELETE_BY_SENDER, ROUTE_WRITES, delete_by_sender_handle, NULL},
    {HY__BUS_KIND__STORE_GROUP_SCAN, ROUTE_READS_ASIDE, NULL, group_scan_read},
    {HY__BUS_KIND__STORE_GROUPS_IMPORT, ROUTE_WRITES_ALONE, groups_import_handle, NULL},
    {HY__BUS_KIND__STORE_APPS, ROUTE_READS_SOON, apps_handle, NULL},
    {HY__BUS_KIND__STORE_APP_PUT, ROUTE_WRITES, app_put_handle, NULL},
    {HY__BUS_KIND__STORE_ONLINE, ROUTE_WRITES, online_handle, NULL},
    {HY__BUS_KIND__STORE_ONLINE_GET, ROUTE_READS_SOON, online_get_handle, NULL},
    {HY__BUS_KIND__STORE_SWEEP_SCAN, ROUTE_READS_ASIDE, NULL, sweep_scan_read},
    {HY__BUS_KIND__STORE_SWEEP_LIST, ROUTE_READS_ASIDE, NULL, sweep_list_read},
    {HY__BUS_KIND__STORE_SWEEP, ROUTE_WRITES_ALONE, sweep_handle, NULL},
    {HY__BUS_KIND__STORE_MOVE, ROUTE_WRITES_ALONE, move_handle, NULL},
    {HY__BUS_KIND__STORE_MOVE_END, ROUTE_WRITES, move_handle, NULL},
    {HY__BUS_KIND__STORE_EFFECTS, ROUTE_WRITES, effects_handle, NULL},
};

const struct route *route_of(uint16_t kind)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (routes[i].kind == kind)
            return &routes[i];
    return NULL;
}
