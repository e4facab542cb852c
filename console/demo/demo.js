// The demo chat: signs in and joins the parts of the page to the SDK's events.
import { byId, face, onSubmit, toast } from './dom.js';
import { showGroup, startDialogs } from './dialogs.js';
import { setOnline, showList, startList } from './list.js';
import {
  append,
  closeRoom,
  current,
  currentID,
  markRead,
  openRoom,
  refresh,
  showHead,
  startRoom,
} from './room.js';
import { say, translatePage } from './words.js';

const { EVENT, TYPES } = window.TencentCloudChat;
const query = new URLSearchParams(location.search);

let chat;
let conversations = [];
const watched = new Set();

async function ask(path) {
  let answer;

  try {
    const response = await fetch(path, { cache: 'no-store' });

    answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
  } catch (err) {
    throw new Error(err.message || say('noServer'));
  }
  return answer;
}

// ---------------------------------------------------------------- signing in

async function signIn(user) {
  const config = await ask('/api/config');
  const { usersig } = await ask(`/api/usersig?user=${encodeURIComponent(user)}`);

  chat = window.TencentCloudChat.create({
    SDKAppID: config.sdkappid,
    proxyServer: config.ws_all ?? config.ws,
  });
  window.chat = chat; // for who plays in the console
  listen();
  startList(user, open);
  startRoom(chat);
  startDialogs(chat, open);
  await chat.login({ userID: user, userSig: usersig });
  byId('my-name').textContent = user;
  face(byId('my-face'), user, user);
  byId('sign-in').hidden = true;
  byId('chat').hidden = false;
  document.title = `${user} – Hongyan`;
}

function signInPage() {
  byId('sign-in').hidden = false;
  byId('name').focus();
  onSubmit(byId('sign-in-form'), byId('sign-in-error'), () => {
    location.search = new URLSearchParams({ ...Object.fromEntries(query), user: byId('name').value.trim() });
  });
}

async function start() {
  translatePage();
  for (const [id, word] of [
    ['new', 'newChat'],
    ['sign-out', 'signOut'],
    ['back', 'back'],
    ['members', 'members'],
  ]) {
    byId(id).title = say(word);
    byId(id).setAttribute('aria-label', say(word));
  }
  byId('back').addEventListener('click', () => open(''));
  byId('sign-out').addEventListener('click', signOut);
  byId('members').addEventListener('click', () => showGroup(current().groupProfile));
  document.addEventListener('visibilitychange', markRead);
  if (!query.get('user')) {
    signInPage();
    return;
  }
  try {
    await signIn(query.get('user'));
  } catch (err) {
    signInPage();
    byId('name').value = query.get('user');
    byId('sign-in-error').textContent = err.code ? `${err.message} (${err.code})` : err.message;
  }
}

async function signOut() {
  await chat.logout().catch(() => undefined);
  location.search = '';
}

// ---------------------------------------------------------------- what the SDK tells

function listen() {
  chat.on(EVENT.SDK_READY, onReady);
  chat.on(EVENT.CONVERSATION_LIST_UPDATED, ({ data }) => onList(data));
  chat.on(EVENT.MESSAGE_RECEIVED, ({ data }) => onMessages(data));
  chat.on(EVENT.MESSAGE_READ_BY_PEER, ({ data }) => refresh(data));
  chat.on(EVENT.MESSAGE_REVOKED, ({ data }) => refresh(data));
  chat.on(EVENT.NET_STATE_CHANGE, ({ data }) => showNet(data.state));
  chat.on(EVENT.KICKED_OUT, ({ data }) => toast(say('kickedOut') + say(`kick_${data.type}`)));
  chat.on(EVENT.USER_STATUS_UPDATED, ({ data }) => onStates(data));
  chat.on(EVENT.GROUP_LIST_UPDATED, () => showHead());
  chat.on(EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, ({ data }) => {
    document.title = `${data > 0 ? `(${data}) ` : ''}${chat.getLoginUser()} – Hongyan`;
  });
}

function onReady() {
  const id = decodeURIComponent(location.hash.slice(1));

  if (id) open(id).catch((err) => toast(err.message));
}

function onList(list) {
  const strangers = list.map((c) => c.userProfile?.userID).filter((id) => id && !watched.has(id));

  conversations = list;
  showList(conversations, currentID());
  for (const id of strangers.slice(0, 100)) watched.add(id);
  if (strangers.length > 0)
    chat.subscribeUserStatus({ userIDList: strangers.slice(0, 100) }).catch(() => undefined);
}

function onMessages(messages) {
  const here = messages.filter((m) => m.conversationID === currentID());

  if (here.length > 0) append(here);
}

function onStates(states) {
  for (const { userID, statusType } of states) setOnline(userID, statusType === TYPES.USER_STATUS_ONLINE);
  showHead();
}

function showNet(state) {
  byId('net').textContent = say(state);
  byId('net').className = `net ${state}`;
}

/** Show a conversation; '' the list alone. */
async function open(id) {
  if (id) await openRoom(id);
  else closeRoom();
  history.replaceState(
    null,
    '',
    `${location.pathname}${location.search}${id ? `#${encodeURIComponent(id)}` : ''}`,
  );
  showList(conversations, currentID());
}

window.addEventListener('pagehide', () => markRead());
start();
