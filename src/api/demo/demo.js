// The demo page, in the manner of any site that uses fanfare: it keeps comments by plain HTTP, and
// takes every message on its channel as a hint that they may have changed.

const CHANNEL = '/demo-comments';
const MESSAGES_SHOWN_MAX = 30;

const STATES = {
  connecting: 'connecting',
  connected: 'connected',
  lost: 'lost, trying again',
  failed: 'failed',
};

const TRANSPORTS = {
  websocket: 'WebSocket',
  eventsource: 'event stream',
  'long-polling': 'long-polling',
  'cross-origin-long-polling': 'long-polling',
  'callback-polling': 'callback-polling',
};

const byId = (id) => document.getElementById(id);

/** Everything that is shown passes through here as text: nothing that people write becomes markup. */
function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

function timeElement(date, options) {
  const made = element('time', '', date.toLocaleTimeString([], options));
  made.dateTime = date.toISOString();
  return made;
}

/** Answers with the JSON, or throws the sentence in which the server says what is wrong. */
async function fetchJson(url, options) {
  const response = await fetch(url, { cache: 'no-store', ...options });
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw new Error(answer?.error?.message ?? `The server answered ${response.status} to ${url}.`);
}

// ---- comments

const known = new Set();
let isFirstShowing = true;

function commentElement({ id, name, text, at }, isNew) {
  const by = element('p', 'by', name, timeElement(new Date(at), { timeStyle: 'short' }));
  const initial = element('span', 'initial', [...name.trim()][0]?.toUpperCase() ?? '?');
  initial.ariaHidden = 'true';
  const made = element(
    'li',
    isNew ? 'comment arrived' : 'comment',
    initial,
    by,
    element('p', 'text', text),
  );
  made.dataset.id = id;
  return made;
}

function showComments(comments) {
  const newestFirst = [...comments].sort((a, b) => b.id - a.id);
  byId('comment-list').replaceChildren(
    ...newestFirst.map((comment) =>
      commentElement(comment, !isFirstShowing && !known.has(comment.id)),
    ),
  );
  isFirstShowing = false;
  for (const { id } of comments) known.add(id);
  byId('no-comments').hidden = comments.length > 0;
}

/** Of any number of calls while one request is under way, one more request is made, not more. */
const loadComments = (() => {
  let isLoading = false;
  let isAskedAgain = false;
  return async () => {
    isAskedAgain = true;
    if (isLoading) return;
    isLoading = true;
    while (isAskedAgain) {
      isAskedAgain = false;
      // A failure shows as a lost connection; the comments are asked for when that is back.
      await fetchJson('comments').then(
        ({ comments }) => showComments(comments),
        () => {},
      );
    }
    isLoading = false;
  };
})();

async function postComment(event) {
  event.preventDefault();
  const [name, text] = [byId('name').value.trim() || 'Anonymous', byId('text').value.trim()];
  if (!text) return;
  const button = event.submitter ?? byId('form').querySelector('button');
  button.disabled = true;
  byId('form-error').textContent = '';
  try {
    await fetchJson('comments', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ text, name }),
    });
    byId('text').value = '';
    byId('text').focus();
  } catch (error) {
    byId('form-error').textContent = error.message;
  }
  button.disabled = false;
}

// ---- messages

let arrived = 0;

function showMessage(data) {
  const now = new Date();
  const time = timeElement(now, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  });
  const list = byId('message-list');
  list.prepend(element('li', 'message arrived', time, element('code', '', JSON.stringify(data))));
  while (list.children.length > MESSAGES_SHOWN_MAX) list.lastElementChild.remove();
  byId('no-messages').hidden = true;
  byId('arrived').textContent = ++arrived;
}

function receive(data) {
  showMessage(data);
  if (data?.new_comment !== undefined) loadComments();
}

// ---- connection

function showState(state, why) {
  byId('dot').dataset.state = state;
  byId('state').textContent = STATES[state];
  byId('state').title = why ?? '';
}

function showTransport(type) {
  byId('transport').textContent = TRANSPORTS[type] ?? type;
  byId('transport').dataset.type = type;
}

