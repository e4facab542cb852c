"""The contract of REST v4, against a running cluster."""
import json
import random
import time

import pytest

from rest import Rest, usersig

GROUP = "group_open_http_svc/"
LOGIN = "im_open_login_svc/"


def text(words):
    return [{"MsgType": "TIMTextElem", "MsgContent": {"Text": words}}]


def rnd():
    return random.randrange(2 ** 32)


def send(rest, sender, to, words, **fields):
    return rest.ok("openim/sendmsg", {"From_Account": sender, "To_Account": to, "MsgRandom": rnd(),
                                      "MsgBody": text(words), **fields})


def roam(rest, user, peer, count=100, last=None, key=None):
    body = {"Operator_Account": user, "Peer_Account": peer, "MaxCnt": count, "MinTime": 0,
            "MaxTime": last or int(time.time()) + 10}
    if key:
        body["LastMsgKey"] = key
    return rest.ok("openim/admin_getroammsg", body)


def words_of(messages):
    return [m["MsgBody"][0]["MsgContent"]["Text"] for m in messages]


def make_group(rest, group, kind="Public", owner=None, members=(), **fields):
    body = {"Type": kind, "Name": "a group", "GroupId": group, **fields}
    if owner:
        body["Owner_Account"] = owner
    if members:
        body["MemberList"] = [{"Member_Account": m} for m in members]
    assert rest.ok(GROUP + "create_group", body)["GroupId"] == group
    return group


def group_info(rest, group, **response_filter):
    body = {"GroupIdList": [group]}
    if response_filter:
        body["ResponseFilter"] = response_filter
    return rest.ok(GROUP + "get_group_info", body)["GroupInfo"][0]


# ---------------------------------------------------------------- entry


def test_every_mistake_of_the_url_has_its_code(rest):
    app = rest.app
    now = int(time.time())
    body = {"To_Account": ["x"]}

    def code(**query):
        return rest.code("openim/querystate", body, **query)

    def sig(identifier=app["admin"], key=app["key"], sdkappid=app["sdkappid"], **options):
        return usersig(sdkappid, identifier, key, **options)

    assert code() == 0
    assert code(random=None, contenttype=None) == 0
    assert code(sdkappid=None) == 60012
    assert code(sdkappid="abc") == 60006
    assert code(sdkappid=7) == 60006
    assert code(identifier=None) == 60004
    assert code(usersig=None) == 60005
    assert code(usersig="") == 70002
    assert code(usersig="rubbish") == 70003
    assert code(usersig=rest.sig[:-20]) == 70003
    assert code(usersig=sig(key="0" * 64)) == 70009
    assert code(usersig=sig("somebody")) == 70013
    assert code(usersig=sig(sdkappid=app["sdkappid"] + 1)) == 70014
    assert code(usersig=sig(now=now - 100, expire=50)) == 70001
    assert code(identifier="somebody", usersig=sig("somebody")) == 60010


def test_the_ticket_may_be_escaped_or_not_and_the_order_is_free(rest):
    raw = (f"/v4/openim/querystate?usersig={rest.sig}&apn=1&identifier={rest.app['admin']}"
           f"&sdkAppid={rest.app['sdkappid']}&ver=v4")
    status, _, answer = rest.http("POST", raw, b'{"To_Account":["x"]}')
    assert status == 200 and json.loads(answer)["ErrorCode"] == 0


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_the_content_type_of_a_request_does_not_matter(rest, kind):
    status, headers, answer = rest.http("POST", rest.target("openim/querystate"),
                                        b'{"To_Account":["x"]}', {"Content-Type": kind})
    assert status == 200 and json.loads(answer)["ErrorCode"] == 0
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Allow-Methods"] == "POST"
    assert headers["Access-Control-Allow-Headers"] == "X-Requested-With"


def test_options_is_answered_and_other_methods_are_not(rest):
    assert rest.http("OPTIONS", "/v4/openim/sendmsg")[0] == 200
    assert rest.http("GET", rest.target("openim/sendmsg"))[0] == 405
    assert rest.http("POST", "/nothing", b"{}")[0] == 404


def test_a_command_that_does_not_exist_is_never_ok(rest):
    assert rest.code("openim/nosuch", {}) == 60009
    assert rest.code("nosuch/sendmsg", {}) == 60009
    assert rest.code(GROUP + "nosuch", {}) == 10003


def test_bodies_that_are_not_json(rest):
    info = rest.call("openim/sendmsg", b"{")
    assert info["ErrorCode"] == 90001
    assert "Fail to Parse json data of body, Please check it" in info["ErrorInfo"]
    assert rest.code("openim/sendmsg", b"") == 90001
    assert rest.code("openim/sendmsg", b'{"To_Account":"\xff"}') == 90001
    assert rest.code(GROUP + "create_group", b"[1]") == 10011
    assert rest.code("profile/portrait_get", b"x") == 40001
    assert rest.code(LOGIN + "account_import", b"x") == 70402
    assert rest.code("openim/sendmsg", b" " * 1_500_000) == 93000


# ---------------------------------------------------------------- accounts


