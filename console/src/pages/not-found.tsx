import Box from '@cloudscape-design/components/box';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';

export function NotFound(): ReactElement {
  return (
    <Box padding="xxl" textAlign="center">
      <Box variant="h1">Page not found</Box>
      <Box variant="p">
        The console has a <Link to="/service-map">service map</Link>, a list of <Link to="/traces">traces</Link>,{' '}
        <Link to="/groups">groups</Link>, the counters of the <Link to="/server">server</Link>, and a page for each
        trace: paste its id into the box above.
      </Box>
    </Box>
  );
}
