import './mantine.css'
import './theme.css'
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  lazyRouteComponent,
  RouterProvider,
} from '@tanstack/react-router'
import { type JSX, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from './api/client.ts'
import { OverviewScreen } from './overview/screen.tsx'
import { Shell } from './shell/shell.tsx'
import { theme } from './theme.ts'
import { Failed, Nothing } from './ui/states.tsx'
import { parseSearch, readShellSearch, readSpansSearch, readTraceSearch, stringifySearch } from './ui/url-state.ts'

// The pages of the dashboard and what their URLs hold. The overview is in the first load; the others come when they are opened.

const root = createRootRoute({ component: Shell, validateSearch: readShellSearch, notFoundComponent: NoSuchPage, errorComponent: Broken })
const pages = [
  createRoute({ getParentRoute: () => root, path: '/', component: OverviewScreen }),
  createRoute({
    getParentRoute: () => root,
    path: '/service/$service',
    component: lazyRouteComponent(() => import('./service/screen.tsx'), 'ServiceScreen'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/traces',
    validateSearch: readSpansSearch,
    component: lazyRouteComponent(() => import('./spans/screen.tsx'), 'SpansScreen'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/trace/$traceId',
    validateSearch: readTraceSearch,
    component: lazyRouteComponent(() => import('./spans/trace-screen.tsx'), 'TraceScreen'),
  }),
  ...(
    [
      ['/incidents', lazyRouteComponent(() => import('./incidents/list-screen.tsx'), 'IncidentsScreen')],
      ['/incidents/figures', lazyRouteComponent(() => import('./incidents/figures-screen.tsx'), 'FiguresScreen')],
      ['/incidents/quality', lazyRouteComponent(() => import('./incidents/quality-screen.tsx'), 'QualityScreen')],
      ['/incidents/on-call', lazyRouteComponent(() => import('./incidents/on-call-screen.tsx'), 'OnCallScreen')],
      ['/incidents/$id', lazyRouteComponent(() => import('./incidents/incident-screen.tsx'), 'IncidentScreen')],
      ['/alerts', lazyRouteComponent(() => import('./alerts/active-screen.tsx'), 'ActiveAlertsScreen')],
      ['/alerts/history', lazyRouteComponent(() => import('./alerts/history-screen.tsx'), 'HistoryScreen')],
      ['/alerts/rules', lazyRouteComponent(() => import('./alerts/rules-screen.tsx'), 'RulesScreen')],
      ['/alerts/rules/new', lazyRouteComponent(() => import('./alerts/rule-editor-screen.tsx'), 'RuleEditorScreen')],
      ['/alerts/rules/$id', lazyRouteComponent(() => import('./alerts/rule-editor-screen.tsx'), 'RuleEditorScreen')],
      ['/silences', lazyRouteComponent(() => import('./alerts/silences-screen.tsx'), 'SilencesScreen')],
      ['/objectives', lazyRouteComponent(() => import('./objectives/list-screen.tsx'), 'ObjectivesScreen')],
      ['/objectives/$id', lazyRouteComponent(() => import('./objectives/objective-screen.tsx'), 'ObjectiveScreen')],
      ['/objectives/$id/report', lazyRouteComponent(() => import('./objectives/agreement-screen.tsx'), 'AgreementScreen')],
      ['/detectors', lazyRouteComponent(() => import('./detectors/list-screen.tsx'), 'DetectorsScreen')],
      ['/detectors/$id', lazyRouteComponent(() => import('./detectors/detector-screen.tsx'), 'DetectorScreen')],
      ['/deploys', lazyRouteComponent(() => import('./deploys/list-screen.tsx'), 'DeploysScreen')],
      ['/deploys/$id', lazyRouteComponent(() => import('./deploys/deploy-screen.tsx'), 'DeployScreen')],
    ] as const
  ).map(([path, component]) => createRoute({ getParentRoute: () => root, path, component })),
  createRoute({
    getParentRoute: () => root,
    path: '/status',
    component: lazyRouteComponent(() => import('./status/screen.tsx'), 'StatusScreen'),
  }),
]
const router = createRouter({
  routeTree: root.addChildren(pages),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
})

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || error.status >= 500),
    },
  },
})

function NoSuchPage(): JSX.Element {
  return <Nothing title="There is no such page">The address may be mistyped, or from another version of Andon.</Nothing>
}

function Broken({ error, reset }: ErrorComponentProps): JSX.Element {
  return <Failed error={{ message: `This page has failed: ${error instanceof Error ? error.message : String(error)}`, hint: 'The data are not touched by this.' }} retry={reset} />
}

const container = document.querySelector('#root')
if (container !== null) {
  createRoot(container).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={localStorageColorSchemeManager()}>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  )
}