def test_import_is_idempotent_and_updates_the_profile(rest, name):
    ann = name("ann")
    rest.ok(LOGIN + "account_import", {"Identifier": ann})
    rest.ok(LOGIN + "account_import", {"UserID": ann, "Nick": "Ann", "FaceUrl": "http://f", "Type": 0})
    rest.ok(LOGIN + "account_import", {"Identifier": ann, "Nick": None})
    item = rest.ok("profile/portrait_get", {"To_Account": [ann], "TagList": [
        "Tag_Profile_IM_Nick", "Tag_Profile_IM_Image"]})["UserProfileItem"][0]
    assert {i["Tag"]: i["Value"] for i in item["ProfileItem"]} == {
        "Tag_Profile_IM_Nick": "Ann", "Tag_Profile_IM_Image": "http://f"}


def test_bad_accounts_are_not_imported(rest, name):
    assert rest.code(LOGIN + "account_import", {}) == 70402
    assert rest.code(LOGIN + "account_import", {"Identifier": ""}) == 70402
    assert rest.code(LOGIN + "account_import", {"Identifier": "x" * 33}) == 70402
    assert rest.code(LOGIN + "account_import", {"Identifier": "\u4f60"}) == 70402
    assert rest.code(LOGIN + "account_import", {"Identifier": "@TGS#1"}) == 70402
    answer = rest.ok(LOGIN + "multiaccount_import", {"Accounts": [name("ok"), "x" * 33]})
    assert answer["FailAccounts"] == ["x" * 33]
    assert rest.code(LOGIN + "multiaccount_import", {"Accounts": [name(str(i)) for i in range(101)]}) == 70402


def test_account_check(rest, people):
    items = rest.ok(LOGIN + "account_check", {"CheckItem": [
        {"UserID": people["ann"]}, {"UserID": people["nobody"]}]})["ResultItem"]
    assert items == [
        {"UserID": people["ann"], "ResultCode": 0, "ResultInfo": "", "AccountStatus": "Imported"},
        {"UserID": people["nobody"], "ResultCode": 0, "ResultInfo": "", "AccountStatus": "NotImported"}]


def test_kick_knows_whom(rest, people):
    rest.ok(LOGIN + "kick", {"Identifier": people["ann"]})
    rest.ok(LOGIN + "kick", {"UserID": people["ann"]})
    assert rest.code(LOGIN + "kick", {"Identifier": people["nobody"]}) == 70107
    assert rest.code(LOGIN + "kick", {}) == 70402


# ---------------------------------------------------------------- states


def test_states_in_both_forms(rest, people):
    asked = {"To_Account": [people["ann"], people["nobody"]], "IsNeedDetail": 1}
    answer = rest.ok("openim/querystate", asked)
    assert answer["QueryResult"] == [{"To_Account": people["ann"], "State": "Offline"},
                                     {"To_Account": people["nobody"], "State": "Offline"}]
    answer = rest.ok("openim/query_online_status", asked)
    assert [(r["To_Account"], r["Status"]) for r in answer["QueryResult"]] == [(people["ann"], "Offline")]
    assert answer["ErrorList"] == [{"To_Account": people["nobody"], "ErrorCode": 70107}]
    assert rest.code("openim/querystate", {"To_Account": []}) == 90001
    assert rest.code("openim/querystate", {"To_Account": ["a"] * 501}) == 90011
    many = [f"{people['ann']}{i}" for i in range(500)]
    assert len(rest.ok("openim/query_online_status", {"To_Account": many})["ErrorList"]) == 500


# ---------------------------------------------------------------- one-to-one


def test_a_message_is_kept_and_found_from_both_sides(rest, people):
    ann, ben = people["ann"], people["ben"]
    sent = send(rest, ann, ben, "hello", MsgSeq=431, MsgTimeStamp=int(time.time()), SyncOtherMachine=1,
                CloudCustomData="cloud")
    assert abs(sent["MsgTime"] - time.time()) < 60
    assert sent["MsgKey"].startswith("431_") and sent["MsgKey"].endswith(f"_{sent['MsgTime']}")
    for user, peer in ((ann, ben), (ben, ann)):
        page = roam(rest, user, peer)
        assert page["Complete"] == 1 and page["MsgCnt"] == 1
        (message,) = page["MsgList"]
        assert message["From_Account"] == ann and message["To_Account"] == ben
        assert message["MsgKey"] == sent["MsgKey"] == page["LastMsgKey"]
        assert message["MsgSeq"] == 431 and message["MsgTimeStamp"] == sent["MsgTime"] == page["LastMsgTime"]
        assert message["MsgBody"] == text("hello") and message["CloudCustomData"] == "cloud"
        assert message["MsgFlagBits"] == 0 and message["IsPeerRead"] == 0


def test_the_same_message_again_is_one_message(rest, people):
    body = {"From_Account": people["ann"], "To_Account": people["ben"], "MsgSeq": 5, "MsgRandom": 6,
            "MsgTimeStamp": int(time.time()), "MsgBody": text("once")}
    first = rest.ok("openim/sendmsg", body)
    assert rest.ok("openim/sendmsg", body) == first
    assert rest.ok("openim/sendmsg", {**body, "MsgSeq": "5", "MsgRandom": "6"}) == first
    assert roam(rest, people["ann"], people["ben"])["MsgCnt"] == 1
    rest.ok("openim/sendmsg", {**body, "MsgSeq": 7})
    assert roam(rest, people["ann"], people["ben"])["MsgCnt"] == 2


