import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { layerFolders, unusedLayers } from '../compose/layers.ts';
import { loadConfig } from '../config.ts';
import { findTemplate } from '../lambda/template/input-files.ts';
import { parseParameterOverrides, readTemplate } from '../lambda/template/template.ts';
import { addIgnoredFlags, addLayerFlag, type FunctionFlags, withSamConfig } from './function-flags.ts';
import { renderReport, reportTemplate } from './template-report.ts';

/**
 * `openray validate`: lists the parts of a template that openray runs, and those that it does not run. Starts nothing.
 * Fails only when the template cannot be read.
 */
export function validateCommand(): Command {
  const command = new Command('validate')
    .option('-t, --template <file>', 'template (default: template.yaml, .yml or .json in this folder)')
    .option('--parameter-overrides <values...>', "values of the template's parameters, Key=Value")
    .option('--config-file <file>', 'samconfig file (default: samconfig.toml or .yaml in this folder)')
    .option('--config-env <name>', 'section of the samconfig file (default: "default")')
    .addOption(new Option('-o, --output <form>', 'output format').choices(['text', 'json']).default('text'))
    .addOption(new Option('--template-file <file>').hideHelp());
  addLayerFlag(command);
  addIgnoredFlags(command, ['--lint']);
  return command.action((given: FunctionFlags) => {
    const { templateFile, ...flags } = withSamConfig(command, 'validate', given);
    const named = templateFile === undefined ? flags : { ...flags, template: templateFile };
    const { config } = loadConfig(named, process.env, flags.config);
    const { region, accountId } = config;
    const parameters = parseParameterOverrides(config.parameterOverrides);
    const layers = layerFolders(config.layer);
    const file = resolve(config.template ?? findTemplate());
    const template = readTemplate(file, { parameters, region, accountId, layers });
    const report = reportTemplate(template, unusedLayers(layers, template));
    process.stdout.write(`${flags.output === 'json' ? JSON.stringify(report, undefined, 2) : renderReport(report)}\n`);
  });
}
