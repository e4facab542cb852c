// A server for tests of the web SDK: real frames over real WebSockets, one process, memory only. It
// keeps conversations as the cluster does and can misbehave on demand.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(here, '../../sdk/web/package.json'));
const { WebSocketServer } = require('ws');
const protobuf = require('protobufjs');

protobuf.util.Long = null;
protobuf.configure();
const { root } = protobuf.parse(readFileSync(join(here, '../../proto/client.proto'), 'utf8'));
const Frame = root.lookupType('hy.Frame');
const Body = root.lookupType('hy.Body');

const C2C = 1;
const HEARTBEAT_MS = 150;

export const text = (value) => Body.encode({ elems: [{ text: { text: value } }] }).finish();
export const tip = (type, operatorId, users) =>
  Body.encode({
    elems: [{ tip: { type, operatorId, members: users.map((user) => ({ user })) } }],
  }).finish();

class Log {
  msgs = [];
  read = new Map();

  visible(user, from = 1) {
    return this.msgs.filter((m) => m.seq >= from && m.hiddenFrom !== user);
  }
}

export class FakeServer {
  links = new Set();
  logs = new Map();
  groups = new Map();
  names = new Map();
  sessions = new Map();
  seen = []; // kinds of requests, in order
  signIns = 0;
  resumes = 0;
  refuse = 0; // code for the next sign-ins
  dropPushes = 0; // lose so many pushes
  mute = new Set(); // kinds that get no answer
  failing = []; // codes for the next sends
  failingPages = []; // and for the next pages of history
  resync = new Set(); // users whose next pong says resync
  mostHidden = Infinity; // a page of history passes over so many hidden messages

