import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FakeServer } from './fake-server.mjs';
import { Chat, client, EVENT, rejection, say, signedIn, textMessage, TYPES, until } from './lib.mjs';

let server;
const open = [];
const signIn = async (user, options) => {
  const chat = await signedIn(server.url, user, options);

  open.push(chat);
  return chat;
};

before(async () => {
  server = await FakeServer.start();
  server.names.set('anna', 'Anna');
  server.names.set('ben', 'Ben');
});
after(async () => {
  for (const chat of open) await chat.destroy();
  await server.stop();
});

test('login resolves, then comes the list, then SDK_READY', async () => {
  const chat = client(server.url);
  const order = [];

  open.push(chat);
  server.say('ben', 'order', 'hello');
  chat.on(EVENT.CONVERSATION_LIST_UPDATED, ({ data }) => order.push(`list ${data.length}`));
  chat.on(EVENT.SDK_READY, () => order.push('ready'));
  const { code, data } = await chat.login({ userID: 'order', userSig: 's' });

  order.push('login');
  assert.equal(code, 0);
  assert.deepEqual(data, { actionStatus: 'OK', errorCode: 0, errorInfo: '' });
  assert.equal(chat.isReady(), false);
  await until(() => chat.isReady());
  assert.deepEqual(order.slice(0, 3), ['login', 'list 1', 'ready']);
  assert.equal(chat.getLoginUser(), 'order');
  assert.ok(Math.abs(chat.getServerTime() - Date.now() / 1000) < 5);
  assert.equal((await chat.login({ userID: 'order', userSig: 's' })).data.repeatLogin, true);
});

test('wrong logins reject with their codes', async () => {
  const chat = client(server.url);

  assert.equal((await rejection(chat.login({ userSig: 's' }))).code, 2002);
  assert.equal((await rejection(chat.login({ userID: 'a' }))).code, 2003);
  assert.equal((await rejection(chat.getMyProfile())).code, 2024);
  assert.equal((await rejection(chat.logout())).code, 2024);
  server.refuse = 70009;
  const err = await rejection(chat.login({ userID: 'a', userSig: 's' }));

  server.refuse = 0;
  assert.ok(err instanceof Error);
  assert.deepEqual([err.code, err.message, err.data], [70009, 'code 70009', {}]);
  const running = chat.login({ userID: 'a', userSig: 's' });

  assert.equal((await rejection(chat.login({ userID: 'a', userSig: 's' }))).code, 2025);
  await running;
  await chat.logout();
});

test('a server that is not there gives 2800', async () => {
  const chat = client('ws://127.0.0.1:1', { timeoutMs: 200 });

  assert.equal((await rejection(chat.login({ userID: 'a', userSig: 's' }))).code, 2800);
});

test('a server that is silent gives 2801', async () => {
  server.mute.add('signIn');
  const err = await rejection(client(server.url, { timeoutMs: 200 }).login({ userID: 'a', userSig: 's' }));

  server.mute.clear();
  assert.equal(err.code, 2801);
});

test('one instance for one app', () => {
  const a = Chat.create({ SDKAppID: 1400000777, socket: class {} });

  assert.equal(Chat.create({ SDKAppID: 1400000777 }), a);
  assert.throws(() => Chat.create({}), { code: 2000 });
});

test('handlers get name and data, and their context', async () => {
  const chat = client(server.url);
  const context = {};
  const seen = [];
  const handler = function (event) {
    seen.push([this === context, event.name, event.data]);
  };

  chat.on(EVENT.NET_STATE_CHANGE, handler, context);
  await chat.login({ userID: 'ctx', userSig: 's' });
  assert.deepEqual(seen, [
    [true, 'netStateChange', { state: 'connecting' }],
    [true, 'netStateChange', { state: 'connected' }],
  ]);
  chat.off(EVENT.NET_STATE_CHANGE, handler, context);
  await chat.destroy();
  assert.equal(seen.length, 2);
});

