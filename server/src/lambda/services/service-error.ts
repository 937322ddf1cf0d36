/** A refusal of one of the local services, in the words of AWS. */
export class ServiceError extends Error {
  /** As AWS names it: `InvalidParameterValue`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ServiceError';
    this.code = code;
  }
}
