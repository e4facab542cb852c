import { isMessageType } from './body.js';
import { TYPES } from './constants.js';
import type { Core } from './core.js';
import { ok, sdkError } from './errors.js';
import { draftMessage, Message } from './message.js';
import type { MessageOptions, Payload, SendOptions, Uploader } from './types.js';
import { upload } from './uploads.js';

/* api_messages - the API's methods that make, send and find messages. */

function create(core: Core, type: string, options: MessageOptions, payload: Payload): Message {
  const m = draftMessage({
    from: core.me,
    to: options.to,
    conversationType: options.conversationType,
    type,
    payload,
    timeS: core.getServerTime(),
  });
  const mine = core.me === '' ? null : core.profiles.of(core.me);

  m.priority = options.priority ?? 'Normal';
  m.cloudCustomData = options.cloudCustomData ?? '';
  m.needReadReceipt = options.needReadReceipt ?? false;
  m.isSupportExtension = options.isSupportExtension ?? false;
  m.nick = mine?.nick ?? '';
  m.avatar = mine?.avatar ?? '';
  return core.messages.adoptDraft(m);
}

function createFile(core: Core, type: string, options: MessageOptions): Message {
  const { file, ...payload } = options.payload;
  const m = create(core, type, options, payload);

  if (file) m._upload = { file, onProgress: options.onProgress };
  return m;
}

export function messageApi(core: Core) {
  const api = {
    createTextMessage(options: MessageOptions): Message {
      const { payload } = options;

      return create(core, TYPES.MSG_TEXT, options, {
        text: typeof payload === 'string' ? payload : payload.text,
      });
    },

    createTextAtMessage(options: MessageOptions): Message {
      const m = api.createTextMessage(options);

      m.atUserList = [...(options.payload.atUserList ?? [])];
      return m;
    },

    createCustomMessage(options: MessageOptions): Message {
      const { data = '', description = '', extension = '' } = options.payload;

      return create(core, TYPES.MSG_CUSTOM, options, { data, description, extension });
    },

    createFaceMessage(options: MessageOptions): Message {
      return create(core, TYPES.MSG_FACE, options, {
        index: options.payload.index,
        data: options.payload.data,
      });
    },

    createLocationMessage(options: MessageOptions): Message {
      const { description = '', longitude, latitude } = options.payload;

      return create(core, TYPES.MSG_LOCATION, options, { description, longitude, latitude });
    },

    createMergerMessage(options: MessageOptions): Message {
      return create(core, TYPES.MSG_MERGER, options, { downloadKey: '', version: 1, ...options.payload });
    },

    /** A copy of another message's content. */
    createForwardMessage(options: MessageOptions): Message {
      const { type, payload } = options.payload as Message;

      if (!isMessageType(type) || type === TYPES.MSG_GRP_TIP) throw sdkError('NOT_A_MESSAGE');
      return create(core, type, options, JSON.parse(JSON.stringify(payload)));
    },

    createImageMessage(options: MessageOptions): Message {
      return createFile(core, TYPES.MSG_IMAGE, options);
    },

    createAudioMessage(options: MessageOptions): Message {
      return createFile(core, TYPES.MSG_AUDIO, options);
    },

    createVideoMessage(options: MessageOptions): Message {
      return createFile(core, TYPES.MSG_VIDEO, options);
    },

    createFileMessage(options: MessageOptions): Message {
      return createFile(core, TYPES.MSG_FILE, options);
    },

    async sendMessage(m: Message, options?: SendOptions) {
      if (core.me === '') throw sdkError('NOT_LOGGED_IN');
      if (!(m instanceof Message)) throw sdkError('NOT_A_MESSAGE');
      if (m._upload) await upload(m, core.plugins['hongyan-upload'] as Uploader | undefined);
      return ok({ message: await core.outbox.send(m, options) });
    },

    resendMessage(m: Message) {
      return api.sendMessage(m);
    },

    findMessage(id: string): Message | null {
      return core.messages.find(id);
    },

    /** There are no receipts yet; kits wait for this before they draw history. */
    async getMessageReadReceiptList(list: Message[]) {
      return ok({ messageList: list ?? [] });
    },
  };

  return api;
}
