import { hy, text, utf8 } from './codec.js';
import { sdkError } from './errors.js';
import { EVENT } from './events.js';
import { log } from './log.js';
import type { Session } from './session.js';
import type { Profile, UserStatus } from './types.js';

/* profiles - what is known about people: fields, and who is online. */

type Name = Exclude<keyof Profile, 'userID' | 'lastUpdatedTime' | 'profileCustomField'>;

const TAG = 'Tag_Profile_IM_';
const CUSTOM = 'Tag_Profile_Custom_';

/* Fields by name in the API, on the wire after TAG, and kind. */
const FIELDS: [name: Name, tag: string, kind: 'str' | 'num'][] = [
  ['nick', 'Nick', 'str'],
  ['avatar', 'Image', 'str'],
  ['gender', 'Gender', 'str'],
  ['birthday', 'BirthDay', 'num'],
  ['location', 'Location', 'str'],
  ['selfSignature', 'SelfSignature', 'str'],
  ['allowType', 'AllowType', 'str'],
  ['language', 'Language', 'num'],
  ['messageSettings', 'MsgSettings', 'num'],
  ['adminForbidType', 'AdminForbidType', 'str'],
  ['level', 'Level', 'num'],
  ['role', 'Role', 'num'],
];

export function emptyProfile(userID: string): Profile {
  return {
    userID,
    nick: '',
    avatar: '',
    gender: 'Gender_Type_Unknown',
    birthday: 0,
    location: '',
    selfSignature: '',
    allowType: 'AllowType_Type_AllowAny',
    language: 0,
    messageSettings: 0,
    adminForbidType: 'AdminForbid_Type_None',
    level: 0,
    role: 0,
    lastUpdatedTime: 0,
    profileCustomField: [],
  };
}

function applyField(profile: Profile, field: hy.IField): void {
  const name = field.name ?? '';
  const row = FIELDS.find(([, tag]) => TAG + tag === name);

  if (row) Object.assign(profile, { [row[0]]: row[2] === 'num' ? field.num : text(field.str) });
  else if (name.startsWith(CUSTOM)) {
    const key = name.slice(CUSTOM.length);
    const rest = profile.profileCustomField.filter((f) => f.key !== key);

    profile.profileCustomField = [...rest, { key, value: text(field.str) || String(field.num || '') }];
  }
}

/** Fields of the wire for a change; empty: nothing that is a field was given. */
export function profileFields(change: Partial<Profile>): hy.IField[] {
  const fields: hy.IField[] = [];

  for (const [name, tag, kind] of FIELDS) {
    const value = change[name];

    if (value === undefined || value === null) continue;
    fields.push(
      kind === 'num'
        ? { name: TAG + tag, num: Number(value) }
        : { name: TAG + tag, str: utf8(String(value)) },
    );
  }
  for (const { key, value } of change.profileCustomField ?? [])
    fields.push({ name: CUSTOM + key, str: utf8(String(value)) });
  return fields;
}

export class Profiles {
  private known = new Map<string, Profile>();
  private watched = new Map<string, number>(); // userID: last statusType told

  constructor(private session: Session) {}

  clear(): void {
    this.known.clear();
    this.watched.clear();
  }

  /** The live object of a user, with what is known so far. */
  of(userID: string): Profile {
    let profile = this.known.get(userID);

    if (!profile) this.known.set(userID, (profile = emptyProfile(userID)));
    return profile;
  }

  /** Something said the user's nick and face in passing. */
  hint(userID: string, nick?: string | null, avatar?: string | null): Profile {
    const profile = this.of(userID);

    if (nick) profile.nick = nick;
    if (avatar) profile.avatar = avatar;
    return profile;
  }

  private apply(wire: hy.IProfile): Profile {
    const profile = this.of(wire.user ?? '');

    for (const field of wire.fields ?? []) applyField(profile, field);
    if (wire.updatedS) profile.lastUpdatedTime = wire.updatedS;
    return profile;
  }

  /** Those that exist, in the order asked for. */
  async get(userIDs: string[]): Promise<Profile[]> {
    const { profileGetRes } = await this.session.ask({ profileGet: { users: userIDs } });

    return (profileGetRes?.profiles ?? []).filter((p) => !p.code).map((p) => this.apply(p));
  }

  async mine(): Promise<Profile> {
    return (await this.get([this.session.me]))[0] ?? this.of(this.session.me);
  }

  async update(change: Partial<Profile>): Promise<Profile> {
    const fields = profileFields(change ?? {});

    if (fields.length === 0) throw sdkError('NO_PROFILE_KEY');
    await this.session.ask({ profileSet: { fields } });
    const profile = this.apply({ user: this.session.me, fields });

    this.session.emit(EVENT.PROFILE_UPDATED, [profile]);
    return profile;
  }

  onNotice(wire: hy.IProfile): Profile {
    const profile = this.apply(wire);

    this.session.emit(EVENT.PROFILE_UPDATED, [profile]);
    return profile;
  }

  // ---------------------------------------------------------------- who is online

  async status(userIDs: string[]): Promise<UserStatus[]> {
    const { stateGetRes } = await this.session.ask({ stateGet: { users: userIDs } });

    return (stateGetRes?.states ?? []).map(({ user, state }) => ({
      userID: user ?? '',
      statusType: state === 3 ? 2 : (state ?? 0), // reachable by push only is offline here
      customStatus: '',
    }));
  }

  /** The server does not push states to clients: whoever is watched is asked for with each heartbeat. */
  watch(userIDs: string[]): void {
    for (const id of userIDs) if (!this.watched.has(id)) this.watched.set(id, -1);
    void this.beat();
  }

  unwatch(userIDs?: string[]): void {
    if (!userIDs || userIDs.length === 0) this.watched.clear();
    else for (const id of userIDs) this.watched.delete(id);
  }

  get watching(): number {
    return this.watched.size;
  }

  async beat(): Promise<void> {
    if (this.watched.size === 0 || !this.session.me) return;
    try {
      const states = await this.status([...this.watched.keys()]);
      const news = states.filter(
        (s) => this.watched.has(s.userID) && this.watched.get(s.userID) !== s.statusType,
      );

      for (const s of news) this.watched.set(s.userID, s.statusType);
      if (news.length > 0) this.session.emit(EVENT.USER_STATUS_UPDATED, news);
    } catch (err) {
      log.debug('states', err);
    }
  }
}
