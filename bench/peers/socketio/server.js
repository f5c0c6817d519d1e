// Socket.IO in one Node process: a room for each channel, joined by {"join": name}; POST /pub/{name}
// emits its body to the room. No compression, no long-polling first, no HTTP reply kept (its
// documentation's advice for memory).
import http from 'node:http';
import { Server } from 'socket.io';

const server = http.createServer({ keepAlive: true });
const io = new Server({ transports: ['websocket'], perMessageDeflate: false, serveClient: false });

io.on('connection', (socket) => {
  socket.on('join', (room, done) => {
    socket.join(room);
    done();
  });
});

// Before Socket.IO attaches: what is not its path stays ours.
server.on('request', (request, response) => {
  if (!request.url.startsWith('/pub/')) return;
  let body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', () => {
    io.to(request.url.slice('/pub/'.length)).emit('m', body);
    response.writeHead(200, { 'Content-Length': 0 });
    response.end();
  });
});
io.attach(server);
io.engine.on('connection', (socket) => { socket.request = null; });
server.keepAliveTimeout = 600_000;
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
