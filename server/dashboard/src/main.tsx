// The operator's page: who is signed in, the bar, and the section that the URL names.

import { render, type JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { Dead } from './dead';
import { count } from './format';
import { KeysDialog, watch_keys } from './keys';
import { OrderDrawer } from './order';
import { Orders, search } from './orders';
import { Overview } from './overview';
import { go, link, param, route, watch_route, type Section } from './route';
import { forget, has_key, may, notice, phase, sign_in, watch_use, who } from './session';
import { useStats } from './stats';
import { choose_theme, chosen, letters, type Theme } from './theme';
import { Empty } from './ui';
import { Webhooks } from './webhooks';
import { WorkersSection } from './workers';

const sections: readonly { section: Section; name: string; allowed: () => boolean }[] = [
  { section: 'overview', name: 'Overview', allowed: () => may('read') },
  { section: 'orders', name: 'Orders', allowed: () => may('orders:read') },
  { section: 'dead', name: 'Dead letters', allowed: () => may('read') },
  { section: 'workers', name: 'Workers', allowed: () => may('read') },
  { section: 'webhooks', name: 'Webhooks', allowed: () => may('webhooks') },
];

function role(): string {
  if (may('operate')) return 'operator';
  if (may('read')) return 'viewer';
  return who.value?.user !== null ? `user ${who.value?.user}` : who.value.tenant !== null ? `tenant ${who.value.tenant}` : 'limited';
}

function Page(): JSX.Element {
  const open = sections.filter((it) => it.allowed());
  const current = open.find((it) => it.section === route.value.section) ?? open[0];
  const reads = may('read');
  const stats = useStats(param('span') === '1h' ? '1h' : '15m', reads);
  const dead = stats.data?.now.dead_letters ?? null;
  const [keys, set_keys] = useState(false);
  useEffect(() => watch_keys(() => set_keys(true)), []);

  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const name = current?.name ?? 'orderproc';
  useEffect(() => {
    document.title = `${dead !== null && dead > 0 ? `(${count(dead)}) ` : ''}${name} · orderproc`;
  }, [dead, name]);
  useEffect(() => {
    if (!first.current) main.current?.querySelector<HTMLElement>('h1')?.focus();
    first.current = false;
  }, [name]);

  const order = may('orders:read') ? param('order') : '';
  return (
    <>
      <Bar sections={open} current={current?.section ?? null} dead={dead} />
      <main id="main" tabIndex={-1} ref={main}>
        {!current && <div class="card strip"><Empty>This key shows nothing here: that takes the scope <code>read</code>, <code>orders:read</code> or <code>webhooks</code>.</Empty></div>}
        {current?.section === 'overview' && <Overview stats={stats} />}
        {current?.section === 'orders' && <Orders />}
        {current?.section === 'dead' && <Dead known={dead} />}
        {current?.section === 'workers' && <WorkersSection stats={stats} />}
        {current?.section === 'webhooks' && <Webhooks />}
      </main>
      <footer class="small">
        <a href="docs">API reference</a>{may('metrics') && !has_key.value && <a href="metrics">Metrics</a>}<a href="readyz">Readiness</a><a href="dashboard/licenses.txt">Licences</a>
        <button type="button" class="plain" onClick={() => set_keys(true)}>Keys{letters.value && <> <kbd class="k">?</kbd></>}</button>
        <ThemeSwitch />
        <span class="soft last">orderproc {who.value?.version}{stats.data && <> · <bdi>{stats.data.storage.name}</bdi>, journal at {stats.data.storage.newest.split('-').pop()}</>}</span>
      </footer>
      {order !== '' && <OrderDrawer id={order} key={order} />}
      {keys && <KeysDialog close={() => set_keys(false)} />}
    </>
  );
}

function Bar({ sections: open, current, dead }: { sections: typeof sections; current: Section | null; dead: number | null }): JSX.Element {
  return (
    <header>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>To the content</a>
      <strong>orderproc</strong>
      <nav aria-label="Sections">
        {open.map((it) => (
          <a key={it.section} href={link(it.section)} aria-current={it.section === current ? 'page' : undefined}>{it.name}
            {it.section === 'dead' && dead !== null && dead > 0 && <span class="pill"><span class="off-screen">, </span>{count(dead)}<span class="off-screen"> wait for a decision</span></span>}
          </a>))}
        <a href="docs">API</a>
      </nav>
      {may('orders:read') && <Find />}
      <span class="who"><bdi>{who.value?.principal ?? 'no key'}</bdi> · {role()}</span>
      {has_key.value && <button type="button" class="out" onClick={() => forget('You have signed out.')}>Sign out</button>}
    </header>
  );
}

function Find(): JSX.Element {
  const [text, set_text] = useState('');
  return (
    <form class="find" role="search" onSubmit={(event) => { event.preventDefault(); if (text.trim()) { go(search(text)); set_text(''); } }}>
      <input id="find" type="search" aria-label="Find an order" placeholder="Order id, user:123, status:failed" value={text} spellcheck={false} autocomplete="off"
        onInput={(event) => set_text(event.currentTarget.value)} />
      {letters.value && <kbd aria-hidden="true">/</kbd>}
    </form>
  );
}

const ThemeSwitch = (): JSX.Element => (
  <label class="theme">Colours <select value={chosen.value} onChange={(event) => choose_theme(event.currentTarget.value as Theme)}>
    <option value="system">as the system</option><option value="light">light</option><option value="dark">dark</option>
  </select></label>
);

function SignIn(): JSX.Element {
  const [key, set_key] = useState('');
  const [busy, set_busy] = useState(false);
  return (
    <main class="sign-in" id="main">
      <form class="card" onSubmit={(event) => {
        event.preventDefault();
        const it = key.trim();
        if (it === '' || busy) return;
        set_busy(true);
        void sign_in(it).finally(() => { set_busy(false); set_key(''); });
      }}>
        <h1>orderproc</h1>
        <label class="field">API key
          <input type="password" value={key} autocomplete="off" spellcheck={false} autofocus aria-describedby="key-note" onInput={(event) => set_key(event.currentTarget.value)} />
        </label>
        <p class="refused" role="alert">{notice.value}</p>
        <p class="soft small" id="key-note">It stays in this tab, and is forgotten when the tab is closed, or after 30 minutes without use. Make one with
          <code class="block">orderproc keys create --name anna --scope read,orders:read,operate</code></p>
        <button type="submit" class="btn first" disabled={busy || key.trim() === ''}>{busy ? 'Asking…' : 'Sign in'}</button>
      </form>
      <p class="small"><a href="docs">API reference</a></p>
    </main>
  );
}

function App(): JSX.Element {
  useEffect(() => { if (phase.value !== 'signed_in') document.title = 'orderproc'; });
  switch (phase.value) {
    case 'signed_in': return <Page />;
    case 'signed_out': return <SignIn />;
    case 'failed': return (
      <main class="sign-in" id="main"><div class="card"><h1>orderproc</h1><p role="alert">{notice.value}</p>
        <button type="button" class="btn first" onClick={() => { phase.value = 'asking'; void sign_in(); }}>Try again</button></div></main>);
    default: return <main class="sign-in" id="main"><div class="card"><h1>orderproc</h1><p class="soft" aria-busy="true">Asking the server who you are…</p></div></main>;
  }
}

watch_route();
watch_use();
const root = document.getElementById('page');
if (root) render(<App />, root);
void sign_in();
