import { TYPES } from './constants.js';
import { ChatError, sdkError } from './errors.js';
import type { Message } from './message.js';
import type { Payload, Uploader } from './types.js';

/* uploads - files go where the app's own uploader puts them; a message has only the address. */

/** registerPlugin({'hongyan-upload': uploader}): store the file, resolve to its address and, as far
 * as is known, width, height and second. */
interface Waiting {
  file: any;
  onProgress?: (fraction: number) => void;
}

const MB = 1048576;
const LIMITS: Record<string, [most: number, code: number]> = {
  [TYPES.MSG_IMAGE]: [20 * MB, 2253],
  [TYPES.MSG_AUDIO]: [20 * MB, 2301],
  [TYPES.MSG_VIDEO]: [100 * MB, 2351],
  [TYPES.MSG_FILE]: [100 * MB, 2402],
};

const FORMATS: Record<string, number> = { jpg: 1, jpeg: 1, gif: 2, png: 3, bmp: 4 };

function chosen(waiting: Waiting): Blob & { name?: string } {
  return waiting.file?.files ? waiting.file.files[0] : waiting.file; // an input element or the file
}

/** Put the file of the message away and its address into the payload. */
export async function upload(m: Message, uploader: Uploader | undefined): Promise<void> {
  const waiting = m._upload as Waiting;
  const file = chosen(waiting);
  const [most, tooBig] = LIMITS[m.type];

  if (!file) throw sdkError('NO_FILE');
  if (!uploader) throw sdkError('NO_UPLOADER');
  if (file.size === 0) throw sdkError('EMPTY_FILE');
  if (file.size > most) throw new ChatError(tooBig, `the file is over ${most / MB} MB`);
  const stored = await uploader(file, (fraction) => waiting.onProgress?.(fraction));

  Object.assign(m.payload, describe(m, file, stored));
  m._upload = null;
}

function describe(m: Message, file: Blob & { name?: string }, stored: Payload): Payload {
  const { url, width = 0, height = 0, second = 0, thumbUrl = '' } = stored;
  const name = file.name ?? '';
  const format = name.split('.').pop()?.toLowerCase() ?? '';
  const picture = { url, imageUrl: url, width, height, size: file.size };

  switch (m.type) {
    case TYPES.MSG_IMAGE:
      return {
        uuid: m.ID,
        imageFormat: FORMATS[format] ?? 255,
        imageInfoArray: [0, 1, 2].map((type) => ({ ...picture, type, sizeType: type + 1 })),
      };
    case TYPES.MSG_AUDIO:
      return { uuid: m.ID, url, remoteAudioUrl: url, size: file.size, second };
    case TYPES.MSG_VIDEO:
      return {
        videoUUID: m.ID,
        videoUrl: url,
        remoteVideoUrl: url,
        videoFormat: format,
        videoSecond: second,
        videoSize: file.size,
        ...{ thumbUrl, snapshotUrl: thumbUrl, thumbWidth: width, snapshotWidth: width },
        ...{ thumbHeight: height, snapshotHeight: height, thumbSize: 0, snapshotSize: 0 },
      };
    default:
      return { uuid: m.ID, fileName: name, fileUrl: url, fileSize: file.size };
  }
}
