"""Runs the WebSocket cases of the Autobahn test suite against a server that echoes.

    conformance.py SUITE ECHO [CASE...]

SUITE is the folder `autobahntestsuite`, converted to Python 3; ECHO is build/*/websocket_echo. Only
the suite's cases are used: its own runner needs Twisted and Python 2. In its place stands Peer, a
client that can send everything that is wrong. CASE is a prefix, as 6.4; MESSAGES=1000 sends as many
messages in each case about compression as the suite itself does, instead of 20.
"""

import binascii
import codecs
import collections
import os
import random
import select
import socket
import subprocess
import sys
import time
import types
import zlib

OPEN, CLOSING, CLOSED = 'open', 'closing', 'closed'
# What the suite gives a peer for its part of the closing handshake.
CLOSE_SECONDS = 1.0
# A case that is still running then has hung.
CASE_SECONDS = 120.0


def to_bytes(value):
    """The suite's byte strings, which are texts of one character for each byte now."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, int):
        return bytes([value])
    return value.encode('latin-1')


def normal(value):
    if isinstance(value, (str, bytes, bytearray)):
        return to_bytes(value)
    if isinstance(value, (list, tuple)):
        return tuple(normal(item) for item in value)
    return value


def masked(payload, mask):
    pattern = (mask * (len(payload) // 4 + 1))[:len(payload)]
    mixed = int.from_bytes(payload, 'big') ^ int.from_bytes(pattern, 'big')
    return mixed.to_bytes(len(payload), 'big')


class WebSocketProtocol:
    STATE_OPEN, STATE_CLOSING, STATE_CLOSED = OPEN, CLOSING, CLOSED
    MESSAGE_TYPE_TEXT, MESSAGE_TYPE_BINARY = 1, 2
    CLOSE_STATUS_CODE_NORMAL = 1000
    CLOSE_STATUS_CODE_GOING_AWAY = 1001
    CLOSE_STATUS_CODE_PROTOCOL_ERROR = 1002
    CLOSE_STATUS_CODE_UNSUPPORTED_DATA = 1003
    CLOSE_STATUS_CODE_INVALID_PAYLOAD = 1007


class PerMessageDeflateOffer:
    def __init__(self, acceptNoContextTakeover=True, acceptMaxWindowBits=True,
                 requestNoContextTakeover=False, requestMaxWindowBits=0):
        self.acceptNoContextTakeover = acceptNoContextTakeover
        self.acceptMaxWindowBits = acceptMaxWindowBits
        self.requestNoContextTakeover = requestNoContextTakeover
        self.requestMaxWindowBits = requestMaxWindowBits

    def text(self):
        parts = ['permessage-deflate']
        if self.acceptNoContextTakeover:
            parts.append('client_no_context_takeover')
        if self.acceptMaxWindowBits:
            parts.append('client_max_window_bits')
        if self.requestNoContextTakeover:
            parts.append('server_no_context_takeover')
        if self.requestMaxWindowBits:
            parts.append(f'server_max_window_bits={self.requestMaxWindowBits}')
        return '; '.join(parts)


class Utf8Validator:
    """For the suite's tables: whether text is UTF-8 so far, and whether it could end here."""

    def reset(self):
        pass

    def validate(self, value):
        value = to_bytes(value)
        try:
            read = codecs.utf_8_decode(value, 'strict', False)[1]
        except UnicodeDecodeError:
            return False, False
        return True, read == len(value)


