import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { FakeServer } from './fake-server.mjs';
import { EVENT, rejection, say, signedIn, textMessage, TYPES, until } from './lib.mjs';

const OTHER_DEVICE = 1;
const SIG_EXPIRED = 3;
const REST_KICK = 4;
const SLOW = 6;
const WEB = 6;

let server;
let anna;
let ben;
let open;

async function signIn(user, options = { timeoutMs: 15000 }) {
  const chat = await signedIn(server.url, user, options);

  open.push(chat);
  return chat;
}

beforeEach(async () => {
  open = [];
  server = await FakeServer.start();
  anna = await signIn('anna');
  ben = await signIn('ben');
});
afterEach(async () => {
  for (const chat of open) await chat.destroy();
  await server.stop();
});

const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => `n${from + i}`);

test('a lost push is found by the next one', async () => {
  await say(anna, 'ben', 'n1');
  await until(() => ben.texts().length === 1);
  server.dropPushes = 1;
  await say(anna, 'ben', 'n2');
  await say(anna, 'ben', 'n3');
  await until(() => ben.texts().length === 3);
  assert.deepEqual(ben.texts(), numbers(1, 3));
  assert.equal(ben.getTotalUnreadMessageCount(), 3);
});

test('a page that the cluster cannot give now leaves nothing out', async () => {
  await say(anna, 'ben', 'n1');
  await until(() => ben.texts().length === 1);
  server.dropPushes = 1;
  server.failingPages = [10002, 60006];
  await say(anna, 'ben', 'n2');
  await say(anna, 'ben', 'n3');
  await until(() => ben.texts().length === 3);
  assert.deepEqual(ben.texts(), numbers(1, 3));
  assert.deepEqual(server.failingPages, []);
});

test('a lost last push is found when the heartbeat says resync', async () => {
  await say(anna, 'ben', 'n1');
  await until(() => ben.texts().length === 1);
  server.dropPushes = 5;
  for (let i = 2; i <= 6; i++) await say(anna, 'ben', `n${i}`);
  server.resync.add('ben');
  await until(() => ben.texts().length === 6);
  assert.deepEqual(ben.texts(), numbers(1, 6));
  assert.equal(ben.getTotalUnreadMessageCount(), 6);
});

test('a conversation that begins with a lost push is told whole', async () => {
  server.dropPushes = 2;
  await say(anna, 'ben', 'n1');
  await say(anna, 'ben', 'n2');
  await say(anna, 'ben', 'n3');
  await until(() => ben.texts().length === 3);
  assert.deepEqual(ben.texts(), numbers(1, 3));
  assert.equal(ben.getTotalUnreadMessageCount(), 3);
});

test('a cut link is resumed, and what was said meanwhile arrives once', async () => {
  await say(anna, 'ben', 'n1');
  await until(() => ben.texts().length === 1);
  server.cut('ben');
  for (let i = 2; i <= 60; i++) server.say('anna', 'ben', `n${i}`, { push: false });
  await until(() => ben.texts().length === 60);
  assert.deepEqual(ben.texts(), numbers(1, 60));
  assert.equal(ben.getTotalUnreadMessageCount(), 60);
  assert.equal(server.resumes, 1);
  assert.equal(server.signIns, 2);
  const states = ben.told(EVENT.NET_STATE_CHANGE).map((e) => e.data.state);

  assert.deepEqual(states.slice(-3), ['disconnected', 'connecting', 'connected']);
  assert.equal(ben.told(EVENT.SDK_READY).length, 1);
  assert.equal(ben.told(EVENT.SDK_NOT_READY).length, 0);
});

test('a session that is over is opened again with the ticket', async () => {
  server.sessions.clear();
  server.cut('ben');
  await until(() => server.signIns === 3);
  await say(anna, 'ben', 'n1');
  await until(() => ben.texts().length === 1);
});

test('a send whose answer is lost is repeated with the same id and appears once', async () => {
  server.mute.add('send');
  const message = textMessage(anna, 'ben', 'once');
  const sending = anna.sendMessage(message);

  await until(() => server.seen.includes('send'));
  server.say('anna', 'ben', 'once', { clientId: message.ID }); // it was stored, the answer is lost
  server.mute.clear();
  server.cut('anna');
  assert.equal((await sending).data.message, message);
  assert.equal(message.sequence, 1);
  await until(() => ben.texts().length === 1);
  assert.equal(server.log('c:anna:ben').msgs.length, 1);
  assert.equal(anna.received().length, 0, 'nobody is told of his own message');
  const page = await anna.getMessageList({ conversationID: 'C2Cben' });

  assert.equal(page.data.messageList[0], message);
});

