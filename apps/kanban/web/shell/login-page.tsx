import { type SyntheticEvent, type ReactNode, useState } from 'react'
import { sayError } from '../api/http.ts'
import { useLogin } from '../api/session.ts'

/** Name and password. */
export function LoginPage(): ReactNode {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const login = useLogin()
  const send = (event: SyntheticEvent): void => {
    event.preventDefault()
    login.mutate({ name: name.trim(), password })
  }
  return (
    <main className="login">
      <form className="login-card stack" onSubmit={send}>
        <div>
          <img src="/kanban.svg" alt="" width="40" height="40" />
          <h1>Kanban</h1>
          <p className="dim">Sign in to see the boards of your team.</p>
        </div>
        <div className="field">
          <label htmlFor="name">Name</label>
          <input id="name" className="input" autoComplete="username" autoCapitalize="none" required value={name} onChange={(event) => setName(event.target.value)} />
        </div>
        <div className="field">
          <label htmlFor="password">Password</label>
          <input id="password" className="input" type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
        </div>
        {login.error !== null && (
          <p className="notice" role="alert">
            {sayError(login.error)}
          </p>
        )}
        <button type="submit" className="button primary" disabled={login.isPending}>
          {login.isPending ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  )
}
