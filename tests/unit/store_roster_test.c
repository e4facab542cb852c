#include "store_fixture.h"

#include "common/names.h"
#include "store/db.h"
#include "store/roster.h"
#include "store/value.h"

/* ---- the list ---- */

static void put(ProtobufCBinaryData *list, const char *user, uint64_t join_seq)
{
    Hy__Member member = HY__MEMBER__INIT;

    member.user = (char *)user;
    member.join_seq = join_seq;
    assert_int_equal(roster_put(list, &member), HY_OK);
}

/* "anna 1 ben 2 " */
static void assert_listed(ProtobufCBinaryData list, const char *expected)
{
    struct roster_entry entry;
    struct roster_walk walk;
    char text[256] = "";
    uint64_t seq;

    roster_begin(&walk, list);
    while (roster_next(&walk, &entry)) {
        assert_int_equal(value_number(entry.value, entry.len, 4, &seq), HY_OK);
        snprintf(text + strlen(text), 32, "%.*s %d ", (int)entry.user_len, entry.user, (int)seq);
    }
    assert_false(walk.bad);
    assert_string_equal(text, expected);
}

static void a_list_is_in_order_of_names(void **state)
{
    ProtobufCBinaryData list = {0};
    struct roster_entry entry;

    (void)state;
    assert_listed(list, "");
    assert_int_equal(roster_find(list, "ben", &entry), HY_ENOTFOUND);
    put(&list, "ben", 1);
    put(&list, "bea", 2);
    put(&list, "be", 3);
    put(&list, "zoe", 4);
    assert_listed(list, "be 3 bea 2 ben 1 zoe 4 ");
    put(&list, "bea", 300); /* longer than it was */
    put(&list, "ben", 0);   /* shorter */
    assert_listed(list, "be 3 bea 300 ben 0 zoe 4 ");
    assert_int_equal(roster_find(list, "b", &entry), HY_ENOTFOUND);
    assert_int_equal(roster_find(list, "bea", &entry), HY_OK);
    roster_cut(&list, &entry);
    assert_int_equal(roster_find(list, "zoe", &entry), HY_OK);
    roster_cut(&list, &entry);
    assert_listed(list, "be 3 ben 0 ");
    list.len--; /* damaged */
    assert_int_equal(roster_find(list, "ben", &entry), HY_ECORRUPT);
    assert_int_equal(roster_find(list, "be", &entry), HY_OK);
    free(list.data);
}

/* ---- in a store ---- */

static const char *const two[] = {"ben", "cleo"};

