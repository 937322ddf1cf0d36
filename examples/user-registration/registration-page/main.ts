import { startRegistrationPage } from './server.ts';

const page = await startRegistrationPage(Number(process.env.PORT ?? 8099));
console.log(`registration page: ${page.url}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void page.close());
}
