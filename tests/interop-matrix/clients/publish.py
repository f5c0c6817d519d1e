"""Fanout's Python library in a process of its own: publish.py '{"realm":…,"key":…,"url":…}'.

Commands come in on standard input, one JSON value a line; what there is to say goes out likewise.
"""

import base64
import collections
import collections.abc
import importlib.metadata
import json
import os
import sys
import threading

# pubcontrol 2.2 is older than Python 3.10, which took these names away; nothing else stops it.
collections.Mapping = collections.abc.Mapping
collections.Iterable = collections.abc.Iterable

import fanout  # noqa: E402
import pubcontrol  # noqa: E402

LIFE_SECONDS = 150
lock = threading.Lock()


def say(**value):
    with lock:
        print(json.dumps(value), flush=True)


def publish(id, channel, data, blocking, item_ids, direct):
    def called_back(success, message):
        say(id=id) if success else say(id=id, error=message)

    callback = None if blocking else called_back
    if direct:
        item = pubcontrol.Item(fanout.JsonObjectFormat(data))
        direct.publish(channel, item, blocking=blocking, callback=callback)
    else:
        fanout.publish(channel, data, blocking=blocking, callback=callback, **item_ids)
    if blocking:
        say(id=id)


def main():
    options = json.loads(sys.argv[1])
    timer = threading.Timer(LIFE_SECONDS, lambda: os._exit(1))
    timer.daemon = True
    timer.start()

    versions = [importlib.metadata.version(name) for name in ("fanout", "pubcontrol")]
    say(version="{} with pubcontrol {}".format(*versions))
    fanout.realm, fanout.key, fanout.ssl = options["realm"], options["key"], False
    uri = f"{options['url']}/realm/{options['realm']}"
    direct = pubcontrol.PubControl({"uri": uri, "iss": fanout.realm, "key": base64.b64decode(fanout.key)})

    for line in sys.stdin:
        command = json.loads(line)
        try:
            publish(command["id"], command["channel"], command["data"], command["blocking"],
                    command.get("ids", {}), direct if command.get("direct") else None)
        except Exception as error:  # Whatever the library throws is what its caller would see.
            say(id=command["id"], error=str(error))


main()
