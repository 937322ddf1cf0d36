/** Names the commands of a hint as openray was started: npx puts no `openray` on the PATH. */
export function withStartedCommand(
  sentence: string,
  { npm_command: npmCommand }: Readonly<Record<string, string | undefined>>,
): string {
  return npmCommand === 'exec' ? sentence.replaceAll(/\brun openray /g, 'run npx openray ') : sentence;
}
