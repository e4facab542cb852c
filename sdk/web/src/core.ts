import { hy, text, type Body } from './codec.js';
import { Connection, type ConnectionHandler, type NetState } from './connection.js';
import { TYPES } from './constants.js';
import { Conversations } from './conversations.js';
import { ChatError, ok, sdkError } from './errors.js';
import { Emitter, EVENT } from './events.js';
import { Groups } from './groups.js';
import { log, setLogLevel } from './log.js';
import { splitConversationID } from './message.js';
import { Messages } from './messages.js';
import { Notices } from './notices.js';
import { Outbox } from './outbox.js';
import { addresses, deviceID, platform, socketClass } from './place.js';
import { Profiles } from './profiles.js';
import type { Session } from './session.js';
import type { CreateOptions, Handler } from './types.js';

/* core - the life of one client: signing in and out, keeping up to date, and who gets which news. */

declare const SDK_VERSION: string;

const WEB = 6;
const WHY = hy.KickedNotice.Why;

export class Core implements Session, ConnectionHandler {
  me = '';
  readonly profiles = new Profiles(this);
  readonly groups = new Groups(this);
  readonly conversations = new Conversations(this, this.profiles, this.groups);
  readonly messages = new Messages(this, this.conversations, this.groups);
  readonly notices = new Notices(this);
  readonly outbox: Outbox;
  readonly plugins: Record<string, unknown> = {};
  synced = false;
  private emitter = new Emitter();
  private connection: Connection;
  private ready = false;
  private loggingIn = false;
  private stale = false; // a sync is due
  private syncing: Promise<void> | null = null;

  constructor(
    private options: CreateOptions,
    private onDestroy: () => void,
  ) {
    const timeoutMs = options.timeoutMs ?? 15000;

    this.connection = new Connection(
      { urls: addresses(options), Socket: socketClass(options), timeoutMs },
      this,
    );
    this.outbox = new Outbox(this, this.messages, timeoutMs);
  }

  // ---------------------------------------------------------------- session

  ask(body: Body, timeoutMs?: number): Promise<hy.Frame> {
    return this.me === ''
      ? Promise.reject(sdkError('NOT_LOGGED_IN'))
      : this.connection.request(body, timeoutMs);
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
    this.outbox.clear();
    this.notices.clear();
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
    else if (frame.readNotice) this.messages.reads.onRead(frame.readNotice);
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

    this.messages.add(this.notices.add(notice, text(notice.text)));
    if ([2, 6, 7].includes(type)) void this.arrive(group);
    else if ([4, 5, 8].includes(type)) this.depart(group);
    else if ([9, 10].includes(type)) void this.groups.refresh(group);
  }

  /** The user is in a group now. */
  async arrive(groupID: string): Promise<void> {
    await this.groups.refresh(groupID);
    if (!this.groups.isLive(groupID)) await this.onConversation({ convType: 2, peer: groupID });
  }

  /** The user is no longer in a group. */
  depart(groupID: string): void {
    this.groups.leave(groupID);
    this.forget(TYPES.CONV_GROUP + groupID);
  }

  /** A conversation is out of the list. */
  forget(id: string): void {
    this.messages.forget(id);
    this.conversations.remove(id);
  }

  // ---------------------------------------------------------------- checks

  needLogin(): void {
    if (this.me === '') throw sdkError('NOT_LOGGED_IN');
  }

  /** null for the system conversation; throws on what is no ID. */
  peerOf(id: string) {
    const name = splitConversationID(id);

    if (!name && id !== TYPES.CONV_SYSTEM) throw sdkError('BAD_CONVERSATION_ID', String(id));
    return name;
  }
}

/** null: the session ended for another reason than a kick. */
function kickedType({ why, byPlatform }: hy.IKickedNotice): string | null {
  if (why === WHY.SIG_EXPIRED) return TYPES.KICKED_OUT_USERSIG_EXPIRED;
  if (why === WHY.REST_KICK) return TYPES.KICKED_OUT_REST_API;
  if (why === WHY.SAME_DEVICE) return TYPES.KICKED_OUT_MULT_ACCOUNT;
  if (why !== WHY.OTHER_DEVICE) return null;
  return byPlatform === WEB ? TYPES.KICKED_OUT_MULT_ACCOUNT : TYPES.KICKED_OUT_MULT_DEVICE;
}
