import { isMessageType } from './body.js';
import { hy, text, utf8, type Body } from './codec.js';
import { Connection, type ConnectionHandler, type NetState } from './connection.js';
import { REMINDS, ROLES, TYPES } from './constants.js';
import { Conversations } from './conversations.js';
import { ChatError, ok, sdkError } from './errors.js';
import { Emitter, EVENT } from './events.js';
import { Groups, isLive } from './groups.js';
import { log, setLogLevel } from './log.js';
import { draftMessage, Message, splitConversationID } from './message.js';
import { Messages } from './messages.js';
import { Profiles } from './profiles.js';
import type { Session } from './session.js';
import type {
  Conversation,
  CreateOptions,
  Handler,
  MessageOptions,
  Payload,
  Profile,
  SendOptions,
  SocketClass,
  Uploader,
} from './types.js';
import { UNSUPPORTED } from './unsupported.js';
import { upload } from './uploads.js';

/* client - one chat client: the API's methods, each a few lines on top of the nouns, and the session's
 * life. */

declare const SDK_VERSION: string;
declare const __HONGYAN_SERVER__: string | undefined;

const WEB = 6;
const MINI_PROGRAM = 8;
const PAGE = 15;
const JOIN_STATUS: Record<number, string> = {
  1: TYPES.JOIN_STATUS_SUCCESS,
  2: TYPES.JOIN_STATUS_ALREADY_IN_GROUP,
  3: TYPES.JOIN_STATUS_WAIT_APPROVAL,
};
const WHY = hy.KickedNotice.Why;

export class Chat implements Session, ConnectionHandler {
  me = '';
  private emitter = new Emitter();
  private connection: Connection;
  private profiles = new Profiles(this);
  private groups = new Groups(this);
  private conversations = new Conversations(this, this.profiles, this.groups);
  private messages: Messages;
  private ready = false;
  private loggingIn = false;
  private synced = false;
  private stale = false; // a sync is due
  private syncing: Promise<void> | null = null;
  private drafts = new Map<string, string>();
  private plugins: Record<string, unknown> = {};
  [unsupported: string]: any;

  constructor(
    private options: CreateOptions,
    private onDestroy: () => void,
  ) {
    const timeoutMs = options.timeoutMs ?? 15000;

    this.connection = new Connection(
      { urls: addresses(options), Socket: socketClass(options), timeoutMs },
      this,
    );
    this.messages = new Messages(this, this.conversations, this.groups, timeoutMs);
    for (const name of UNSUPPORTED) this[name] = () => Promise.reject(sdkError('UNSUPPORTED', name));
  }

  // ---------------------------------------------------------------- session

  ask(body: Body, timeoutMs?: number): Promise<hy.Frame> {
    return this.me === '' ? Promise.reject(sdkError('NOT_LOGGED_IN')) : this.connection.request(body, timeoutMs);
  }

  emit(name: string, data?: unknown): void {
    this.emitter.emit(name, data);
  }

  nowMs(): number {
    return this.connection.serverTimeMs();
  }

  async login({ userID, userSig }: { userID: string; userSig: string }) {
    const answer = { actionStatus: 'OK', errorCode: 0, errorInfo: '' };

    if (!userID) throw sdkError('NO_USER_ID');
    if (!userSig) throw sdkError('NO_USER_SIG');
    if (this.loggingIn) throw sdkError('LOGIN_RUNNING');
    if (this.me === userID) return ok({ ...answer, repeatLogin: true });
    if (this.me !== '') await this.logout();
    this.loggingIn = true;
    try {
      const res = await this.connection.open({
        sdkappid: this.options.SDKAppID,
        identifier: userID,
        usersig: userSig,
        platform: this.options.platform ?? platform(),
        deviceId: this.options.deviceID ?? deviceID(this.options.SDKAppID),
        sdkVersion: `web ${SDK_VERSION}`,
      });

      this.me = res.identifier || userID;
      this.profiles.hint(this.me, res.nick, res.face);
    } finally {
      this.loggingIn = false;
    }
    // The caller goes on first: login() resolves before the list and SDK_READY come.
    setTimeout(() => void this.sync(), 0);
    return ok(answer);
  }

