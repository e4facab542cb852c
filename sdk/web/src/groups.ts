import { hy, text, utf8 } from './codec.js';
import { REMINDS, ROLES, TYPES } from './constants.js';
import { sdkError } from './errors.js';
import { EVENT } from './events.js';
import { log } from './log.js';
import { coalesce, type Session } from './session.js';
import type { CustomField, Group, GroupMember, Payload } from './types.js';

/* groups - the groups of the one who is signed in, their members, and what can be done to them. */

const CUSTOM = 'Custom.';
const KINDS = ['Private', 'Work', 'Public', 'ChatRoom', 'Meeting', 'AVChatRoom', 'BChatRoom'];
const LIVE = ['AVChatRoom', 'BChatRoom'];

/* What may change in a group: name in the API, on the wire, and kind. */
const FIELDS: [name: string, field: string, kind: 'str' | 'num'][] = [
  ['name', 'Name', 'str'],
  ['introduction', 'Introduction', 'str'],
  ['notification', 'Notification', 'str'],
  ['avatar', 'FaceUrl', 'str'],
  ['joinOption', 'ApplyJoinOption', 'str'],
  ['inviteOption', 'InviteJoinOption', 'str'],
  ['maxMemberNum', 'MaxMemberNum', 'num'],
  ['muteAllMembers', 'MuteAllMember', 'num'],
];

function customFromWire(fields: hy.IField[] | null | undefined): CustomField[] {
  return (fields ?? []).map((f) => ({
    key: (f.name ?? '').replace(CUSTOM, ''),
    value: text(f.str) || (f.num ? String(f.num) : ''),
  }));
}

function customToWire(fields: CustomField[] | undefined): hy.IField[] {
  return (fields ?? []).map(({ key, value }) => ({ name: CUSTOM + key, str: utf8(String(value)) }));
}

function groupFields(change: Payload): hy.IField[] {
  const fields: hy.IField[] = [];

  for (const [name, field, kind] of FIELDS) {
    if (change[name] === undefined) continue;
    fields.push(
      kind === 'num'
        ? { name: field, num: Number(change[name]) }
        : { name: field, str: utf8(String(change[name])) },
    );
  }
  return [...fields, ...customToWire(change.groupCustomField)];
}

export function memberFromWire(m: hy.IMemberInfo): GroupMember {
  return {
    userID: m.user ?? '',
    nick: m.nick ?? '',
    avatar: m.face ?? '',
    role: ROLES[m.role ?? 0] || 'Member',
    joinTime: m.joinTimeS ?? 0,
    lastSendMsgTime: m.lastSendS ?? 0,
    nameCard: m.nameCard ?? '',
    muteUntil: m.muteUntilS ?? 0,
    memberCustomField: customFromWire(m.custom),
  };
}

export function isLive(type: string): boolean {
  return LIVE.includes(type);
}

export class Groups {
  private mine = new Map<string, Group>();
  private others = new Map<string, Group>(); // looked at, not joined
  private changed = coalesce(() => this.session.emit(EVENT.GROUP_LIST_UPDATED, this.list()));

  constructor(private session: Session) {}

  clear(): void {
    this.mine.clear();
    this.others.clear();
  }

  list(): Group[] {
    return [...this.mine.values()];
  }

  find(groupID: string): Group | undefined {
    return this.mine.get(groupID) ?? this.others.get(groupID);
  }

  isLive(groupID: string): boolean {
    return isLive(this.find(groupID)?.type ?? '');
  }

  /** Live rooms this client is in: they are lost with the session. */
  liveRooms(): string[] {
    return this.list()
      .filter((g) => isLive(g.type))
      .map((g) => g.groupID);
  }

  /** Put what the wire says into the group's live object. */
  adopt(info: hy.IGroupInfo, self?: hy.IMemberInfo | null): Group {
    const id = info.group ?? '';
    const group = this.find(id) ?? emptyGroup(id, this.session.me);

    applyInfo(group, info);
    if (self) applySelf(group, self, this.session.me);
    if (self && self.role) this.join(group);
    else if (!this.mine.has(id)) this.others.set(id, group);
    return group;
  }

