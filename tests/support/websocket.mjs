// WebSocket frames by hand (RFC 6455 section 5.2), for those that no library would send.

import { randomBytes } from 'node:crypto';

import { RawConnection } from './http.mjs';

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

function lengthBytes(length, maskBit) {
  if (length < 126) return Buffer.from([maskBit | length]);
  if (length < 65536) {
    const bytes = Buffer.from([maskBit | 126, 0, 0]);
    bytes.writeUInt16BE(length, 1);
    return bytes;
  }
  const bytes = Buffer.from([maskBit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

/** `length` may claim another one than the payload's; `rsv` are the three reserved bits. */
export function encodeFrame({
  opcode = Opcode.text,
  payload = '',
  fin = true,
  rsv = 0,
  masked = true,
  length,
}) {
  const bytes = Buffer.from(payload);
  const first = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]);
  const head = Buffer.concat([first, lengthBytes(length ?? bytes.length, masked ? 0x80 : 0)]);
  if (!masked) return Buffer.concat([head, bytes]);
  const key = randomBytes(4);
  return Buffer.concat([head, key, bytes.map((byte, i) => byte ^ key[i % 4])]);
}

function parseFrame(buffer) {
  if (buffer.length < 2) return undefined;
  const short = buffer[1] & 0x7f;
  const headLength = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (buffer.length < headLength) return undefined;
  const length =
    short < 126
      ? short
      : short === 126
        ? buffer.readUInt16BE(2)
        : Number(buffer.readBigUInt64BE(2));
  if (buffer.length < headLength + length) return undefined;
  const payload = buffer.subarray(headLength, headLength + length);
  return [
    { fin: buffer[0] >= 0x80, opcode: buffer[0] & 0x0f, isMasked: buffer[1] >= 0x80, payload },
    headLength + length,
  ];
}

export const upgradeHead = (path, extra = '') =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extra}\r\n`;

export class RawWebSocket {
  static async open(server, { path = '/bayeux', headers = '' } = {}) {
    const socket = new RawWebSocket();
    socket.connection = await RawConnection.open(server.port);
    socket.connection.write(upgradeHead(path, headers));
    socket.upgrade = await socket.connection.response();
    return socket;
  }

  send(frame) {
    this.connection.write(encodeFrame(frame));
    return this;
  }

  frame(ms) {
    return this.connection.read(parseFrame, ms);
  }

  /** Skips what comes before the server's close frame, and answers with its code. */
  async closeCode(ms = 5000) {
    for (const deadline = Date.now() + ms; ;) {
      const { opcode, payload } = await this.frame(Math.max(deadline - Date.now(), 1));
      if (opcode === Opcode.close) return payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    }
  }

  destroy() {
    this.connection.destroy();
  }
}
