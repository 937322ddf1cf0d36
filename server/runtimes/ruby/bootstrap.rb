# frozen_string_literal: true

# Starts AWS's runtime client for Ruby. Its own program needs Bundler and a Gemfile beside the function.
$stderr.sync = true
$LOAD_PATH.unshift(ARGV.fetch(0))
require 'aws_lambda_ric'
AwsLambdaRIC::Bootstrap.new.start
