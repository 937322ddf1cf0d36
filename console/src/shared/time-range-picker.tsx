import DateRangePicker, { type DateRangePickerProps } from '@cloudscape-design/components/date-range-picker';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { printTimeRange, RELATIVE_RANGES, readTimeRange } from './time-range.ts';

const OPTIONS: DateRangePickerProps.RelativeOption[] = RELATIVE_RANGES.map((key) => ({
  key,
  type: 'relative',
  ...amountOf(key),
}));

/** The time range of the page, kept in the URL. */
export function TimeRangePicker(): ReactElement {
  const { range } = useSearch({ from: '__root__' });
  const navigate = useNavigate();
  return (
    <DateRangePicker
      value={toPicker(range)}
      relativeOptions={OPTIONS}
      onChange={({ detail }) => {
        const next = detail.value && fromPicker(detail.value);
        if (next) void navigate({ to: '.', search: (before) => ({ ...before, range: next, page: undefined }) });
      }}
      isValidRange={(value) =>
        value && fromPicker(value) !== undefined
          ? { valid: true }
          : { valid: false, errorMessage: 'Enter a start and a later end.' }
      }
      showClearButton={false}
      customRelativeRangeUnits={['second', 'minute', 'hour', 'day']}
      timeInputFormat="hh:mm:ss"
      placeholder="Time range"
      ariaLabel="Time range"
      i18nStrings={TEXTS}
    />
  );
}

function amountOf(range: string): { readonly amount: number; readonly unit: DateRangePickerProps.TimeUnit } {
  const amount = Number.parseInt(range, 10);
  const unit = ({ s: 'second', m: 'minute', h: 'hour', d: 'day' } as const)[range.at(-1) as 's' | 'm' | 'h' | 'd'];
  return { amount, unit };
}

function toPicker(text: string): DateRangePickerProps.Value | null {
  const range = readTimeRange(text);
  if (!range) return null;
  if (range.kind === 'relative') return { type: 'relative', key: text, ...amountOf(printTimeRange(range)) };
  const iso = (us: number) => new Date(us / 1000).toISOString();
  return { type: 'absolute', startDate: iso(range.fromUs), endDate: iso(range.toUs) };
}

function fromPicker(value: DateRangePickerProps.Value): string | undefined {
  const text =
    value.type === 'relative' ? `${value.amount}${value.unit.charAt(0)}` : `${value.startDate}/${value.endDate}`;
  const range = readTimeRange(text);
  return range && printTimeRange(range);
}

const TEXTS: DateRangePickerProps.I18nStrings = {
  todayAriaLabel: 'Today',
  nextMonthAriaLabel: 'Next month',
  previousMonthAriaLabel: 'Previous month',
  customRelativeRangeDurationLabel: 'Duration',
  customRelativeRangeDurationPlaceholder: 'Enter a duration',
  customRelativeRangeOptionLabel: 'Custom range',
  customRelativeRangeOptionDescription: 'Any duration back from now',
  customRelativeRangeUnitLabel: 'Unit of time',
  formatRelativeRange: ({ amount, unit }) => `Last ${amount === 1 ? unit : `${amount} ${unit}s`}`,
  formatUnit: (unit, value) => (value === 1 ? unit : `${unit}s`),
  dateTimeConstraintText: 'Dates as YYYY/MM/DD, times as hh:mm:ss, in your time zone.',
  relativeModeTitle: 'Relative',
  absoluteModeTitle: 'Absolute',
  relativeRangeSelectionHeading: 'Choose a range',
  startDateLabel: 'Start date',
  endDateLabel: 'End date',
  startTimeLabel: 'Start time',
  endTimeLabel: 'End time',
  cancelButtonLabel: 'Cancel',
  applyButtonLabel: 'Apply',
};
