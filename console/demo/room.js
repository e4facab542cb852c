// The open conversation: its messages, history on scroll, marks, and the composer.
import { byId, face, make, toast } from './dom.js';
import { isOnline } from './list.js';
import { dayOf, say, timeOf } from './words.js';
import { isTip, isTyping, lineOf, peerOf, titleOf } from './words-of.js';

const { TYPES } = window.TencentCloudChat;
const log = byId('log');
const list = byId('messages');
const top = byId('log-top');
const draft = byId('draft');
const TYPING_MS = 4000;

let chat;
let conversation = null;
let nodes = new Map(); // by message ID
let next = '';
let complete = false;
let loading = false;
let typingTimer;
let lastTyping = 0;

export const currentID = () => conversation?.conversationID ?? '';
export const current = () => conversation;

export function startRoom(theChat) {
  chat = theChat;
  draft.setAttribute('aria-label', say('writeTo'));
  draft.placeholder = say('writeTo');
  log.setAttribute('aria-label', say('conversations'));
  log.addEventListener('scroll', () => log.scrollTop < 120 && loadOlder());
  draft.addEventListener('keydown', onKey);
  draft.addEventListener('input', onInput);
  byId('composer').addEventListener('submit', (event) => {
    event.preventDefault();
    send();
  });
}

// ---------------------------------------------------------------- opening

export async function openRoom(id) {
  const { data } = await chat.getConversationProfile(id);

  conversation = data.conversation;
  nodes = new Map();
  next = '';
  complete = loading = false;
  list.replaceChildren();
  byId('room').hidden = false;
  byId('no-room').hidden = true;
  byId('chat').classList.add('in-room');
  byId('composer').hidden = conversation.type === TYPES.CONV_SYSTEM;
  byId('members').hidden = conversation.type !== TYPES.CONV_GROUP;
  showHead();
  draft.value = '';
  grow();
  await loadOlder();
  log.scrollTop = log.scrollHeight;
  markRead();
  if (matchMedia('(min-width: 720px)').matches) draft.focus();
}

export function closeRoom() {
  conversation = null;
  byId('room').hidden = true;
  byId('no-room').hidden = false;
  byId('chat').classList.remove('in-room');
}

/** Title and state; also when the peer comes or goes, or the group changes. */
export function showHead(state = '') {
  if (!conversation) return;
  const { type, userProfile, groupProfile } = conversation;
  const quiet =
    type === TYPES.CONV_C2C
      ? say(isOnline(userProfile.userID) ? 'online' : 'offline')
      : type === TYPES.CONV_GROUP
        ? `${groupProfile.groupID} · ${groupProfile.memberCount}`
        : '';

  face(byId('room-face'), peerOf(conversation), titleOf(conversation));
  byId('room-title').textContent = titleOf(conversation);
  byId('room-state').textContent = state || quiet;
  byId('room-state').className =
    `net ${type === TYPES.CONV_C2C && isOnline(userProfile.userID) ? 'connected' : ''}`;
}

async function loadOlder() {
  const id = currentID();

  if (loading || complete || !id) return;
  loading = true;
  top.textContent = say('loading');
  try {
    const { data } = await chat.getMessageList({ conversationID: id, nextReqMessageID: next });

    if (id !== currentID()) return;
    next = data.nextReqMessageID;
    complete = data.isCompleted;
    prepend(data.messageList);
    top.textContent = complete ? say('beginning') : '';
  } catch (err) {
    top.textContent = err.message;
  }
  loading = false;
  // A page that does not fill the window leaves nothing to scroll.
  if (!complete && log.scrollHeight <= log.clientHeight) await loadOlder();
}

// ---------------------------------------------------------------- messages

function prepend(messages) {
  const before = log.scrollHeight;
  const fresh = messages.filter((m) => !nodes.has(m.ID) && shows(m));

  list.prepend(...fresh.map(nodeOf));
  separateDays();
  log.scrollTop += log.scrollHeight - before;
}

const shows = (message) => !message.isRevoked && !message.isDeleted && !isTyping(message);

/** New messages of this conversation, from others or from here. */
export function append(messages) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const mine = messages.some((m) => m.flow === 'out');

  if (messages.some(isTyping)) showTyping(messages.find(isTyping));
  for (const message of messages.filter((m) => shows(m) && !nodes.has(m.ID))) list.append(nodeOf(message));
  if (messages.some((m) => m.flow === 'in' && shows(m))) showHead();
  separateDays();
  if (atEnd || mine) log.scrollTop = log.scrollHeight;
  markRead();
}

