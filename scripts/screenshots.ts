/** `npm run screenshots`: takes the pictures of the docs from a new server that has run the example's functions. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openBrowser } from '../test/support/browser.ts';
import { startCheckout } from '../test/support/checkout.ts';
import { EXAMPLE, startExample } from './example.ts';

const IMAGES = new URL('../docs/images/', import.meta.url).pathname;
const SIZE = { width: 1280, height: 720 };
const SEARCH = 'Annotation.Service = "instrumented-user-registration" Annotation.user_id = "brian1"';

type Shoot = (name: string) => Promise<unknown>;

const dataDir = await mkdtemp(join(tmpdir(), 'openray-screenshots-'));
const example = await startExample(dataDir);
const checkout = startCheckout(example);
const browser = await openBrowser();
try {
  const vanilla = await example.invoke('VanillaFunction', 'valid_user');
  const instrumented = await example.invoke('InstrumentedFunction', 'valid_user');
  await example.invoke('InstrumentedFunction', 'valid_user');
  await example.invoke('InstrumentedFunction', 'invalid_user_invalid_email');
  await inBothThemes((page, shoot) => tracingChapter(page, shoot, { vanilla, instrumented }));

  // After the pictures of the tracing chapter, which must not show this trace.
  const user = JSON.parse(await readFile(`${EXAMPLE}/events/valid_user.json`, 'utf8'));
  const { traceId } = await checkout.request('InstrumentedFunction', user);
  await inBothThemes((page, shoot) => mixedTrace(page, shoot, traceId));
  process.stdout.write(`written to ${IMAGES}\n`);
} finally {
  await browser.close();
  await checkout.stop();
  await example.stop();
  await rm(dataDir, { recursive: true });
}

async function inBothThemes(show: (page: Page, shoot: Shoot) => Promise<void>): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ viewport: SIZE, colorScheme: theme, deviceScaleFactor: 1.5 });
    await show(page, (name) =>
      page.screenshot({ path: join(IMAGES, theme === 'light' ? `${name}.png` : `${name}-dark.png`) }),
    );
    await page.close();
  }
}

async function tracingChapter(
  page: Page,
  shoot: Shoot,
  { vanilla, instrumented }: { readonly vanilla: string; readonly instrumented: string },
): Promise<void> {
  await page.goto(`${example.url}/service-map`);
  await page.getByText('registration-page').first().waitFor();
  await page.getByText('InstrumentedFunction').first().waitFor();
  await settle(page);
  await shoot('service-map');

  await page.goto(`${example.url}/traces`);
  await page.getByRole('link', { name: instrumented }).waitFor();
  await shoot('traces');

  await page.goto(`${example.url}/traces?${new URLSearchParams({ q: SEARCH })}`);
  await page.getByRole('link', { name: instrumented }).waitFor();
  await shoot('search');

  await page.goto(`${example.url}/traces/${vanilla}`);
  await page.getByText('Invocation', { exact: true }).waitFor();
  await settle(page);
  await shoot('trace-vanilla');

  await page.goto(`${example.url}/traces/${instrumented}`);
  await page.getByText('### submitUser').click();
  await settle(page);
  await shoot('trace-instrumented');
  for (const tab of ['Annotations', 'Metadata']) {
    await page.getByRole('tab', { name: tab }).click();
    await shoot(tab.toLowerCase());
  }

  await page.goto(`${example.url}/server`);
  await page.getByRole('region', { name: 'Store', exact: true }).waitFor();
  await settle(page);
  await shoot('server');
}

/** One request through X-Ray and OpenTelemetry services: its service map, its trace and one of its spans. */
async function mixedTrace(page: Page, shoot: Shoot, traceId: string): Promise<void> {
  await page.goto(`${example.url}/service-map?${new URLSearchParams({ q: 'service("checkout")' })}`);
  await page.getByText('registration-page').first().waitFor();
  await settle(page);
  await shoot('mixed-map');

  await page.goto(`${example.url}/traces/${traceId}`);
  await page.getByText('render page', { exact: true }).waitFor();
  await settle(page);
  await shoot('mixed-trace');

  await page.getByRole('treegrid').getByText('checkout', { exact: true }).click();
  await page.getByRole('tab', { name: 'Span' }).click();
  await page.getByRole('tabpanel').getByText('Server', { exact: true }).waitFor();
  await settle(page);
  await shoot('span');
}

/** Resolves when all animations have ended and the network is idle. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => 0))),
  );
  await page.waitForLoadState('networkidle').catch(() => undefined);
}