static int setup(void **state)
{
    *state = fixture_open(0, 1);
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static struct db *open_db(const struct fixture *f)
{
    const struct db_config config = {
        .dir = f->dir, .block_cache_bytes = 8 << 20, .write_buffer_bytes = 4 << 20};
    struct db *db = NULL;
    char why[256];

    if (db_open(&config, &db, why) != HY_OK)
        fail_msg("%s", why);
    return db;
}

/* How many rows of a format are there? The store is stopped meanwhile. */
static int rows_of(struct fixture *f, enum key_format format)
{
    struct key first = {.len = 0}, end = {.len = 2, .bytes = {0xFF, 0xFF}};
    struct db_scan *scan = NULL;
    struct key_parts parts;
    struct db *db;
    int count = 0;

    store_close(&f->store);
    db = open_db(f);
    assert_int_equal(db_scan_open(db, FAMILY_ENTITY, &first, &end, true, &scan), HY_OK);
    for (bool there = db_scan_seek(scan, NULL); there; there = db_scan_next(scan)) {
        size_t len;
        const uint8_t *key = db_scan_key(scan, &len);

        assert_int_equal(key_parse(key, len, &parts), HY_OK);
        count += parts.format == format;
    }
    db_scan_close(&scan);
    db_close(&db);
    fixture_start(f);
    return count;
}

static struct said say(struct fixture *f, const char *group, const char *from)
{
    return fixture_said(f, (struct say){.from = from, .to = group, .group = true, .admin = false});
}

static uint32_t add(struct fixture *f, const char *group, const char *user)
{
    return fixture_moved(f, true, (struct move){.group = group, .user = user, .admin = true});
}

static uint32_t take_out(struct fixture *f, const char *group, const char *user)
{
    return fixture_moved(f, false, (struct move){.group = group, .user = user, .admin = true});
}

static uint32_t set_member(struct fixture *f, const char *user, const char *name, const char *str,
                           uint64_t num)
{
    Hy__StoreMemberSetReq req = HY__STORE_MEMBER_SET_REQ__INIT;
    Hy__Field field = HY__FIELD__INIT, *fields[1] = {&field};
    char *users[1] = {(char *)user};
    Hy__StoreMembersRes *res;
    uint32_t code;

    field.name = (char *)name;
    field.str = (ProtobufCBinaryData){strlen(str), (uint8_t *)str};
    field.num = num;
    req.app = FIXTURE_APP;
    req.group = (char *)"g";
    req.admin = true;
    req.n_users = 1;
    req.users = users;
    req.n_fields = 1;
    req.fields = fields;
    res = ASK(f, MEMBER_SET, req, Hy__StoreMembersRes, hy__store_members_res);
    code = res->code;
    DROP(res);
    return code;
}

static Hy__StoreMembersGetRes *members(struct fixture *f, uint32_t offset, uint32_t limit)
{
    Hy__StoreMembersGetReq req = HY__STORE_MEMBERS_GET_REQ__INIT;
    Hy__MembersGetReq inner = HY__MEMBERS_GET_REQ__INIT;

    inner.group = (char *)"g";
    inner.offset = offset;
    inner.limit = limit;
    req.app = FIXTURE_APP;
    req.admin = true;
    req.req = &inner;
    return ASK(f, MEMBERS_GET, req, Hy__StoreMembersGetRes, hy__store_members_get_res);
}

/* The names for a route: who hears, a bar, who does not. */
static void names(struct fixture *f, char *out)
{
    Hy__StoreMembersGetReq req = HY__STORE_MEMBERS_GET_REQ__INIT;
    Hy__MembersGetReq inner = HY__MEMBERS_GET_REQ__INIT;
    Hy__StoreMembersGetRes *res;

    inner.group = (char *)"g";
    req.app = FIXTURE_APP;
    req.admin = req.names_only = true;
    req.req = &inner;
    res = ASK(f, MEMBERS_GET, req, Hy__StoreMembersGetRes, hy__store_members_get_res);
    *out = '\0';
    for (int deaf = 0; deaf < 2; deaf++) {
        ProtobufCBinaryData list = deaf ? res->deaf : res->hearing;

        for (const char *name = hy_names_first(list.data, list.len); name != NULL;
             name = hy_names_next(list.data, list.len, name))
            out += sprintf(out, "%s ", name);
        out += sprintf(out, "%s", deaf ? "" : "| ");
    }
    DROP(res);
}

static void assert_names(struct fixture *f, const char *expected)
{
    char text[512];

    names(f, text);
    assert_string_equal(text, expected);
}

static uint64_t first_seq(struct fixture *f, const char *user)
{
    Hy__HistoryRes *page = fixture_page(f, (struct page){.user = user, .peer = "g", .group = true});
    uint64_t first = page->code == 0 ? page->first_seq : 0;

    DROP(page);
    return first;
}

static void allow_sweep(struct fixture *f)
{
    Hy__StoreGroupSetReq req = HY__STORE_GROUP_SET_REQ__INIT;
    Hy__Field field = HY__FIELD__INIT, *fields[1] = {&field};
    Hy__GroupRes *res;

    field.name = (char *)"Sweep";
    field.num = 1;
    req.app = FIXTURE_APP;
    req.group = (char *)"g";
    req.operator_id = (char *)"";
    req.admin = true;
    req.n_fields = 1;
    req.fields = fields;
    res = ASK(f, GROUP_SET, req, Hy__GroupRes, hy__group_res);
    assert_int_equal(res->code, 0);
    DROP(res);
}

/* users: in order, a NUL behind each. */
static uint32_t sweep(struct fixture *f, const char *users, size_t len)
{
    Hy__StoreSweepReq req = HY__STORE_SWEEP_REQ__INIT;
    Hy__SweepGroup group = HY__SWEEP_GROUP__INIT, *groups[] = {&group};
    Hy__StoreSweepRes *res;
    uint32_t removed;

    req.app = FIXTURE_APP;
    req.groups = groups;
    req.n_groups = 1;
    group.group = (char *)"g";
    group.users = (ProtobufCBinaryData){len, (uint8_t *)users};
    res = ASK(f, SWEEP, req, Hy__StoreSweepRes, hy__store_sweep_res);
    assert_int_equal(res->code, 0);
    removed = res->removed;
    DROP(res);
    return removed;
}

static void a_small_group_is_one_row_and_rows_of_those_who_speak(void **state)
{
    struct fixture *f = *state;

    fixture_group(f, "Public", "g", "anna", 2, two);
    assert_int_equal(rows_of(f, KEY_ROSTER), 1);
    assert_int_equal(rows_of(f, KEY_MEMBER), 0);
    assert_int_equal(say(f, "g", "ben").code, 0);
    assert_int_equal(say(f, "g", "dan").code, HY_CODE_GROUP_DENIED);
    assert_int_equal(rows_of(f, KEY_MEMBER), 1);
    assert_int_equal(fixture_unread(f, "ben", "g", true), 0);
    assert_int_equal(fixture_unread(f, "cleo", "g", true), 1);
    assert_names(f, "anna ben cleo | ");
    take_out(f, "g", "ben");
    assert_int_equal(rows_of(f, KEY_MEMBER), 0);
    assert_int_equal(rows_of(f, KEY_ROSTER), 1);
    take_out(f, "g", "cleo");
    assert_names(f, "anna | ");
    assert_int_equal(say(f, "g", "ben").code, HY_CODE_GROUP_DENIED);
}

static void what_a_member_is_shows_wherever_it_lies(void **state)
{
    struct fixture *f = *state;
    Hy__StoreMembersGetRes *list;

    fixture_group(f, "Public", "g", "anna", 2, two);
    say(f, "g", "ben"); /* has a row of his own */
    assert_int_equal(set_member(f, "ben", "MsgFlag", "", 2), 0);
    assert_int_equal(set_member(f, "cleo", "NameCard", "Cleopatra", 0), 0);
    assert_int_equal(set_member(f, "cleo", "Role", "", HY__ROLE__ROLE_ADMIN), 0);
    for (int i = 0; i < 2; i++) {
        assert_names(f, "anna cleo | ben ");
        list = members(f, 0, 100);
        assert_int_equal(list->n_members, 3);
        assert_int_equal(list->members[1]->msg_flag, 2);
        assert_int_equal(list->members[1]->last_send_s, f->now_ms / 1000);
        assert_string_equal(list->members[2]->name_card, "Cleopatra");
        assert_int_equal(list->members[2]->role, HY__ROLE__ROLE_ADMIN);
        DROP(list);
        fixture_restart(f);
    }
}

/* He left and came back in one batch, with a row of his own from before: he sees what is said
 * since, and no more. */
static void who_comes_back_at_once_sees_nothing_before(void **state)
{
    struct fixture *f = *state;
    Hy__StoreMembersReq req = HY__STORE_MEMBERS_REQ__INIT;
    Hy__MemberInfo ben = HY__MEMBER_INFO__INIT, *list[1] = {&ben};

    fixture_group(f, "Public", "g", "anna", 2, two);
    say(f, "g", "ben");
    say(f, "g", "anna");
    assert_int_equal(first_seq(f, "ben"), 1);
    ben.user = (char *)"ben";
    req.app = FIXTURE_APP;
    req.group = (char *)"g";
    req.admin = req.silent = true;
    req.n_members = 1;
    req.members = list;
    fixture_put(f, HY__BUS_KIND__STORE_MEMBERS_REMOVE, &req.base);
    fixture_put(f, HY__BUS_KIND__STORE_MEMBERS_ADD, &req.base);
    store_turn(f->store);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(first_seq(f, "ben"), 3);
        assert_int_equal(fixture_unread(f, "ben", "g", true), 0);
        fixture_restart(f);
    }
    assert_int_equal(sweep(f, "ben", 4), 0); /* it is not on */
    allow_sweep(f);
    say(f, "g", "ben");
    assert_int_equal(sweep(f, "ben", 4), 1);
    fixture_restart(f);
    assert_int_equal(first_seq(f, "ben"), 0);
    add(f, "g", "ben");
    assert_true(first_seq(f, "ben") > 4);
    assert_int_equal(rows_of(f, KEY_MEMBER), 1); /* anna's */
}