/** Loads Faye's browser client; the browser refuses it if its bytes are not those of `integrity`. */
function loadLibrary(name, integrity) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `/bayeux/static/${name}`;
    script.integrity = integrity;
    script.crossOrigin = 'anonymous';
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${name} did not load, or is not what was promised.`));
    document.head.append(script);
  });
}

/**
 * Faye tells when a connection is lost, but that it is back only with the next answer, and a held
 * /meta/connect has none for half a minute. A subscription is answered at once.
 */
function probe(client) {
  const subscription = client.subscribe(`${CHANNEL}/probe`, () => {});
  subscription.then(
    () => subscription.cancel(),
    () => {},
  );
}

function connect(url) {
  const client = new Faye.Client(url, { retry: 2 });
  const wanted = new URLSearchParams(location.search).get('transport');
  if (wanted === 'long-polling')
    ['websocket', 'eventsource'].forEach((type) => client.disable(type));

  client.addExtension({
    outgoing(message, pass) {
      if (message.channel === '/meta/connect') showTransport(message.connectionType);
      pass(message);
    },
    incoming(message, pass) {
      // After a restart of the server Faye subscribes again by itself; what was said meanwhile is in
      // the comments.
      if (message.channel === '/meta/subscribe' && message.successful) {
        showState('connected');
        loadComments();
      }
      pass(message);
    },
  });
  client.on('transport:down', () => {
    showState('lost');
    probe(client);
  });
  client.subscribe(CHANNEL, receive).then(null, (error) => showState('failed', error.message));
}

// ---- snippets

// They name the origin that the browser sees: behind a proxy with TLS the server does not know it.

function htmlSnippet({ bayeux, library, integrity }) {
  return `<script src="${location.origin}/bayeux/static/${library}"
        integrity="${integrity}"
        crossorigin="anonymous"></script>
<script>
  var client = new Faye.Client('${location.origin}${bayeux}');
  client.subscribe('${CHANNEL}', function (data) {
    console.log('Incoming updated data from the server:', data);
  });
</script>`;
}

function pythonSnippet({ realm }) {
  return `# pip install fanout
from base64 import b64decode
from fanout import JsonObjectFormat
from pubcontrol import Item, PubControl

pub = PubControl({
    'uri': '${location.origin}/realm/${realm}',
    'iss': '${realm}',
    'key': b64decode('KEY FROM YOUR TERMINAL'),
})
pub.publish('${CHANNEL.slice(1)}',
            Item(JsonObjectFormat({'text': 'hello from Python'})),
            blocking=True)`;
}

function curlSnippet({ realm }) {
  return `FANFARE_KEY='KEY FROM YOUR TERMINAL'

curl ${location.origin}/realm/${realm}/publish/ \\
  -u "${realm}:$FANFARE_KEY" \\
  -H 'Content-Type: application/json' \\
  -d '{"items": [{
        "channel": "${CHANNEL.slice(1)}",
        "json-object": {"text": "hello from curl"}
      }]}'`;
}

function showSnippets(info) {
  byId('realm').textContent = info.realm;
  byId('html').textContent = htmlSnippet(info);
  byId('python').textContent = pythonSnippet(info);
  byId('curl').textContent = curlSnippet(info);
}

async function copy(event) {
  const button = event.currentTarget;
  const code = byId(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = 'Copied';
  } catch {
    // There is no clipboard on plain HTTP away from localhost: select the text for the keyboard.
    getSelection().selectAllChildren(code);
    button.textContent = 'Selected';
  }
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 2000);
}

// ---- the page

function offerOtherTransport() {
  if (!new URLSearchParams(location.search).has('transport')) return;
  byId('switch').href = './';
  byId('switch').textContent = 'reload with whatever works best';
}

async function start() {
  byId('form').addEventListener('submit', postComment);
  document
    .querySelectorAll('[data-copies]')
    .forEach((button) => button.addEventListener('click', copy));
  offerOtherTransport();
  loadComments();
  try {
    const [info, { files }] = await Promise.all([
      fetchJson('info.json'),
      fetchJson('/bayeux/static/integrity.json'),
    ]);
    showSnippets(info);
    await loadLibrary(info.library, files.find(({ name }) => name === info.library).integrity);
    connect(location.origin + info.bayeux);
  } catch (error) {
    showState('failed', error.message);
    byId('form-error').textContent = error.message;
  }
}

start();