def test_history_pages_walk_back(rest, people):
    ann, ben = people["ann"], people["ben"]
    for i in range(23):
        send(rest, ann if i % 2 else ben, ben if i % 2 else ann, str(i))
    seen, last, key = [], None, None
    for _ in range(10):
        page = roam(rest, ann, ben, 5, last, key)
        assert page["MsgCnt"] == len(page["MsgList"]) <= 5
        seen += words_of(page["MsgList"])
        if page["Complete"]:
            break
        last, key = page["LastMsgTime"], page["LastMsgKey"]
    assert seen == [str(i) for i in reversed(range(23))]


def test_history_under_its_old_names_and_within_its_times(rest, people):
    ann, ben = people["ann"], people["ben"]
    now = send(rest, ann, ben, "x")["MsgTime"]
    body = {"From_Account": ann, "To_Account": ben, "MaxCnt": 10}
    assert rest.ok("openim/admin_getroammsg", {**body, "MinTime": now, "MaxTime": now})["MsgCnt"] == 1
    assert rest.ok("openim/admin_getroammsg",
                   {**body, "MinTime": now + 1, "MaxTime": now + 9})["MsgCnt"] == 0
    assert rest.ok("openim/admin_getroammsg", {**body, "MinTime": 0, "MaxTime": now - 1})["MsgCnt"] == 0
    assert rest.code("openim/admin_getroammsg",
                     {**body, "To_Account": people["nobody"], "MinTime": 0, "MaxTime": now}) == 90012


def test_online_only_messages_leave_no_trace(rest, people):
    ann, ben = people["ann"], people["ben"]
    send(rest, ann, ben, "gone", MsgLifeTime=0)
    send(rest, ann, ben, "gone too", OnlineOnlyFlag=1)
    send(rest, ann, ben, "kept")
    assert words_of(roam(rest, ben, ann)["MsgList"]) == ["kept"]


def test_a_message_without_self_sync_is_only_the_receivers(rest, people):
    ann, ben = people["ann"], people["ben"]
    send(rest, ann, ben, "secret", SyncOtherMachine=2)
    assert words_of(roam(rest, ben, ann)["MsgList"]) == ["secret"]
    assert roam(rest, ann, ben)["MsgCnt"] == 0


def test_every_element_arrives_as_it_was_sent(rest, people):
    body = [
        {"MsgType": "TIMTextElem", "MsgContent": {"Text": "\u4f60\u597d \U0001f600"}},
        {"MsgType": "TIMFaceElem", "MsgContent": {"Index": 6, "Data": "abc"}},
        {"MsgType": "TIMLocationElem", "MsgContent": {"Desc": "d", "Latitude": 29.340656774469956,
                                                      "Longitude": 116.77497920478824}},
        {"MsgType": "TIMCustomElem", "MsgContent": {"Data": "m\u0001", "Desc": "n", "Ext": "u", "Sound": "s"}},
        {"MsgType": "TIMSoundElem", "MsgContent": {"Url": "u", "UUID": "1", "Size": 62351, "Second": 1,
                                                   "Download_Flag": 2}},
        {"MsgType": "TIMImageElem", "MsgContent": {"UUID": "1", "ImageFormat": 1, "ImageInfoArray": [
            {"Type": 1, "Size": 1853095, "Width": 2448, "Height": 3264, "URL": "http://x"}]}},
        {"MsgType": "TIMFileElem", "MsgContent": {"Url": "u", "UUID": "1", "FileSize": 1773552,
                                                  "FileName": "a.avi", "Download_Flag": 2}},
        {"MsgType": "TIMVideoFileElem", "MsgContent": {
            "VideoUrl": "v", "VideoUUID": "5da", "VideoSize": 1194603, "VideoSecond": 5, "VideoFormat": "mp4",
            "VideoDownloadFlag": 2, "ThumbUrl": "t", "ThumbUUID": "6da", "ThumbSize": 13907, "ThumbWidth": 720,
            "ThumbHeight": 1280, "ThumbFormat": "JPG", "ThumbDownloadFlag": 2}},
    ]
    rest.ok("openim/sendmsg", {"From_Account": people["ann"], "To_Account": people["ben"], "MsgRandom": 1,
                               "MsgBody": body})
    assert roam(rest, people["ann"], people["ben"])["MsgList"][0]["MsgBody"] == body


@pytest.mark.parametrize("code, change", [
    (90003, {"To_Account": None}), (90003, {"To_Account": ""}), (90005, {"MsgRandom": None}),
    (90005, {"MsgRandom": "x"}), (90004, {"MsgSeq": "x"}), (90006, {"MsgTimeStamp": "x"}),
    (90002, {"MsgBody": None}), (90002, {"MsgBody": []}), (90007, {"MsgBody": {}}),
    (90010, {"MsgBody": [{"MsgType": "TIMNothingElem", "MsgContent": {}}]}),
    (90002, {"MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": ""}}]}),
    (90002, {"MsgBody": [{"MsgType": "TIMTextElem"}]}), (90026, {"MsgLifeTime": 604801}),
    (90044, {"MsgLifeTime": "x"}), (90031, {"SyncOtherMachine": "x"}), (90043, {"OfflinePushInfo": 1}),
    (90008, {"From_Account": 5}), (80002, {"MsgBody": text("x" * 9217)}),
])
def test_sendmsg_says_what_is_wrong(rest, people, code, change):
    body = {"From_Account": people["ann"], "To_Account": people["ben"], "MsgRandom": 1,
            "MsgBody": text("x")}
    assert rest.code("openim/sendmsg", {**body, **change}) == code