static enum hy_err stall(void *arg)
{
    int *times = arg;

    return (*times)-- > 0 ? HY_EBUSY : HY_OK;
}

/* Whoever came with a batch that was not written is none, whatever memory says. */
static void who_came_with_a_lost_batch_did_not_come(void **state)
{
    struct fixture *f = *state;
    Hy__StoreMembersReq req = HY__STORE_MEMBERS_REQ__INIT;
    Hy__MemberInfo dan = HY__MEMBER_INFO__INIT, *list[1] = {&dan};
    Hy__GroupReq destroy = HY__GROUP_REQ__INIT;
    Hy__StoreMembersRes *res;
    uint64_t added;
    int times = 1;

    fixture_group(f, "Public", "g", "anna", 2, two);
    fixture_group(f, "Public", "h", "anna", 2, two);
    assert_int_equal(say(f, "g", "dan").code, HY_CODE_GROUP_DENIED);
    dan.user = (char *)"dan";
    req.app = FIXTURE_APP;
    req.group = (char *)"g";
    req.admin = true;
    req.n_members = 1;
    req.members = list;
    added = fixture_put(f, HY__BUS_KIND__STORE_MEMBERS_ADD, &req.base);
    fixture_say(f, (struct say){.from = "dan", .to = "g", .group = true});
    dan.user = (char *)"ben";
    fixture_put(f, HY__BUS_KIND__STORE_MEMBERS_REMOVE, &req.base);
    store_set_fault(f->store, stall, &times);
    destroy.app = FIXTURE_APP;
    destroy.group = (char *)"h";
    destroy.admin = true;
    fixture_put(f, HY__BUS_KIND__STORE_GROUP_DESTROY, &destroy.base); /* writes what waits first */
    res = fixture_take(f, added, &hy__store_members_res__descriptor);
    assert_int_equal(res->code, HY_CODE_BUSY);
    DROP(res);
    store_set_fault(f->store, NULL, NULL);
    store_turn(f->store);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(say(f, "g", "dan").code, HY_CODE_GROUP_DENIED);
        assert_int_equal(say(f, "g", "ben").code, 0);
        assert_names(f, "anna ben cleo | ");
        fixture_restart(f);
    }
}

