// Faye's client, of any version, in Node or in a page, under the commands of the driver.

const errorText = (error) => error?.code ? `${error.code}:${(error.params ?? []).join(',')}:${error.message}` : String(error?.message ?? error);

/** Resolves or fails as Faye's own deferred does; those before 1.0 are not promises yet. */
const settled = (deferred) => new Promise((resolve, reject) => {
  deferred.callback(() => resolve());
  deferred.errback((error) => reject(new Error(errorText(error))));
});

/**
 * `disabled` are the transports that must not carry it. `say` takes what the driver wants to know:
 * every message that is sent or got, and what the callbacks of subscriptions hear.
 */
export function fayeClient({ Faye, url, disabled, say }) {
  const client = new Faye.Client(url, { retry: 0.5 });
  disabled.forEach((transport) => client.disable(transport));
  client.addExtension({
    outgoing(message, pass) {
      say({ sent: message });
      pass(message);
    },
    incoming(message, pass) {
      say({ got: message });
      pass(message);
    },
  });
  const subscriptions = new Map();
  return {
    open: () => new Promise((resolve) => { client.connect(resolve); }),
    subscribe({ channel }) {
      const subscription = client.subscribe(channel, (data) => say({ heard: channel, data }));
      subscriptions.set(channel, subscription);
      return settled(subscription);
    },
    unsubscribe: ({ channel }) => subscriptions.get(channel).cancel(),
    publish: ({ channel, data }) => settled(client.publish(channel, data)),
    disconnect: () => { client.disconnect(); },
  };
}
