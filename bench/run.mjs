// Compares fanfare with the limit (bench/send_loop) and with other servers, and writes
// docs/benchmarks.md, docs/images/benchmarks.svg and bench/results/*.json. tools/bench calls it.
//
//     node bench/run.mjs BUILD-DIRECTORY [--rounds N] [--quick] [--only SCENARIO,…] [--report]
//     node bench/run.mjs BUILD-DIRECTORY --cores 1,2,4     deliveries a second by number of workers
//
// One server and one driver at a time, the server on core 0 and the driver on core 1. Within a
// round all servers take their turn in a scenario before the next scenario begins, so that whatever
// else the machine does meets all of them. A table shows the median of the rounds.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    report: { type: 'boolean', default: false },
    cores: { type: 'string' },
  },
});
const build = path.resolve(positionals[0] ?? 'build/bench');
const home = path.dirname(new URL(import.meta.url).pathname);
const project = path.dirname(home);
// A quick run shows that everything works; its numbers are nothing to keep.
const results = path.join(flags.quick ? build : home, 'results');
const rounds = flags.quick ? 1 : Number(flags.rounds);
const seconds = flags.quick ? 1 : 5;
// Just-in-time compilers need a moment.
const timed = ['--warm-up', flags.quick ? '300ms' : '2s', '--duration', `${seconds}s`];
const many = flags.quick ? 500 : 10_000;
const most = flags.quick ? 1_000 : 19_000;
const loners = flags.quick ? 10 : 1_000;

const grouped = (number) => number.toLocaleString('en-US');

const fanfare = path.join(build, 'fanfare');
const sendLoop = path.join(build, 'bench', 'send_loop');
const amplify = path.join(build, 'tests', 'amplify', 'amplify');
const attacks = path.join(project, 'tests', 'amplify', 'attacks');
const key = Buffer.from('fanfare bench measures with this').toString('base64');
const serverPort = 8470;

// --- Who takes part -----------------------------------------------------------------------------

const at = (port) => `http://127.0.0.1:${port}`;
const peer = (name) => (port) => [path.join(home, 'peers', name, 'start'), String(port)];
const ours = (workers) => (port) => [
  fanfare, 'serve', '--listen', `127.0.0.1:${port}`, '--realm', `bench:${key}`,
  '--workers', String(workers), '--log-level', 'warning',
];

const contestants = {
  'send loop': {
    start: (port) => [sendLoop, String(port)],
    args: (port) => ['--protocol', 'plain', '--url', at(port)],
    version: () => 'bench/send_loop.cpp',
    settings: 'a bare loop of `send`; knows no HTTP beyond the upgrade, no JSON, no sessions',
  },
  'send loop, joining': {
    start: (port) => [sendLoop, String(port), '--join'],
    args: (port) => ['--protocol', 'plain', '--url', at(port)],
    version: () => 'bench/send_loop.cpp',
    settings: 'the same; what was read together leaves in one `send` per socket',
  },
  fanfare: {
    start: ours(1),
    args: (port) => ['--url', at(port), '--realm', 'bench', '--key', key],
    version: () => output(fanfare, ['version']),
    settings: 'one worker, everything else at its default: realms, JWT on each publish, JSON validated',
  },
  'fanfare, 2 workers': {
    start: ours(2),
    cores: '0,1',
    args: (port) => ['--url', at(port), '--realm', 'bench', '--key', key],
    version: () => output(fanfare, ['version']),
    settings: 'two workers on both cores, one of which the driver shares',
  },
  nchan: {
    start: peer('nchan'),
    args: (port) => ['--protocol', 'plain', '--url', at(port)],
    version: () => `${packageVersion('libnginx-mod-nchan')} in nginx ${packageVersion('nginx-light')}`,
    settings: 'one nginx worker, 64 messages kept per channel, no access log, keep-alive without end',
  },
  NATS: {
    start: peer('nats'),
    // Publishers use its own protocol over TCP, as a server would.
    args: (port) => ['--protocol', 'nats', '--url', at(port + 1), '--publish-url', at(port)],
    version: () => packageVersion('nats-server'),
    settings: 'WebSocket without TLS and compression, 64 MB may wait for a client',
  },
  Faye: {
    start: peer('faye'),
    args: (port) => ['--protocol', 'bayeux', '--url', at(port)],
    version: () => `${npmVersion('faye')} in Node ${process.version}`,
    settings: 'one Node process, engine in memory, no extensions',
  },
  'Socket.IO': {
    start: peer('socketio'),
    args: (port) => ['--protocol', 'socketio', '--url', at(port)],
    version: () => `${npmVersion('socket.io')} in Node ${process.version}`,
    settings: 'one Node process, WebSocket only, no compression, one room per channel',
  },
};