def test_sendmsg_knows_who_exists(rest, people):
    body = {"From_Account": people["ann"], "To_Account": people["ben"], "MsgRandom": 1, "MsgBody": text("x")}
    assert rest.code("openim/sendmsg", {**body, "To_Account": people["nobody"]}) == 90012
    assert rest.code("openim/sendmsg", {**body, "From_Account": people["nobody"]}) == 90048
    rest.ok("openim/sendmsg", {**body, "From_Account": None})


def test_a_batch_reaches_those_who_exist(rest, people):
    ann, ben, cy, nobody = people["ann"], people["ben"], people["cy"], people["nobody"]
    body = {"From_Account": ann, "MsgRandom": 9, "MsgBody": text("all")}
    answer = rest.ok("openim/batchsendmsg", {**body, "To_Account": [ben, cy, nobody, ben]})
    assert answer["ErrorList"] == [{"To_Account": nobody, "ErrorCode": 70107}]
    assert answer["MsgKey"].split("_")[1] == "9"
    for user in (ben, cy):
        assert words_of(roam(rest, user, ann)["MsgList"]) == ["all"]
    batch = "openim/batchsendmsg"
    assert rest.code(batch, {**body, "To_Account": ben}) == 90028
    assert rest.code(batch, {**body, "To_Account": []}) == 90029
    assert rest.code(batch, {**body, "To_Account": ["a"] * 501}) == 90011
    assert rest.code(batch, {**body, "To_Account": [nobody]}) == 90012
    assert rest.code(batch, {**body, "To_Account": [ben], "From_Account": nobody}) == 90048


# ---------------------------------------------------------------- profiles


def test_profiles_are_set_and_read(rest, people):
    ann = people["ann"]
    rest.ok("profile/portrait_set", {"From_Account": ann, "ProfileItem": [
        {"Tag": "Tag_Profile_IM_Nick", "Value": "Ann"}, {"Tag": "Tag_Profile_IM_Gender", "Value": "Gender_Type_Female"},
        {"Tag": "Tag_Profile_IM_BirthDay", "Value": 19900102}, {"Tag": "Tag_Profile_IM_Level", "Value": "3"},
        {"Tag": "Tag_Profile_Custom_Color", "Value": "blue"}]})
    tags = ["Tag_Profile_IM_Nick", "Tag_Profile_IM_Gender", "Tag_Profile_IM_BirthDay", "Tag_Profile_IM_Level",
            "Tag_Profile_Custom_Color"]
    answer = rest.ok("profile/portrait_get", {"To_Account": [ann, people["nobody"]], "TagList": tags})
    assert answer["ErrorDisplay"] == "" and answer["Fail_Account"] == []
    assert answer["Invalid_Account"] == [people["nobody"]]
    known, unknown = answer["UserProfileItem"]
    assert known["ProfileItem"] == [{"Tag": t, "Value": v} for t, v in zip(
        tags, ["Ann", "Gender_Type_Female", 19900102, 3, "blue"])]
    assert known["ResultCode"] == 0 and known["ResultInfo"] == ""
    assert unknown["ResultCode"] == 40003 and "ProfileItem" not in unknown


@pytest.mark.parametrize("code, tag, value", [
    (40009, "Tag_Profile_IM_Nothing", "x"), (40605, "Tag_Profile_IM_Gender", "x"),
    (40610, "Tag_Profile_IM_Level", "x"), (40610, "Tag_Profile_IM_Nick", 5),
    (40601, "Tag_Profile_IM_Nick", "x" * 501),
])
def test_wrong_profile_values_change_nothing(rest, people, code, tag, value):
    assert rest.code("profile/portrait_set", {"From_Account": people["ann"], "ProfileItem": [
        {"Tag": "Tag_Profile_IM_SelfSignature", "Value": "set"}, {"Tag": tag, "Value": value}]}) == code
    item = rest.ok("profile/portrait_get", {"To_Account": [people["ann"]], "TagList": [
        "Tag_Profile_IM_SelfSignature"]})["UserProfileItem"][0]
    assert [i for i in item["ProfileItem"] if i["Value"]] == []


def test_a_profile_of_nobody_cannot_be_set(rest, people):
    item = [{"Tag": "Tag_Profile_IM_Nick", "Value": "x"}]
    assert rest.code("profile/portrait_set", {"From_Account": people["nobody"], "ProfileItem": item}) == 40003


# ---------------------------------------------------------------- groups


@pytest.mark.parametrize("kind, shown", [
    ("Private", "Private"), ("Work", "Private"), ("Public", "Public"), ("ChatRoom", "ChatRoom"),
    ("Meeting", "ChatRoom"), ("AVChatRoom", "AVChatRoom"), ("BChatRoom", "BChatRoom")])