/* ---- groups that have both ---- */

enum { CROWD = 130 };

static void fill(struct fixture *f)
{
    char user[16];

    fixture_group(f, "Public", "g", "anna", 2, two);
    for (int i = 0; i < CROWD; i++) {
        snprintf(user, sizeof user, "u%03d", i);
        assert_int_equal(add(f, "g", user), 0);
    }
}

static void a_group_that_grows_goes_on_with_rows(void **state)
{
    struct fixture *f = *state;
    Hy__StoreMembersGetRes *page;
    uint32_t found = 0;
    char last[16] = "";

    fill(f);
    assert_int_equal(rows_of(f, KEY_ROSTER), 1);
    assert_int_equal(rows_of(f, KEY_MEMBER), CROWD + 3 - ROSTER_MEMBERS);
    say(f, "g", "u001");
    say(f, "g", "u129");
    set_member(f, "u000", "MsgFlag", "", 2);
    set_member(f, "u128", "MsgFlag", "", 2);
    for (uint32_t offset = 0;; offset += 20) {
        page = members(f, offset, 20);
        assert_int_equal(page->total, CROWD + 3);
        for (size_t i = 0; i < page->n_members; i++) {
            assert_true(strcmp(page->members[i]->user, last) > 0);
            snprintf(last, sizeof last, "%s", page->members[i]->user);
        }
        found += (uint32_t)page->n_members;
        if (page->n_members < 20)
            break;
        DROP(page);
    }
    DROP(page);
    assert_int_equal(found, CROWD + 3);
    allow_sweep(f);
    fixture_restart(f);
    assert_int_equal(sweep(f, "ben\0u000\0u001\0u100\0u128\0u129\0zoe", 33), 6);
    page = members(f, 0, 1000);
    assert_int_equal(page->n_members, CROWD + 3 - 6);
    assert_int_equal(page->total, CROWD + 3 - 6);
    DROP(page);
    assert_int_equal(rows_of(f, KEY_MEMBER), CROWD + 3 - ROSTER_MEMBERS - 3);
    assert_int_equal(say(f, "g", "u001").code, HY_CODE_GROUP_DENIED);
    assert_int_equal(say(f, "g", "u129").code, HY_CODE_GROUP_DENIED);
    assert_int_equal(say(f, "g", "u002").code, 0);
    assert_int_equal(say(f, "g", "u127").code, 0);
}

