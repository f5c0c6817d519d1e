// The words around the table.

export const notes = {
  head: `What clients that were not made for fanfare do with it. \`make interop\` runs them as they come from their
registries against a sanitised build of the server, each line with one worker and with two, and writes this
page: \`ok\` means with both, \`–\` that the exchange has no meaning there.`,

  listening: `Clients of the Bayeux protocol, in Node, Java, Ruby and a real browser. Pages are of another origin than the
server, but for Faye's \`eventsource\` and \`long-polling\`, which it uses on pages of the server's own origin only.
The connect timeout is set to 3 seconds, so that several of them pass.`,

  publishing: `Fanout's own Python libraries, unchanged: \`fanout.ssl = False\`, and \`HTTP_PROXY\` set to the server's address. Node's
publishing libraries (\`fanoutpub\`, \`pubcontrol\`, \`@fanoutio/pubcontrol\`) are part of \`make test\`.`,

  tail: `- Faye makes its handshake over HTTP and then moves to a WebSocket: in the rows of \`websocket\` that is part of each
  exchange, and \`upgrade\` does it with a WebSocket that takes its time.
- Faye's clients find their subscriptions again by themselves after a restart. CometD's do not: an application
  subscribes in a listener on \`/meta/handshake\`, as CometD's documentation advises, and so do the ones here.
- CometD reports a transport that fails to the callback of \`handshake\` before it tries the next one. In \`fall back\`
  that first report is not the end.
- Beside an event stream Faye sends a connect as a heartbeat, once per connect timeout, and starts one more row of them
  with each subscribe that comes between two. That is the client's doing, with any server.
- \`pubcontrol\` 2.2.7 was written for Python up to 3.9. All that it misses in a newer one are \`collections.Mapping\` and
  \`collections.Iterable\`; with these two put back from \`collections.abc\` it runs as it did. It runs with \`fanout\` 1.2.0,
  since 1.3.0 asks for \`pubcontrol\` 3.
- A remote call of CometD is a publish to \`/service/…\` that an application on the server would answer. fanfare
  acknowledges it, and answers nothing.`,
};
