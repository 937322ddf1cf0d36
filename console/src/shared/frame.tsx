import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { getHealth } from './api.ts';
import styles from './frame.module.css';
import { type LiveState, useLiveRefresh } from './live.ts';
import { chooseTheme, useIsDark, useThemeChoice } from './theme.ts';
import { TraceIdBox } from './trace-id-box.tsx';

const PAGES = [
  { to: '/service-map', label: 'Service map' },
  { to: '/traces', label: 'Traces' },
  { to: '/groups', label: 'Groups' },
  { to: '/server', label: 'Server' },
] as const;

/** The bar at the top of every page, and the page below it. */
export function Frame(): ReactElement {
  const { live } = useSearch({ from: '__root__' });
  const state = useLiveRefresh(live);
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#page">
        Skip to the page
      </a>
      <header className={styles.bar}>
        <Link to="/service-map" className={styles.brand} aria-label="openray: service map">
          <Logo />
          openray
          <Version />
        </Link>
        <nav className={styles.nav} aria-label="Pages">
          {PAGES.map(({ to, label }) => (
            <Link
              key={to}
              to={to}
              activeOptions={{ includeSearch: false }}
              activeProps={{ className: styles.active ?? '' }}
            >
              {label}
            </Link>
          ))}
        </nav>
        <TraceIdBox />
        <LiveToggle isOn={live} state={state} />
        <ThemeButton />
      </header>
      <main id="page" className={styles.page} tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}

const LIVE_LABEL: Readonly<Record<LiveState, string>> = {
  off: 'Paused',
  connecting: 'Connecting',
  streaming: 'Live',
  polling: 'Live (every 5 s)',
};

const LIVE_HINT: Readonly<Record<LiveState, string>> = {
  off: 'Pages do not refresh. Click to refresh them when traces are stored.',
  connecting: 'Connecting to the server’s event stream.',
  streaming: 'Pages refresh when traces are stored. Click to pause.',
  polling: 'The event stream is disconnected; pages refresh every 5 seconds. Click to pause.',
};

function LiveToggle({ isOn, state }: { readonly isOn: boolean; readonly state: LiveState }): ReactElement {
  const navigate = useNavigate();
  return (
    <button
      type="button"
      className={styles.live}
      aria-pressed={isOn}
      data-state={state}
      title={LIVE_HINT[state]}
      onClick={() => void navigate({ to: '.', search: (before) => ({ ...before, live: !isOn }), replace: true })}
    >
      <span className={styles.dot} aria-hidden="true" />
      {LIVE_LABEL[state]}
    </button>
  );
}

function ThemeButton(): ReactElement {
  const isDark = useIsDark();
  const choice = useThemeChoice();
  const next = isDark ? 'light' : 'dark';
  return (
    <button
      type="button"
      className={styles.icon}
      aria-label={`Use the ${next} theme`}
      title={`${choice === 'system' ? 'Follows the system.' : `Set to ${choice}; double-click to follow the system.`} Click for the ${next} theme.`}
      onClick={() => chooseTheme(next)}
      onDoubleClick={() => chooseTheme('system')}
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        {isDark ? (
          <path
            d="M8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM8 1v1.8M8 13.2V15M1 8h1.8M13.2 8H15M3 3l1.3 1.3M11.7 11.7 13 13M13 3l-1.3 1.3M4.3 11.7 3 13"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.5"
            strokeLinecap="round"
          />
        ) : (
          <path d="M13.5 10A6 6 0 0 1 6 2.5a6 6 0 1 0 7.5 7.5Z" fill="none" stroke="currentColor" strokeWidth="1.5" />
        )}
      </svg>
    </button>
  );
}

function Version(): ReactElement | null {
  const { data } = useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => getHealth(signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  return data ? <span className={styles.version}>{data.version}</span> : null;
}

function Logo(): ReactElement {
  return (
    <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <circle cx="16" cy="16" r="11" fill="none" stroke="#2ea597" strokeWidth="4.5" />
      <path d="M16 5a11 11 0 0 1 11 11" fill="none" stroke="#ff9900" strokeWidth="4.5" />
      <circle cx="16" cy="16" r="3" fill="currentColor" />
    </svg>
  );
}
