/** `npm run test:kills`: kills servers under load and looks for lost and duplicated documents. Options: see USAGE. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isGood, readParts, roundsOf, summary, VICTIMS, type Victim } from './results.ts';
import { runPart } from './run-part.ts';

const USAGE = `npm run test:kills [-- OPTIONS]
  --rounds N       number of kills (200)
  --victims LIST   of ${VICTIMS.join(', ')} (server,engine,both; with --cluster server,shard)
                   engine is the child process of the server that runs it; power stops all processes, cuts the journal
                   back to its last confirmed sync, and starts a server on the copy, with --fsync true
  --cluster        two shards in place of the embedded store
  --rate N         OTLP spans a second (20000); X-Ray's documents over HTTP and UDP are sent in proportion
  --patience N     seconds after a kill in which the server has to acknowledge and to answer (120)
  --part N         kills on one data directory, which is checked at their end (50)
  --state FOLDER   folder of the results of the parts (in the system's folder for temporary files)
  --resume         continues after the parts in the state folder; without it they are removed
  --seed N         seed of the first part; each part has the next one
Exits with 1 when an acknowledged document is lost or duplicated.
`;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    victims: { type: 'string' },
    cluster: { type: 'boolean', default: false },
    rate: { type: 'string', default: '20000' },
    patience: { type: 'string', default: '120' },
    part: { type: 'string', default: '50' },
    state: { type: 'string', default: join(tmpdir(), 'openray-kills') },
    resume: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) process.stdout.write(USAGE);
else await main();

async function main(): Promise<void> {
  const [rounds, partRounds, rate] = [wholeNumber('rounds'), wholeNumber('part'), wholeNumber('rate')];
  const store = flags.cluster ? 'two shards' : 'embedded';
  const victims = victimsOf(flags.victims ?? (flags.cluster ? 'server,shard' : 'server,engine,both'));
  const stateFile = join(flags.state, `${flags.cluster ? 'shards' : 'embedded'}.jsonl`);
  mkdirSync(flags.state, { recursive: true });
  if (!flags.resume) rmSync(stateFile, { force: true });
  const read = () => (existsSync(stateFile) ? readParts(readFileSync(stateFile, 'utf8')) : []);
  const log = (text: string) => process.stderr.write(`${text}\n`);
  if (read().length > 0) log(`${roundsOf(read()).length} kills are done`);
  const stop = () => {
    log(`stopped; --resume --state ${flags.state} continues`);
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);

  for (let done = roundsOf(read()).length; done < rounds; done = roundsOf(read()).length) {
    const seed = (read().at(-1)?.seed ?? wholeNumber('seed') - 1) + 1;
    const part = await runPart({
      rounds: Math.min(partRounds, rounds - done),
      seed,
      isCluster: flags.cluster,
      victims,
      spansPerSecond: rate,
      patienceMs: 1000 * wholeNumber('patience'),
      log,
      onRound: ({ victim, backMs, answeredMs }, round) => {
        const times = `acknowledges after ${Math.round(backMs)} ms, answers after ${Math.round(answeredMs)} ms`;
        log(`${done + round}/${rounds} ${victim}: ${times}`);
      },
    });
    appendFileSync(stateFile, `${JSON.stringify(part)}\n`);
  }
  process.stdout.write(`\n${summary(read(), store)}`);
  process.exit(read().every(isGood) ? 0 : 1);
}

function victimsOf(text: string): readonly Victim[] {
  return text.split(',').map((name) => {
    const victim = VICTIMS.find((known) => known === name);
    if (victim === undefined) fail(`--victims takes names of ${VICTIMS.join(', ')}, not ${name}`);
    return victim;
  });
}

function wholeNumber(name: 'rounds' | 'part' | 'rate' | 'patience' | 'seed'): number {
  const number = Number(flags[name]);
  return Number.isSafeInteger(number) && number >= 0 ? number : fail(`--${name} takes a whole number`);
}

function fail(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(2);
}
