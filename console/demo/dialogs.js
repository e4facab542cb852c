// The dialogs: a new conversation, and a group's members.
import { byId, face, make, onSubmit, toast } from './dom.js';
import { say } from './words.js';

const { TYPES } = window.TencentCloudChat;
const newDialog = byId('new-dialog');
const groupDialog = byId('group-dialog');
const names = (text) => [...new Set(text.split(/[\s,，]+/).filter(Boolean))];

let chat;
let open;
let group = null;

export function startDialogs(theChat, onOpen) {
  chat = theChat;
  open = onOpen;
  byId('new').addEventListener('click', () => {
    byId('new-error').textContent = '';
    newDialog.showModal();
  });
  onSubmit(byId('to-user'), byId('new-error'), () => opened(`C2C${byId('to-user-name').value.trim()}`));
  onSubmit(byId('join'), byId('new-error'), join);
  onSubmit(byId('make'), byId('new-error'), makeGroup);
  onSubmit(byId('invite'), byId('group-error'), invite);
  byId('leave').addEventListener('click', leave);
}

async function opened(id) {
  // First: what is typed next is meant for the conversation.
  for (const form of newDialog.querySelectorAll('form')) form.reset();
  newDialog.close();
  await open(id).catch((err) => toast(err.message));
}

async function join() {
  const groupID = byId('join-id').value.trim();
  const { data } = await chat.joinGroup({ groupID });

  if (data.status === TYPES.JOIN_STATUS_WAIT_APPROVAL) {
    newDialog.close();
    toast(say('waitApproval'));
  } else await opened(`GROUP${groupID}`);
}

async function makeGroup() {
  const type = byId('make-type').value;
  const members = names(byId('make-members').value);
  const isLive = type === TYPES.GRP_AVCHATROOM;
  const { data } = await chat.createGroup({
    name: byId('make-name').value.trim(),
    type,
    joinOption: type === TYPES.GRP_PUBLIC ? TYPES.JOIN_OPTIONS_FREE_ACCESS : undefined,
    memberList: isLive ? undefined : members.map((userID) => ({ userID })),
  });

  if (isLive) await chat.joinGroup({ groupID: data.group.groupID, type });
  await opened(`GROUP${data.group.groupID}`);
}

// ---------------------------------------------------------------- a group's members

export async function showGroup(groupProfile) {
  group = groupProfile;
  byId('group-error').textContent = '';
  byId('group-title').textContent = group.name || group.groupID;
  byId('group-id').textContent = `${group.type} · ${group.groupID}`;
  byId('leave').textContent = say(mayDissolve() ? 'dismiss' : 'leave');
  byId('invite').hidden = group.type === TYPES.GRP_AVCHATROOM;
  groupDialog.showModal();
  try {
    const { data } = await chat.getGroupMemberList({ groupID: group.groupID, count: 100 });

    byId('group-members').replaceChildren(...data.memberList.map(person));
  } catch (err) {
    byId('group-error').textContent = err.message;
  }
}

const mayDissolve = () => group.ownerID === chat.getLoginUser() && group.type !== TYPES.GRP_WORK;

function person({ userID, nick, nameCard, role }) {
  const name = nameCard || nick || userID;
  const rank = { Owner: say('owner'), Admin: say('admin') }[role] ?? '';

  return make(
    'li',
    {},
    face(make('span'), userID, name),
    make('span', { textContent: name }),
    make('span', { className: 'dim', textContent: rank }),
  );
}

async function invite() {
  const { data } = await chat.addGroupMember({
    groupID: group.groupID,
    userIDList: names(byId('invite-names').value),
  });

  byId('invite').reset();
  if (data.failureUserIDList.length > 0) toast(`✗ ${data.failureUserIDList.join(', ')}`);
  groupDialog.close();
}

async function leave() {
  const { groupID } = group;

  try {
    await (mayDissolve() ? chat.dismissGroup(groupID) : chat.quitGroup(groupID));
    groupDialog.close();
    await open('');
  } catch (err) {
    byId('group-error').textContent = `${err.message} (${err.code})`;
  }
}
