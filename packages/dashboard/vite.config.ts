import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The built page is static files that the server of Andon serves from its own origin under `script-src 'self'`: nothing inline,
// no module-preload polyfill (a browser without module preload only loses the hint).
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist-web',
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  worker: { format: 'es' },
  server: { proxy: { '/api': 'http://127.0.0.1:4318' } },
})