def test_every_type_of_group_is_made_and_shown_by_its_old_name(rest, people, name, kind, shown):
    group = make_group(rest, name("g"), kind, people["ann"], MaxMemberCount=100)
    info = group_info(rest, group)
    assert info["ErrorCode"] == 0 and info["Type"] == shown and info["Name"] == "a group"
    assert info["Owner_Account"] == people["ann"] and info["MaxMemberNum"] == 100
    assert info["ShutUpAllMember"] == "Off" and info["Appid"] == rest.app["sdkappid"]


def test_a_group_is_shown_with_all_its_fields(rest, people, name):
    ann, ben = people["ann"], people["ben"]
    group = name("g")
    rest.ok(GROUP + "create_group", {
        "Owner_Account": ann, "Type": "Public", "Name": "Walkers", "GroupId": group, "Introduction": "i",
        "Notification": "n", "FaceUrl": "f", "MaxMemberNum": "500", "ApplyJoinOption": "FreeAccess",
        "AppDefinedData": [{"Key": "Color", "Value": "blue"}], "Whatever": None,
        "MemberList": [{"Member_Account": ben, "Role": "Admin", "ShutUpUntil": 0}]})
    info = group_info(rest, group)
    expected = {"GroupId": group, "Type": "Public", "Name": "Walkers", "Introduction": "i", "Notification": "n",
                "FaceUrl": "f", "Owner_Account": ann, "MemberNum": 2, "MaxMemberNum": 500,
                "ApplyJoinOption": "FreeAccess", "AppDefinedData": [{"Key": "Color", "Value": "blue"}]}
    assert {k: info.get(k) for k in expected} == expected
    assert info["NextMsgSeq"] >= 1 and abs(info["CreateTime"] - time.time()) < 60
    for field in ("InfoSeq", "LastInfoTime", "LastMsgTime", "NextMsgSeq"):
        assert type(info[field]) is int
    assert {m["Member_Account"]: m["Role"] for m in info["MemberList"]} == {ann: "Owner", ben: "Admin"}
    only = group_info(rest, group, GroupBaseInfoFilter=["Name"], MemberInfoFilter=["Account", "Role"])
    assert only["Name"] == "Walkers" and "Introduction" not in only
    assert all(set(m) == {"Member_Account", "Role"} for m in only["MemberList"])
    none = group_info(rest, group, GroupBaseInfoFilter=["Name"], MemberInfoFilter=[])
    assert "MemberList" not in none


def test_a_group_without_an_id_gets_one(rest, people):
    answer = rest.ok(GROUP + "create_group", {"Type": "Public", "Name": "x", "GroupId": ""})
    assert answer["GroupId"].startswith("@TGS#")
    assert group_info(rest, answer["GroupId"])["ErrorCode"] == 0


def test_groups_that_cannot_be_made(rest, people, name):
    taken = make_group(rest, name("g"), owner=people["ann"])

    def code(**fields):
        return rest.code(GROUP + "create_group", {"Type": "Public", "Name": "x", **fields})

    assert code(GroupId=taken, Owner_Account=people["ben"]) == 10021
    assert code(GroupId=taken, Owner_Account=people["ann"]) == 10025
    assert code(GroupId="@TGS#mine") == 10015
    assert code(GroupId="x" * 49) == 10015
    assert code(Type="Nothing") == 10004
    assert code(Name=None) == 10004
    assert code(Name="x" * 31) == 10004
    assert code(Owner_Account=people["nobody"]) == 10019
    assert code(Type="AVChatRoom", MemberList=[{"Member_Account": people["ben"]}]) == 10007


def test_group_info_answers_for_each_group(rest, people, name):
    group = make_group(rest, name("g"))
    answer = rest.ok(GROUP + "get_group_info", {"GroupIdList": [name("none"), group]})
    assert [g["ErrorCode"] for g in answer["GroupInfo"]] == [10010, 0]
    assert set(answer["GroupInfo"][0]) == {"GroupId", "ErrorCode", "ErrorInfo"}
    assert rest.code(GROUP + "get_group_info", {"GroupIdList": []}) == 10004


def test_a_change_changes_only_what_it_names(rest, people, name):
    group = make_group(rest, name("g"), owner=people["ann"], Introduction="old")
    before = group_info(rest, group)
    rest.ok(GROUP + "modify_group_base_info", {"GroupId": group, "Name": "new", "MuteAllMember": "On",
                                               "MaxMemberCount": 50, "Notification": None,
                                               "AppDefinedData": [{"Key": "k", "Value": "v"}]})
    after = group_info(rest, group)
    assert after["Name"] == "new" and after["Introduction"] == "old" and after["ShutUpAllMember"] == "On"
    assert after["MaxMemberNum"] == 50 and after["AppDefinedData"] == [{"Key": "k", "Value": "v"}]
    assert after["InfoSeq"] > before["InfoSeq"]
    rest.ok(GROUP + "modify_group_base_info", {"GroupId": group, "ShutUpAllMember": "Off",
                                               "AppDefinedData": [{"Key": "k", "Value": ""}]})
    last = group_info(rest, group)
    assert last["ShutUpAllMember"] == "Off" and not last.get("AppDefinedData")
    assert rest.code(GROUP + "modify_group_base_info", {"GroupId": name("none"), "Name": "x"}) == 10010
    assert rest.code(GROUP + "modify_group_base_info", {"GroupId": group, "ApplyJoinOption": "x"}) == 10004


