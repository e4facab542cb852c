// The web SDK against a real cluster. Needs HONGYAN_CLUSTER_JSON, the cluster.json of one that is up.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { EVENT, rejection, say, signedIn, TYPES, until, WebSocket } from './lib.mjs';

const file = process.env.HONGYAN_CLUSTER_JSON;
const skip = file ? false : 'HONGYAN_CLUSTER_JSON is not set';
const cluster = file ? JSON.parse(readFileSync(file, 'utf8')) : { apps: [{}] };
const { sdkappid, key, admin } = cluster.apps[0];
const unique = Date.now().toString(36);
const open = [];
const sockets = new Map(); // userID: sockets made

/** A ticket of form v2, made here by the documented recipe. */
function ticket(identifier, lifetime = 86400) {
  const time = Math.floor(Date.now() / 1000);
  const signed = [
    `TLS.identifier:${identifier}`,
    `TLS.sdkappid:${sdkappid}`,
    `TLS.time:${time}`,
    `TLS.expire:${lifetime}`,
    '',
  ].join('\n');
  const sig = {
    'TLS.ver': '2.0',
    'TLS.identifier': identifier,
    'TLS.sdkappid': sdkappid,
    'TLS.time': time,
    'TLS.expire': lifetime,
    'TLS.sig': createHmac('sha256', key).update(signed).digest('base64'),
  };
  const packed = deflateSync(JSON.stringify(sig)).toString('base64');

  return packed.replace(/\+/g, '*').replace(/\//g, '-').replace(/=/g, '_');
}

async function rest(path, body) {
  const query = new URLSearchParams({
    sdkappid,
    identifier: admin,
    usersig: ticket(admin),
    random: '1',
    contenttype: 'json',
  });
  const response = await fetch(`${cluster.rest}/v4/${path}?${query}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });

  return response.json();
}

const named = (name) => `${name}-${unique}`;

async function join(name, url = cluster.ws) {
  const user = named(name);

  assert.equal(
    (await rest('im_open_login_svc/account_import', { Identifier: user, Nick: name })).ErrorCode,
    0,
  );
  class Socket extends WebSocket {
    constructor(url) {
      super(url, { ca: cluster.ca && readFileSync(cluster.ca) });
      sockets.set(user, [...(sockets.get(user) ?? []), this]);
    }
  }
  const chat = await signedIn(url, user, {
    SDKAppID: sdkappid,
    socket: Socket,
    userSig: ticket(user),
    timeoutMs: 15000,
  });

  open.push(chat);
  return chat;
}

after(async () => {
  for (const chat of open) await chat.destroy();
});

test('a ticket that is none is refused with its code', { skip }, async () => {
  const user = named('nobody');
  const options = { SDKAppID: sdkappid, timeoutMs: 5000 };

  assert.equal((await rejection(signedIn(cluster.ws, user, { ...options, userSig: 'rubbish' }))).code, 70003);
  assert.equal(
    (await rejection(signedIn(cluster.ws, user, { ...options, userSig: ticket(named('other')) }))).code,
    70013,
  );
});

test('WSS carries the same, with a certificate that is checked', { skip }, async () => {
  const url = cluster.wss.replace('127.0.0.1', 'localhost');
  const [anna, ben] = [await join('tlsanna', url), await join('tlsben', cluster.ws)];

  await say(anna, named('tlsben'), 'over TLS');
  await until(() => ben.texts().includes('over TLS'));
  await say(ben, named('tlsanna'), 'and back');
  await until(() => anna.texts().includes('and back'));
});

test('two people talk, read, and see the history', { skip }, async () => {
  const [anna, ben] = [await join('anna'), await join('ben')];
  const sent = [];

  for (let i = 0; i < 40; i++) sent.push(await say(anna, named('ben'), `n${i}`));
  await until(() => ben.texts().length === 40);
  assert.deepEqual(
    ben.received().map((m) => [m.ID, m.sequence, m.nick]),
    sent.map((m, i) => [m.ID, i + 1, 'anna']),
  );
  assert.equal(ben.getTotalUnreadMessageCount(), 40);
  await ben.setMessageRead({ conversationID: `C2C${named('anna')}` });
  await until(() => sent.every((m) => m.isPeerRead));
  assert.equal(ben.getTotalUnreadMessageCount(), 0);

  const again = await join('ben');
  const texts = [];
  let next;

  do {
    const { data } = await again.getMessageList({
      conversationID: `C2C${named('anna')}`,
      nextReqMessageID: next,
    });

    texts.unshift(...data.messageList.map((m) => m.payload.text));
    next = data.nextReqMessageID;
  } while (next);
  assert.deepEqual(
    texts,
    Array.from({ length: 40 }, (_, i) => `n${i}`),
  );
  assert.equal(again.getTotalUnreadMessageCount(), 0);
});

test('the same message twice is one message', { skip }, async () => {
  const [carl, dora] = [await join('carl'), await join('dora')];
  const message = await say(carl, named('dora'), 'once');

  await until(() => dora.texts().length === 1);
  await carl.resendMessage(message);
  assert.equal(message.sequence, 1);
  await say(carl, named('dora'), 'then');
  await until(() => dora.texts().length === 2);
  assert.deepEqual(dora.texts(), ['once', 'then']);
});

test('the line is cut again and again: everything once and in order', { skip }, async () => {
  const [eve, fred] = [await join('eve'), await join('fred')];
  const expected = [];

  for (let i = 0; i < 60; i++) {
    if (i % 20 === 10)
      sockets
        .get(named(i % 40 === 10 ? 'fred' : 'eve'))
        .at(-1)
        .terminate();
    expected.push(`n${i}`);
    await say(eve, named('fred'), `n${i}`);
  }
  await until(() => fred.texts().length === 60);
  assert.deepEqual(fred.texts(), expected);
  assert.equal(fred.told(EVENT.SDK_READY).length, 1);
});

test('a group from its making to its end', { skip }, async () => {
  const [gina, hans, ida] = [await join('gina'), await join('hans'), await join('ida')];
  const { group } = (
    await gina.createGroup({
      name: 'Geese',
      type: TYPES.GRP_PUBLIC,
      joinOption: 'FreeAccess',
      memberList: [{ userID: named('hans') }],
    })
  ).data;
  const id = group.groupID;

  assert.equal(group.name, 'Geese');
  await until(async () => (await hans.getGroupList()).data.groupList.length === 1);
  assert.equal((await ida.joinGroup({ groupID: id })).data.status, TYPES.JOIN_STATUS_SUCCESS);
  assert.equal((await ida.joinGroup({ groupID: id })).data.status, TYPES.JOIN_STATUS_ALREADY_IN_GROUP);
  await say(ida, id, 'hello', 'GROUP');
  await until(() => gina.texts().includes('hello') && hans.texts().includes('hello'));
  const members = (await gina.getGroupMemberList({ groupID: id })).data.memberList;

  assert.deepEqual(
    members.map((m) => [m.userID, m.role]).sort(),
    [
      [named('gina'), 'Owner'],
      [named('hans'), 'Member'],
      [named('ida'), 'Member'],
    ].sort(),
  );
  await gina.updateGroupProfile({ groupID: id, name: 'Wild geese' });
  await until(() => hans.received().some((m) => m.payload.newGroupProfile?.groupName === 'Wild geese'));
  await gina.setGroupMemberMuteTime({ groupID: id, userID: named('ida'), muteTime: 60 });
  assert.equal((await rejection(say(ida, id, 'psst', 'GROUP'))).code, 10017);
  await gina.deleteGroupMember({ groupID: id, userIDList: [named('ida')], reason: 'psst' });
  await until(async () => (await ida.getGroupList()).data.groupList.length === 0);
  assert.equal((await rejection(say(ida, id, 'still?', 'GROUP'))).code, 10007);
  await gina.dismissGroup(id);
  await until(() =>
    hans.received().some((m) => m.type === TYPES.MSG_GRP_SYS_NOTICE && m.payload.operationType === 5),
  );
});

test('a live room: newcomers hear what was said last', { skip }, async () => {
  const [jane, karl] = [await join('jane'), await join('karl')];
  const { group } = (await jane.createGroup({ name: 'Live', type: TYPES.GRP_AVCHATROOM })).data;
  const id = group.groupID;

  await jane.joinGroup({ groupID: id });
  await say(jane, id, 'one', 'GROUP');
  await karl.joinGroup({ groupID: id });
  await until(() => karl.texts().includes('one'));
  await say(jane, id, 'two', 'GROUP');
  await until(() => karl.texts().includes('two'));
  await until(async () => (await jane.getGroupOnlineMemberCount(id)).data.memberCount === 2);
});

test('an online-only message leaves nothing behind', { skip }, async () => {
  const [lena, mark] = [await join('lena'), await join('mark')];
  const typing = lena.createCustomMessage({
    to: named('mark'),
    conversationType: 'C2C',
    payload: { data: 'typing' },
  });

  await lena.sendMessage(typing, { onlineUserOnly: true });
  await until(() => mark.received().length === 1);
  assert.equal((await mark.getConversationList()).data.conversationList.length, 0);
});

test('every kind of message arrives as it was', { skip }, async () => {
  const [nora, otto] = [await join('nora'), await join('otto')];
  const to = { to: named('otto'), conversationType: 'C2C' };
  const messages = [
    nora.createTextMessage({ ...to, payload: { text: '鸿雁 🪿 <b>&' }, cloudCustomData: '{"a":1}' }),
    nora.createFaceMessage({ ...to, payload: { index: 3, data: 'smile' } }),
    nora.createLocationMessage({ ...to, payload: { description: 'lake', latitude: 47.5, longitude: 9.25 } }),
    nora.createCustomMessage({ ...to, payload: { data: 'd', description: 'e', extension: 'f' } }),
  ];

  for (const m of messages) await nora.sendMessage(m);
  await until(() => otto.received().length === messages.length);
  assert.deepEqual(
    otto.received().map((m) => [m.type, m.payload, m.cloudCustomData]),
    messages.map((m) => [m.type, m.payload, m.cloudCustomData]),
  );
  assert.equal((await rejection(say(nora, named('otto'), 'x'.repeat(10000)))).code, 80002);
});

test('REST and the SDK talk to each other', { skip }, async () => {
  const paul = await join('paul');
  const answer = await rest('openim/sendmsg', {
    SyncOtherMachine: 2,
    To_Account: named('paul'),
    MsgRandom: 77,
    MsgBody: [
      { MsgType: 'TIMTextElem', MsgContent: { Text: 'from the server' } },
      { MsgType: 'TIMFaceElem', MsgContent: { Index: 1, Data: 'x' } },
    ],
  });

  assert.equal(answer.ErrorCode, 0);
  await until(() => paul.received().length === 1);
  assert.deepEqual(
    paul
      .received()[0]
      .getElements()
      .map((e) => e.type),
    ['TIMTextElem', 'TIMFaceElem'],
  );
  assert.equal((await rest('im_open_login_svc/kick', { Identifier: named('paul') })).ErrorCode, 0);
  await until(() => paul.told(EVENT.KICKED_OUT).length === 1);
  assert.deepEqual(paul.told(EVENT.KICKED_OUT)[0].data, { type: 'REST_API_Kick' });
});

test('profile and state', { skip }, async () => {
  const [rosa, sven] = [await join('rosa'), await join('sven')];

  await rosa.updateMyProfile({ nick: 'Rosa R', selfSignature: '你好', gender: TYPES.GENDER_FEMALE });
  const [profile] = (await sven.getUserProfile({ userIDList: [named('rosa')] })).data;

  assert.deepEqual(
    [profile.nick, profile.selfSignature, profile.gender],
    ['Rosa R', '你好', 'Gender_Type_Female'],
  );
  const status = async () =>
    (await sven.getUserStatus({ userIDList: [named('rosa')] })).data.successUserList[0].statusType;

  assert.equal(await status(), 1);
  await rosa.logout();
  await until(async () => (await status()) === 2);
});

test('pin, remind, hide and clear are kept by the server', { skip }, async () => {
  const [tina, uwe] = [await join('tina'), await join('uwe')];
  const id = `C2C${named('uwe')}`;

  await say(uwe, named('tina'), 'one');
  await until(() => tina.texts().length === 1);
  await tina.pinConversation({ conversationID: id, isPinned: true });
  await tina.setMessageRemindType({ userIDList: [named('uwe')], messageRemindType: 'AcceptNotNotify' });
  const other = await join('tina');
  const view = (await other.getConversationProfile(id)).data.conversation;

  assert.deepEqual([view.isPinned, view.messageRemindType], [true, 'AcceptNotNotify']);
  assert.equal(other.getTotalUnreadMessageCount(), 0, 'muted ones do not count');
  await other.clearHistoryMessage(id);
  assert.deepEqual((await other.getMessageList({ conversationID: id })).data.messageList, []);
  await other.deleteConversation(id);
  assert.deepEqual((await other.getConversationList()).data.conversationList, []);
  await say(uwe, named('tina'), 'two');
  await until(() => other.texts().includes('two'));
  assert.deepEqual(
    (await other.getMessageList({ conversationID: id })).data.messageList.map((m) => m.payload.text),
    ['two'],
  );
});