test('two people talk; the message is a live object', async () => {
  const anna = await signIn('anna');
  const ben = await signIn('ben');
  const message = textMessage(anna, 'ben', 'hi <b>Ben</b>');

  assert.equal(message.status, 'unSend');
  assert.equal(message.conversationID, 'C2Cben');
  assert.equal(message.flow, 'out');
  const { data } = await anna.sendMessage(message);

  assert.equal(data.message, message);
  assert.equal(message.status, 'success');
  assert.equal(message.sequence, 1);
  await until(() => ben.received().length === 1);
  const got = ben.received()[0];

  assert.equal(got.ID, message.ID);
  assert.deepEqual(got.payload, { text: 'hi <b>Ben</b>' });
  assert.deepEqual(
    [got.type, got.from, got.to, got.flow, got.conversationID, got.nick, got.status],
    ['TIMTextElem', 'anna', 'ben', 'in', 'C2Canna', 'Anna', 'success'],
  );
  assert.equal(ben.findMessage(got.ID), got);
  assert.equal(ben.findMessage('nothing'), null);
  assert.equal(anna.received().length, 0);
  await until(() => ben.getTotalUnreadMessageCount() === 1);
  const { conversation } = (await ben.getConversationProfile('C2Canna')).data;

  assert.equal(conversation.unreadCount, 1);
  assert.deepEqual(conversation.groupAtInfoList, []);
  assert.equal(conversation.userProfile.nick, 'Anna');
  assert.deepEqual(
    [
      conversation.lastMessage.fromAccount,
      conversation.lastMessage.messageForShow,
      conversation.lastMessage.lastTime,
    ],
    ['anna', 'hi <b>Ben</b>', got.time],
  );

  await ben.setMessageRead({ conversationID: 'C2Canna' });
  assert.equal(conversation.unreadCount, 0);
  await until(() => anna.told(EVENT.MESSAGE_READ_BY_PEER).length === 1);
  assert.equal(anna.told(EVENT.MESSAGE_READ_BY_PEER)[0].data[0], message);
  assert.equal(message.isPeerRead, true);
});

test("the user's other device sees what was sent and what was read", async () => {
  const one = await signIn('carl');
  const two = await signIn('carl');

  await say(one, 'dora', 'from the first');
  await until(() => two.received().length === 1);
  assert.equal(two.received()[0].flow, 'out');
  assert.equal(two.getTotalUnreadMessageCount(), 0);
  server.say('dora', 'carl', 'back');
  await until(() => one.getTotalUnreadMessageCount() === 1 && two.getTotalUnreadMessageCount() === 1);
  await one.setMessageRead({ conversationID: 'C2Cdora' });
  await until(() => two.getTotalUnreadMessageCount() === 0);
});

test('online-only messages leave nothing behind', async () => {
  const eve = await signIn('eve');
  const fred = await signIn('fred');
  const typing = eve.createCustomMessage({
    to: 'fred',
    conversationType: 'C2C',
    payload: { data: 'typing' },
  });

  await eve.sendMessage(typing, { onlineUserOnly: true });
  await until(() => fred.received().length === 1);
  assert.deepEqual(fred.received()[0].payload, { data: 'typing', description: '', extension: '' });
  assert.equal(fred.getTotalUnreadMessageCount(), 0);
  assert.equal((await fred.getConversationList()).data.conversationList.length, 0);
});

