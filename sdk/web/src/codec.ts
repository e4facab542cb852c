import { util } from 'protobufjs/minimal';
import { hy } from '../build/wire.js';

export { hy };

/** The kinds of body a frame may carry, as its properties are called. */
export type Kind = Exclude<keyof hy.IFrame, 'id' | 'code' | 'info'>;

/** One question, answer or notice. */
export type Body = Omit<hy.IFrame, 'id' | 'code' | 'info'>;

export function encodeFrame(frame: hy.IFrame): Uint8Array {
  return hy.Frame.encode(frame).finish();
}

/** Throws on bytes that are no frame. */
export function decodeFrame(bytes: Uint8Array): hy.Frame {
  return hy.Frame.decode(bytes);
}

/** What a socket hands over, as bytes; null for a text message, which is no frame. */
export function bytesOf(data: unknown): Uint8Array | null {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return null;
}

/** Text to UTF-8. Not by TextEncoder, which some mini-program shells lack. */
export function utf8(value: string): Uint8Array {
  const clean = wellFormed(value);
  const bytes = new Uint8Array(util.utf8.length(clean));

  util.utf8.write(clean, bytes, 0);
  return bytes;
}

/** UTF-8 to text. */
export function text(bytes: Uint8Array | null | undefined): string {
  return bytes && bytes.length > 0 ? util.utf8.read(bytes, 0, bytes.length) : '';
}

/** Half surrogates become U+FFFD: they have no UTF-8, and the server refuses what is none. */
export function wellFormed(value: string): string {
  return /[\uD800-\uDFFF]/.test(value) ? Array.from(value, whole).join('') : value;
}

function whole(character: string): string {
  return character.length === 1 && /[\uD800-\uDFFF]/.test(character) ? '\uFFFD' : character;
}
