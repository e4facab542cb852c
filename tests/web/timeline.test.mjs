import assert from 'node:assert/strict';
import { test } from 'node:test';
import { source } from './source.mjs';

const { Timeline } = await source('timeline');
const { backoff } = await source('backoff');
const { decodeBody, encodeBody } = await source('body');
const { messageID, makeID } = await source('message');

const msg = (sequence) => ({ ID: `m${sequence}`, sequence });
const seqs = (list) => list.map((m) => m.sequence);

test('messages come out in order, once', () => {
  const line = new Timeline(3);

  assert.equal(line.offer(msg(3)), false);
  assert.equal(line.offer(msg(6)), true);
  assert.equal(line.offer(msg(6)), false);
  assert.deepEqual(seqs(line.drain()), []);
  assert.equal(line.gap(), 4);
  line.offer(msg(5));
  line.offer(msg(4));
  assert.deepEqual(seqs(line.drain()), [4, 5, 6]);
  assert.equal(line.gap(), 0);
});

test('a covered range lets later messages out, holes and all', () => {
  const line = new Timeline(0);

  for (const seq of [2, 5, 9]) line.offer(msg(seq));
  assert.deepEqual(seqs(line.cover(8)), [2, 5, 9]);
  assert.equal(line.told, 9);
});

test('any order of arrival gives the same story', () => {
  for (let round = 0; round < 200; round++) {
    const line = new Timeline(0);
    const order = Array.from({ length: 12 }, (_, i) => i + 1).sort(() => Math.random() - 0.5);
    const told = [];

    for (const seq of [...order, ...order]) {
      line.offer(msg(seq));
      told.push(...seqs(line.drain()));
    }
    assert.deepEqual(
      told,
      order.sort((a, b) => a - b),
    );
  }
});

test('a live timeline does not wait for what cannot be had', () => {
  const line = new Timeline(0, true);

  line.offer(msg(1001));
  assert.deepEqual(seqs(line.drain()), [1001]);
  line.offer(msg(1004));
  line.offer(msg(1006));
  assert.deepEqual(seqs(line.drain()), [1004, 1006]);
  assert.equal(line.offer(msg(1002)), false);
  assert.equal(line.page(Infinity, 15).isCompleted, true);
});

test('pages go back to the beginning', () => {
  const line = new Timeline(20);

  assert.equal(line.page(Infinity, 5), null);
  line.prepend(
    Array.from({ length: 20 }, (_, i) => msg(i + 1)),
    1,
  );
  const first = line.page(Infinity, 15);
  const second = line.page(first.list[0].sequence, 15);

  assert.deepEqual(seqs(first.list), [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  assert.equal(first.next, 'm6');
  assert.deepEqual(seqs(second.list), [1, 2, 3, 4, 5]);
  assert.equal(second.next, '');
  assert.equal(second.isCompleted, true);
});

test('a page fetched twice is here once', () => {
  const line = new Timeline(4);

  line.prepend([msg(3), msg(4)], 3);
  line.prepend([msg(3), msg(4)], 3);
  line.prepend([msg(1), msg(2)], 1);
  assert.deepEqual(seqs(line.messages()), [1, 2, 3, 4]);
});

test('the wait before an attempt grows to a bound and is spread', () => {
  assert.equal(
    backoff(0, () => 1),
    300,
  );
  assert.equal(
    backoff(3, () => 1),
    2400,
  );
  assert.equal(
    backoff(50, () => 1),
    15000,
  );
  assert.equal(
    backoff(5, () => 0),
    0,
  );
});

test('every payload survives the wire', () => {
  const cases = {
    TIMTextElem: { text: '鸿雁 \u{1F426} <b>' },
    TIMCustomElem: { data: '{"a":"ü"}', description: 'd', extension: 'e' },
    TIMFaceElem: { index: 7, data: 'smile' },
    TIMLocationElem: { description: 'x', latitude: 22.5, longitude: -113.25 },
    TIMFileElem: { uuid: 'u', fileName: 'a.txt', fileUrl: 'http://a/b', fileSize: 2 ** 33 },
    TIMSoundElem: { uuid: 'u', url: 'http://a/b', remoteAudioUrl: 'http://a/b', size: 5, second: 3 },
  };

  for (const [type, payload] of Object.entries(cases))
    assert.deepEqual(decodeBody(encodeBody(type, payload)), [{ type, content: payload }]);
});

test('a half surrogate does not make a text that the server refuses', () => {
  const [{ content }] = decodeBody(encodeBody('TIMTextElem', { text: 'a\ud800b' }));

  assert.equal(content.text, 'a\ufffdb');
});

test('an image has three sizes even if one was sent', () => {
  const payload = { uuid: 'u', imageInfoArray: [{ url: 'http://a/b', width: 4, height: 3, size: 9 }] };
  const [{ content }] = decodeBody(encodeBody('TIMImageElem', payload));

  assert.deepEqual(
    content.imageInfoArray.map((i) => [i.type, i.url, i.width]),
    [
      [0, 'http://a/b', 4],
      [1, 'http://a/b', 4],
      [2, 'http://a/b', 4],
    ],
  );
});

test('an ID is at most 64 bytes and the same for sender and receiver', () => {
  const id = makeID('anna', 1700000000, 4294967295);
  const wire = { convType: 1, from: 'anna', to: 'ben', clientId: id, seq: 4 };

  assert.equal(messageID(wire, 'ben'), id);
  assert.equal(messageID(wire, 'anna'), id);
  assert.ok(Buffer.byteLength(makeID('鸿'.repeat(32), 1700000000, 4294967295)) <= 64);
  assert.equal(messageID({ ...wire, clientId: '1' }, 'ben'), 'C2Canna-4');
});