/* A member as the model knows him. */
struct model {
    bool in;
    uint32_t flag;
    uint64_t first;
};

static uint32_t step(uint64_t *seed, uint32_t n)
{
    *seed = *seed * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(*seed >> 33) % n;
}

static void compare(struct fixture *f, const struct model *model)
{
    char expected[4096], found[4096], *at = expected;
    char user[16];

    for (uint32_t deaf = 0; deaf < 2; deaf++) {
        at += sprintf(at, "%s", deaf ? "| " : "anna ");
        for (int i = 0; i < CROWD; i++)
            if (model[i].in && (model[i].flag == 2) == (deaf == 1))
                at += sprintf(at, "u%03d ", i);
    }
    names(f, found);
    assert_string_equal(found, expected);
    for (int i = 0; i < CROWD; i += 7) {
        snprintf(user, sizeof user, "u%03d", i);
        assert_int_equal(first_seq(f, user), model[i].in ? model[i].first : 0);
    }
}

/* Anything in any order, with restarts: who is in, who hears, and from where on, is as it should
 * be. */
static void members_are_right_after_anything(void **state)
{
    struct fixture *f = *state;
    struct model model[CROWD] = {0};
    uint64_t seed = 7, seq;

    fixture_group(f, "Public", "g", "anna", 0, NULL);
    allow_sweep(f);
    seq = 1; /* the tip of that */
    for (int i = 0; i < 2000; i++) {
        uint32_t n = step(&seed, CROWD), what = step(&seed, 100);
        bool fill_up = i / 400 % 2 == 0;
        struct model *m = &model[n];
        char user[16];

        snprintf(user, sizeof user, "u%03u", n);
        if (what < (fill_up ? 60u : 20u)) {
            add(f, "g", user);
            if (!m->in) {
                *m = (struct model){.in = true, .first = seq + 1};
                seq++; /* the tip, which is told to him, too */
            }
        } else if (what < 70) {
            if (what % 2 == 0) {
                take_out(f, "g", user);
                seq += m->in;
            } else {
                seq += sweep(f, user, strlen(user) + 1);
            }
            m->in = false;
        } else if (what < 90) {
            assert_int_equal(say(f, "g", user).code, m->in ? 0 : HY_CODE_GROUP_DENIED);
            seq += m->in;
            f->now_ms += 1000;
        } else if (what < 98) {
            set_member(f, user, "MsgFlag", "", what % 2 == 0 ? 2 : 1);
            if (m->in)
                m->flag = what % 2 == 0 ? 2 : 1;
        } else {
            fixture_restart(f);
        }
        if (i % 50 == 0)
            compare(f, model);
    }
    compare(f, model);
}

