// HTTP at two heights: call() through Node's client, RawConnection byte by byte.

import http from 'node:http';
import net from 'node:net';

/**
 * One request on a connection of its own (unless `agent` says otherwise), with no header that is not
 * asked for but Host and the length. A body that is a list of texts is sent chunked.
 */
export function call(
  server,
  method,
  path,
  { headers = {}, body, agent = false, signal, localAddress } = {},
) {
  return new Promise((resolve, reject) => {
    const isWhole = body !== undefined && !Array.isArray(body);
    const length = isWhole ? { 'content-length': Buffer.byteLength(body) } : {};
    const options = {
      host: '127.0.0.1',
      port: server.port,
      method,
      path,
      headers: { ...headers, ...length },
      agent,
      signal,
      localAddress,
    };
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(new Answer(response, Buffer.concat(chunks))));
    });
    request.on('error', reject);
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(new Answer(response, Buffer.alloc(0)));
    });
    for (const chunk of [body ?? []].flat()) request.write(chunk);
    request.end();
  });
}

class Answer {
  constructor({ statusCode, headers }, bytes) {
    Object.assign(this, { status: statusCode, headers, bytes });
  }

  get text() {
    return this.bytes.toString('utf8');
  }

  get json() {
    return JSON.parse(this.text);
  }
}

/** A socket on which a test decides about every byte. */
export class RawConnection {
  #buffer = Buffer.alloc(0);
  #changed = () => {};

  static async open(port, options = {}) {
    const connection = new RawConnection();
    connection.socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true, ...options });
    connection.socket.on('data', (bytes) => connection.#take(bytes));
    connection.socket.on('end', () => connection.#end());
    connection.socket.on('close', () => connection.#end());
    connection.socket.on('error', () => {}); // a reset ends the connection, too
    await new Promise((resolve, reject) => {
      connection.socket.once('connect', resolve).once('error', reject);
    });
    return connection;
  }

  isEnded = false;

  #take(bytes) {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    this.#changed();
  }

  #end() {
    this.isEnded = true;
    this.#changed();
  }

  /** Texts are sent byte for byte (latin1), so that a test can write any octet. */
  write(bytes) {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  destroy() {
    this.socket.destroy();
  }

  /** Waits until `parse(buffer)` gives [value, bytes used], and takes those bytes out. */
  async read(parse, ms = 5000) {
    const deadline = Date.now() + ms;
    for (;;) {
      const parsed = parse(this.#buffer);
      if (parsed) {
        this.#buffer = this.#buffer.subarray(parsed[1]);
        return parsed[0];
      }
      const left = deadline - Date.now();
      if (this.isEnded || left <= 0) {
        throw new Error(
          `${this.isEnded ? 'the connection ended' : `nothing more in ${ms} ms`} after ${JSON.stringify(this.#buffer.toString('latin1'))}`,
        );
      }
      await this.#change(left);
    }
  }

  #change(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The next response; interim ones (1xx) come one by one as well. */
  response(ms) {
    return this.read(parseResponse, ms);
  }

  /** Whether the server ends the connection in this time. What it still sends is dropped. */
  async ends(ms = 5000) {
    for (const deadline = Date.now() + ms; !this.isEnded && Date.now() < deadline;) {
      await this.#change(deadline - Date.now());
    }
    return this.isEnded;
  }
}

function parseResponse(buffer) {
  const headEnd = buffer.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine, ...lines] = buffer.toString('latin1', 0, headEnd).split('\r\n');
  const [, version, status] = statusLine.match(/^HTTP\/(1\.[01]) (\d{3})/) ?? [];
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const hasBody = status >= 200 && status !== '204' && status !== '304';
  const end = headEnd + 4 + (hasBody ? Number(headers['content-length'] ?? 0) : 0);
  if (buffer.length < end) return undefined;
  const body = buffer.toString('utf8', headEnd + 4, end);
  return [{ version, status: Number(status), headers, body }, end];
}