  /** A group known by name only, until it is asked for. */
  placeholder(groupID: string, name = '', type = ''): Group {
    const known = this.find(groupID);

    if (known) return known;
    const group = { ...emptyGroup(groupID, this.session.me), name, type };

    this.others.set(groupID, group);
    return group;
  }

  join(group: Group): void {
    this.others.delete(group.groupID);
    if (!this.mine.has(group.groupID)) {
      this.mine.set(group.groupID, group);
      this.changed();
    }
  }

  leave(groupID: string): void {
    const group = this.mine.get(groupID);

    if (!group) return;
    this.mine.delete(groupID);
    this.others.set(groupID, group);
    this.changed();
  }

  // ---------------------------------------------------------------- questions

  async sync(): Promise<Group[]> {
    const { groupListRes } = await this.session.ask({ groupList: {} });
    const groups = groupListRes?.groups ?? [];
    const here = new Set([...groups.map((g) => g.group), ...this.liveRooms()]);

    groups.forEach((info, i) => {
      this.adopt(info, groupListRes?.selves?.[i]);
      this.join(this.find(info.group ?? '') as Group);
    });
    for (const id of [...this.mine.keys()]) if (!here.has(id)) this.leave(id);
    this.changed();
    return this.list();
  }

  async get(groupID: string): Promise<Group> {
    if (!groupID) throw sdkError('BAD_GROUP_ID');
    const { groupGetRes } = await this.session.ask({ groupGet: { groups: [groupID] } });
    const info = groupGetRes?.groups?.[0];

    if (!info || info.code) throw sdkError('GROUP_UNKNOWN', info?.code ? String(info.code) : '');
    return this.adopt(info, groupGetRes?.selves?.[0]);
  }

  /** As get, for the news: an error only goes to the log. */
  async refresh(groupID: string): Promise<void> {
    try {
      await this.get(groupID);
      this.changed();
    } catch (err) {
      log.debug('group', groupID, err);
    }
  }

  async create(options: Payload): Promise<Group> {
    const type = options.type ?? TYPES.GRP_WORK;

    if (!KINDS.includes(type)) throw sdkError('BAD_GROUP_TYPE', String(type));
    const { groupCreateRes } = await this.session.ask({
      groupCreate: {
        info: {
          group: options.groupID ?? '',
          type,
          name: options.name ?? '',
          introduction: options.introduction ?? '',
          notification: options.notification ?? '',
          face: options.avatar ?? '',
          maxMemberNum: options.maxMemberNum ?? 0,
          applyJoin: options.joinOption ?? '',
          inviteJoin: options.inviteOption ?? '',
          custom: customToWire(options.groupCustomField),
        },
        members: (options.memberList ?? []).map((m: Payload) => ({
          user: m.userID,
          role: m.role === TYPES.GRP_MBR_ROLE_ADMIN ? 2 : 1,
          custom: customToWire(m.memberCustomField),
        })),
      },
    });
    const group = await this.get(groupCreateRes?.group ?? options.groupID);

    if (!isLive(group.type)) this.join(group); // its creator is not in the audience of a live room
    return group;
  }

  async update(options: Payload): Promise<Group> {
    await this.session.ask({ groupSet: { group: options.groupID, fields: groupFields(options) } });
    await this.refresh(options.groupID);
    return this.find(options.groupID) ?? this.placeholder(options.groupID);
  }

  async members(options: Payload): Promise<{ memberList: GroupMember[]; offset: number }> {
    const offset = Number(options.offset) || 0;
    const limit = Math.min(Number(options.count) || 15, 100);
    const role = ROLES.indexOf(options.role);
    const { membersGetRes } = await this.session.ask({
      membersGet: { group: options.groupID, offset, limit, roles: role > 0 ? [role] : [] },
    });
    const memberList = (membersGetRes?.members ?? []).map(memberFromWire);

    return { memberList, offset: offset + memberList.length };
  }