/* ---- what an earlier version wrote ---- */

static void put_record(struct db_batch *batch, const struct key *key, const ProtobufCMessage *msg)
{
    struct hy_buf value = {0};

    assert_int_equal(value_put(&value, msg), HY_OK);
    db_batch_put(batch, FAMILY_ENTITY, key, value.data, value.len);
    hy_buf_free(&value);
}

static void write_old_group(struct fixture *f)
{
    static char *const users[] = {(char *)"anna", (char *)"ben", (char *)"cleo"};
    struct key_home home = {hy_slot_group(FIXTURE_APP, "g"), FIXTURE_APP};
    Hy__GroupInfo info = HY__GROUP_INFO__INIT;
    Hy__Group group = HY__GROUP__INIT;
    Hy__Member member = HY__MEMBER__INIT;
    struct db_batch *batch = NULL;
    struct db *db;
    struct key key;

    store_close(&f->store);
    db = open_db(f);
    assert_int_equal(db_batch_open(db, &batch), HY_OK);
    info.group = info.name = (char *)"g";
    info.type = (char *)"Public";
    info.owner = users[0];
    info.sweep = 1;
    group.info = &info;
    group.conversation = 77;
    group.member_version = 1;
    group.member_num = 3;
    key_text(&key, home, KEY_GROUP, "g");
    put_record(batch, &key, &group.base);
    for (int i = 0; i < 3; i++) {
        member.user = users[i];
        member.role = i == 0 ? HY__ROLE__ROLE_OWNER : HY__ROLE__ROLE_MEMBER;
        key_member(&key, home, KEY_MEMBER, 77, users[i]);
        put_record(batch, &key, &member.base);
    }
    assert_int_equal(db_write(db, batch), HY_OK);
    db_batch_close(&batch);
    db_close(&db);
    fixture_start(f);
}

static void a_group_of_an_earlier_version_keeps_its_rows(void **state)
{
    struct fixture *f = *state;

    write_old_group(f);
    assert_names(f, "anna ben cleo | ");
    assert_int_equal(say(f, "g", "ben").seq, 1);
    assert_int_equal(add(f, "g", "dan"), 0);
    assert_int_equal(set_member(f, "cleo", "MsgFlag", "", 2), 0);
    assert_names(f, "anna ben dan | cleo ");
    assert_int_equal(rows_of(f, KEY_ROSTER), 0);
    assert_int_equal(rows_of(f, KEY_MEMBER), 4);
    assert_int_equal(sweep(f, "ben\0cleo", 9), 2);
    assert_names(f, "anna dan | ");
    assert_int_equal(take_out(f, "g", "dan"), 0);
    fixture_restart(f);
    assert_names(f, "anna | ");
    assert_int_equal(say(f, "g", "anna").code, 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_in_order_of_names),
        T(a_small_group_is_one_row_and_rows_of_those_who_speak),
        T(what_a_member_is_shows_wherever_it_lies),
        T(who_comes_back_at_once_sees_nothing_before),
        T(who_came_with_a_lost_batch_did_not_come),
        T(a_group_that_grows_goes_on_with_rows),
        T(members_are_right_after_anything),
        T(a_group_of_an_earlier_version_keeps_its_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
