# Ruby's Faye client, in a process of its own: ruby faye.rb '{"url":…,"transport":…}'. Commands come in
# on standard input, one JSON value a line; what there is to say goes out likewise.

require 'eventmachine'
require 'faye'
require 'json'

LIFE_SECONDS = 150

$stdout.sync = true

def say(value)
  $stdout.puts(JSON.generate(value))
end

# Tells the driver of every message that is sent or got.
class Trace
  def outgoing(message, pass)
    say(sent: message)
    pass.call(message)
  end

  def incoming(message, pass)
    say(got: message)
    pass.call(message)
  end
end

class Driver
  def initialize(url:, transport:)
    @client = Faye::Client.new(url, retry: 0.5)
    @client.disable('websocket') unless transport == 'websocket'
    @client.add_extension(Trace.new)
    @subscriptions = {}
  end

  def obey(command)
    id, channel = command.values_at('id', 'channel')
    case command['do']
    when 'open' then @client.connect { say(id: id) }
    when 'subscribe' then settle(id, subscribe(channel))
    when 'publish' then settle(id, @client.publish(channel, command['data']))
    when 'unsubscribe', 'disconnect'
      command['do'] == 'disconnect' ? @client.disconnect : @subscriptions[channel].cancel
      say(id: id)
    end
  end

  private

  def subscribe(channel)
    @subscriptions[channel] = @client.subscribe(channel) { |data| say(heard: channel, data: data) }
  end

  def settle(id, deferred)
    deferred.callback { say(id: id) }
    deferred.errback { |error| say(id: id, error: "#{error.code}:#{error.params.join(',')}:#{error.message}") }
  end
end

# What comes in on standard input, line by line.
module Commands
  include EM::Protocols::LineText2

  def initialize(driver)
    super()
    @driver = driver
  end

  def receive_line(line)
    @driver.obey(JSON.parse(line))
  end

  def unbind
    EM.stop
  end
end

EM.run do
  options = JSON.parse(ARGV[0])
  say(version: Gem.loaded_specs['faye']&.version&.to_s || Faye::VERSION)
  EM.add_timer(LIFE_SECONDS) { exit!(1) }
  EM.attach($stdin, Commands, Driver.new(url: options['url'], transport: options['transport']))
end
