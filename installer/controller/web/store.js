// SPDX-License-Identifier: MIT
// What was read of the API, kept by path. A view uses a path and is drawn again when it changes; events put rows into
// what is here or say that it is stale, and only what somebody looks at is read again.
import { get } from './api.js';

const entries = new Map(); // path -> {path, data, etag, error, stale, loading, users}

function entryOf(path) {
    if (!entries.has(path)) {
        entries.set(path, {
            path,
            data: undefined,
            etag: '',
            error: null,
            stale: true,
            loading: null,
            users: new Set(),
        });
    }
    return entries.get(path);
}

function tell(entry) {
    for (const user of [...entry.users]) user();
}

async function load(entry) {
    entry.stale = false;
    try {
        const { data, etag, status } = await get(entry.path, { none: entry.data === undefined ? '' : entry.etag });

        if (status !== 304) {
            entry.data = data;
            entry.etag = etag ?? '';
        }
        entry.error = null;
    } catch (error) {
        entry.error = error;
        if (error.status === 404) entry.data = undefined;
    }
    entry.loading = null;
    tell(entry);
    refresh(entry); // it became stale meanwhile
}

function refresh(entry) {
    if (!entry.stale || entry.loading || entry.users.size === 0 || document.hidden) return;
    entry.loading = load(entry);
}

/** {data, error, etag} of a path as it is now; `user` is called when that changes, until `drop`. */
export function use(path, user) {
    const entry = entryOf(path);

    entry.users.add(user);
    refresh(entry);
    return entry;
}

/** The same without being told. */
export function peek(path) {
    return entryOf(path).data;
}

/** `user` is told of nothing any more. */
export function drop(user) {
    for (const entry of entries.values()) entry.users.delete(user);
}

/** Everything that begins with one of the paths is to be read again, when somebody looks at it. */
export function stale(...paths) {
    for (const entry of entries.values()) {
        if (
            !paths.some(
                (path) =>
                    entry.path === path || entry.path.startsWith(`${path}/`) || entry.path.startsWith(`${path}?`),
            )
        )
            continue;
        entry.stale = true;
        refresh(entry);
    }
}

/** Waits for what the server has now. */
export async function fresh(path) {
    const entry = entryOf(path);

    if (entry.loading) await entry.loading;
    await load(entry);
    if (entry.error) throw entry.error;
    return entry;
}

/** Forgets everything: somebody else logged in. */
export function forget() {
    for (const entry of entries.values())
        Object.assign(entry, { data: undefined, etag: '', error: null, stale: true });
}

/** Exchanges what is known of a path, where something is. */
export function change(path, f) {
    const entry = entries.get(path);

    if (!entry || entry.data === undefined) return;
    entry.data = f(entry.data);
    entry.etag = '';
    tell(entry);
}

function put(list, row, name) {
    const items = list.items.filter((item) => item[name] !== row[name]);
    const at = list.items.findIndex((item) => item[name] === row[name]);

    if (at < 0) items.push(row);
    else items.splice(at, 0, row);
    return { ...list, items, total: items.length };
}

const ENDED = new Set(['succeeded', 'failed', 'cancelled', 'interrupted']);

/** Whether a task goes on. */
export function isRunning(task) {
    return !ENDED.has(task.state);
}

function taskEvent(task) {
    change('/tasks', (list) =>
        list.items.some((t) => t.id === task.id)
            ? put(list, task, 'id')
            : { ...list, items: [task, ...list.items], total: list.total + 1 },
    );
    change(`/tasks/${task.id}`, (old) => ({ ...old, ...task, log: old.log }));
    if (isRunning(task)) return;
    stale(`/tasks/${task.id}`, '/audit');
    if (task.kind === 'check') stale('/checks');
    if (task.kind.startsWith('agent.')) stale('/agents');
    if (task.kind.startsWith('document.')) stale('/components', '/document', '/configuration', '/history');
}

const EVENTS = {
    instance(row) {
        change('/instances', (list) => put(list, row, 'instance'));
        stale(`/instances/${row.instance}`, '/agents');
    },
    instanceGone({ instance }) {
        change('/instances', (list) => {
            const items = list.items.filter((item) => item.instance !== instance);

            return { ...list, items, total: items.length };
        });
        stale(`/instances/${instance}`);
    },
    environment: (data) => change('/environment', () => data),
    task: taskEvent,
    taskLog: ({ task, line }) =>
        change(`/tasks/${task}`, (old) => ({
            ...old,
            log: [...(old.log ?? []), typeof line === 'string' ? { text: line } : line],
        })),
    configuration: () => stale('/configuration', '/history', '/document', '/components'),
    volumes: () => stale('/volumes', '/pools'),
    users: () => stale('/users', '/tokens'),
    jobs: () => stale('/jobs'),
    reset: () => stale(...entries.keys()),
};

/** Takes an event of the stream. */
export function take(type, data) {
    EVENTS[type]?.(data);
}

/** What could not be read is tried again: the server answers. */
export function staleFailed() {
    for (const entry of entries.values()) {
        if (!entry.error) continue;
        entry.stale = true;
        refresh(entry);
    }
}

/** After a gap nothing that is here can be relied on. */
export function staleAll() {
    stale(...entries.keys());
}

document.addEventListener('visibilitychange', () => {
    if (!document.hidden) for (const entry of entries.values()) refresh(entry);
});
