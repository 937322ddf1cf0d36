# frozen_string_literal: true

require 'in_bundle'
require 'in_layer'

def handler(event:, context:)
  [InBundle::NAME, InLayer::NAME]
end