  static async start() {
    const server = new FakeServer();

    server.wss = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => server.wss.once('listening', resolve));
    server.url = `ws://127.0.0.1:${server.wss.address().port}`;
    server.wss.on('connection', (ws) => server.welcome(ws));
    return server;
  }

  async stop() {
    for (const link of this.links) link.ws.terminate();
    await new Promise((resolve) => this.wss.close(resolve));
  }

  welcome(ws) {
    const link = { ws, user: '' };

    this.links.add(link);
    ws.on('message', (data, binary) => this.handle(link, binary ? Frame.decode(data) : null));
    ws.on('close', () => this.links.delete(link));
  }

  handle(link, frame) {
    const kind = frame?.body;
    const handler = this[`on_${kind}`];

    this.seen.push(kind);
    if (this.mute.has(kind)) return;
    if (!handler) return this.answer(link, frame.id, {}, 200011);
    const res = handler.call(this, link, frame[kind]);

    if (typeof res === 'number') this.answer(link, frame.id, {}, res);
    else if (res) this.answer(link, frame.id, res);
  }

  answer(link, id, body, code = 0) {
    link.ws.send(Frame.encode({ id, code, info: code ? `code ${code}` : '', ...body }).finish());
  }

  // ------------------------------------------------------------ misbehaviour and news

  cut(user) {
    for (const link of this.links) if (!user || link.user === user) link.ws.terminate();
  }

  notify(user, body, except) {
    for (const link of this.links)
      if (link.user === user && link !== except) {
        if (body.msgNotice && this.dropPushes > 0) this.dropPushes--;
        else this.answer(link, 0, body);
      }
  }

  kick(user, why, byPlatform = 0) {
    this.notify(user, { kicked: { why, byPlatform, code: 6208, info: 'kicked' } });
    this.cut(user);
  }

  // ------------------------------------------------------------ conversations

  key(convType, me, peer) {
    return convType === C2C ? `c:${[me, peer].sort().join(':')}` : `g:${peer}`;
  }

  log(key) {
    if (!this.logs.has(key)) this.logs.set(key, new Log());
    return this.logs.get(key);
  }

  people(m) {
    return m.convType === C2C ? [m.from, m.to] : [...(this.groups.get(m.to)?.members ?? [])];
  }

  /** Append and push; what an app server or another client would have done. */
  say(from, to, value, more = {}) {
    const { except, push = true, ...fields } = more;
    const convType = fields.convType ?? C2C;
    const log = this.log(this.key(convType, from, to));
    const m = {
      convType,
      from,
      to,
      clientId: `x-${Math.random()}`,
      body: typeof value === 'string' ? text(value) : value,
      flags: 0,
      nick: this.names.get(from) ?? '',
      timeMs: Date.now(),
      ...fields,
    };

    if ((m.flags & 1) === 0) {
      m.seq = log.msgs.length + 1;
      log.msgs.push(m);
    }
    if (push) for (const user of this.people(m)) this.notify(user, { msgNotice: { msgs: [m] } }, except);
    return m;
  }

  conv(user, key) {
    const log = this.logs.get(key) ?? new Log();
    const group = key.startsWith('g:') ? key.slice(2) : '';
    const peer =
      group ||
      key
        .slice(2)
        .split(':')
        .find((u) => u !== user) ||
      user;
    const last = log.visible(user).at(-1);
    const read = log.read.get(user) ?? 0;
    const unread = log.msgs.filter((m) => m.seq > read && m.from !== user && (m.flags & 2) === 0);

    return {
      type: group ? 2 : C2C,
      peer,
      lastSeq: log.msgs.length,
      lastTimeMs: last?.timeMs ?? 0,
      lastMsg: last,
      unread: unread.length,
      readSeq: read,
      peerReadSeq: group ? 0 : (log.read.get(peer) ?? 0),
      name: group ? this.groups.get(group)?.name : this.names.get(peer),
      groupType: this.groups.get(group)?.type ?? '',
      group: group ? this.info(group) : undefined,
      self: group ? this.member(group, user) : undefined,
    };
  }

  info(id) {
    const g = this.groups.get(id);

    if (!g) return { group: id, code: 10010 };
    return { group: id, type: g.type, name: g.name, owner: g.owner, memberNum: g.members.size };
  }

  member(id, user) {
    const g = this.groups.get(id);

    return { user, role: !g?.members.has(user) ? 0 : g.owner === user ? 3 : 1 };
  }

  group(id, type, members) {
    this.groups.set(id, { type, name: `name of ${id}`, owner: members[0], members: new Set(members) });
  }

  // ------------------------------------------------------------ requests

  session(link, user, resumed) {
    const token = Buffer.from(`${user}-${Math.random()}`);

    link.user = user;
    this.sessions.set(token.toString(), user);
    return {
      signInRes: {
        identifier: user,
        resumeToken: token,
        heartbeatMs: HEARTBEAT_MS,
        serverTimeMs: Date.now(),
        resumed,
        nick: this.names.get(user) ?? '',
      },
    };
  }

  on_signIn(link, req) {
    this.signIns++;
    if (this.refuse) return this.refuse;
    return this.session(link, req.identifier, false);
  }

  on_resume(link, req) {
    const user = this.sessions.get(Buffer.from(req.resumeToken).toString());

    this.resumes++;
    return user ? this.session(link, user, true) : 70221;
  }

  on_signOut(link) {
    link.user = '';
    return { ok: {} };
  }

  on_ping(link) {
    return { pong: { serverTimeMs: Date.now(), resync: this.resync.delete(link.user) } };
  }

  on_send(link, req) {
    const log = this.log(this.key(req.convType, link.user, req.to));
    const code = this.failing.shift();
    let m = log.msgs.find((x) => x.from === link.user && x.clientId === req.clientId);

    if (code) return code;
    m ??= this.say(link.user, req.to, req.body, { ...req, except: link });
    return { sendRes: { seq: m.seq, timeMs: m.timeMs } };
  }

  /** Walks the log as the store does: up to `count` messages, past `mostHidden` hidden ones at most. */
  on_history(link, req) {
    if (this.failingPages.length > 0) return this.failingPages.shift();
    const log = this.log(this.key(req.convType, link.user, req.peer));
    const shown = new Set(log.visible(link.user));
    const inside = (m) => !req.timeMs || (req.newer ? m.timeMs >= req.timeMs : m.timeMs <= req.timeMs);
    const from = req.fromSeq || (req.newer ? 1 : Infinity);
    const ahead = log.msgs.filter((m) => (req.newer ? m.seq >= from : m.seq <= from) && inside(m));
    const page = { msgs: [], complete: true, firstSeq: 1, lastSeq: log.msgs.length };
    let hidden = 0;

    if (!req.newer) ahead.reverse();
    for (const m of ahead) {
      if (page.msgs.length === (req.count || 20) || hidden === this.mostHidden) {
        Object.assign(page, { complete: false, nextSeq: m.seq, nextMs: m.timeMs });
        break;
      }
      if (shown.has(m)) page.msgs.push(m);
      else hidden++;
    }
    if (!req.newer) page.msgs.reverse();
    return { historyRes: page };
  }

  on_read(link, req) {
    const log = this.log(this.key(req.convType, link.user, req.peer));
    const readSeq = req.seq || log.msgs.length;
    const notice = { convType: req.convType, reader: link.user, peer: req.peer, readSeq };

    log.read.set(link.user, readSeq);
    this.notify(link.user, { readNotice: notice }, link);
    if (req.convType === C2C && req.peer !== link.user) this.notify(req.peer, { readNotice: notice });
    return { readRes: { unread: 0, readSeq } };
  }

  on_convList(link) {
    const mine = (key) =>
      key.startsWith('g:')
        ? this.groups.get(key.slice(2))?.members.has(link.user)
        : key.slice(2).split(':').includes(link.user);

    return { convListRes: { convs: [...this.logs.keys()].filter(mine).map((k) => this.conv(link.user, k)) } };
  }

  on_convGet(link, req) {
    return { convListRes: { convs: [this.conv(link.user, this.key(req.type, link.user, req.peer))] } };
  }

  on_convSet() {
    return { ok: {} };
  }

  on_profileGet(link, req) {
    const profile = (user) => ({
      user,
      fields: [{ name: 'Tag_Profile_IM_Nick', str: Buffer.from(this.names.get(user) ?? '') }],
    });

    return { profileGetRes: { profiles: req.users.map(profile) } };
  }

  on_profileSet(link, req) {
    for (const f of req.fields)
      if (f.name === 'Tag_Profile_IM_Nick') this.names.set(link.user, Buffer.from(f.str).toString());
    return { ok: {} };
  }

  on_stateGet(link, req) {
    const online = new Set([...this.links].map((l) => l.user));

    return { stateGetRes: { states: req.users.map((user) => ({ user, state: online.has(user) ? 1 : 2 })) } };
  }

  on_groupCreate(link, req) {
    const id = req.info.group || `g${this.groups.size + 1}`;

    if (this.groups.has(id)) return 10021;
    this.group(id, req.info.type, [link.user, ...req.members.map((m) => m.user)]);
    this.groups.get(id).name = req.info.name;
    this.log(`g:${id}`);
    return { groupCreateRes: { group: id, type: req.info.type } };
  }

  on_groupGet(link, req) {
    return {
      groupGetRes: {
        groups: req.groups.map((id) => this.info(id)),
        selves: req.groups.map((id) => this.member(id, link.user)),
      },
    };
  }

  on_groupList(link) {
    const ids = [...this.groups.keys()].filter((id) => this.groups.get(id).members.has(link.user));

    return {
      groupListRes: {
        groups: ids.map((id) => this.info(id)),
        selves: ids.map((id) => this.member(id, link.user)),
        total: ids.length,
      },
    };
  }

  on_groupJoin(link, req) {
    const g = this.groups.get(req.group);

    if (!g) return 10010;
    const status = g.members.has(link.user) ? 2 : 1;

    g.members.add(link.user);
    return { groupJoinRes: { status, group: this.info(req.group) } };
  }

  on_groupQuit(link, req) {
    this.groups.get(req.group).members.delete(link.user);
    return { ok: {} };
  }

  on_membersGet(link, req) {
    const all = [...(this.groups.get(req.group)?.members ?? [])];
    const some = req.users.length > 0 ? req.users : all.slice(req.offset, req.offset + (req.limit || 100));

    return { membersGetRes: { members: some.map((u) => this.member(req.group, u)), total: all.length } };
  }

  on_membersAdd(link, req) {
    const g = this.groups.get(req.group);
    const add = (user) => {
      const result = g.members.has(user) ? 2 : 1;

      g.members.add(user);
      return { user, result };
    };

    return { membersAddRes: { results: req.users.map(add) } };
  }
}
