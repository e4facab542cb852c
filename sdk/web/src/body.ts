import { hy, text, utf8, wellFormed } from './codec.js';
import { TYPES } from './constants.js';
import type { Element, Payload } from './types.js';

/* body - payloads of the API to elements of the wire and back. One row per type of message. */

interface Row {
  /** Which element of the wire; its property in hy.IElem. */
  elem: keyof hy.IElem;
  toWire(payload: Payload): object;
  fromWire(elem: any): Payload;
}

const str = (value: unknown): string =>
  wellFormed(value === undefined || value === null ? '' : String(value));
const num = (value: unknown): number => Number(value) || 0;

/* On the wire as in REST: 1 original, 2 large, 3 thumbnail; in imageInfoArray original first. */
function imageFromWire(info: hy.IImageInfo): Payload {
  const { type, size, width, height, url } = info;

  return { type: (type || 1) - 1, sizeType: type || 1, size, width, height, url, imageUrl: url };
}

function imageToWire(info: Payload, index: number): hy.IImageInfo {
  return {
    type: index + 1,
    size: num(info.size),
    width: num(info.width),
    height: num(info.height),
    url: str(info.url ?? info.imageUrl),
  };
}

/** Kits read three sizes without a guard: what is missing is the next bigger one. */
function threeSizes(infos: Payload[]): Payload[] {
  const byType = [0, 1, 2].map((type) => infos.find((info) => info.type === type));
  const some = byType[0] ?? infos[0] ?? { url: '', imageUrl: '', size: 0, width: 0, height: 0 };

  return byType.map((info, type) => info ?? { ...some, type, sizeType: type + 1 });
}

const ROWS: Record<string, Row> = {
  [TYPES.MSG_TEXT]: {
    elem: 'text',
    toWire: (p) => ({ text: str(p.text) }),
    fromWire: (e: hy.ITextElem) => ({ text: e.text }),
  },
  [TYPES.MSG_CUSTOM]: {
    elem: 'custom',
    toWire: (p) => ({ data: utf8(str(p.data)), desc: str(p.description), ext: utf8(str(p.extension)) }),
    fromWire: (e: hy.ICustomElem) => ({ data: text(e.data), description: e.desc, extension: text(e.ext) }),
  },
  [TYPES.MSG_FACE]: {
    elem: 'face',
    toWire: (p) => ({ index: num(p.index), data: utf8(str(p.data)) }),
    fromWire: (e: hy.IFaceElem) => ({ index: e.index, data: text(e.data) }),
  },
  [TYPES.MSG_LOCATION]: {
    elem: 'location',
    toWire: (p) => ({ desc: str(p.description), latitude: num(p.latitude), longitude: num(p.longitude) }),
    fromWire: (e: hy.ILocationElem) => ({
      description: e.desc,
      latitude: e.latitude,
      longitude: e.longitude,
    }),
  },
  [TYPES.MSG_IMAGE]: {
    elem: 'image',
    toWire: (p) => ({
      uuid: str(p.uuid),
      format: num(p.imageFormat) || 255,
      infos: (p.imageInfoArray ?? []).map(imageToWire),
    }),
    fromWire: (e: hy.IImageElem) => ({
      uuid: e.uuid,
      imageFormat: e.format,
      imageInfoArray: threeSizes((e.infos ?? []).map(imageFromWire)),
    }),
  },
  [TYPES.MSG_AUDIO]: {
    elem: 'sound',
    toWire: (p) => ({
      url: str(p.url ?? p.remoteAudioUrl),
      uuid: str(p.uuid),
      size: num(p.size),
      second: Math.round(num(p.second)),
      downloadFlag: 2,
    }),
    fromWire: (e: hy.ISoundElem) => ({
      uuid: e.uuid,
      url: e.url,
      remoteAudioUrl: e.url,
      size: e.size,
      second: e.second,
    }),
  },
  [TYPES.MSG_FILE]: {
    elem: 'file',
    toWire: (p) => ({
      url: str(p.fileUrl),
      uuid: str(p.uuid),
      size: num(p.fileSize),
      name: str(p.fileName),
      downloadFlag: 2,
    }),
    fromWire: (e: hy.IFileElem) => ({ uuid: e.uuid, fileName: e.name, fileUrl: e.url, fileSize: e.size }),
  },
  [TYPES.MSG_VIDEO]: {
    elem: 'video',
    toWire: (p) => ({
      videoUrl: str(p.remoteVideoUrl ?? p.videoUrl),
      videoUuid: str(p.videoUUID),
      videoSize: num(p.videoSize),
      videoSecond: Math.round(num(p.videoSecond)),
      videoFormat: str(p.videoFormat),
      videoDownloadFlag: 2,
      thumbUrl: str(p.thumbUrl ?? p.snapshotUrl),
      thumbUuid: str(p.thumbUUID),
      thumbSize: num(p.thumbSize ?? p.snapshotSize),
      thumbWidth: num(p.thumbWidth ?? p.snapshotWidth),
      thumbHeight: num(p.thumbHeight ?? p.snapshotHeight),
      thumbDownloadFlag: 2,
    }),
    fromWire: (e: hy.IVideoElem) => ({
      videoUUID: e.videoUuid,
      videoUrl: e.videoUrl,
      remoteVideoUrl: e.videoUrl,
      videoFormat: e.videoFormat,
      videoSecond: e.videoSecond,
      videoSize: e.videoSize,
      thumbUUID: e.thumbUuid,
      ...still('thumb', e),
      ...still('snapshot', e),
    }),
  },
  [TYPES.MSG_MERGER]: {
    elem: 'relay',
    toWire: (p) => ({
      title: str(p.title),
      msgNum: (p.messageList ?? []).length,
      compatibleText: str(p.compatibleText),
      abstracts: (p.abstractList ?? []).map(str),
      msgList: utf8(JSON.stringify(p.messageList ?? [])),
    }),
    fromWire: (e: hy.IRelayElem) => ({
      title: e.title,
      abstractList: e.abstracts,
      compatibleText: e.compatibleText,
      version: 1,
      downloadKey: e.jsonMsgKey,
      messageList: parseList(text(e.msgList)),
      layersOverLimit: e.layersOverLimit !== 0,
    }),
  },
  [TYPES.MSG_GRP_TIP]: {
    elem: 'tip',
    toWire: () => ({}), // only the server makes tips
    fromWire: tipFromWire,
  },
};