test('sends keep their order when the first one has to be repeated', async () => {
  server.failing = [200003, 200001];
  const sends = ['a', 'b', 'c'].map((value) => say(anna, 'ben', value));

  await Promise.all(sends);
  await until(() => ben.texts().length === 3);
  assert.deepEqual(ben.texts(), ['a', 'b', 'c']);
});

test('a refused send fails with the code and can be sent again', async () => {
  server.failing = [80001];
  const message = textMessage(anna, 'ben', 'again');

  assert.equal((await rejection(anna.sendMessage(message))).code, 80001);
  assert.equal(message.status, 'fail');
  assert.equal((await anna.resendMessage(message)).data.message, message);
  assert.equal(message.status, 'success');
});

test('a send without answer fails with 2801', async () => {
  const carl = await signIn('carl', { timeoutMs: 100 });

  server.mute.add('send');
  const message = textMessage(carl, 'ben', 'x');

  assert.equal((await rejection(carl.sendMessage(message))).code, 2801);
  assert.equal(message.status, 'fail');
});

test('a silent gateway is noticed by the heartbeat', async () => {
  server.mute.add('ping');
  await until(() => server.resumes > 0);
  server.mute.clear();
  await until(() => ben.told(EVENT.NET_STATE_CHANGE).at(-1).data.state === 'connected');
});

test('GoAway: the session goes on elsewhere', async () => {
  server.notify('ben', { goAway: { retryAfterMs: 20 } });
  await until(() => server.resumes === 1);
  await say(anna, 'ben', 'still here');
  await until(() => ben.texts().length === 1);
});

for (const [why, by, type] of [
  [OTHER_DEVICE, WEB, TYPES.KICKED_OUT_MULT_ACCOUNT],
  [OTHER_DEVICE, 1, TYPES.KICKED_OUT_MULT_DEVICE],
  [SIG_EXPIRED, 0, TYPES.KICKED_OUT_USERSIG_EXPIRED],
  [REST_KICK, 0, TYPES.KICKED_OUT_REST_API],
])
  test(`kicked out: ${type}`, async () => {
    server.kick('ben', why, by);
    await until(() => ben.told(EVENT.KICKED_OUT).length === 1);
    assert.deepEqual(ben.told(EVENT.KICKED_OUT)[0].data, { type });
    assert.equal(ben.told(EVENT.SDK_NOT_READY).length, 1);
    assert.equal(ben.isReady(), false);
    assert.equal(server.resumes, 0);
    await ben.login({ userID: 'ben', userSig: 's' });
    await until(() => ben.isReady());
  });

test('a slow reader comes back by itself', async () => {
  server.kick('ben', SLOW);
  await until(() => server.resumes === 1);
  assert.equal(ben.told(EVENT.KICKED_OUT).length, 0);
});

test('a ticket that expires while away ends the session', async () => {
  server.sessions.clear();
  server.refuse = 70001;
  server.cut('ben');
  await until(() => ben.told(EVENT.KICKED_OUT).length === 1);
  assert.deepEqual(ben.told(EVENT.KICKED_OUT)[0].data, { type: 'userSigExpired' });
  server.refuse = 0;
});

test('nobody minds a storm: cuts and lost pushes, two senders, everything once and in order', async () => {
  const carl = await signIn('carl');
  const expected = [];
  let waiting = [];

  server.group('storm', 'Public', ['anna', 'ben', 'carl']);
  await Promise.all([anna, ben, carl].map((c) => c.joinGroup({ groupID: 'storm' })));
  for (let i = 0; i < 120; i++) {
    waiting.push(say(i % 2 ? anna : carl, 'storm', `s${i}`, 'GROUP'));
    if (i % 7 === 0) server.dropPushes += 2;
    if (i % 15 === 0) server.cut(['anna', 'ben', 'carl'][i % 3]);
    if (i % 10 === 9) {
      await Promise.all(waiting);
      waiting = [];
    }
  }
  await Promise.all(waiting);
  server.dropPushes = 0;
  expected.push(...server.log('g:storm').msgs.map((m) => m.seq));
  server.say('nobody', 'storm', 'last', { convType: 2 });
  await until(() => ben.texts().includes('last') && anna.texts().includes('last'));
  assert.equal(expected.length, 120);
  assert.deepEqual(
    ben.received().map((m) => m.sequence),
    [...expected, 121],
  );
  const others = server.log('g:storm').msgs.filter((m) => m.from !== 'anna');

  assert.deepEqual(
    anna.received().map((m) => m.sequence),
    others.map((m) => m.seq),
  );
});