test('history comes in pages of 15, oldest first inside', async () => {
  for (let i = 1; i <= 40; i++) server.say('gina', 'hans', `n${i}`);
  const hans = await signIn('hans');
  const seen = [];
  let next;
  let pages = 0;

  do {
    const { data } = await hans.getMessageList({ conversationID: 'C2Cgina', nextReqMessageID: next });

    assert.ok(data.messageList.length <= 15);
    seen.unshift(...data.messageList.map((m) => m.payload.text));
    next = data.nextReqMessageID;
    pages++;
    assert.equal(data.isCompleted, next === '');
  } while (next !== '');
  assert.equal(pages, 3);
  assert.deepEqual(
    seen,
    Array.from({ length: 40 }, (_, i) => `n${i + 1}`),
  );
  assert.equal(hans.received().length, 0);
  const again = await hans.getMessageList({ conversationID: 'C2Cgina' });
  const asked = server.seen.filter((kind) => kind === 'history').length;

  await hans.getMessageList({ conversationID: 'C2Cgina', nextReqMessageID: again.data.nextReqMessageID });
  assert.equal(
    server.seen.filter((kind) => kind === 'history').length,
    asked,
    'the second time it is at hand',
  );
  const hop = await hans.getMessageListHopping({
    conversationID: 'C2Cgina',
    sequence: 10,
    direction: 1,
    count: 5,
  });

  assert.deepEqual(
    hop.data.messageList.map((m) => m.payload.text),
    ['n10', 'n11', 'n12', 'n13', 'n14'],
  );
});

test('pages go on past many hidden messages, both ways', async () => {
  const hide = (i) => (i > 5 && i < 25 ? 'mia' : undefined);

  server.mostHidden = 4; // of 19 in a row
  for (let i = 1; i <= 30; i++) server.say('lou', 'mia', `n${i}`, { hiddenFrom: hide(i) });
  const mia = await signIn('mia');
  const first = (await mia.getMessageList({ conversationID: 'C2Clou' })).data;

  assert.deepEqual(
    first.messageList.map((m) => m.sequence),
    [1, 2, 3, 4, 5, 25, 26, 27, 28, 29, 30],
  );
  assert.equal(first.isCompleted, true);
  for (let i = 31; i <= 60; i++)
    server.say('lou', 'mia', `n${i}`, { push: i === 60, hiddenFrom: hide(i - 30) });
  await until(() => mia.received().length === 11);
  assert.deepEqual(
    mia.received().map((m) => m.sequence),
    [31, 32, 33, 34, 35, 55, 56, 57, 58, 59, 60],
  );
  server.mostHidden = Infinity;
});

test('a conversation with someone new can be opened', async () => {
  const ida = await signIn('ida');
  const { data } = await ida.getConversationProfile('C2Cben');

  assert.equal(data.conversation.conversationID, 'C2Cben');
  assert.equal(data.conversation.userProfile.nick, 'Ben');
  assert.equal(data.conversation.lastMessage.messageForShow, '');
  const page = await ida.getMessageList({ conversationID: 'C2Cben' });

  assert.deepEqual(page.data, { messageList: [], nextReqMessageID: '', isCompleted: true });
  assert.equal((await rejection(ida.getMessageList({ conversationID: 'nonsense' }))).code, 2503);
});

