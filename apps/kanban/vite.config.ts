import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// Static files for `script-src 'self'; style-src 'self'`: nothing inline, no module-preload polyfill.
export default defineConfig({
  root: 'web',
  plugins: [react()],
  build: { outDir: '../dist-web', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '/api': 'http://127.0.0.1:3000' } },
})
