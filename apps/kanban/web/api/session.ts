import { useMutation, type UseMutationResult, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query'
import { request } from './http.ts'
import type { Person } from './model.ts'

const ME = ['me']

/** Who is signed in here; null when nobody is. */
export function useMe(): UseQueryResult<Person | null> {
  return useQuery({
    queryKey: ME,
    queryFn: async () => (await request<{ me: Person | null }>('GET', '/api/session')).me,
  })
}

export function useLogin(): UseMutationResult<{ me: Person }, Error, { name: string; password: string }> {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (credentials: { name: string; password: string }) => request<{ me: Person }>('POST', '/api/login', credentials),
    onSuccess: ({ me }) => client.setQueryData(ME, me),
  })
}

export function useLogout(): UseMutationResult<unknown, Error, void> {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => request('POST', '/api/logout', {}),
    onSuccess: () => {
      client.clear()
      client.setQueryData(ME, null)
    },
  })
}
