export {}

declare module 'react' {
  interface CSSProperties {
    /** Custom properties set by charts. */
    [variable: `--${string}`]: string | number | undefined
  }
}
