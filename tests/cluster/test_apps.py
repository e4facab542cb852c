"""Several apps in one cluster share nothing (A1, I4)."""
import json
import time

import pytest

import client_pb2 as pb
from client import Refused, text_of, usersig
from cluster import wait_until


@pytest.fixture(scope="module")
def other(shared_cluster):
    made = shared_cluster.ctl("app", "create", "--dir", shared_cluster.dir, "1400000002",
                              "--output", "json")
    return json.loads(made.stdout)


def test_the_same_names_in_two_apps_are_different_people(cluster, other, unique):
    mine, theirs = cluster.client(unique + "ann"), cluster.client(unique + "ann", app=other)
    ben, other_ben = cluster.client(unique + "ben"), cluster.client(unique + "ben", app=other)
    mine.send(ben.user, "in one")
    ben.wait_text("in one")
    theirs.send(ben.user, "in two")
    other_ben.wait_text("in two")
    assert ben.texts() == ["in one"] and other_ben.texts() == ["in two"]
    assert len(mine.history(ben.user).msgs) == 1
    for app, owner in ((None, mine), (other, theirs)):
        body = {"GroupId": unique + "g", "Type": "Public", "Name": "g", "Owner_Account": owner.user}
        cluster.rest_ok("group_open_http_svc/create_group", body, app=app)
    mine.send(unique + "g", "group one", group=True)
    theirs.send(unique + "g", "group two", group=True)
    for owner, said in ((mine, "group one"), (theirs, "group two")):
        kept = owner.all_history(unique + "g", group=True)
        assert [text_of(m) for m in kept if not m.flags & pb.MSG_SYSTEM] == [said]


def try_sign_in(cluster, user, app):
    try:
        return cluster.client(user, app=app)
    except Refused:
        return None


def test_a_ticket_of_one_app_is_nothing_in_the_other(cluster, other, unique):
    client = cluster.client(unique + "ann", sign_in=False)
    with pytest.raises(Refused) as refused:
        client.sign_in(usersig(cluster.app["sdkappid"], client.user, other["key"]))
    assert refused.value.code == 70009
    answer = cluster.rest("openim/querystate", {"To_Account": ["x"]},
                          sig=usersig(other["sdkappid"], "administrator", other["key"]))
    assert answer["ErrorCode"] in (70009, 70014)


def test_a_suspended_app_is_shut_within_a_second_and_comes_back(cluster, other, unique):
    wait_until(lambda: try_sign_in(cluster, unique + "ann", other), what="the new app")
    cluster.ctl("app", "suspend", "--dir", cluster.dir, other["sdkappid"])
    time.sleep(1.2)  # the promise is "within a second"
    with pytest.raises(Refused) as refused:
        cluster.client(unique + "bob", app=other)
    assert refused.value.code == 60016
    answer = cluster.rest("openim/querystate", {"To_Account": ["x"]}, app=other)
    assert answer["ErrorCode"] == 60016
    cluster.client(unique + "bob")  # the other app goes on
    cluster.ctl("app", "resume", "--dir", cluster.dir, other["sdkappid"])
    time.sleep(1.2)
    cluster.client(unique + "bob", app=other)


def test_an_unknown_app(cluster, unique):
    client = cluster.client(unique + "ann", sign_in=False)
    with pytest.raises(Refused) as refused:
        client.ask(sign_in=pb.SignInReq(sdkappid=999, identifier="ann", usersig="x"))
    assert refused.value.code == 60006