function nodeOf(message) {
  const node = isTip(message.type) ? tipNode(message) : bubbleNode(message);

  node.dataset.day = dayOf(message.time);
  nodes.set(message.ID, node);
  return node;
}

function tipNode(message) {
  return make('li', { className: 'tip', textContent: lineOf(message.type, message.payload) });
}

function bubbleNode(message) {
  const isGroup = message.conversationType === TYPES.CONV_GROUP;
  const author = message.nameCard || message.nick || message.from;
  const name =
    isGroup && message.flow === 'in' ? make('span', { className: 'author', textContent: author }) : null;
  const foot = make('span', { className: 'foot' });
  const node = make(
    'li',
    { className: `message ${message.flow}` },
    isGroup && message.flow === 'in' ? face(make('span'), message.from, author) : null,
    make(
      'div',
      { className: 'bubble' },
      name ?? make('span', { className: 'quiet', textContent: message.flow === 'out' ? say('you') : author }),
      make('p', { textContent: lineOf(message.type, message.payload) }),
      foot,
    ),
  );

  showFoot(node, message);
  return node;
}

/** Time and what became of it. */
function showFoot(node, message) {
  const foot = node.querySelector('.foot');

  if (!foot) return;
  foot.replaceChildren(timeOf(message.time));
  node.classList.toggle('failed', message.status === 'fail');
  if (message.flow === 'in') return;
  if (message.status === 'fail') {
    const again = make('button', { type: 'button', className: 'again', textContent: say('failed') });

    again.addEventListener('click', () => deliver(message, (m) => chat.resendMessage(m)));
    foot.append(again);
    return;
  }
  const isPeer = message.conversationType === TYPES.CONV_C2C;
  const [mark, word] =
    message.status === 'unSend'
      ? ['◷', 'sending']
      : isPeer && message.isPeerRead
        ? ['✓✓', 'read']
        : ['✓', 'sent'];

  foot.append(
    make('span', {
      className: `mark ${word}`,
      textContent: mark,
      title: say(word),
      'aria-label': say(word),
      role: 'img',
    }),
  );
}

/** Marks of messages that changed. */
export function refresh(messages) {
  for (const message of messages) {
    const node = nodes.get(message.ID);

    if (node && shows(message)) showFoot(node, message);
    else node?.remove();
  }
}

function separateDays() {
  let day = '';

  for (const node of list.querySelectorAll('.day')) node.remove();
  for (const node of [...list.children]) {
    if (node.dataset.day !== day)
      node.before(make('li', { className: 'day', textContent: node.dataset.day }));
    day = node.dataset.day;
  }
}

/** What can be seen is read. */
export function markRead() {
  if (!conversation || document.hidden || conversation.unreadCount === 0) return;
  chat.setMessageRead({ conversationID: conversation.conversationID }).catch((err) => console.warn(err));
}

// ---------------------------------------------------------------- writing

async function deliver(message, how) {
  message.status = 'unSend';
  refresh([message]);
  try {
    await how(message);
  } catch (err) {
    toast(`${err.message} (${err.code})`);
  }
  refresh([message]);
}

function send() {
  const text = draft.value.trim();

  if (!text || !conversation) return;
  const message = chat.createTextMessage({
    to: peerOf(conversation),
    conversationType: conversation.type,
    payload: { text },
  });

  draft.value = '';
  grow();
  lastTyping = 0;
  append([message]);
  deliver(message, (m) => chat.sendMessage(m));
}

function onKey(event) {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
}

function onInput() {
  grow();
  if (conversation?.type !== TYPES.CONV_C2C || !draft.value || Date.now() - lastTyping < TYPING_MS - 1000)
    return;
  lastTyping = Date.now();
  const message = chat.createCustomMessage({
    to: peerOf(conversation),
    conversationType: conversation.type,
    payload: { data: 'typing', description: '', extension: '' },
  });

  chat.sendMessage(message, { onlineUserOnly: true }).catch(() => undefined);
}

function grow() {
  draft.rows = Math.min(6, Math.max(1, draft.value.split('\n').length));
}

function showTyping(message) {
  if (message.flow !== 'in') return;
  showHead(say('typing'));
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => showHead(), TYPING_MS);
}
