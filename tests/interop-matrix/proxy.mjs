// What stands between a client and the server on a bad day: a proxy that refuses WebSockets, or lets them
// through late, or loses what the server says.

import { once } from 'node:events';
import net from 'node:net';

const REFUSAL = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

export class Proxy {
  /** While set, what the server says is lost on the way. */
  loses = false;
  #sockets = new Set();

  /** `webSockets` is 'pass', 'refuse', or after how many milliseconds one is let through. */
  static async start(server, { webSockets = 'pass' } = {}) {
    const proxy = new Proxy();
    Object.assign(proxy, { server, webSockets });
    proxy.listener = net.createServer((socket) => proxy.#accept(socket));
    proxy.listener.listen(0, '127.0.0.1');
    await once(proxy.listener, 'listening');
    proxy.url = `http://127.0.0.1:${proxy.listener.address().port}`;
    return proxy;
  }

  #accept(socket) {
    this.#keep(socket);
    // Clients use a connection of its own for each WebSocket, so its first bytes tell.
    socket.once('data', (head) => {
      socket.pause();
      const isWebSocket = /\r\nupgrade: *websocket/i.test(head.toString('latin1'));
      if (isWebSocket && this.webSockets === 'refuse') return socket.end(REFUSAL);
      const delay = isWebSocket && this.webSockets !== 'pass' ? this.webSockets : 0;
      return setTimeout(() => this.#forward(socket, head), delay);
    });
  }

  #forward(socket, head) {
    if (socket.destroyed) return;
    const onward = net.connect(this.server.port, '127.0.0.1');
    this.#keep(onward);
    onward.write(head);
    socket.pipe(onward);
    onward.on('data', (bytes) => { if (!this.loses) socket.write(bytes); });
    onward.on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  }

  #keep(socket) {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }

  /** Ends every connection there is. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  stop() {
    this.cut();
    return new Promise((resolve) => { this.listener.close(resolve); });
  }
}
