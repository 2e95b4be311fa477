import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceDetail } from '../api/client.ts'
import { chartPlans } from './chart-plans.ts'

const GIB = 1024 ** 3

function heapOf(used: (number | null)[], limit: (number | null)[] | null): { label: string; hidden: boolean | undefined }[] {
  const data = { t: used.map((_, index) => index), operations: [], heap: { used, limit } } as unknown as ServiceDetail
  const heap = chartPlans(data).find(({ title }) => title === 'Heap')
  return heap?.series.map(({ label, hidden }) => ({ label, hidden })) ?? []
}

test('the limit of the heap is drawn once more than half of it is used, and told before', () => {
  assert.deepEqual(heapOf([null, 0.1 * GIB, 0.2 * GIB], [4 * GIB, 4 * GIB, null]), [{ label: 'used', hidden: undefined }, { label: 'limit', hidden: true }])
  assert.equal(heapOf([2 * GIB], [4 * GIB])[1]?.hidden, true)
  assert.equal(heapOf([2 * GIB + 1, null, 1], [4 * GIB, 4 * GIB, 4 * GIB])[1]?.hidden, false)
})

test('without a limit there is the line of what is used; without any data no chart', () => {
  assert.deepEqual(heapOf([1], null), [{ label: 'used', hidden: undefined }])
  assert.deepEqual(chartPlans({ t: [], operations: [] } as unknown as ServiceDetail).map(({ title }) => title), [])
})
