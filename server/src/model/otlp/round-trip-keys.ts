/** Version of the translation and of its round trip data. Data of another version is ignored. */
export const ROUND_TRIP_VERSION = 1;

/** Namespace in the metadata of a document that was made from a span: what the document cannot express of the span. */
export const ROUND_TRIP_NAMESPACE = 'openray.otlp';

/** Attribute of a span that was made from an X-Ray entity: what the span cannot express of the entity. */
export const ROUND_TRIP_ATTRIBUTE = 'openray.xray';