def test_members_come_and_go(rest, people, name):
    ann, ben, cy = people["ann"], people["ben"], people["cy"]
    group = make_group(rest, name("g"), owner=ann)
    answer = rest.ok(GROUP + "add_group_member", {"GroupId": group, "MemberList": [
        {"Member_Account": ben}, {"Member_Account": ann}, {"Member_Account": people["nobody"]}]})
    assert [(m["Member_Account"], m["Result"]) for m in answer["MemberList"]] == [
        (ben, 1), (ann, 2), (people["nobody"], 0)]
    rest.ok(GROUP + "add_group_member", {"GroupId": group, "Silence": 1, "MemberList": {"Member_Account": cy}})
    roles = rest.ok(GROUP + "get_role_in_group", {"GroupId": group, "User_Account": [ann, ben, people["nobody"]]})
    assert [r["Role"] for r in roles["UserIdList"]] == ["Owner", "Member", "NotMember"]
    rest.ok(GROUP + "delete_group_member", {"GroupId": group, "Silence": 1, "Reason": "r",
                                            "MemberToDel_Account": [cy, people["nobody"]]})
    members = rest.ok(GROUP + "get_group_member_info", {"GroupId": group, "MemberInfoFilter": None})
    assert members["MemberNum"] == 2
    assert {m["Member_Account"] for m in members["MemberList"]} == {ann, ben}
    for member in members["MemberList"]:
        assert {"Role", "JoinTime", "MsgSeq", "MsgFlag", "LastSendMsgTime", "NameCard", "ShutUpUntil"} <= set(member)
    page = rest.ok(GROUP + "get_group_member_info", {"GroupId": group, "Limit": 1, "Offset": 1})
    assert page["MemberNum"] == 2 and len(page["MemberList"]) == 1
    owners = rest.ok(GROUP + "get_group_member_info", {"GroupId": group, "MemberRoleFilter": ["Owner"],
                                                       "MemberInfoFilter": ["Role"]})
    assert owners["MemberList"] == [{"Member_Account": ann, "Role": "Owner"}]


def test_membership_of_live_rooms_is_not_rests(rest, people, name):
    for kind in ("AVChatRoom", "BChatRoom"):
        group = make_group(rest, name(kind[0]), kind, people["ann"])
        assert rest.code(GROUP + "add_group_member", {"GroupId": group, "MemberList": [
            {"Member_Account": people["ben"]}]}) == 10007
        assert rest.code(GROUP + "delete_group_member", {"GroupId": group, "MemberToDel_Account": [
            people["ben"]]}) == 10004
        assert rest.code(GROUP + "get_role_in_group", {"GroupId": group, "User_Account": [
            people["ben"]]}) == 10007
        rest.ok(GROUP + "delete_group_msg_by_sender", {"GroupId": group, "Sender_Account": people["ben"]})
    assert rest.ok(GROUP + "get_online_member_num", {"GroupId": group})["OnlineMemberNum"] == 0


def test_a_members_fields_are_changed(rest, people, name):
    ann, ben = people["ann"], people["ben"]
    group = make_group(rest, name("g"), owner=ann, members=[ben])
    rest.ok(GROUP + "modify_group_member_info", {
        "GroupId": group, "Member_Account": ben, "Role": "Admin", "MsgFlag": "Discard", "NameCard": "Benny",
        "AppMemberDefinedData": [{"Key": "k", "Value": "v"}], "MuteTime": "60"})
    member = next(m for m in group_info(rest, group)["MemberList"] if m["Member_Account"] == ben)
    assert member["Role"] == "Admin" and member["MsgFlag"] == "Discard" and member["NameCard"] == "Benny"
    assert member["AppMemberDefinedData"] == [{"Key": "k", "Value": "v"}]
    assert 0 < member["ShutUpUntil"] - time.time() <= 61
    rest.ok(GROUP + "modify_group_member_info", {"GroupId": group, "Member_Account": ben, "ShutUpTime": 0,
                                                 "Role": "Member"})
    member = next(m for m in group_info(rest, group)["MemberList"] if m["Member_Account"] == ben)
    assert member["Role"] == "Member" and member["ShutUpUntil"] == 0
    private = make_group(rest, name("p"), "Private", ann, [ben])
    assert rest.code(GROUP + "modify_group_member_info", {"GroupId": private, "Member_Account": ben,
                                                          "Role": "Admin"}) == 10007
    assert rest.code(GROUP + "modify_group_member_info", {"GroupId": group, "Member_Account": ben}) == 10004