test('groups: make, talk, mention, join, leave', async () => {
  const jane = await signIn('jane');
  const karl = await signIn('karl');
  const lena = await signIn('lena');
  const { data } = await jane.createGroup({
    name: 'Chess',
    type: TYPES.GRP_PUBLIC,
    memberList: [{ userID: 'karl' }],
  });
  const id = data.group.groupID;

  assert.equal(data.group.name, 'Chess');
  assert.equal(data.group.selfInfo.role, 'Owner');
  const at = jane.createTextAtMessage({
    to: id,
    conversationType: 'GROUP',
    payload: { text: '@karl', atUserList: ['karl'] },
  });

  await jane.sendMessage(at);
  assert.deepEqual(at.atUserList, ['karl']);
  await until(() => karl.received().length === 1);
  const conversation = karl.told(EVENT.CONVERSATION_LIST_UPDATED).at(-1).data[0];

  assert.equal(conversation.groupProfile.name, 'Chess');
  assert.equal(conversation.groupAtInfoList[0].from, 'jane');
  await karl.setMessageRead({ conversationID: `GROUP${id}` });
  assert.deepEqual(conversation.groupAtInfoList, []);

  const joined = await lena.joinGroup({ groupID: id });

  assert.equal(joined.data.status, TYPES.JOIN_STATUS_SUCCESS);
  assert.equal(joined.data.group.groupID, id);
  assert.deepEqual(
    (await lena.getGroupList()).data.groupList.map((g) => g.groupID),
    [id],
  );
  const members = (await lena.getGroupMemberList({ groupID: id, count: 2 })).data;

  assert.deepEqual(
    members.memberList.map((m) => [m.userID, m.role]),
    [
      ['jane', 'Owner'],
      ['karl', 'Member'],
    ],
  );
  assert.equal(members.offset, 2);
  await say(lena, id, 'hello all', 'GROUP');
  await until(() => jane.texts().includes('hello all') && karl.texts().includes('hello all'));
  await lena.quitGroup(id);
  assert.deepEqual((await lena.getGroupList()).data.groupList, []);
  assert.equal((await rejection(jane.createGroup({ name: 'x', type: 'Community' }))).code, 2600);
});

test('tips and system notices are messages', async () => {
  server.group('g-tips', 'Public', ['mona', 'nick']);
  const mona = await signIn('mona');

  const { tip } = await import('./fake-server.mjs');

  server.say('nick', 'g-tips', tip(1, 'nick', ['olga']), { convType: 2 });
  await until(() => mona.received().length === 1);
  const [message] = mona.received();

  assert.equal(message.type, TYPES.MSG_GRP_TIP);
  assert.deepEqual([message.payload.operationType, message.payload.userIDList], [1, ['olga']]);
  server.notify('mona', {
    systemNotice: { type: 5, group: 'g-tips', groupName: 'Tips', operatorId: 'nick', timeMs: Date.now() },
  });
  await until(() => mona.received().length === 2);
  const notice = mona.received()[1];

  assert.equal(notice.type, TYPES.MSG_GRP_SYS_NOTICE);
  assert.equal(notice.conversationID, '@TIM#SYSTEM');
  assert.equal(notice.payload.groupProfile.name, 'Tips');
  const list = (await mona.getConversationList()).data.conversationList;

  assert.deepEqual(
    list.map((c) => c.conversationID),
    ['@TIM#SYSTEM'],
  );
  assert.equal((await mona.getMessageList({ conversationID: '@TIM#SYSTEM' })).data.messageList[0], notice);
});

test('profiles, and who is online', async () => {
  const paul = await signIn('paul');
  const { data } = await paul.updateMyProfile({ nick: 'Paul P' });

  assert.equal(data.nick, 'Paul P');
  assert.equal(paul.told(EVENT.PROFILE_UPDATED)[0].data[0].nick, 'Paul P');
  assert.equal((await paul.getMyProfile()).data.nick, 'Paul P');
  assert.equal((await paul.getUserProfile({ userIDList: ['ben'] })).data[0].nick, 'Ben');
  assert.equal((await rejection(paul.updateMyProfile({}))).code, 2722);
  const status = await paul.getUserStatus({ userIDList: ['paul', 'nobody'] });

  assert.deepEqual(
    status.data.successUserList.map((s) => s.statusType),
    [1, 2],
  );
  await paul.subscribeUserStatus({ userIDList: ['rosa'] });
  await until(() => paul.told(EVENT.USER_STATUS_UPDATED).length === 1);
  const rosa = await signIn('rosa');

  await until(() => paul.told(EVENT.USER_STATUS_UPDATED).length === 2);
  assert.deepEqual(paul.told(EVENT.USER_STATUS_UPDATED)[1].data, [
    { userID: 'rosa', statusType: 1, customStatus: '' },
  ]);
  await paul.unsubscribeUserStatus();
  await rosa.logout();
});

