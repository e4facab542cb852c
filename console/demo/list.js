// The list of conversations.
import { byId, face, make } from './dom.js';
import { dayOf, say, timeOf } from './words.js';
import { isTip, lineOf, peerOf, titleOf } from './words-of.js';

const list = byId('list');
const online = new Set();
let shown = '';
let conversations = [];
let open = () => undefined;
let me = '';

export function startList(user, onOpen) {
  me = user;
  open = onOpen;
  byId('list-nav').setAttribute('aria-label', say('conversations'));
}

export function showList(next, current) {
  conversations = next;
  shown = current;
  list.replaceChildren(...conversations.map(entry));
  byId('list-empty').hidden = conversations.length > 0;
}

/** Who of the people in the list is online now. */
export function setOnline(userID, isOnline) {
  if (isOnline) online.add(userID);
  else online.delete(userID);
  showList(conversations, shown);
}

export const isOnline = (userID) => online.has(userID);

function when(seconds) {
  if (!seconds) return '';
  const day = dayOf(seconds);

  return day === say('today') ? timeOf(seconds) : day;
}

/** Who said the last thing, where that is not plain. */
function authorOf({ groupProfile, lastMessage }) {
  if (lastMessage.fromAccount === me && !isTip(lastMessage.type)) return `${say('you')}: `;
  return groupProfile && !isTip(lastMessage.type) ? `${lastMessage.nick || lastMessage.fromAccount}: ` : '';
}

function entry(conversation) {
  const { conversationID, lastMessage, unreadCount, userProfile } = conversation;
  const title = titleOf(conversation);
  const isHere = userProfile && online.has(userProfile.userID);
  const preview = lastMessage.type
    ? authorOf(conversation) + lineOf(lastMessage.type, lastMessage.payload)
    : '';
  const button = make(
    'button',
    { className: 'entry', 'data-id': conversationID, 'aria-current': String(conversationID === shown) },
    make(
      'span',
      { className: `face-box${isHere ? ' online' : ''}` },
      face(make('span'), peerOf(conversation), title),
    ),
    make('span', { className: 'entry-title', textContent: title }),
    make('span', { className: 'entry-time', textContent: when(lastMessage.lastTime) }),
    make('span', { className: 'entry-preview', textContent: preview }),
    unreadCount > 0
      ? make('span', {
          className: 'badge',
          textContent: unreadCount > 99 ? '99+' : unreadCount,
          'aria-label': `${unreadCount} ${say('unread')}`,
        })
      : null,
    isHere ? make('span', { className: 'quiet', textContent: say('online') }) : null,
  );

  button.addEventListener('click', () => open(conversationID));
  return make('li', {}, button);
}
