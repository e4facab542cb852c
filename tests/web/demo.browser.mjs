// The demo page in a real browser, against a real cluster: two people open it, chat both ways and in
// a group; one reloads and sees the history. Needs HONGYAN_CLUSTER_JSON and Debian's chromium.
// Leaves screenshots in the folder it prints.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sdkHome } from './lib.mjs';

const require = createRequire(join(sdkHome, 'package.json'));
const { chromium } = require('playwright-core');
const cluster = JSON.parse(readFileSync(process.env.HONGYAN_CLUSTER_JSON, 'utf8'));
const shots = mkdtempSync(join(tmpdir(), 'hongyan-shots-'));
const unique = Date.now().toString(36);
const ANNA = `anna-${unique}`;
const BEN = `ben-${unique}`;
const NASTY = '<img src=x onerror="document.title=\'pwned\'"> & <script>1</script>';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let browser;
let anna;
let ben;

async function open(user, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1100, height: 720 },
    locale: 'en-GB',
    ...options,
  });
  const page = await context.newPage();

  page.setDefaultTimeout(10000);
  page.problems = [];
  page.on('pageerror', (err) => page.problems.push(String(err)));
  page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
  await page.goto(`${cluster.demo}/demo/?user=${user}`);
  await page.locator('#net.connected').waitFor();
  return page;
}

async function openChat(page, user) {
  await page.click('#new');
  await page.fill('#to-user-name', user);
  await page.click('#to-user button');
  await page.locator('#room-title').waitFor();
}

async function write(page, text) {
  await page.fill('#draft', text);
  await page.press('#draft', 'Enter');
}

const bubble = (page, text) => page.locator('.bubble p', { hasText: text });
const shot = (page, name) => page.screenshot({ path: join(shots, `${name}.png`) });

before(async () => {
  console.log(`screenshots: ${shots}`);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
  });
  // Both sign in once, so that both accounts exist.
  [anna, ben] = await Promise.all([open(ANNA), open(BEN)]);
});
after(() => browser?.close());

test('two people chat both ways', async () => {
  await openChat(anna, BEN);
  await write(anna, 'Hello Ben!');
  await ben.locator('.entry', { hasText: ANNA }).locator('.badge', { hasText: '1' }).waitFor();
  await shot(ben, 'unread');
  await ben.locator('.entry', { hasText: ANNA }).click();
  await bubble(ben, 'Hello Ben!').waitFor();
  await ben.locator('.badge').waitFor({ state: 'detached' });
  await anna.locator('.mark.read').waitFor();
  await ben.locator('#draft').pressSequentially('你好');
  await anna.locator('#room-state', { hasText: 'typing' }).waitFor();
  await write(ben, '你好 Anna, the geese are back 🪿');
  await bubble(anna, 'the geese are back').waitFor();
  await anna.locator('#room-state.connected', { hasText: 'online' }).waitFor();
  await shot(anna, 'chat');
});

test('markup in a message is shown, not run', async () => {
  await write(anna, NASTY);
  await bubble(ben, '<img src=x').waitFor();
  assert.equal(await bubble(ben, '<img src=x').textContent(), NASTY);
  assert.doesNotMatch(await ben.title(), /pwned/);
  assert.equal(await ben.locator('.bubble img').count(), 0);
});

test('one reloads and sees the history', async () => {
  for (let i = 1; i <= 40; i++) {
    await write(anna, `line ${i}`);
  }
  await bubble(ben, 'line 40').waitFor();
  const before = await ben.locator('.bubble p').allTextContents();

  await ben.reload();
  await bubble(ben, 'line 40').waitFor();
  while (!(await ben.locator('#log-top', { hasText: 'begins' }).count())) {
    await ben.locator('#log').evaluate((log) => (log.scrollTop = 0));
    await ben.waitForTimeout(20);
  }
  assert.deepEqual(await ben.locator('.bubble p').allTextContents(), before);
  await shot(ben, 'history');
});

test('a group: made, joined, talked in, left', async () => {
  await anna.click('#new');
  await shot(anna, 'dialog');
  await anna.fill('#make-name', 'Migration 2026');
  await anna.fill('#make-members', '');
  await anna.click('#make button');
  await anna.locator('#room-title', { hasText: 'Migration 2026' }).waitFor();
  const id = (await anna.locator('#room-state').textContent()).split(' · ')[0];

  await ben.click('#new');
  await ben.fill('#join-id', id);
  await ben.click('#join button');
  await ben.locator('#room-title', { hasText: 'Migration 2026' }).waitFor();
  await write(ben, 'I am here');
  await bubble(anna, 'I am here').waitFor();
  await anna.locator('.author', { hasText: BEN }).waitFor();
  await write(anna, 'Welcome!');
  await bubble(ben, 'Welcome!').waitFor();
  await anna.click('#members');
  await anna.locator('#group-members li', { hasText: BEN }).waitFor();
  await shot(anna, 'group');
  await anna.click('#group-dialog [data-close]');
  await ben.click('#members');
  await ben.click('#leave');
  await ben.locator(`[data-id="GROUP${id}"]`).waitFor({ state: 'detached' });
});

test('on a phone, in Chinese and dark', async () => {
  const phone = await open(ANNA, {
    viewport: { width: 375, height: 720 },
    locale: 'zh-CN',
    colorScheme: 'dark',
    deviceScaleFactor: 2,
  });

  await phone.locator(`[data-id=C2C${BEN}]`).waitFor();
  await shot(phone, 'phone-list');
  await phone.locator(`[data-id=C2C${BEN}]`).click();
  await bubble(phone, 'line 40').waitFor();
  await shot(phone, 'phone-chat');
  const width = await phone.evaluate(() => document.documentElement.scrollWidth);

  assert.equal(width, 375, 'nothing sticks out');
  await phone.click('#back');
  await phone.locator('#list').waitFor();
});

test('the line is lost and comes back', async () => {
  await openChat(ben, ANNA);
  await ben.context().setOffline(true);
  await ben.evaluate(() => undefined);
  await ben.context().setOffline(false);
  await write(ben, 'after the tunnel');
  await ben.locator('.message.out .mark.sent, .message.out .mark.read').last().waitFor();
});

test('the sign-in page', async () => {
  const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, locale: 'en-GB' });
  const page = await context.newPage();

  await page.goto(cluster.demo);
  await page.locator('#name').waitFor();
  await shot(page, 'sign-in');
});

test('nothing went wrong on the way', () => {
  assert.deepEqual([...anna.problems, ...ben.problems], []);
});
