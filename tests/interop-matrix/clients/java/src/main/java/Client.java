import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.atomic.AtomicInteger;

import jakarta.websocket.ContainerProvider;
import org.cometd.bayeux.Channel;
import org.cometd.bayeux.Message;
import org.cometd.bayeux.client.ClientSession;
import org.cometd.bayeux.client.ClientSessionChannel;
import org.cometd.client.BayeuxClient;
import org.cometd.client.ext.AckExtension;
import org.cometd.client.http.jetty.JettyHttpClientTransport;
import org.cometd.client.transport.ClientTransport;
import org.cometd.client.websocket.jakarta.WebSocketTransport;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.util.ajax.JSON;

/**
 * CometD's Java client in a process of its own: java Client '{"url":…,"transport":…}'. Commands come in
 * on standard input, one JSON value a line; what there is to say goes out likewise.
 */
public final class Client {
    private static final long LIFE_MS = 150_000;

    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private final JSON json = new JSON();
    private final Map<String, ClientSessionChannel.MessageListener> subscriptions = new LinkedHashMap<>();
    private final AtomicInteger sessions = new AtomicInteger();
    private final BayeuxClient client;

    private interface Outcome {
        void settle(String error);
    }

    private Client(Map<?, ?> options) throws Exception {
        HttpClient http = new HttpClient();
        http.start();
        ClientTransport polling = new JettyHttpClientTransport(new HashMap<>(), http);
        String url = (String) options.get("url");
        if (options.get("transport").equals("websocket")) {
            ClientTransport socket =
                new WebSocketTransport(new HashMap<>(), null, ContainerProvider.getWebSocketContainer());
            client = new BayeuxClient(url, socket, polling);
        } else {
            client = new BayeuxClient(url, polling);
        }
        if (Boolean.TRUE.equals(options.get("ack"))) client.addExtension(new AckExtension());
        client.addExtension(new Trace());
        client.getChannel(Channel.META_HANDSHAKE).addListener((ClientSessionChannel.MessageListener)
            (channel, message) -> { if (message.isSuccessful() && sessions.getAndIncrement() > 0) subscribeAgain(); });
    }

    /** Tells the driver of every message that is sent or got. */
    private final class Trace implements ClientSession.Extension {
        @Override
        public boolean rcv(ClientSession session, Message.Mutable message) { return note("got", message); }

        @Override
        public boolean rcvMeta(ClientSession session, Message.Mutable message) { return note("got", message); }

        @Override
        public boolean send(ClientSession session, Message.Mutable message) { return note("sent", message); }

        @Override
        public boolean sendMeta(ClientSession session, Message.Mutable message) { return note("sent", message); }

        private boolean note(String what, Message message) {
            say(Map.of(what, message));
            return true;
        }
    }

    private synchronized void say(Map<String, ?> value) {
        out.println(json.toJSON(value));
    }

    // A new session starts without subscriptions: applications of CometD subscribe again at this place.
    private void subscribeAgain() {
        Map<String, ClientSessionChannel.MessageListener> all;
        synchronized (subscriptions) {
            all = new LinkedHashMap<>(subscriptions);
        }
        client.batch(() -> all.forEach((channel, listener) -> client.getChannel(channel).subscribe(listener)));
    }

    private static ClientSession.MessageListener reply(Outcome outcome) {
        return message -> outcome.settle(message.isSuccessful() ? null : errorOf(message));
    }

    private static String errorOf(Message message) {
        Object error = message.get(Message.ERROR_FIELD);
        return error != null ? error.toString() : String.valueOf(message.get("failure"));
    }

    private void obey(Map<?, ?> command, Outcome outcome) {
        String name = (String) command.get("channel");
        switch ((String) command.get("do")) {
            // A transport that fails is told too, before the next one is tried.
            case "open" -> client.handshake(message -> { if (message.isSuccessful()) outcome.settle(null); });
            case "subscribe" -> {
                ClientSessionChannel.MessageListener listener = (channel, message) -> heard(name, message);
                synchronized (subscriptions) {
                    subscriptions.put(name, listener);
                }
                client.getChannel(name).subscribe(listener, reply(outcome));
            }
            case "unsubscribe" -> {
                ClientSessionChannel.MessageListener listener;
                synchronized (subscriptions) {
                    listener = subscriptions.remove(name);
                }
                client.getChannel(name).unsubscribe(listener, reply(outcome));
            }
            case "publish" -> client.getChannel(name).publish(command.get("data"), reply(outcome));
            case "batch" -> batch(command.get("commands"), outcome);
            case "call" -> client.remoteCall((String) command.get("target"), command.get("data"), reply(outcome));
            case "disconnect" -> client.disconnect(reply(outcome));
            default -> outcome.settle("no such command");
        }
    }

    private void heard(String subscription, Message message) {
        Map<String, Object> value = new HashMap<>();
        value.put("heard", subscription);
        value.put("data", message.getData());
        say(value);
    }

    private void batch(Object commands, Outcome outcome) {
        List<?> together = commands instanceof List<?> list ? list : List.of((Object[]) commands);
        AtomicInteger left = new AtomicInteger(together.size());
        client.batch(() -> together.forEach(command -> obey((Map<?, ?>) command, error -> {
            if (error != null) outcome.settle(error);
            else if (left.decrementAndGet() == 0) outcome.settle(null);
        })));
    }

    private void run() throws Exception {
        say(Map.of("version", BayeuxClient.class.getPackage().getImplementationVersion()));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null;) {
            Map<?, ?> command = (Map<?, ?>) json.fromJSON(line);
            Object id = command.get("id");
            obey(command, error -> say(error == null ? Map.of("id", id) : Map.of("id", id, "error", error)));
        }
    }

    public static void main(String[] arguments) throws Exception {
        new Timer(true).schedule(new TimerTask() {
            @Override
            public void run() { Runtime.getRuntime().halt(1); }
        }, LIFE_MS);
        new Client((Map<?, ?>) new JSON().fromJSON(arguments[0])).run();
        Runtime.getRuntime().halt(0);
    }
}
