import { Command } from 'commander';
export const invokeCommand = (_done: (code: number) => void) => new Command('invoke');
