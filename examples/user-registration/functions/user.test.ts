import { expect, test } from 'vitest';
import invalidEmail from '../events/invalid_user_invalid_email.json' with { type: 'json' };
import missingAttribute from '../events/invalid_user_missing_attribute.json' with { type: 'json' };
import brian from '../events/valid_user.json' with { type: 'json' };
import { parseUser, ValidationError } from './user.ts';

test('a user has four fields; other fields of the event are dropped', () => {
  expect(parseUser({ ...brian, password: 'secret' })).toEqual(brian);
});

test('an invalid address is rejected, with the name of the field', () => {
  expect(() => parseUser(invalidEmail)).toThrow(new ValidationError('email: Invalid email address'));
});

test('a missing field is rejected, with its name', () => {
  expect(() => parseUser(missingAttribute)).toThrow(/^last_name: .*expected string/);
});

test('all wrong fields are named together', () => {
  expect(() => parseUser({ ...missingAttribute, user_id: 7, email: '' })).toThrow(
    /user_id: .*; last_name: .*; email: /,
  );
});

test.each([undefined, null, 'brian1', []])('an event that is not an object is rejected: %j', (event) => {
  expect(() => parseUser(event)).toThrow(/^event: /);
});
