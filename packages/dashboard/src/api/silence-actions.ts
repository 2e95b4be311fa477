import type { ListedSilence } from '@andon/model'
import { type Action, useAction } from '../ui/use-action.ts'
import { createSilence, expireSilence, SILENCE_ROUTES, type SilenceRequest } from './alerts.ts'

const isSilence = (value: unknown): value is ListedSilence => typeof value === 'object' && value !== null && 'id' in value && 'matchers' in value

/** Making a silence, which can be taken back, and ending one, which can be made again. */
export interface SilenceActions {
  readonly create: Action<SilenceRequest>
  readonly expire: Action<ListedSilence>
}

export function useSilenceActions(): SilenceActions {
  const takeBack = useAction<ListedSilence>({ run: ({ id }) => expireSilence(id), routes: SILENCE_ROUTES, done: () => ({ text: 'The silence is ended.' }), failed: 'The silence was not ended' })
  const create = useAction<SilenceRequest>({
    run: createSilence,
    routes: SILENCE_ROUTES,
    done: ({ id }, made) => ({ text: id === undefined ? 'Silenced: it is not told until then.' : 'The silence is changed.', ...(id === undefined && isSilence(made) ? { undo: () => void takeBack.run(made) } : {}) }),
    failed: 'The silence was not created',
  })
  const expire = useAction<ListedSilence>({
    run: ({ id }) => expireSilence(id),
    routes: SILENCE_ROUTES,
    done: (silence) => ({
      text: 'The silence is ended: its alerts are told again.',
      undo: () => void create.run({ matchers: silence.matchers, startsAt: Date.now(), endsAt: silence.endsAt, comment: silence.comment }),
    }),
    failed: 'The silence was not ended',
  })
  return { create, expire }
}
