import { createTheme, type MantineColorsTuple, type MantineThemeOverride } from '@mantine/core'

const blue: MantineColorsTuple = ['#e9f1ff', '#d2e1ff', '#a6c3ff', '#78a4ff', '#5089fb', '#3877f2', '#2466e0', '#1a56c4', '#15479f', '#11387c']
/** Greys with a little blue; Mantine takes 0 for text, 4 for lines, 6 and 7 for surfaces of its dark scheme. */
const dark: MantineColorsTuple = ['#dde4ee', '#b4bfce', '#8c99ab', '#647287', '#2c3645', '#222b38', '#1a212c', '#12171f', '#0e1218', '#090c11']

/** Mantine's side of the look; the rest stands as custom properties in theme.css. */
export const theme: MantineThemeOverride = createTheme({
  autoContrast: true,
  primaryColor: 'blue',
  primaryShade: { light: 6, dark: 6 },
  colors: { blue, dark },
  defaultRadius: 'md',
  fontFamily: "Inter, 'Segoe UI Variable Text', 'Segoe UI', system-ui, -apple-system, Roboto, 'Helvetica Neue', Arial, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Code', 'JetBrains Mono', Menlo, Consolas, monospace",
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
})
