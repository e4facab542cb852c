/* rest_group_list - the groups of an app, page by page (reference 12.2). */

#include "common/grouptype.h"
#include "common/slot.h"
#include "gateway/rest_group.h"
#include "gateway/rest_json.h"

enum { MOST_LISTED = 10000 };

bool rest_group_read_type(struct rest_call *call, char **type)
{
    char *word = NULL;
    const struct hy_group_type *known;

    *type = (char *)"";
    switch (rest_word(call->body, "GroupType|Type", &word)) {
    case REST_ABSENT:
        return true;
    case REST_BAD:
        return rest_fail(call, HY_CODE_GROUP_PARAM, "GroupType must be a string");
    case REST_GOT:
        break;
    }
    known = hy_group_type(word);
    if (known == NULL)
        return rest_failf(call, HY_CODE_GROUP_PARAM, "no such GroupType: %.32s", word);
    *type = (char *)known->name;
    return true;
}

/* ---------------------------------------------------------------- get_appid_group_list */

struct scan {
    char *type;
    int64_t limit, next, skip;
    json_t *list; /* lent from call->kept */
};

static void ask_scan(struct rest_call *call, size_t index)
{
    const struct scan *scan = call->state;
    Hy__AdminCall question = HY__ADMIN_CALL__INIT;
    Hy__GroupScanReq req = HY__GROUP_SCAN_REQ__INIT;
    int64_t want = scan->limit - (int64_t)json_array_size(scan->list) + scan->skip;

    req.app = call->app;
    req.cursor = (uint64_t)scan->next;
    req.limit = (uint32_t)(want < MOST_LISTED ? want : MOST_LISTED);
    req.type = scan->type;
    question.op_case = HY__ADMIN_CALL__OP_GROUP_SCAN;
    question.group_scan = &req;
    rest_ask_admin(call, index, hy_slot(call->app, HY_KIND_APP, "", 0), &question);
}

static void on_scan(struct rest_call *call)
{
    struct scan *scan = call->state;
    const Hy__GroupScanRes *res;
    json_t *fields;

    if (rest_group_failed(call))
        return;
    res = call->gather.answers[0].admin->group_scan;
    if (res == NULL || res->code != HY_CODE_OK) {
        rest_fail(call, res != NULL ? res->code : (uint32_t)HY_CODE_GROUP_INTERNAL, NULL);
        return;
    }
    for (size_t i = 0; i < res->n_groups; i++) {
        if (scan->skip > 0)
            scan->skip--;
        else if ((int64_t)json_array_size(scan->list) < scan->limit)
            json_array_append_new(scan->list,
                                  json_pack("{s:o}", "GroupId", rest_json_text(res->groups[i])));
    }
    scan->next = (int64_t)res->cursor;
    /* A page may be short although there is more: shards are scanned one after the other. */
    if (scan->next != 0 && (int64_t)json_array_size(scan->list) < scan->limit) {
        rest_gather(call, 1, ask_scan, on_scan);
        return;
    }
    fields = json_object();
    json_object_set_new(fields, "TotalCount", json_integer(res->total));
    json_object_set(fields, "GroupIdList", scan->list);
    json_object_set_new(fields, "Next", json_integer((json_int_t)scan->next));
    rest_ok(call, fields);
}

void rest_get_appid_group_list(struct rest_call *call)
{
    struct scan *scan = rest_state(call, sizeof *scan);

    if (scan == NULL || !rest_group_read_type(call, &scan->type))
        return;
    scan->limit = MOST_LISTED;
    if (rest_int(call->body, "Limit", 0, INT32_MAX, &scan->limit) == REST_BAD ||
        rest_int(call->body, "Next", 0, INT64_MAX, &scan->next) == REST_BAD ||
        rest_int(call->body, "Offset", 0, INT32_MAX, &scan->skip) == REST_BAD) {
        rest_fail(call, HY_CODE_GROUP_PARAM, "Limit, Next and Offset must be integers");
        return;
    }
    if (scan->limit == 0 || scan->limit > MOST_LISTED)
        scan->limit = MOST_LISTED;
    if (scan->next != 0)
        scan->skip = 0; /* Offset belongs to the first page */
    scan->list = json_array();
    call->kept = scan->list;
    rest_gather(call, 1, ask_scan, on_scan);
}