// --- What is measured ---------------------------------------------------------------------------

const perDelivery = (report) => report.fanout.server_cpu_us_per_delivery;
const p99 = (report) => report.fanout.latency.p99_us / 1e3;
const fromMemory = (report) => report.memory.at(-1).bytes_per_subscriber;
// What one hostile peer may cost the others.
const underAttack = { base: 'nobody attacks', of: 'one peer at its worst', ratio: 1.2, plus: 20 };
const hostile = {
  variants: { 'nobody attacks': [], 'one peer at its worst': [] },
  attacks: { 'one peer at its worst': 'one-peer-at-its-worst' },
};
const webSockets = ['send loop', 'fanfare', 'nchan', 'NATS', 'Faye', 'Socket.IO'];

const scenarios = [
  {
    id: 'one',
    title: `${grouped(many)} WebSocket subscribers, one channel, the next publish when all have the last`,
    who: webSockets,
    args: ['--subscribers', many, '--lockstep', ...timed],
    metrics: [{ name: 'CPU µs per delivery', value: perDelivery, base: 'send loop', ratio: 1.1 }],
  },
  {
    id: 'window',
    title: `the same with 16 publishes in flight from one publisher`,
    who: ['send loop', 'send loop, joining', ...webSockets.slice(1)],
    args: ['--subscribers', many, '--lockstep', '--in-flight', 16, ...timed],
    metrics: [
      { name: 'CPU µs per delivery', value: perDelivery, base: 'send loop', ratio: 0.14 },
      { name: 'p99 ms', value: p99, base: 'send loop', ratio: 1 },
    ],
  },
  {
    id: 'publishers',
    title: `the same with 16 publishers`,
    who: ['send loop', 'send loop, joining', ...webSockets.slice(1)],
    args: ['--subscribers', many, '--lockstep', '--publishers', 16, ...timed],
    metrics: [{ name: 'CPU µs per delivery', value: perDelivery, base: 'send loop', ratio: 0.12 }],
  },
  {
    id: 'channels',
    title: `${grouped(many)} channels with one subscriber each, at random, 16 publishes in flight`,
    who: webSockets,
    args: ['--subscribers', many, '--channels', many, '--lockstep', '--in-flight', 16, ...timed],
    metrics: [{ name: 'CPU µs per delivery', value: perDelivery, base: 'send loop', ratio: 1.25 }],
  },
  {
    id: 'polls',
    title: `${grouped(many)} long-poll subscribers, one channel, the next publish when all have the last`,
    who: ['fanfare', 'nchan', 'Faye'],
    args: ['--subscribers', many, '--transport', 'long-poll', '--lockstep', ...timed],
    metrics: [{ name: 'CPU µs per delivery', value: perDelivery, base: 'nchan', ratio: 1.5 }],
  },
  {
    id: 'connects',
    remark: `At the edge: between 2.3× and 2.8× in six runs on this machine. Ours are three answers where the
send loop gives one, and each is a \`send\`: with three reads instead of one, 1.9× is the floor. The profile: 74 % of the
time is the kernel's, 35 % in \`send\`, 9 % each in \`accept\` and \`epoll_ctl\`, 8 % in \`epoll_wait\`, 7 % in
\`recv\`; our own code is 15 %, without a peak above 1.2 %. Tried: the answers to one read in one write, random bytes
drawn ahead (before, 3.5× to 4.5×). Left: Boost.Asio calls \`epoll_ctl\` for every wait; registering each socket once
would save 7 %.`,
    title: `${grouped(many)} visitors come at once: connect, upgrade, handshake, subscribe (send loop and nchan: connect, upgrade)`,
    who: webSockets,
    args: ['--subscribers', many, '--connects'],
    metrics: [
      { name: 'CPU ms each', value: (report) => report.opening.server_cpu_ms_each, base: 'send loop', ratio: 2.5 },
      { name: 'sessions a second', value: (report) => report.opening.per_second, least: 10_000 },
    ],
  },
  {
    id: 'idle',
    title: `${grouped(most)} idle WebSocket subscribers`,
    who: webSockets,
    // Two rounds of heartbeats, which come every 30 seconds. Nothing in it depends on luck.
    args: ['--subscribers', most, '--idle', flags.quick ? '2s' : '60s'],
    rounds: 1,
    metrics: [
      { name: 'bytes each (RSS)', value: fromMemory, most: 1024 },
      { name: '% of a core', value: (report) => (100 * report.idle.server_cpu_seconds) / report.idle.seconds, most: 1 },
    ],
  },
  {
    id: 'parked',
    title: `${grouped(most)} parked long-polls`,
    who: ['fanfare', 'nchan', 'Faye'],
    args: ['--subscribers', most, '--transport', 'long-poll', '--idle', `${seconds}s`],
    metrics: [{ name: 'bytes each (RSS)', value: fromMemory, most: 2048 }],
  },
  {
    id: 'workers',
    title: `two workers against one: ${grouped(many)} WebSocket subscribers, one channel, the next publish when all have the last`,
    who: ['fanfare', 'fanfare, 2 workers'],
    args: ['--subscribers', many, '--lockstep', ...timed],
    metrics: [{ name: 'CPU µs per delivery', value: perDelivery, base: 'fanfare', ratio: 1.1, of: 'fanfare, 2 workers' }],
  },
  {
    id: 'growth',
    title: `one subscriber for each channel, half of them by patterns, published to at random, 16 in flight`,
    variants: Object.fromEntries([1, 10, 100, 1000].map((each) =>
      [`${grouped(each * loners)} channels`, ['--subscriptions', each, '--channels', each * loners]])),
    args: ['--subscribers', loners, '--patterns', '--lockstep', '--in-flight', 16, ...timed],
    metrics: [
      { name: 'CPU µs per publish', value: (report) => report.fanout.server_cpu_us_per_publish, base: `${grouped(loners)} channels`, of: `${grouped(1000 * loners)} channels`, ratio: 1.2 },
      { name: 'bytes per channel (RSS)', value: (report) => (fromMemory(report) * loners) / report.plan.channels },
    ],
  },
  {
    id: 'newcomers',
    title: `newcomers while ${grouped(many)} subscribers of one channel get all that can be published`,
    variants: {
      'one publisher, the next publish when all have the last': ['--lockstep'],
      'one publisher, flat out': [],
      '16 publishers, flat out': ['--publishers', 16],
    },
    args: ['--subscribers', many, '--probe', ...timed],
    metrics: [
      { name: 'one answer, p99 ms', value: (report) => report.fanout.newcomer_answers.p99_us / 1e3, most: 20, of: '16 publishers, flat out' },
      { name: 'one answer, the slowest of 200, ms', value: (report) => report.fanout.newcomer_answers.max_us / 1e3 },
      { name: 'connect to subscribed, p99 ms', value: (report) => report.fanout.newcomers.p99_us / 1e3 },
    ],
  },
  {
    id: 'newcomers-hostile',
    title: `newcomers as above, with 16 publishers, while one visitor does its worst`,
    remark: `The worst is \`tests/amplify/attacks/one-peer-at-its-worst.txt\`, sent again as soon as it is answered.`,
    ...hostile,
    args: ['--subscribers', many, '--publishers', 16, '--probe', ...timed],
    metrics: [
      { name: 'one answer, p99 ms', value: (report) => report.fanout.newcomer_answers.p99_us / 1e3, ...underAttack },
      { name: 'connect to subscribed, p99 ms', value: (report) => report.fanout.newcomers.p99_us / 1e3 },
    ],
  },
  {
    id: 'slow',
    title: `${grouped(many / 10)} subscribers of one channel, 50 publishes of 2 KiB a second, for 25 s`,
    variants: { 'all read': [], '500 more never read': ['--slow', 500] },
    args: ['--subscribers', many / 10, '--payload', 2048, '--rate', 50, '--warm-up', '1s', '--duration', flags.quick ? '2s' : '25s'],
    metrics: [
      { name: 'p99 ms of those who read', value: p99, base: 'all read', of: '500 more never read', ratio: 1.1 },
      { name: 'slow ones told and closed', value: (report) => report.fanout.slow_disconnected, least: 500, of: '500 more never read' },
      { name: 'memory of the server, MB', value: (report) => report.fanout.server_resident_bytes / 1e6 },
    ],
  },
  {
    id: 'slow-hostile',
    title: `${grouped(many / 10)} subscribers of one channel, 50 publishes of 2 KiB a second, while one visitor does its worst`,
    ...hostile,
    args: ['--subscribers', many / 10, '--payload', 2048, '--rate', 50, '--warm-up', '1s', '--duration', flags.quick ? '2s' : '10s'],
    metrics: [
      { name: 'p99 ms of those who read', value: p99, ...underAttack },
      { name: 'memory of the server, MB', value: (report) => report.fanout.server_resident_bytes / 1e6 },
    ],
  },
  {
    id: 'calm',
    title: `${grouped(many / 10)} WebSocket subscribers, one channel, 20 publishes a second`,
    who: webSockets,
    args: ['--subscribers', many / 10, '--rate', 20, ...timed],
    metrics: [{ name: 'p99 ms', value: p99 }],
  },
  {
    id: 'million',
    title: `${flags.quick ? '10,000' : '1,000,000'} channels: ${flags.quick ? '10' : '1,000'} WebSocket subscribers with 1,000 each, at random, 16 publishes in flight`,
    who: ['fanfare', 'NATS'],
    args: ['--subscribers', loners, '--subscriptions', 1000, '--channels', flags.quick ? 10_000 : 1_000_000,
      '--lockstep', '--in-flight', 16, ...timed],
    metrics: [
      { name: 'bytes per channel (RSS)', value: (report) => fromMemory(report) / 1000 },
      { name: 'CPU µs per publish', value: (report) => report.fanout.server_cpu_us_per_publish },
    ],
  },
];