def test_muted_members_are_silent_until_lifted(rest, people, name):
    ann, ben = people["ann"], people["ben"]
    group = make_group(rest, name("g"), owner=ann, members=[ben])
    mute = {"GroupId": group, "Members_Account": [ben]}
    rest.ok(GROUP + "forbid_send_msg", {**mute, "ShutUpTime": 4294967295})
    member = next(m for m in group_info(rest, group)["MemberList"] if m["Member_Account"] == ben)
    assert member["ShutUpUntil"] == 4294967295
    message = {"GroupId": group, "From_Account": ben, "MsgBody": text("x")}
    assert rest.code(GROUP + "send_group_msg", {**message, "Random": rnd()}) == 10017
    rest.ok(GROUP + "forbid_send_msg", {**mute, "MuteTime": 0})
    rest.ok(GROUP + "send_group_msg", {**message, "Random": rnd()})
    private = make_group(rest, name("p"), "Private", ann, [ben])
    assert rest.code(GROUP + "forbid_send_msg", {**mute, "GroupId": private, "ShutUpTime": 5}) == 10007


def test_joined_groups(rest, people, name):
    ann, ben = people["ann"], people["ben"]
    groups = [make_group(rest, name("a"), "Public", ann, [ben]), make_group(rest, name("b"), "Work", ben)]
    answer = rest.ok(GROUP + "get_joined_group_list", {"Member_Account": ben})
    assert answer["TotalCount"] == 2
    assert {g["GroupId"] for g in answer["GroupIdList"]} == set(groups)
    answer = rest.ok(GROUP + "get_joined_group_list", {
        "Member_Account": ben, "Type": "Public", "Limit": "10", "Offset": 0,
        "ResponseFilter": {"GroupBaseInfoFilter": ["Type", "Name"], "SelfInfoFilter": ["Role", "UnreadMsgNum"]}})
    (only,) = answer["GroupIdList"]
    assert only["Type"] == "Public" and only["Name"] == "a group" and only["SelfInfo"]["Role"] == "Member"
    assert type(only["SelfInfo"]["UnreadMsgNum"]) is int
    assert rest.ok(GROUP + "get_joined_group_list", {"Member_Account": people["cy"]})["GroupIdList"] == []
    assert rest.code(GROUP + "get_joined_group_list", {"Member_Account": people["nobody"]}) == 10019


def test_the_apps_groups_are_listed_whole_whatever_the_page(rest, name):
    made = {make_group(rest, name(f"g{i}"), "ChatRoom") for i in range(7)}
    seen, cursor = [], 0
    while True:
        answer = rest.ok(GROUP + "get_appid_group_list", {"Limit": 3, "Next": cursor, "Type": "Meeting"})
        assert len(answer["GroupIdList"]) <= 3
        seen += [g["GroupId"] for g in answer["GroupIdList"]]
        cursor = answer["Next"]
        if cursor == 0:
            break
    assert made <= set(seen) and len(seen) == len(set(seen)) == answer["TotalCount"]
    everything = rest.ok(GROUP + "get_appid_group_list", {"GroupType": ""})
    assert made <= {g["GroupId"] for g in everything["GroupIdList"]} and everything["Next"] == 0


def test_a_destroyed_group_is_gone_and_its_id_is_free(rest, people, name):
    group = make_group(rest, name("g"), owner=people["ann"], members=[people["ben"]])
    rest.ok(GROUP + "send_group_msg", {"GroupId": group, "Random": 1, "MsgBody": text("old")})
    rest.ok(GROUP + "destroy_group", {"GroupId": group})
    assert rest.code(GROUP + "destroy_group", {"GroupId": group}) == 10010
    assert group_info(rest, group)["ErrorCode"] == 10010
    assert rest.code(GROUP + "send_group_msg", {"GroupId": group, "Random": 2, "MsgBody": text("x")}) == 10010
    make_group(rest, group, owner=people["ben"])
    sent = rest.ok(GROUP + "send_group_msg", {"GroupId": group, "Random": 1, "MsgBody": text("old")})
    history = rest.ok(GROUP + "group_msg_get_simple", {"GroupId": group, "ReqMsgNumber": 20})
    assert sent["MsgSeq"] == 1 and [m["MsgSeq"] for m in history["RspMsgList"]] == [1]


# ---------------------------------------------------------------- group messages


def test_group_messages_are_numbered_and_read_back(rest, people, name):
    group = make_group(rest, name("g"), owner=people["ann"])
    first = group_info(rest, group)["NextMsgSeq"]
    for i in range(25):
        answer = rest.ok(GROUP + "send_group_msg", {
            "GroupId": group, "From_Account": people["ann"], "Random": i, "MsgPriority": "Low",
            "CloudCustomData": "c", "MsgBody": text(str(i))})
        assert answer["MsgSeq"] == first + i and abs(answer["MsgTime"] - time.time()) < 60
    newest = rest.ok(GROUP + "group_msg_get_simple", {"GroupId": group, "ReqMsgNumber": 20})
    assert newest["GroupId"] == group and newest["IsFinished"] == 1
    assert words_of(newest["RspMsgList"]) == [str(i) for i in range(24, 4, -1)]
    message = newest["RspMsgList"][0]
    assert message["From_Account"] == people["ann"] and message["IsPlaceMsg"] == 0
    assert message["MsgPriority"] == 3 and message["MsgRandom"] == 24 and message["CloudCustomData"] == "c"
    older = rest.ok(GROUP + "group_msg_get_simple", {
        "GroupId": group, "ReqMsgNumber": "5", "ReqMsgSeq": newest["RspMsgList"][-1]["MsgSeq"] - 1})
    assert words_of(older["RspMsgList"]) == ["4", "3", "2", "1", "0"]
    cut = rest.ok(GROUP + "group_msg_get_simple", {"GroupId": group, "ReqMsgNumber": 21})
    assert cut["IsFinished"] == 0 and len(cut["RspMsgList"]) == 20