  async logout() {
    if (this.me === '') throw sdkError('NOT_LOGGED_IN');
    await this.connection.close();
    this.over();
    return ok({});
  }

  async destroy(): Promise<void> {
    if (this.me !== '') await this.logout();
    this.emit(EVENT.SDK_DESTROY, { SDKAppID: this.options.SDKAppID });
    this.emitter.clear();
    this.onDestroy();
  }

  /** Nobody is signed in any more. */
  private over(): void {
    const wasReady = this.ready;

    this.me = '';
    this.ready = this.synced = this.stale = false;
    this.syncing = null;
    this.drafts.clear();
    this.messages.clear();
    this.conversations.clear();
    this.groups.clear();
    this.profiles.clear();
    if (wasReady) this.emit(EVENT.SDK_NOT_READY);
  }

  isReady(): boolean {
    return this.ready;
  }

  getLoginUser(): string {
    return this.me;
  }

  getServerTime(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  on(name: string, handler: Handler, context?: unknown): void {
    this.emitter.on(name, handler, context);
  }

  off(name: string, handler: Handler): void {
    this.emitter.off(name, handler);
  }

  setLogLevel(level: number): void {
    setLogLevel(level);
  }

  registerPlugin(plugins: Record<string, unknown>): void {
    Object.assign(this.plugins, plugins);
  }

  /** Kits ask what is there. canIUseModule is answered at once, the others by a promise. */
  callExperimentalAPI(key: string): any {
    if (key === 'canIUseModule') return true;
    if (key === 'isCommercialAbilityEnabled' || key === 'isFeatureEnabledForStat')
      return Promise.resolve(ok({ enabled: false }));
    return Promise.resolve(ok({}));
  }

  // ---------------------------------------------------------------- synchronising

  /** Bring everything up to date. One at a time; a second wish waits for the next. */
  private sync(): Promise<void> {
    this.stale = true;
    this.syncing ??= this.syncNow().finally(() => (this.syncing = null));
    return this.syncing;
  }

  private async syncNow(): Promise<void> {
    const me = this.me;

    while (this.stale && this.me === me && me !== '') {
      this.stale = false;
      try {
        await this.syncOnce(me);
      } catch (err) {
        // The next session or heartbeat tries again.
        this.stale = true;
        this.complain(err);
        if (this.ready || this.me !== me) return;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  }

  private async syncOnce(me: string): Promise<void> {
    const askedMs = this.nowMs();
    const { convListRes } = await this.ask({ convList: {} });

    if (this.me !== me) return;
    this.messages.sync(convListRes?.convs ?? [], askedMs);
    this.conversations.tell();
    this.synced = true;
    if (!this.ready) {
      this.ready = true;
      this.emit(EVENT.SDK_READY);
    }
    await this.groups.sync();
    for (const id of this.groups.liveRooms()) await this.rejoin(id);
  }

  /** The audience of a live room is lost with the session; who is still in it is told so. */
  private async rejoin(groupID: string): Promise<void> {
    try {
      const { groupJoinRes } = await this.ask({ groupJoin: { group: groupID } });

      this.messages.receive(groupJoinRes?.recent ?? []);
    } catch (err) {
      log.info('room', groupID, err);
      this.groups.leave(groupID);
    }
  }

  private complain(err: unknown): void {
    const { code, message } = err instanceof ChatError ? err : sdkError('UNCAUGHT', String(err));

    log.warn(message, code);
    this.emit(EVENT.ERROR, { code, message });
  }

  // ---------------------------------------------------------------- what the connection tells

  onState(state: NetState): void {
    this.emit(EVENT.NET_STATE_CHANGE, { state });
  }

  onSession(_session: hy.ISignInRes, again: boolean): void {
    if (again) void this.sync();
  }

  onBeat(resync: boolean): void {
    void this.profiles.beat();
    if ((resync || this.stale) && this.ready) void this.sync();
  }

  onEnd(why: hy.IKickedNotice): void {
    const type = kickedType(why);

    this.over();
    this.emit(EVENT.ERROR, { code: why.code, message: why.info });
    if (type) this.emit(EVENT.KICKED_OUT, { type });
  }

  onNotice(frame: hy.Frame): void {
    if (this.me === '') return;
    if (frame.msgNotice) this.messages.receive(frame.msgNotice.msgs ?? []);
    else if (frame.readNotice) this.messages.onRead(frame.readNotice);
    else if (frame.convNotice) void this.onConversation(frame.convNotice);
    else if (frame.profileNotice?.profile) this.onProfile(frame.profileNotice.profile);
    else if (frame.systemNotice) this.onSystem(frame.systemNotice);
  }

  private async onConversation({ convType, peer, gone }: hy.IConvNotice): Promise<void> {
    const id = (convType === 2 ? TYPES.CONV_GROUP : TYPES.CONV_C2C) + peer;

    try {
      if (!gone) await this.messages.meet(id);
      else this.forget(id);
    } catch (err) {
      log.debug('conversation', id, err);
    }
  }

  private onProfile(wire: hy.IProfile): void {
    this.profiles.onNotice(wire);
    this.conversations.changed();
  }

  /** Notices about me change my list of groups: in 2, 6, 7; out 4, 5, 8. */
  private onSystem(notice: hy.ISystemNotice): void {
    const group = notice.group ?? '';
    const type = notice.type ?? 0;

    this.messages.onSystem(notice, text(notice.text));
    if ([2, 6, 7].includes(type)) void this.arrive(group);
    else if ([4, 5, 8].includes(type)) this.depart(group);
    else if ([9, 10].includes(type)) void this.groups.refresh(group);
  }

  private async arrive(groupID: string): Promise<void> {
    await this.groups.refresh(groupID);
    if (!this.groups.isLive(groupID)) await this.onConversation({ convType: 2, peer: groupID });
  }

  private depart(groupID: string): void {
    this.groups.leave(groupID);
    this.forget(TYPES.CONV_GROUP + groupID);
  }

  private forget(id: string): void {
    this.messages.forget(id);
    this.conversations.remove(id);
  }

  // ---------------------------------------------------------------- messages

  private create(type: string, options: MessageOptions, payload: Payload): Message {
    const m = draftMessage({
      from: this.me,
      to: options.to,
      conversationType: options.conversationType,
      type,
      payload,
      timeS: this.getServerTime(),
    });
    const mine = this.me === '' ? null : this.profiles.of(this.me);

    m.priority = options.priority ?? 'Normal';
    m.cloudCustomData = options.cloudCustomData ?? '';
    m.needReadReceipt = options.needReadReceipt ?? false;
    m.isSupportExtension = options.isSupportExtension ?? false;
    m.nick = mine?.nick ?? '';
    m.avatar = mine?.avatar ?? '';
    return this.messages.adoptDraft(m);
  }

  createTextMessage(options: MessageOptions): Message {
    const { payload } = options;

    return this.create(TYPES.MSG_TEXT, options, { text: typeof payload === 'string' ? payload : payload.text });
  }

  createTextAtMessage(options: MessageOptions): Message {
    const m = this.createTextMessage(options);

    m.atUserList = [...(options.payload.atUserList ?? [])];
    return m;
  }

  createCustomMessage(options: MessageOptions): Message {
    const { data = '', description = '', extension = '' } = options.payload;

    return this.create(TYPES.MSG_CUSTOM, options, { data, description, extension });
  }

  createFaceMessage(options: MessageOptions): Message {
    return this.create(TYPES.MSG_FACE, options, { index: options.payload.index, data: options.payload.data });
  }

  createLocationMessage(options: MessageOptions): Message {
    const { description = '', longitude, latitude } = options.payload;

    return this.create(TYPES.MSG_LOCATION, options, { description, longitude, latitude });
  }

  createMergerMessage(options: MessageOptions): Message {
    return this.create(TYPES.MSG_MERGER, options, { downloadKey: '', version: 1, ...options.payload });
  }

  /** A copy of another message's content. */
  createForwardMessage(options: MessageOptions): Message {
    const { type, payload } = options.payload as Message;

    if (!isMessageType(type) || type === TYPES.MSG_GRP_TIP) throw sdkError('NOT_A_MESSAGE');
    return this.create(type, options, JSON.parse(JSON.stringify(payload)));
  }

  private createFile(type: string, options: MessageOptions): Message {
    const { file, ...payload } = options.payload;
    const m = this.create(type, options, payload);

    if (file) m._upload = { file, onProgress: options.onProgress };
    return m;
  }

  createImageMessage(options: MessageOptions): Message {
    return this.createFile(TYPES.MSG_IMAGE, options);
  }

  createAudioMessage(options: MessageOptions): Message {
    return this.createFile(TYPES.MSG_AUDIO, options);
  }

  createVideoMessage(options: MessageOptions): Message {
    return this.createFile(TYPES.MSG_VIDEO, options);
  }

  createFileMessage(options: MessageOptions): Message {
    return this.createFile(TYPES.MSG_FILE, options);
  }

  async sendMessage(m: Message, options?: SendOptions) {
    if (this.me === '') throw sdkError('NOT_LOGGED_IN');
    if (!(m instanceof Message)) throw sdkError('NOT_A_MESSAGE');
    if (m._upload) await upload(m, this.plugins['hongyan-upload'] as Uploader | undefined);
    return ok({ message: await this.messages.send(m, options) });
  }

  resendMessage(m: Message) {
    return this.sendMessage(m);
  }

  findMessage(id: string): Message | null {
    return this.messages.find(id);
  }

  /** There are no receipts yet; kits wait for this before they draw history. */
  async getMessageReadReceiptList(list: Message[]) {
    return ok({ messageList: list ?? [] });
  }

  // ---------------------------------------------------------------- conversations

  async getConversationList(filter?: string[] | Payload) {
    this.needLogin();
    const all = this.conversations.list();
    const conversationList = filter ? all.filter((c) => matches(c, filter)) : all;

    return ok({ conversationList, isSyncCompleted: this.synced });
  }

  async getConversationProfile(id: string) {
    this.needLogin();
    const name = this.peerOf(id);
    const known = this.conversations.find(id);

    if (known || !name) return ok({ conversation: known ?? this.conversations.blank(id) });
    await this.messages.meet(id).catch((err) => log.debug('new conversation', err));
    const conversation = this.conversations.find(id) ?? this.conversations.blank(id);

    if (conversation.userProfile) await this.profiles.get([name.peer]).catch((err) => log.debug('profile', err));
    else await this.groups.refresh(name.peer);
    conversation.groupProfile &&= this.groups.find(name.peer);
    return ok({ conversation });
  }

  async getMessageList(options: { conversationID: string; nextReqMessageID?: string; count?: number }) {
    this.needLogin();
    this.peerOf(options.conversationID);
    const count = Math.min(options.count || PAGE, PAGE);
    const page = await this.messages.page(options.conversationID, options.nextReqMessageID ?? '', count);

    return ok({ messageList: page.list, nextReqMessageID: page.next, isCompleted: page.isCompleted });
  }

  async getMessageListHopping(options: Payload) {
    this.needLogin();
    this.peerOf(options.conversationID);
    const newer = options.direction === 1;
    const count = Math.min(options.count || PAGE, PAGE);
    const { list, complete } = await this.messages.hop(options.conversationID, options, newer, count);
    const edge = newer ? list[list.length - 1] : list[0];
    const step = newer ? 1 : -1;
    const next = options.conversationID.startsWith(TYPES.CONV_C2C)
      ? { nextMessageTime: edge && !complete ? edge.time : 0 }
      : { nextMessageSeq: edge && !complete ? edge.sequence + step : 0 };

    return ok({ messageList: list, isCompleted: complete, ...next });
  }

  async setMessageRead({ conversationID }: { conversationID: string }) {
    this.needLogin();
    this.peerOf(conversationID);
    await this.messages.read(conversationID);
    return ok({});
  }

  async setAllMessageRead({ scope = TYPES.READ_ALL_MSG as string } = {}) {
    this.needLogin();
    const wants = (c: Conversation) =>
      scope === TYPES.READ_ALL_MSG ||
      (scope === TYPES.READ_ALL_C2C_MSG && c.type === TYPES.CONV_C2C) ||
      (scope === TYPES.READ_ALL_GROUP_MSG && c.type === TYPES.CONV_GROUP);
    const unread = this.conversations.list().filter((c) => c.unreadCount > 0 && wants(c));

    for (const c of unread) await this.messages.read(c.conversationID);
    return ok({});
  }

  getTotalUnreadMessageCount(): number {
    return this.conversations.totalUnread();
  }

  async deleteConversation(target: string | Payload) {
    this.needLogin();
    if (typeof target === 'string') {
      await this.setConversation(target, hy.ConvSetReq.Op.HIDE);
      this.forget(target);
      return ok({ conversationID: target });
    }
    const successConversationIDList: string[] = [];
    const failureConversationIDList: string[] = [];

    for (const id of target.conversationIDList ?? [])
      try {
        if (target.clearHistoryMessage) await this.clearHistoryMessage(id);
        await this.deleteConversation(id);
        successConversationIDList.push(id);
      } catch {
        failureConversationIDList.push(id);
      }
    return ok({ successConversationIDList, failureConversationIDList });
  }

  async clearHistoryMessage(id: string) {
    await this.setConversation(id, hy.ConvSetReq.Op.CLEAR);
    this.messages.clearHistory(id);
    if (id !== TYPES.CONV_SYSTEM) await this.messages.meet(id).catch((err) => log.debug('cleared', err));
    return ok({ conversationID: id });
  }

  async pinConversation({ conversationID, isPinned }: { conversationID: string; isPinned: boolean }) {
    const { PIN, UNPIN } = hy.ConvSetReq.Op;
    const view = this.conversations.find(conversationID);

    if (!view) throw sdkError('CONVERSATION_UNKNOWN', conversationID);
    await this.setConversation(conversationID, isPinned ? PIN : UNPIN);
    view.isPinned = isPinned;
    this.conversations.changed();
    return ok({ conversationID });
  }

  async setMessageRemindType({ groupID, userIDList = [], messageRemindType }: Payload) {
    const value = REMINDS.indexOf(messageRemindType);
    const ids: string[] = groupID
      ? [TYPES.CONV_GROUP + groupID]
      : userIDList.map((user: string) => TYPES.CONV_C2C + user);

    if (value < 0 || ids.length === 0) throw sdkError('UNSUPPORTED', String(messageRemindType));
    for (const id of ids) {
      await this.setConversation(id, hy.ConvSetReq.Op.REMIND, value);
      const view = this.conversations.find(id);

      if (view) view.messageRemindType = messageRemindType;
    }
    this.conversations.changed();
    if (!groupID) return ok({ successUserIDList: userIDList, failureUserIDList: [] });
    await this.groups.refresh(groupID);
    return ok({ group: this.groups.find(groupID) ?? this.groups.placeholder(groupID) });
  }

  /** Drafts stay on this device. */
  async setConversationDraft({ conversationID, draftText }: { conversationID: string; draftText: string }) {
    this.needLogin();
    const view = this.conversations.find(conversationID);

    if (!view) throw sdkError('CONVERSATION_UNKNOWN', conversationID);
    view.draftText = draftText ?? '';
    this.conversations.changed();
    return ok({ conversationID });
  }

  private async setConversation(id: string, op: hy.ConvSetReq.Op, value = 0): Promise<void> {
    this.needLogin();
    const name = this.peerOf(id);

    if (name) await this.ask({ convSet: { type: name.wire, peer: name.peer, op, value } });
  }

  private needLogin(): void {
    if (this.me === '') throw sdkError('NOT_LOGGED_IN');
  }

  /** null for the system conversation; throws on what is no ID. */
  private peerOf(id: string) {
    const name = splitConversationID(id);

    if (!name && id !== TYPES.CONV_SYSTEM) throw sdkError('BAD_CONVERSATION_ID', String(id));
    return name;
  }

  // ---------------------------------------------------------------- people

  async getMyProfile() {
    this.needLogin();
    return ok(await this.profiles.mine());
  }

  async getUserProfile({ userIDList }: { userIDList: string[] }) {
    return ok(await this.profiles.get(userIDList));
  }

  async updateMyProfile(change: Partial<Profile>) {
    return ok(await this.profiles.update(change));
  }

  async getUserStatus({ userIDList }: { userIDList: string[] }) {
    return ok({ successUserList: await this.profiles.status(userIDList), failureUserList: [] });
  }

  async subscribeUserStatus({ userIDList }: { userIDList: string[] }) {
    this.needLogin();
    if (userIDList.length + this.profiles.watching > 500) throw sdkError('UNSUPPORTED', 'more than 500 users');
    this.profiles.watch(userIDList);
    return ok({ failureUserList: [] });
  }

  async unsubscribeUserStatus({ userIDList }: { userIDList?: string[] } = {}) {
    this.profiles.unwatch(userIDList);
    return ok({ failureUserList: [] });
  }

  /** The service keeps no friends yet; kits show the list before anything else. */
  async getFriendList() {
    this.needLogin();
    return ok([]);
  }

  // ---------------------------------------------------------------- groups

  async getGroupList() {
    return ok({ groupList: await this.groups.sync() });
  }

  async createGroup(options: Payload) {
    const group = await this.groups.create(options);

    if (!isLive(group.type)) await this.arrive(group.groupID);
    return ok({ group, overLimitUserIDList: [] as string[] });
  }

  async getGroupProfile({ groupID }: { groupID: string }) {
    return ok({ group: await this.groups.get(groupID) });
  }

  async searchGroupByID(groupID: string) {
    return ok({ group: await this.groups.get(groupID) });
  }

  async updateGroupProfile(options: Payload) {
    return ok({ group: await this.groups.update(options) });
  }

  async joinGroup({ groupID, applyMessage = '' }: { groupID: string; applyMessage?: string }) {
    const { groupJoinRes } = await this.ask({ groupJoin: { group: groupID, applyMessage } });
    const status = JOIN_STATUS[groupJoinRes?.status ?? 1];

    if (status === TYPES.JOIN_STATUS_WAIT_APPROVAL) return ok({ status });
    if (groupJoinRes?.group?.group) this.groups.adopt(groupJoinRes.group);
    await this.arrive(groupID);
    const group = this.groups.find(groupID) ?? this.groups.placeholder(groupID);

    this.groups.join(group);
    this.messages.receive(groupJoinRes?.recent ?? []);
    return ok({ status, group });
  }

  async quitGroup(groupID: string) {
    await this.ask({ groupQuit: { group: groupID } });
    this.depart(groupID);
    return ok({ groupID });
  }

  async dismissGroup(groupID: string) {
    if (this.groups.find(groupID)?.type === TYPES.GRP_WORK) throw sdkError('CANNOT_DISMISS');
    await this.ask({ groupDestroy: { group: groupID } });
    this.depart(groupID);
    return ok({ groupID });
  }

  async changeGroupOwner({ groupID, newOwnerID }: { groupID: string; newOwnerID: string }) {
    if (newOwnerID === this.me) throw sdkError('OWNER_TO_SELF');
    if (this.groups.isLive(groupID)) throw sdkError('LIVE_OWNER');
    await this.ask({ groupOwner: { group: groupID, newOwner: newOwnerID } });
    return ok({ group: await this.groups.get(groupID) });
  }

  async getGroupOnlineMemberCount(groupID: string) {
    const { groupOnlineRes } = await this.ask({ groupOnline: { group: groupID } });

    return ok({ memberCount: groupOnlineRes?.count ?? 0 });
  }

  async getGroupMemberList(options: Payload) {
    return ok(await this.groups.members(options));
  }

  async getGroupMemberProfile({ groupID, userIDList }: { groupID: string; userIDList: string[] }) {
    return ok({ memberList: await this.groups.memberProfiles(groupID, userIDList) });
  }

  async addGroupMember({ groupID, userIDList }: { groupID: string; userIDList: string[] }) {
    if (this.groups.isLive(groupID)) throw sdkError('LIVE_INVITE');
    const { membersAddRes } = await this.ask({ membersAdd: { group: groupID, users: userIDList } });
    const results = membersAddRes?.results ?? [];
    const with_ = (...codes: number[]) =>
      results.filter((r) => codes.includes(r.result ?? 0)).map((r) => r.user ?? '');

    await this.groups.refresh(groupID);
    return ok({
      successUserIDList: with_(1, 3),
      failureUserIDList: with_(0),
      existedUserIDList: with_(2),
      overLimitUserIDList: with_(4),
      group: this.groups.find(groupID) ?? this.groups.placeholder(groupID),
    });
  }

  async deleteGroupMember({ groupID, userIDList, reason = '' }: Payload) {
    await this.ask({ membersRemove: { group: groupID, users: userIDList, reason } });
    await this.groups.refresh(groupID);
    return ok({ group: this.groups.find(groupID) ?? this.groups.placeholder(groupID), userIDList });
  }

  async setGroupMemberMuteTime({ groupID, userID, muteTime }: Payload) {
    return ok(await this.groups.setMember(groupID, userID, [{ name: 'MuteTime', num: Number(muteTime) }]));
  }

  async setGroupMemberRole({ groupID, userID, role }: Payload) {
    return ok(await this.groups.setMember(groupID, userID, [{ name: 'Role', num: ROLES.indexOf(role) }]));
  }

  async setGroupMemberNameCard({ groupID, userID, nameCard }: Payload) {
    const fields = [{ name: 'NameCard', str: utf8(String(nameCard ?? '')) }];

    return ok(await this.groups.setMember(groupID, userID ?? this.me, fields));
  }

  async setGroupMemberCustomField({ groupID, userID, memberCustomField }: Payload) {
    return ok(await this.groups.setCustom(groupID, userID ?? this.me, memberCustomField));
  }
}

function matches(c: Conversation, filter: string[] | Payload): boolean {
  if (Array.isArray(filter)) return filter.includes(c.conversationID);
  return (
    (filter.type === undefined || c.type === filter.type) &&
    (filter.groupName === undefined || filter.groupName === '') &&
    (filter.markType === undefined || filter.markType === 0) &&
    (!filter.hasUnreadCount || c.unreadCount > 0) &&
    (!filter.hasGroupAtInfo || c.groupAtInfoList.length > 0)
  );
}

/** null: the session ended for another reason than a kick. */
function kickedType({ why, byPlatform }: hy.IKickedNotice): string | null {
  if (why === WHY.SIG_EXPIRED) return TYPES.KICKED_OUT_USERSIG_EXPIRED;
  if (why === WHY.REST_KICK) return TYPES.KICKED_OUT_REST_API;
  if (why === WHY.SAME_DEVICE) return TYPES.KICKED_OUT_MULT_ACCOUNT;
  if (why !== WHY.OTHER_DEVICE) return null;
  return byPlatform === WEB ? TYPES.KICKED_OUT_MULT_ACCOUNT : TYPES.KICKED_OUT_MULT_DEVICE;
}

function addresses({ proxyServer }: CreateOptions): string[] {
  const given = ([] as string[]).concat(proxyServer ?? []);
  const built = typeof __HONGYAN_SERVER__ === 'string' ? __HONGYAN_SERVER__ : '';
  const here = typeof location !== 'undefined' ? location.origin.replace(/^http/, 'ws') : 'ws://127.0.0.1:7450';

  return given.length > 0 ? given : [built || here];
}

function socketClass({ socket, WebSocketImpl }: CreateOptions): SocketClass {
  const found = socket ?? WebSocketImpl ?? (globalThis as any).WebSocket;

  if (!found) throw sdkError('UNSUPPORTED', 'no WebSocket here; give one as option `socket`');
  return found;
}

function platform(): number {
  const shell = globalThis as any;

  return typeof document === 'undefined' && shell.wx?.connectSocket ? MINI_PROGRAM : WEB;
}

/** One tab is one installation: a reload is the same, a second tab another. */
function deviceID(sdkappid: number): string {
  const key = `hongyan-device-${sdkappid}`;
  const fresh = () => `w${Date.now().toString(36)}${Math.random().toString(36).slice(2, 12)}`;

  try {
    const id = sessionStorage.getItem(key) ?? fresh();

    sessionStorage.setItem(key, id);
    return id;
  } catch {
    return fresh();
  }
}
