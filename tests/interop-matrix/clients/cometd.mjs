// CometD's JavaScript client, of any version, in Node or in a page, under the commands of the driver.

const TRANSPORTS = ['websocket', 'long-polling', 'callback-polling'];

/** A call whose last argument is CometD's callback with the reply. */
const replied = (start) => new Promise((resolve, reject) => {
  start((reply) => {
    if (reply.successful) resolve();
    else reject(new Error(reply.error ?? reply.failure?.reason ?? JSON.stringify(reply)));
  });
});

/** `transport` is the best one that it may use. `say` is as for Faye; `ack` asks for acknowledgements. */
export function cometdClient({ library, url, transport, ack, say }) {
  const cometd = new library.CometD();
  cometd.configure({ url, logLevel: 'error', backoffIncrement: 500 });
  TRANSPORTS.slice(0, TRANSPORTS.indexOf(transport)).forEach((better) => cometd.unregisterTransport(better));
  if (ack) cometd.registerExtension('ack', new library.AckExtension());
  cometd.registerExtension('trace', {
    outgoing: (message) => {
      say({ sent: message });
      return message;
    },
    incoming: (message) => {
      say({ got: message });
      return message;
    },
  });

  const subscriptions = new Map();
  const listen = (channel, done) => {
    subscriptions.set(channel, cometd.subscribe(channel, ({ data }) => say({ heard: channel, data }), done));
  };
  // A new session starts without subscriptions: applications of CometD subscribe again at this place.
  cometd.addListener('/meta/handshake', ({ successful }) => {
    if (successful) cometd.batch(() => [...subscriptions.keys()].forEach((channel) => listen(channel)));
  });

  const commands = {
    // A transport that fails is told too, before the next one is tried.
    open: () => new Promise((resolve) => { cometd.handshake(({ successful }) => { if (successful) resolve(); }); }),
    subscribe: ({ channel }) => replied((done) => listen(channel, done)),
    unsubscribe({ channel }) {
      const subscription = subscriptions.get(channel);
      subscriptions.delete(channel);
      return replied((done) => cometd.unsubscribe(subscription, done));
    },
    publish: ({ channel, data }) => replied((done) => cometd.publish(channel, data, done)),
    async batch({ commands: together }) {
      const outcomes = [];
      cometd.batch(() => together.forEach((command) => outcomes.push(commands[command.do](command))));
      await Promise.all(outcomes);
    },
    call: ({ target, data, ms }) => replied((done) => cometd.remoteCall(target, data, ms, done)),
    disconnect: () => replied((done) => cometd.disconnect(done)),
  };
  return commands;
}