  async memberProfiles(groupID: string, userIDs: string[]): Promise<GroupMember[]> {
    const { membersGetRes } = await this.session.ask({ membersGet: { group: groupID, users: userIDs } });

    return (membersGetRes?.members ?? []).filter((m) => m.role).map(memberFromWire);
  }

  async setMember(groupID: string, userID: string, fields: hy.IField[]): Promise<Payload> {
    await this.session.ask({ memberSet: { group: groupID, users: [userID], fields } });
    const [member] = await this.memberProfiles(groupID, [userID]);

    if (userID === this.session.me) await this.refresh(groupID);
    return { group: this.find(groupID) ?? this.placeholder(groupID), member };
  }

  setCustom(groupID: string, userID: string, fields: CustomField[]): Promise<Payload> {
    return this.setMember(groupID, userID, customToWire(fields));
  }

  // ---------------------------------------------------------------- news

  /** A tip arrived: the cheap changes are made here, for the others the group is asked for again. */
  onTip(groupID: string, tip: Payload): void {
    const group = this.find(groupID);
    const me = this.session.me;
    const touchesMe = tip.userIDList.includes(me);

    if (!group) return;
    if (tip.operationType === TYPES.GRP_TIP_MBR_JOIN) group.memberCount += tip.userIDList.length;
    else if (
      tip.operationType === TYPES.GRP_TIP_MBR_QUIT ||
      tip.operationType === TYPES.GRP_TIP_MBR_KICKED_OUT
    )
      group.memberCount = Math.max(0, group.memberCount - tip.userIDList.length);
    else if (tip.operationType === TYPES.GRP_TIP_GRP_PROFILE_UPDATED) Object.assign(group, renamed(tip));
    if (touchesMe || tip.operationType >= TYPES.GRP_TIP_MBR_SET_ADMIN) void this.refresh(groupID);
    else this.changed();
  }
}

/* Tips call the name groupName. */
function renamed(tip: Payload): Payload {
  const { groupName, ...rest } = tip.newGroupProfile;

  return groupName === undefined ? rest : { ...rest, name: groupName };
}

function emptyGroup(groupID: string, me: string): Group {
  return {
    groupID,
    name: '',
    avatar: '',
    type: '',
    introduction: '',
    notification: '',
    ownerID: '',
    createTime: 0,
    infoSequence: 0,
    lastInfoTime: 0,
    selfInfo: { userID: me, role: '', messageRemindType: REMINDS[0], joinTime: 0, nameCard: '' },
    lastMessage: { lastTime: 0, lastSequence: 0, fromAccount: '', messageForShow: '' },
    nextMessageSeq: 0,
    memberCount: 0,
    maxMemberCount: 0,
    joinOption: '',
    inviteOption: '',
    muteAllMembers: false,
    groupCustomField: [],
    isSupportTopic: false,
  };
}

function applyInfo(group: Group, info: hy.IGroupInfo): void {
  group.name = info.name ?? '';
  group.type = info.type ?? '';
  group.avatar = info.face ?? '';
  group.introduction = info.introduction ?? '';
  group.notification = info.notification ?? '';
  group.ownerID = info.owner ?? '';
  group.createTime = info.createTimeS ?? 0;
  group.infoSequence = info.infoSeq ?? 0;
  group.lastInfoTime = info.lastInfoTimeS ?? 0;
  group.nextMessageSeq = info.nextMsgSeq ?? 0;
  group.memberCount = info.memberNum ?? 0;
  group.maxMemberCount = info.maxMemberNum ?? 0;
  group.joinOption = info.applyJoin ?? '';
  group.inviteOption = info.inviteJoin ?? '';
  group.muteAllMembers = info.muteAll ?? false;
  group.groupCustomField = customFromWire(info.custom);
}

function applySelf(group: Group, self: hy.IMemberInfo, me: string): void {
  group.selfInfo = {
    userID: me,
    role: ROLES[self.role ?? 0] ?? '',
    messageRemindType: REMINDS[self.msgFlag ?? 0] ?? REMINDS[0],
    joinTime: self.joinTimeS ?? 0,
    nameCard: self.nameCard ?? '',
  };
}