class Deflate:
    """Both ends' compression, as the server's answer has it (RFC 7692 section 7)."""

    def __init__(self, answer):
        parameters = dict((part.strip().split('=') + [''])[:2] for part in answer.split(';')[1:])
        self.keeps_ours = 'client_no_context_takeover' not in parameters
        self.keeps_theirs = 'server_no_context_takeover' not in parameters
        self.our_bits = int(parameters.get('client_max_window_bits') or 15)
        self.their_bits = int(parameters.get('server_max_window_bits') or 15)
        self.compressor = self.decompressor = None

    def compress(self, payload):
        if self.compressor is None or not self.keeps_ours:
            self.compressor = zlib.compressobj(wbits=-self.our_bits)
        return (self.compressor.compress(payload) + self.compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def decompress(self, payload):
        if self.decompressor is None or not self.keeps_theirs:
            self.decompressor = zlib.decompressobj(wbits=-self.their_bits)
        return self.decompressor.decompress(payload + b'\0\0\xff\xff')


class Peer(WebSocketProtocol):
    """What a case calls `self.p`: one connection, and the clock beside it."""

    factory = types.SimpleNamespace(isServer=False)

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port))
        self.state = CLOSED
        self.connectionWasOpen = self.closedByMe = self.wasClean = self.droppedByMe = False
        self.remoteCloseCode = self.remoteCloseReason = self.localCloseReason = None
        self.perMessageCompressionOffers = []
        self.perMessageCompressionAccept = None
        self._perMessageCompress = None
        self.autoFragmentSize = 0
        self.createWirelog = True
        self.trafficStats = None
        self.txFrameStats, self.rxFrameStats = collections.Counter(), collections.Counter()
        self.timers = []
        self.output = collections.deque()  # chunks, each of which leaves in a send of its own
        self.input = bytearray()
        self.message = None

    # ---- What cases call.

    def enableWirelog(self, enable):
        pass

    def _after(self, delay, act):
        self.timers.append((time.monotonic() + delay, act))

    def continueLater(self, delay, act, tag=None):
        self._after(delay, lambda: self.state != CLOSED and act())

    def killAfter(self, delay):
        self._after(delay, self._drop)

    def closeAfter(self, delay):
        self._after(delay, self.sendClose)

    def sendFrame(self, opcode, payload='', fin=True, rsv=0, mask=None, payload_len=None,
                  chopsize=None, sync=False):
        payload = to_bytes(payload)
        if payload_len:
            payload = (payload * (payload_len // max(1, len(payload)) + 1))[:payload_len]
        self.txFrameStats[opcode] += 1
        mask = to_bytes(mask) if mask else random.randbytes(4)
        frame = self._header(opcode, len(payload), fin, rsv, mask) + masked(payload, mask)
        if chopsize:
            self.output.extend(frame[at:at + chopsize] for at in range(0, len(frame), chopsize))
        else:
            self.output.append(frame)

    def sendMessage(self, payload, isBinary=False, fragmentSize=None):
        payload = to_bytes(payload)
        opcode, rsv = 2 if isBinary else 1, 0
        if self._perMessageCompress:
            payload, rsv = self._perMessageCompress.compress(payload), 4
        size = fragmentSize or self.autoFragmentSize or max(1, len(payload))
        pieces = [payload[at:at + size] for at in range(0, len(payload), size)] or [b'']
        for number, piece in enumerate(pieces):
            self.sendFrame(0 if number else opcode, piece, fin=number == len(pieces) - 1,
                           rsv=0 if number else rsv)

    # A frame whose payload comes bit by bit.
    def beginMessage(self, opcode=1):
        self.begun_opcode = opcode

    def beginMessageFrame(self, length):
        self.begun_mask, self.begun_at = random.randbytes(4), 0
        self.output.append(self._header(self.begun_opcode, length, False, 0, self.begun_mask))
        self.begun_opcode = 0

    def sendMessageFrameData(self, payload, sync=False):
        payload = to_bytes(payload)
        at = self.begun_at % 4
        self.begun_at += len(payload)
        self.output.append(masked(payload, self.begun_mask[at:] + self.begun_mask[:at]))

    def endMessage(self):
        self.sendFrame(0, fin=True)

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        if self.state != OPEN:
            return
        payload = b'' if code is None else code.to_bytes(2, 'big') + to_bytes(reasonUtf8 or b'')
        self.sendFrame(8, payload)
        self.state, self.closedByMe = CLOSING, not isReply
        self._after(CLOSE_SECONDS, self._drop)

    def sendClose(self, code=None, reason=None):
        self.sendCloseFrame(code, reason.encode('utf-8') if isinstance(reason, str) else reason)

    # ---- How it is done.

    @staticmethod
    def _header(opcode, length, fin, rsv, mask):
        head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
        if length < 126:
            return head + bytes([0x80 | length]) + mask
        if length < 65536:
            return head + bytes([0x80 | 126]) + length.to_bytes(2, 'big') + mask
        return head + bytes([0x80 | 127]) + length.to_bytes(8, 'big') + mask

    def _drop(self):
        if self.state != CLOSED:
            self.state, self.droppedByMe, self.wasClean = CLOSED, True, False

    def open(self):
        offers = ', '.join(offer.text() for offer in self.perMessageCompressionOffers)
        extensions = f'Sec-WebSocket-Extensions: {offers}\r\n' if offers else ''
        self.socket.sendall((
            'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
            f'{extensions}\r\n').encode())
        while b'\r\n\r\n' not in self.input:
            self.input += self.socket.recv(4096) or sys.exit('the echo server hangs up')
        head, _, rest = bytes(self.input).partition(b'\r\n\r\n')
        self.input = bytearray(rest)
        lines = head.decode().split('\r\n')
        fields = dict(line.lower().split(': ', 1) for line in lines[1:])
        if ' 101 ' not in lines[0] or 's3pplmbitxaq9kygzzhzrbk+xoo=' not in fields['sec-websocket-accept']:
            sys.exit(f'the opening handshake failed: {lines}')
        if fields.get('sec-websocket-extensions'):
            self._perMessageCompress = Deflate(fields['sec-websocket-extensions'])
        self.socket.setblocking(False)
        self.state, self.connectionWasOpen = OPEN, True

    def run(self, case):
        deadline = time.monotonic() + CASE_SECONDS
        while self.state != CLOSED and time.monotonic() < deadline:
            now = time.monotonic()
            for timer in [timer for timer in self.timers if timer[0] <= now]:
                self.timers.remove(timer)
                timer[1]()
            wait = min([0.2] + [max(0.0, at - time.monotonic()) for at, _ in self.timers])
            readable, writable, _ = select.select(
                [self.socket], [self.socket] if self.output else [], [], wait)
            if writable:
                self._write()
            if readable:
                self._read(case)
        self._drop()
        self.socket.close()

    def _write(self):
        chunk = self.output.popleft()
        try:
            sent = self.socket.send(chunk)
        except BlockingIOError:
            sent = 0
        except OSError:
            return self.output.clear()  # reading tells
        if sent < len(chunk):
            self.output.appendleft(chunk[sent:])

    def _read(self, case):
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b''
        if data:
            self.input += data
            while self.state != CLOSED and self._read_frame(case):
                pass
        else:
            self.wasClean = self.state == CLOSING and self.remoteClosed
            self.state = CLOSED

    remoteClosed = False

    def _read_frame(self, case):
        data = self.input
        if len(data) < 2:
            return False
        length, at = data[1] & 0x7f, 2
        if data[1] & 0x80:
            sys.exit('the server masks its frames')
        if length >= 126:
            at = 4 if length == 126 else 10
            if len(data) < at:
                return False
            length = int.from_bytes(data[2:at], 'big')
        if len(data) < at + length:
            return False
        first, payload = data[0], bytes(data[at:at + length])
        del self.input[:at + length]
        self._take(case, first & 0x0f, bool(first & 0x80), first >> 4 & 7, payload)
        return True

    def _take(self, case, opcode, fin, rsv, payload):
        self.rxFrameStats[opcode] += 1
        if opcode == 8:
            self.remoteClosed = True
            self.remoteCloseCode = int.from_bytes(payload[:2], 'big') if payload else None
            self.remoteCloseReason = payload[2:]
            self.sendCloseFrame(self.remoteCloseCode, isReply=True)
        elif self.state != OPEN:
            pass
        elif opcode == 9:
            self.sendFrame(10, payload)
            case.onPing(payload)
        elif opcode == 10:
            case.onPong(payload)
        else:
            if opcode:
                self.message = (opcode, rsv, [])
            self.message[2].append(payload)
            if fin:
                kind, rsv, pieces = self.message
                whole = b''.join(pieces)
                if rsv & 4:
                    whole = self._perMessageCompress.decompress(whole)
                case.onMessage(whole, kind == 2)


def stand_in(name, **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


def load_cases(suite):
    """The suite's classes, in a world where what they import is as small as what they use of it."""
    stand_in('autobahn')
    stand_in('autobahn.websocket')
    stand_in('autobahn.websocket.protocol', WebSocketProtocol=WebSocketProtocol)
    stand_in('autobahn.websocket.utf8validator', Utf8Validator=Utf8Validator)
    stand_in('autobahn.websocket.compress', PerMessageDeflateOffer=PerMessageDeflateOffer,
             PerMessageDeflateOfferAccept=object, PerMessageDeflateResponse=object,
             PerMessageDeflateResponseAccept=object)
    stand_in('twisted')
    stand_in('twisted.internet', reactor=None, interfaces=types.SimpleNamespace(IPushProducer=None))
    stand_in('zope')
    stand_in('zope.interface', implements=lambda *_: None, implementer=lambda *_: lambda cls: cls)
    stand_in('pkg_resources', resource_filename=lambda _, name: os.path.join(suite, name))
    # Descriptions show payloads in hex, and those are text here.
    binascii.b2a_hex = binascii.hexlify = lambda value: to_bytes(value).hex()
    package = types.ModuleType('autobahntestsuite')
    package.__path__ = [suite]  # without its __init__, which imports the rest
    sys.modules['autobahntestsuite'] = package
    import autobahntestsuite.case as cases
    cases.case.Case.compare = lambda self, one, other: normal(one) == normal(other)
    return cases


def number_of(case):
    return case.__name__.removeprefix('Case').replace('_', '.')


def group_of(cases, number):
    """The part of the report that it belongs to, and its title: 6.4 of 6.4.1, 2 of 2.10."""
    group = number.rpartition('.')[0]
    title = cases.CaseSubCategories.get(group) or cases.CaseCategories[group.partition('.')[0]]
    return group, title if len(title) <= 76 else title[:73] + '...'


def run_case(cases, make, port):
    case_class = cases.case.Case
    peer = Peer(port)
    case = make(peer)
    if hasattr(case, 'COUNT'):
        case.COUNT = min(case.COUNT, int(os.environ.get('MESSAGES', 20)))
    peer.open()
    case.onOpen()
    peer.run(case)
    case.onConnectionLost(peer.droppedByMe)
    good = (case_class.OK, case_class.NON_STRICT, case_class.INFORMATIONAL)
    is_good = case.behavior in good and case.behaviorClose in good
    return is_good, case


def main(suite, echo, prefixes):
    cases = load_cases(suite)
    server = subprocess.Popen([echo], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline())
    groups, failures = {}, []
    for make in cases.Cases:
        number = number_of(make)
        # 9.7 and 9.8 measure round trips and can not fail.
        if number.startswith(('9.7.', '9.8.')):
            continue
        if prefixes and not any((number + '.').startswith(prefix + '.') for prefix in prefixes):
            continue
        is_good, case = run_case(cases, make, port)
        counts = groups.setdefault(group_of(cases, number), collections.Counter())
        counts['good' if is_good else 'bad'] += 1
        counts['lenient'] += is_good and case.behavior == case.NON_STRICT
        if not is_good:
            failures.append(number)
            print(f'{number} {case.behavior}, {case.behaviorClose}: {case.DESCRIPTION}\n'
                  f'  {case.result}\n  {case.resultClose}\n'
                  f'  expected {str(case.expected)[:300]}\n  received {str(case.received)[:300]}')
    for (number, title), counts in groups.items():
        notes = f", {counts['lenient']} of them leniently" if counts['lenient'] else ''
        bad = f", {counts['bad']} failed" if counts['bad'] else ''
        print(f"{number:>5}  {title:<76} {counts['good']:>4} passed{notes}{bad}")
    server.stdin.close()
    if server.wait(10) != 0:
        failures.append('the server itself')
        print('The echo server ended badly.')
    print(f"{sum(counts['good'] for counts in groups.values())} passed, {len(failures)} failed")
    return 1 if failures or not groups else 0


if __name__ == '__main__':
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]))
