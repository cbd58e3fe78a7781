// What the server answers, as docs/http.md describes it.

import type { Exact, Id, Json } from './exact';

export type Scope = 'orders:read' | 'orders:write' | 'read' | 'operate' | 'metrics' | 'erase' | 'webhooks';

export interface Whoami {
  principal: string | null; scopes: string[]; user: string | null; tenant: string | null;
  expires_at: string | null; version: string; instance: string;
}

export interface Stage {
  stage: string; waiting_status: string; failed_status: string; waiting: number; in_work: number;
  oldest_due_at: string | null; oldest_age: number | null; paused: boolean;
}
export type WorkerState = 'working' | 'paused' | 'draining' | 'silent' | 'gone';
export type SeriesName = 'created' | 'completed' | 'failed' | 'waiting' | 'in_work' | 'p50' | 'p95' | 'p99';
export interface Stats {
  instance: string; version: string; at: string;
  now: {
    orders_by_status: Record<string, number>; created: number; completed: number; stages: Stage[];
    waiting: number; oldest_age: number | null; in_work: number; capacity: number | null;
    workers: Record<WorkerState, number>; dead_letters: number; completed_per_minute: number | null;
    created_to_done: {
      p50: number; p95: number; p99: number; within_goal: number; goal: number; sampled: number; of: number;
    } | null;
    paused: boolean;
  };
  span: string; step: number; from: string; since: string;
  series: Record<SeriesName, (number | null)[]>;
  broker: { connections: { name: string; broker: string; connected: boolean; reason: string | null }[] } | null;
  feeds: { cursor: string; leading: boolean; behind: number | null; lag: number | null; waits_for: string; waited: number }[];
  storage: { name: string; durable: boolean; newest: string };
}

export interface About { kind: string; reason?: string; name?: string; stage?: string | null; id?: string; cursor?: string }
export interface Finding {
  code: string; severity: 'problem' | 'warning'; subject: string; text: string;
  since: string | null; count: number | null; about: About;
}
export interface Findings {
  at: string; findings: Finding[];
  checks: { code: string; subject: string; state: 'ok' | 'warning' | 'problem' | 'unknown' }[];
}

export interface Worker {
  name: string; host: string; pid: number; version: string; state: WorkerState; stages: string[];
  started_at: string; heard_at: string; in_work: number; capacity: number; claimed: number; advanced: number;
  retried: number; failed: number; lease_lost: number; done_last_minute: number | null;
}
export interface Workers { at: string; items: Worker[]; next: string | null }

export interface Group {
  reason: string; orders: number; first_at: string; last_at: string; last_hour: number;
  example: { order_id: string; last_error: string | null };
}
export interface DeadLetters { orders: number; looked_at: number; complete: boolean; groups: Group[]; other_orders: number }
export interface DryRun {
  dry_run: true; orders: number; first_at: string | null; last_at: string | null;
  left_out: { order_id: string; code: string }[]; more: boolean;
}
export interface Operation {
  id: string; kind: string; state: 'running' | 'done' | 'stopped' | 'failed'; actor: string; started_at: string;
  finished_at: string | null; reason: string | null; total: number; done: number;
  refused: { order_id: string; code: string }[]; refused_count: number; error: string | null;
}

// Of orders the page knows what every model has; all else is shown as it came.
export interface Order {
  [name: string]: Json;
  order_id: string; status: string; created_at: string; updated_at: string;
  last_error: string | null; next_attempt_at: string | null;
  attempts: Id; version: Id; total_amount: number | string | Exact; currency: string;
}
export interface Page { items: Order[]; next_cursor: string | null; total?: { value: number; exact: boolean } }
export interface Entry {
  position: string; version: Id; event: string; from: string | null; to: string; actor: string | null;
  reason: string | null; at: string; order: Order;
}
export interface History { items: Entry[] }
export interface Attempt {
  n: number; worker: string | null; from: string; until: string | null;
  outcome: 'advanced' | 'retried' | 'failed' | 'released' | 'expired' | 'running'; reason: string;
}
export interface Explained {
  order_id: string; status: string | null; state: 'dead' | 'waiting' | 'in_work' | 'settled' | 'deleted';
  summary: string; sentences: string[]; waits_for: string | null; since: string | null; next_at: string | null;
  similar: number | null; reason: string | null; attempts: Attempt[]; can: string[];
}
export interface Change {
  id: string; time: string;
  data: { order_id: string; event: string; from: string | null; to: string | null; version: Id; reason: string | null };
}

export interface Pauses { items: { stage: string | null; since: string; by: string; reason: string }[] }

export interface Webhook {
  id: string; url: string; description: string; events: string[]; statuses: string[]; user_id?: string; tenant?: string;
  content: 'full' | 'reference'; state: 'active' | 'paused' | 'removed'; paused_because?: string;
  created_at: string; created_by: string;
}
export interface Delivery {
  id: string; webhook_id: string; order_id?: string; at: string; duration_ms: number; number: number;
  result: 'delivered' | 'failed'; status?: number; error?: string; answer?: string; next_at?: string;
}

// What GET /model says of the statuses; the rest of the model is not needed here.
export interface Model {
  statuses: {
    initial: string;
    transitions: { from: string[]; event: string; to: string; open_to_clients?: boolean; scope?: string }[];
    stages: { waiting: string; active: string; failed: string }[];
  };
}
