# frozen_string_literal: true

require 'aws-sdk-s3'