// --- Running ------------------------------------------------------------------------------------

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function output(command, args) {
  return spawnSync(command, args, { encoding: 'utf8' }).stdout.trim().split('\n')[0];
}
const packageVersion = (name) => output('dpkg-query', ['-W', '-f', '${Version}', name]);
const npmVersion = (name) =>
  JSON.parse(fs.readFileSync(path.join(home, 'peers/node_modules', name, 'package.json'))).version;

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  });
}

async function untilItListens(port) {
  for (let tries = 0; tries < 100; ++tries) {
    if (await accepts(port)) return;
    await sleep(100);
  }
  throw new Error(`nobody listens at port ${port}`);
}

function withChildren(pid) {
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number))];
}

/** A visitor of the server that plays a script of tests/amplify until it is stopped. It is nice, so that it
 * takes the driver's core only when that has nothing to do: what is measured is the server. */
function startAttack(script, cores) {
  const attacker = spawn(
    'nice',
    ['-n', '19', 'taskset', '-c', cores, amplify, 'attack', `${at(serverPort)}/r/bench`, path.join(attacks, `${script}.txt`)],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const gone = new Promise((resolve) => { attacker.once('exit', resolve); });
  /** Returns whether it has attacked to the end. */
  return async () => {
    attacker.kill('SIGTERM');
    await Promise.race([gone, sleep(20_000).then(() => attacker.kill('SIGKILL'))]);
    return (await gone) === 0;
  };
}

async function measure(name, scenario, temporary, driverCores = '1') {
  const contestant = contestants[name] ?? contestants.fanfare;
  const [command, ...args] = contestant.start(serverPort);
  const server = spawn('taskset', ['-c', contestant.cores ?? '0', command, ...args], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...process.env, TMPDIR: temporary, UV_THREADPOOL_SIZE: '1' },
  });
  const gone = new Promise((resolve) => { server.once('exit', resolve); });
  const attack = scenario.attacks?.[name];
  let stopAttack;
  try {
    await untilItListens(serverPort);
    if (name === 'NATS') await untilItListens(serverPort + 1);
    await sleep(500);
    if (attack) stopAttack = startAttack(attack, driverCores);
    const pids = withChildren(server.pid).flatMap((pid) => ['--server-pid', String(pid)]);
    const driver = spawnSync(
      'taskset',
      ['-c', driverCores, fanfare, 'bench', '--json', ...contestant.args(serverPort), ...pids, ...argumentsOf(scenario, name)],
      { encoding: 'utf8', timeout: 180_000, maxBuffer: 1 << 26 },
    );
    if (driver.stdout === '') throw new Error(driver.stderr.trim() || 'the driver was too slow');
    const hasAttacked = (await stopAttack?.()) ?? true;
    stopAttack = undefined;
    if (!hasAttacked) throw new Error('the attacker has given up');
    return JSON.parse(driver.stdout);
  } finally {
    await stopAttack?.();
    server.kill('SIGTERM');
    await Promise.race([gone, sleep(10_000).then(() => server.kill('SIGKILL'))]);
    await gone;
  }
}

