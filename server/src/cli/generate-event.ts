import { Command } from 'commander';
import { OpenrayError } from '../errors.ts';
import { addIgnoredFlags } from './function-flags.ts';
import { nearestName } from './nearest.ts';
import type { SampleEvent, ServiceEvents } from './sample-events/sample-event.ts';
import { SAMPLE_EVENTS } from './sample-events/sample-events.ts';

const EXAMPLES = `
Examples:
  openray generate-event s3 put --bucket photos --key cat.jpg | openray invoke MyFunction -e -
  openray generate-event sqs receive-message --body '{"orderId":1}' > events/order.json
  openray generate-event s3             events of S3
  openray generate-event s3 put --help  options of an event`;

/** `openray generate-event SERVICE EVENT`: prints an event of a service, as `sam local generate-event` does. */
export function generateEventCommand(done: (exitCode: number) => void): Command {
  const command = listCommand('generate-event', 'service', Object.keys(SAMPLE_EVENTS), done)
    .usage('SERVICE EVENT [options]')
    .addHelpText('after', EXAMPLES);
  for (const [service, events] of Object.entries(SAMPLE_EVENTS)) {
    command.addCommand(serviceCommand(service, events, done));
  }
  return command;
}

function serviceCommand(service: string, events: ServiceEvents, done: (exitCode: number) => void): Command {
  const names = Object.keys(events);
  const command = listCommand(service, `event of ${service}`, names, done)
    .summary(names.join(', '))
    .description('print a sample event of this service')
    .usage('EVENT [options]');
  for (const [name, event] of Object.entries(events)) command.addCommand(eventCommand(name, event));
  return command;
}

/** A command whose first argument is one of `names`. Without it, the help lists them; another name is an error. */
function listCommand(name: string, kind: string, names: readonly string[], done: (exitCode: number) => void): Command {
  const command = new Command(name)
    .argument('[name]')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (one) => one.name() });
  return command.action((given: string | undefined) => {
    if (given === undefined) {
      command.outputHelp({ error: true });
      done(2);
      return;
    }
    const nearest = nearestName(given, names);
    const question = nearest === undefined ? '' : ` Do you mean ${nearest}?`;
    const sentence = `there is no ${kind} with the name ${given.slice(0, 100)}.${question} The names are ${names.join(', ')}.`;
    throw new OpenrayError('InvalidRequestException', sentence);
  });
}

function eventCommand(name: string, { description, defaults, build }: SampleEvent): Command {
  const command = new Command(name).description(description);
  for (const [key, value] of Object.entries(defaults)) {
    command.option(`--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} <text>`, '', value);
  }
  addIgnoredFlags(command, ['--debug', '--config-file <file>', '--config-env <name>', '--profile <name>']);
  return command.action((options: Readonly<Record<string, string>>) => {
    process.stdout.write(`${JSON.stringify(build(options), undefined, 2)}\n`);
  });
}
