-- Spans are stored as they were received, in protobuf: see model/otlp/wire/stored-span.ts. Rows of `otlp` stay as they
-- are. This version of the schema keeps older servers out, which cannot read the new format.
ALTER TABLE documents MODIFY COLUMN IF EXISTS format COMMENT 'xray, otlp-protobuf, otlp (older spans, as JSON), otlp-log';
