# frozen_string_literal: true

puts "loaded with header #{ENV['_X_AMZN_TRACE_ID'].inspect}"
$invocations = 0

def handler(event:, context:)
  puts "invocation of #{context.function_name}"
  raise ArgumentError, event['fail'] if event['fail']

  loop {} if event['loop']
  {
    invocation: $invocations += 1,
    header: ENV['_X_AMZN_TRACE_ID'],
    hasTimeLeft: context.get_remaining_time_in_millis.positive?,
    id: event['id']
  }
end

module Orders
  def self.take(event:, context:)
    event
  end
end
