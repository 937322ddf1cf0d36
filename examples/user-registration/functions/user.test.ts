import { expect, test } from 'vitest';
import invalidEmail from '../events/invalid_user_invalid_email.json' with { type: 'json' };
import missingAttribute from '../events/invalid_user_missing_attribute.json' with { type: 'json' };
import brian from '../events/valid_user.json' with { type: 'json' };
import { parseUser, ValidationError } from './user.ts';

test('a user is its four fields, and nothing else of the event', () => {
  expect(parseUser({ ...brian, password: 'secret' })).toEqual(brian);
});

test('an address that is none is refused by name', () => {
  expect(() => parseUser(invalidEmail)).toThrow(new ValidationError('email: Invalid email address'));
});

test('a missing field is refused by name', () => {
  expect(() => parseUser(missingAttribute)).toThrow(/^last_name: .*expected string/);
});

test('every wrong field is named at once', () => {
  expect(() => parseUser({ ...missingAttribute, user_id: 7, email: '' })).toThrow(
    /user_id: .*; last_name: .*; email: /,
  );
});

test.each([undefined, null, 'brian1', []])('an event that is no object is refused: %j', (event) => {
  expect(() => parseUser(event)).toThrow(/^event: /);
});
