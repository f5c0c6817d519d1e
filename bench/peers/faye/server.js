// Faye in one Node process, its Bayeux endpoint at /bayeux. Its defaults are its best settings: the
// engine in memory, no extensions, so no compression either.
import http from 'node:http';
import faye from 'faye';

const server = http.createServer({ keepAlive: true });
new faye.NodeAdapter({ mount: '/bayeux', timeout: 45 }).attach(server);
server.keepAliveTimeout = 600_000;
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