def test_the_same_random_and_content_is_one_message(rest, people, name):
    group = make_group(rest, name("g"), owner=people["ann"])
    body = {"GroupId": group, "From_Account": people["ann"], "Random": 77, "MsgBody": text("once")}
    first = rest.ok(GROUP + "send_group_msg", body)
    again = dict(body, MsgRandom=body["Random"])
    del again["Random"]
    assert rest.ok(GROUP + "send_group_msg", again)["MsgSeq"] == first["MsgSeq"]
    other = rest.ok(GROUP + "send_group_msg", {**body, "MsgBody": text("other")})
    assert other["MsgSeq"] == first["MsgSeq"] + 1


def test_online_only_group_messages_have_no_place(rest, people, name):
    group = make_group(rest, name("g"), owner=people["ann"])
    before = group_info(rest, group)["NextMsgSeq"]
    for flag in ("OnlineOnlyFlag", "MsgOnlineOnlyFlag"):
        rest.ok(GROUP + "send_group_msg", {"GroupId": group, "Random": rnd(), flag: 1, "MsgBody": text("x")})
    assert group_info(rest, group)["NextMsgSeq"] == before


@pytest.mark.parametrize("code, change", [
    (10004, {"GroupId": None}), (10004, {"Random": None}), (10004, {"Random": "x"}), (10004, {"MsgBody": None}),
    (10004, {"MsgBody": []}), (10004, {"MsgBody": [{"MsgType": "X", "MsgContent": {}}]}),
    (10004, {"MsgBody": text("")}), (80002, {"MsgBody": text("x" * 9217)}), (10004, {"MsgPriority": "X"}),
])
def test_group_sends_say_what_is_wrong(rest, people, name, code, change):
    group = make_group(rest, name("g"), owner=people["ann"])
    body = {"GroupId": group, "Random": 1, "MsgBody": text("x")}
    assert rest.code(GROUP + "send_group_msg", {**body, **change}) == code


def test_group_senders_must_exist_but_need_not_be_members(rest, people, name):
    group = make_group(rest, name("g"), owner=people["ann"])
    body = {"GroupId": group, "Random": 1, "MsgBody": text("x")}
    rest.ok(GROUP + "send_group_msg", {**body, "From_Account": people["cy"]})
    assert rest.code(GROUP + "send_group_msg", {**body, "From_Account": people["nobody"]}) == 10019
    assert rest.code(GROUP + "send_group_msg", {**body, "GroupId": name("none")}) == 10010


def test_a_senders_messages_become_holes(rest, people, name):
    group = make_group(rest, name("g"), owner=people["ann"], members=[people["ben"]])
    for i, sender in enumerate(("ann", "ben", "ann")):
        rest.ok(GROUP + "send_group_msg", {"GroupId": group, "From_Account": people[sender], "Random": i,
                                           "MsgBody": text(sender)})
    rest.ok(GROUP + "delete_group_msg_by_sender", {"GroupId": group, "Sender_Account": people["ann"]})
    messages = rest.ok(GROUP + "group_msg_get_simple", {"GroupId": group, "ReqMsgNumber": 3})["RspMsgList"]
    assert [m["IsPlaceMsg"] for m in messages] == [1, 0, 1]
    assert messages[0]["MsgBody"] == [] and words_of(messages[1:2]) == ["ben"]
    assert messages[0]["MsgSeq"] == messages[1]["MsgSeq"] + 1


def test_system_notifications(rest, people, name):
    group = make_group(rest, name("g"), owner=people["ann"], members=[people["ben"]])
    notice = {"GroupId": group, "Content": "hello"}
    rest.ok(GROUP + "send_group_system_notification", notice)
    rest.ok(GROUP + "send_group_system_notification", {**notice, "ToMembers_Account": [people["ben"]]})
    assert rest.code(GROUP + "send_group_system_notification", {"GroupId": group}) == 10004
    assert rest.code(GROUP + "send_group_system_notification", {**notice, "GroupId": name("none")}) == 10010


# ---------------------------------------------------------------- many at once


def test_the_first_of_two_calls_at_once_wins_and_both_agree(rest, people, name):
    """Two callers send the same message on two connections: one message, one answer."""
    other = Rest({"rest": rest.address.geturl(), "apps": [rest.app]})
    body = json.dumps({"GroupId": make_group(rest, name("g"), owner=people["ann"]), "Random": 5,
                       "MsgBody": text("x")})
    for caller in (rest, other):
        caller.connection.request("POST", caller.target(GROUP + "send_group_msg"), body)
    answers = [json.loads(caller.connection.getresponse().read()) for caller in (rest, other)]
    other.close()
    assert answers[0]["ErrorCode"] == 0 and answers[0]["MsgSeq"] == answers[1]["MsgSeq"]
