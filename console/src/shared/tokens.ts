import * as token from '@cloudscape-design/design-tokens';

/** Cloudscape's tokens under names that a style sheet can write; their own carry a hash. */
const ALIASES: Readonly<Record<string, string>> = {
  '--text': token.colorTextBodyDefault,
  '--text-secondary': token.colorTextBodySecondary,
  '--text-heading': token.colorTextHeadingDefault,
  '--text-link': token.colorTextLinkDefault,
  '--text-error': token.colorTextStatusError,
  '--surface': token.colorBackgroundContainerContent,
  '--page': token.colorBackgroundLayoutMain,
  '--surface-hover': token.colorBackgroundDropdownItemHover,
  '--surface-selected': token.colorBackgroundItemSelected,
  '--surface-input': token.colorBackgroundInputDefault,
  '--border': token.colorBorderDividerDefault,
  '--border-soft': token.colorBorderDividerSecondary,
  '--border-input': token.colorBorderInputDefault,
  '--border-selected': token.colorBorderItemSelected,
  '--focus': token.colorBorderItemFocused,
  '--accent': token.colorTextAccent,
  '--font': token.fontFamilyBase,
  '--mono': token.fontFamilyMonospace,
  '--shadow': token.shadowCard,
};

/** On `body`, where Cloudscape sets the values that these refer to, so that they change with the theme. */
export function startTokens(): void {
  for (const [name, value] of Object.entries(ALIASES)) document.body.style.setProperty(name, value);
}
