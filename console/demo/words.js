// What the page says, in English and Chinese. The browser's language decides, or ?lang=.
const WORDS = {
  signInHint: [
    'Pick a name. Open a second tab with another one, and talk.',
    '取一个名字，再开一个标签页用另一个名字，就可以聊天了。',
  ],
  yourName: ['Your name', '用户名'],
  signIn: ['Sign in', '登录'],
  orAs: ['or as', '或使用'],
  signOut: ['Sign out', '退出登录'],
  newChat: ['New conversation', '新会话'],
  chatWith: ['Chat with (user name)', '单聊（用户名）'],
  open: ['Open', '打开'],
  joinGroup: ['Join a group (group ID)', '加入群组（群组 ID）'],
  join: ['Join', '加入'],
  makeGroup: ['Make a group', '创建群组'],
  groupName: ['Name', '群名称'],
  groupType: ['Type', '类型'],
  typePublic: ['Public: anyone can join', '公开群：任何人可加入'],
  typePrivate: ['Private: by invitation', '私有群：邀请加入'],
  typeChatRoom: ['Meeting: newcomers see all', '会议群：新成员可看历史'],
  typeLive: ['Live room: nothing is kept', '直播群：不保存消息'],
  groupMembers: ['First members, separated by commas', '初始成员，用逗号分隔'],
  make: ['Make', '创建'],
  close: ['Close', '关闭'],
  invite: ['Add people', '添加成员'],
  add: ['Add', '添加'],
  leave: ['Leave the group', '退出群组'],
  dismiss: ['Dissolve the group', '解散群组'],
  members: ['Members', '群成员'],
  back: ['Back to the list', '返回列表'],
  send: ['Send', '发送'],
  writeTo: ['Write a message', '输入消息'],
  conversations: ['Conversations', '会话'],
  noConversations: ['No conversations yet. Start one with ＋.', '还没有会话，点 ＋ 开始。'],
  pickOne: ['Pick a conversation, or start one with ＋.', '选择一个会话，或点 ＋ 开始。'],
  connected: ['connected', '已连接'],
  connecting: ['connecting…', '连接中…'],
  disconnected: ['no connection', '连接已断开'],
  online: ['online', '在线'],
  offline: ['offline', '离线'],
  typing: ['is typing…', '正在输入…'],
  unread: ['unread', '条未读'],
  sending: ['sending', '发送中'],
  sent: ['sent', '已发送'],
  read: ['read', '已读'],
  failed: ['not sent – tap to try again', '发送失败，点击重试'],
  beginning: ['This is where it begins.', '已经到最早的消息了。'],
  loading: ['Loading…', '加载中…'],
  older: ['Show older messages', '加载更早的消息'],
  today: ['Today', '今天'],
  yesterday: ['Yesterday', '昨天'],
  you: ['You', '我'],
  owner: ['owner', '群主'],
  admin: ['admin', '管理员'],
  notifications: ['Notices', '系统通知'],
  kickedOut: ['You were signed out: ', '已被下线：'],
  kick_multipleAccount: ['signed in somewhere else', '账号在别处登录'],
  kick_multipleDevice: ['signed in on another device', '账号在其他设备登录'],
  kick_userSigExpired: ['the ticket has expired', '登录票据已过期'],
  kick_REST_API_Kick: ['by the administrator', '被管理员下线'],
  waitApproval: ['Asked to join; an administrator will answer.', '已申请加入，等待管理员批准。'],
  noServer: ['The server does not answer. Is the cluster up?', '服务器没有响应，集群是否已启动？'],
  tipJoin: ['{who} joined', '{who} 加入了群组'],
  tipQuit: ['{who} left', '{who} 退出了群组'],
  tipKicked: ['{who} was removed', '{who} 被移出群组'],
  tipAdmin: ['{who} is an admin now', '{who} 成为管理员'],
  tipNoAdmin: ['{who} is no admin any more', '{who} 不再是管理员'],
  tipChanged: ['The group’s profile was changed', '群资料已修改'],
  tipMember: ['{who}: settings changed', '{who} 的成员资料已修改'],
  notice1: ['{who} asks to join {group}', '{who} 申请加入 {group}'],
  notice2: ['You may join {group}', '已同意你加入 {group}'],
  notice3: ['You may not join {group}', '已拒绝你加入 {group}'],
  notice4: ['You were removed from {group}', '你被移出 {group}'],
  notice5: ['{group} was dissolved', '{group} 已解散'],
  notice6: ['{group} was made', '{group} 已创建'],
  notice7: ['You were added to {group}', '你被邀请加入 {group}'],
  notice8: ['You left {group}', '你退出了 {group}'],
  notice9: ['You are an admin of {group}', '你成为 {group} 的管理员'],
  notice10: ['You are no admin of {group} any more', '你不再是 {group} 的管理员'],
  kindImage: ['[Image]', '[图片]'],
  kindFile: ['[File]', '[文件]'],
  kindOther: ['[Message]', '[消息]'],
};

export const language = (new URLSearchParams(location.search).get('lang') ?? navigator.language).startsWith(
  'zh',
)
  ? 'zh-CN'
  : 'en';

const column = language === 'en' ? 0 : 1;

/** A text, with {names} filled in. */
export function say(key, facts = {}) {
  const text = WORDS[key]?.[column] ?? key;

  return text.replace(/\{(\w+)\}/g, (_, name) => facts[name] ?? '');
}

/** Fill in the texts of the page itself. */
export function translatePage() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll('[data-say]')) node.textContent = say(node.dataset.say);
}

const region = navigator.language.startsWith(language.slice(0, 2)) ? navigator.language : language;
const clock = new Intl.DateTimeFormat(region, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(region, { month: 'short', day: 'numeric' });
const dayAndYear = new Intl.DateTimeFormat(region, { year: 'numeric', month: 'short', day: 'numeric' });

export function timeOf(seconds) {
  return clock.format(new Date(seconds * 1000));
}

/** The day, as people say it. */
export function dayOf(seconds) {
  const date = new Date(seconds * 1000);
  const midnight = new Date().setHours(0, 0, 0, 0);

  if (date >= midnight) return say('today');
  if (date >= midnight - 86400000) return say('yesterday');
  return (date.getFullYear() === new Date().getFullYear() ? day : dayAndYear).format(date);
}
