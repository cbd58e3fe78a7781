// Pausing and resuming work, on all hosts.

import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import { ask } from './api';
import type { Pauses, Stats } from './types';
import { Confirm } from './ui';

// Counts up after each, so that whoever shows pauses asks again.
export const pauses_changed = signal(0);

export function PauseButton({ resume = false, stage = null, stages = [] }: {
  resume?: boolean; stage?: string | null; stages?: Stats['now']['stages'];
}): JSX.Element {
  const [open, set_open] = useState(false);
  const [reason, set_reason] = useState('');
  const [chosen, set_chosen] = useState(stage ?? '');
  const what = chosen ? `work on ${chosen}` : 'all work';
  const act = async (): Promise<void> => {
    const about = { ...(chosen ? { stage: chosen } : {}), ...(!resume && reason.trim() ? { reason: reason.trim() } : {}) };
    const body = Object.keys(about).length > 0 ? { body: about } : {};  // no body: all work
    await ask<Pauses>(resume ? 'resume' : 'pause', { method: 'POST', ...body });
    pauses_changed.value += 1;
  };
  return (
    <>
      <button type="button" class="btn" onClick={() => set_open(true)}>{resume ? 'Resume…' : 'Pause work…'}</button>
      {open && (
        <Confirm title={resume ? `Resume ${what}?` : 'Pause work?'} action={resume ? 'Resume' : `Pause ${what}`} close={() => set_open(false)} act={act}>
          {resume
            ? <p>{stage ? `Workers take orders of ${stage} again` : 'Every pause ends: workers take orders again'}, on all hosts, within 2 s.</p>
            : (
              <>
                <p>Workers on all hosts take no more orders from 2 s on. What they have in work goes on to its end. New orders are
                  still accepted, and wait. It lasts until somebody resumes it, also over restarts, and costs no attempts.</p>
                {stages.length > 1 && (
                  <label class="field">What
                    <select value={chosen} onChange={(event) => set_chosen(event.currentTarget.value)}>
                      <option value="">all work</option>
                      {stages.map((it) => <option key={it.stage} value={it.stage}>{it.stage}</option>)}
                    </select>
                  </label>)}
                <label class="field">Reason, for those who see it
                  <input value={reason} maxLength={100} onInput={(event) => set_reason(event.currentTarget.value)} />
                </label>
              </>)}
        </Confirm>)}
    </>
  );
}