test('pin, mute, delete', async () => {
  server.say('sam', 'tina', 'one');
  server.say('uwe', 'tina', 'two');
  const tina = await signIn('tina');
  const order = () =>
    tina.getConversationList().then((r) => r.data.conversationList.map((c) => c.conversationID));

  server.say('uwe', 'tina', 'three', { timeMs: Date.now() + 2000 });
  await until(() => tina.texts().length === 1);
  assert.deepEqual(await order(), ['C2Cuwe', 'C2Csam']);
  await tina.pinConversation({ conversationID: 'C2Csam', isPinned: true });
  assert.deepEqual(await order(), ['C2Csam', 'C2Cuwe']);
  const before = tina.getTotalUnreadMessageCount();

  await tina.setMessageRemindType({ userIDList: ['sam'], messageRemindType: TYPES.MSG_REMIND_ACPT_NOT_NOTE });
  assert.equal(tina.getTotalUnreadMessageCount(), before - 1);
  await tina.deleteConversation('C2Cuwe');
  assert.deepEqual(await order(), ['C2Csam']);
  server.say('uwe', 'tina', 'four');
  await until(() => tina.texts().length === 2);
  assert.deepEqual(tina.texts(), ['three', 'four']);
  assert.equal((await order()).length, 2);
});

test('what is not supported exists and rejects with 2905', async () => {
  const vera = await signIn('vera');

  for (const name of ['revokeMessage', 'getBlacklist', 'invite', 'searchCloudMessages', 'setSelfStatus'])
    assert.equal((await rejection(vera[name]({}))).code, 2905, name);
  assert.deepEqual((await vera.getFriendList()).data, []);
  assert.deepEqual((await vera.getMessageReadReceiptList([])).data, { messageList: [] });
  assert.deepEqual((await vera.callExperimentalAPI('isCommercialAbilityEnabled', 1)).data, {
    enabled: false,
  });
  assert.equal(vera.callExperimentalAPI('canIUseModule', 1), true);
  assert.equal((await rejection(vera.sendMessage({}))).code, 2105);
});

test('a file goes where the uploader puts it', async () => {
  const wim = await signIn('wim');
  const file = { size: 3, name: 'a.png' };
  const image = () => wim.createImageMessage({ to: 'ben', conversationType: 'C2C', payload: { file } });

  assert.equal((await rejection(wim.sendMessage(image()))).code, 2040);
  wim.registerPlugin({ 'hongyan-upload': async () => ({ url: 'http://files/a.png', width: 2, height: 1 }) });
  const { message } = (await wim.sendMessage(image())).data;

  assert.equal(message.payload.imageInfoArray.length, 3);
  assert.equal(message.payload.imageInfoArray[0].url, 'http://files/a.png');
});

test('logout clears and says so', async () => {
  const chat = await signIn('xaver');

  await chat.logout();
  assert.equal(chat.told(EVENT.SDK_NOT_READY).length, 1);
  assert.equal(chat.isReady(), false);
  assert.equal((await rejection(chat.getConversationList())).code, 2024);
  await chat.login({ userID: 'xaver2', userSig: 's' });
  await until(() => chat.isReady());
  assert.equal(chat.getLoginUser(), 'xaver2');
});

test('a message that arrives while the conversation is being opened is told', async () => {
  const yan = await signIn('yan');

  server.say('zoe', 'yan', 'old', { push: false, timeMs: Date.now() - 60000 });
  const early = server.say('zoe', 'yan', 'early', { push: false, timeMs: Date.now() + 1 });
  const { data } = await yan.getMessageList({ conversationID: 'C2Czoe' });

  server.notify('yan', { msgNotice: { msgs: [early] } }); // the push was slower than the page
  assert.deepEqual(
    data.messageList.map((m) => m.payload.text),
    ['old', 'early'],
  );
  await until(() => yan.texts().length > 0);
  assert.deepEqual(yan.texts(), ['early']);
});