const TYPE_OF = new Map(Object.entries(ROWS).map(([type, row]) => [row.elem, type]));

/* The still of a video, under both families of names that apps use. */
function still(prefix: string, e: hy.IVideoElem): Payload {
  return {
    [`${prefix}Url`]: e.thumbUrl,
    [`${prefix}Size`]: e.thumbSize,
    [`${prefix}Width`]: e.thumbWidth,
    [`${prefix}Height`]: e.thumbHeight,
  };
}

function parseList(json: string): unknown[] {
  try {
    const list = JSON.parse(json);

    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

const PROFILE_NAMES: Record<string, string> = {
  Name: 'groupName',
  Introduction: 'introduction',
  Notification: 'notification',
  FaceUrl: 'avatar',
  Owner_Account: 'ownerID',
  ApplyJoinOption: 'joinOption',
  InviteJoinOption: 'inviteOption',
};

/* What a tip says has changed, named as apps expect it. */
function changedProfile(fields: hy.IField[]): Payload {
  const profile: Payload = {};

  for (const field of fields) {
    const name = field.name ?? '';

    if (name === 'MuteAllMember') profile.muteAllMembers = field.num === 1;
    else if (PROFILE_NAMES[name]) profile[PROFILE_NAMES[name]] = text(field.str);
  }
  return profile;
}

function tipFromWire(e: hy.ITipElem): Payload {
  const members = e.members ?? [];

  return {
    operatorID: e.operatorId,
    operationType: e.type,
    userIDList: members.map((m) => m.user),
    memberList: members.map((m) => ({ userID: m.user, nick: m.nick, muteTime: m.muteS })),
    newGroupProfile: changedProfile(e.changed ?? []),
    groupProfile: {},
    reason: e.reason,
  };
}

/** The bytes of a message with one element. */
export function encodeBody(type: string, payload: Payload): Uint8Array {
  const row = ROWS[type];

  if (!row) throw new Error(`no element for ${type}`);
  return hy.Body.encode({ elems: [{ [row.elem]: row.toWire(payload) }] }).finish();
}

/** All elements of a message; one of a kind this version does not know is left out. */
export function decodeBody(bytes: Uint8Array): Element[] {
  const elements: Element[] = [];

  for (const elem of hy.Body.decode(bytes).elems)
    for (const [name, type] of TYPE_OF) {
      const content = elem[name];

      if (content) elements.push({ type, content: ROWS[type].fromWire(content) });
    }
  return elements;
}

export function isMessageType(type: string): boolean {
  return type in ROWS;
}
