import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from './api/http.ts'
import { App } from './app.tsx'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/board.css'
import './styles/card.css'

const RETRIES = 2
// What the server refused it will refuse again; only a lost connection or a fault of the server is worth another try.
const isPassing = (error: Error): boolean => !(error instanceof ApiError) || error.status === 0 || error.status >= 500
const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      // The session ended: the page to sign in.
      if (error instanceof ApiError && error.status === 401) client.setQueryData(['me'], null)
    },
  }),
  defaultOptions: { queries: { staleTime: 5_000, retry: (count, error) => count < RETRIES && isPassing(error) } },
})

const root = document.querySelector('#root')
if (root === null) throw new Error('The page has no #root.')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
)