/** A scenario is played by several servers, or by fanfare in several variants. */
const playersOf = (scenario) => scenario.who ?? Object.keys(scenario.variants);
const argumentsOf = (scenario, name) =>
  [...scenario.args, ...(scenario.variants?.[name] ?? [])].map(String);

async function measureAll(chosen) {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'fanfare-bench-'));
  fs.mkdirSync(results, { recursive: true });
  try {
    for (const scenario of chosen) {
      scenario.runs = Object.fromEntries(playersOf(scenario).map((name) => [name, []]));
    }
    for (let round = 1; round <= rounds; ++round) {
      for (const scenario of chosen.filter((each) => round <= (each.rounds ?? rounds))) {
        for (const name of playersOf(scenario)) {
          try {
            const report = await measure(name, scenario, temporary);
            scenario.runs[name].push(report);
            const numbers = scenario.metrics.map((metric) => `${show(metric.value(report))} ${metric.name}`);
            console.error(`${round}/${rounds} ${scenario.id} ${name}: ${numbers.join(', ')}${report.clean ? '' : '  NOT CLEAN: ' + (report.trouble ?? 'lost or doubled')}`);
          } catch (error) {
            console.error(`${round}/${rounds} ${scenario.id} ${name}: ${error.message}`);
          }
        }
        const { id, title, args, runs } = scenario;
        fs.writeFileSync(path.join(results, `${id}.json`), `${JSON.stringify({ title, args, machine: machine(), runs }, null, 1)}\n`);
      }
    }
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

// --- Reporting ----------------------------------------------------------------------------------

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function show(number) {
  if (number === undefined || number === null || Number.isNaN(number)) return '–';
  if (number >= 1000) return Math.round(number).toLocaleString('en-US');
  if (number >= 100) return number.toFixed(0);
  if (number >= 10) return number.toFixed(1);
  return number >= 1 ? number.toFixed(2) : number.toFixed(3);
}

function machine() {
  const cpu = os.cpus();
  return {
    cpu: cpu[0].model, cores: cpu.length, memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    kernel: `${os.type()} ${os.release()}`, day: new Date().toISOString().slice(0, 10),
  };
}

/** The median of each who took part, and whether the target was met. */
function outcome(scenario, metric) {
  const medians = {};
  for (const [name, runs] of Object.entries(scenario.runs)) {
    const values = runs.map(metric.value).filter((value) => typeof value === 'number' && !Number.isNaN(value));
    if (values.length > 0) medians[name] = median(values);
  }
  const own = medians[metric.of ?? 'fanfare'];
  const base = medians[metric.base];
  let target = '–';
  let verdict = '';
  if (metric.ratio && own !== undefined && base > 0) {
    const ratio = own / base;
    const plus = metric.plus ?? 0;
    target = `≤ ${metric.ratio}× ${metric.of && metric.base !== 'fanfare' ? `“${metric.base}”` : metric.base}${plus ? ` + ${plus}` : ''}`;
    verdict = `${own <= metric.ratio * base + plus ? 'met' : '**missed**'}: ${ratio.toFixed(2)}×`;
  } else if (metric.most && own !== undefined) {
    target = `≤ ${show(metric.most)}`;
    verdict = own <= metric.most ? 'met' : '**missed**';
  } else if (metric.least && own !== undefined) {
    target = `≥ ${show(metric.least)}`;
    verdict = own >= metric.least ? 'met' : '**missed**';
  }
  return { medians, target, verdict };
}

function table(measured) {
  const names = Object.keys(contestants).filter((name) => name !== 'fanfare, 2 workers');
  const lines = [
    `| | ${names.join(' | ')} | target | |`,
    `| --- | ${names.map(() => '---:').join(' | ')} | --- | --- |`,
  ];
  for (const scenario of measured) {
    for (const metric of scenario.metrics) {
      const { medians, target, verdict } = outcome(scenario, metric);
      // Variants have no columns of their own.
      const variants = Object.keys(medians).filter((name) => !names.includes(name))
        .map((name) => `${name.replace(/^fanfare, /, '')}: ${show(medians[name])}`);
      const cells = names.map((name) => {
        const own = medians[name] === undefined ? [] : [show(medians[name])];
        return [...own, ...(name === 'fanfare' ? variants : [])].join('<br>') || '–';
      });
      lines.push(`| ${scenario.title}: ${metric.name} | ${cells.join(' | ')} | ${target} | ${verdict} |`);
    }
  }
  return lines.join('\n');
}

/** Which targets were missed, and what is to be said of a scenario whether it was or not. */
function remarks(measured) {
  const missed = measured.filter((scenario) =>
    scenario.metrics.some((metric) => outcome(scenario, metric).verdict.includes('missed')));
  return [
    missed.length === 0 ? 'No target was missed.' : `Missed: ${missed.map(({ title }) => title).join('; ')}.`,
    ...measured.filter(({ remark }) => remark).map(({ title, remark }) => `*${title.split(':')[0]}.* ${remark}`),
  ].join('\n\n');
}

function unclean(measured) {
  const lines = [];
  for (const scenario of measured) {
    for (const [name, runs] of Object.entries(scenario.runs)) {
      for (const report of runs.filter((run) => !run.clean)) {
        const fanout = report.fanout ?? {};
        lines.push(`- ${scenario.id}, ${name}: lost ${fanout.lost ?? 0}, doubled ${fanout.doubled ?? 0}, reordered ${fanout.reordered ?? 0}, disconnected ${fanout.disconnected ?? 0}${report.trouble ? ` (${report.trouble.replace(/\s+/g, ' ').slice(0, 100)})` : ''}`);
      }
    }
  }
  return lines.length === 0 ? 'In all runs, everything arrived: once, and in order.' : `Not everything arrived, or not in order:\n\n${lines.join('\n')}`;
}

function latencies(measured) {
  const lines = ['| | who | deliveries a second | p50 ms | p99 ms | p99.9 ms |', '| --- | --- | ---: | ---: | ---: | ---: |'];
  for (const scenario of measured.filter((each) => each.metrics[0].value === perDelivery || each.id === 'calm')) {
    for (const [name, runs] of Object.entries(scenario.runs)) {
      if (runs.length === 0) continue;
      const of = (pick) => show(median(runs.map((run) => pick(run.fanout))));
      lines.push(`| ${scenario.id} | ${name} | ${of((f) => f.deliveries_per_second)} | ${of((f) => f.latency.p50_us / 1e3)} | ${of((f) => f.latency.p99_us / 1e3)} | ${of((f) => f.latency.p999_us / 1e3)} |`);
    }
  }
  return lines.join('\n');
}

/** Horizontal bars, one group for each scenario, each group to its own scale. */
function chart(measured) {
  const groups = measured.filter((each) => each.metrics[0].value === perDelivery && each.id !== 'workers');
  const rowHeight = 18;
  let y = 10;
  let body = '';
  const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  for (const scenario of groups) {
    const { medians } = outcome(scenario, scenario.metrics[0]);
    const largest = Math.max(...Object.values(medians));
    body += `<text x="10" y="${(y += 20)}" class="title">${escape(scenario.title)}</text>\n`;
    for (const [name, value] of Object.entries(medians)) {
      y += rowHeight;
      const width = Math.max(1, (520 * value) / largest);
      body += `<text x="150" y="${y + 11}" text-anchor="end">${name}</text>`
        + `<rect x="158" y="${y}" width="${width.toFixed(1)}" height="13" class="${name === 'fanfare' ? 'ours' : 'other'}"/>`
        + `<text x="${(164 + width).toFixed(1)}" y="${y + 11}">${show(value)}</text>\n`;
    }
    y += 24;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="760" height="${y + 10}" font-family="sans-serif" font-size="12">
<title>Server CPU in microseconds per delivery; shorter is better</title>
<style>text{fill:#333}.title{font-weight:bold}.ours{fill:#c2410c}.other{fill:#94a3b8}</style>
<rect width="100%" height="100%" fill="#fff"/>
${body}</svg>
`;
}

function write(measured) {
  const { cpu, cores, memory, kernel, day } = measured[0]?.machine ?? machine();
  const rows = Object.entries(contestants).map(
    ([name, each]) => `| ${name} | ${each.version()} | ${each.settings} |`);
  fs.writeFileSync(path.join(project, 'docs/benchmarks.md'), `# Benchmarks

Written by \`make bench\` (\`bench/run.mjs\`); the raw numbers are in \`bench/results/\`. Lower is better, but for
sessions a second. Absolute times are this machine's; the ratios carry over.

${day}, ${cpu}, ${cores} cores, ${memory}, ${kernel}. The server runs on one core, the driver (\`fanfare bench\`) on
another, over loopback; payloads are 128 bytes. Medians of ${Math.max(...measured.flatMap((each) => Object.values(each.runs).map((runs) => runs.length)))} rounds (idle: one). CPU is what the kernel charges to the server's
processes (\`/proc/PID/stat\`), system time included; memory is resident memory above that of the empty server.

What is *not* in these numbers: TLS, compression, a network, and publishers on another machine.

## Cost

${table(measured)}

${remarks(measured)}

![CPU per delivery](images/benchmarks.svg)

${unclean(measured)}

## Speed and latency

From the moment the publish was written to the socket until the driver read the delivery. But for "calm" these are
runs at saturation, with all subscribers read by one thread: the time of a fan-out to all of them is in each number.

${latencies(measured)}

## Who took part

| | version | settings |
| --- | --- | --- |
${rows.join('\n')}

The send loops know no realm, session, token or JSON: they are the limit, not servers. NATS is spoken to in its own
protocol; it and Socket.IO do what their clients need, which is less than, or other than, what Bayeux needs.
`);
  fs.mkdirSync(path.join(project, 'docs/images'), { recursive: true });
  fs.writeFileSync(path.join(project, 'docs/images/benchmarks.svg'), chart(measured));
}

/** What is in bench/results/, from this run or from others. */
function readResults() {
  return scenarios.flatMap((scenario) => {
    const file = path.join(results, `${scenario.id}.json`);
    if (!fs.existsSync(file)) return [];
    const { runs, title, machine: where } = JSON.parse(fs.readFileSync(file));
    return [{ ...scenario, runs, title, machine: where }];
  });
}

/** Deliveries a second by number of workers, each on a core of its own, the driver on the others. */
async function compareCores(counts) {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'fanfare-bench-'));
  const cores = os.cpus().length;
  const scenario = scenarios.find(({ id }) => id === 'one');
  try {
    for (const workers of counts) {
      if (workers >= cores) {
        console.log(`${workers} workers: not measured; the driver needs at least one of the ${cores} cores`);
        continue;
      }
      contestants.fanfare.start = ours(workers);
      contestants.fanfare.cores = `0-${workers - 1}`;
      const report = await measure('fanfare', { args: [...scenario.args, '--threads', cores - workers] }, temporary, `${workers}-${cores - 1}`);
      console.log(`${workers} worker(s): ${grouped(Math.round(report.fanout.deliveries_per_second))} deliveries a second, ${show(perDelivery(report))} CPU µs each`);
    }
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

const only = flags.only?.split(',');
if (flags.cores) {
  await compareCores(flags.cores.split(',').map(Number));
  process.exit();
}
if (!flags.report) await measureAll(scenarios.filter(({ id }) => !only || only.includes(id)));
if (!flags.quick) write(readResults());
