// Before the first paint: the remembered colours, so that a dark page does not flash white.
try {
  const scheme = localStorage.getItem('kanban-color-scheme')
  if (scheme === 'light' || scheme === 'dark') document.documentElement.dataset.theme = scheme
} catch {
  // Storage is denied: the system's colours.
}
