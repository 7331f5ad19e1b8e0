// SPDX-License-Identifier: MIT
// One event stream for all tabs: HTTP/1.1 has six connections for one server, and the seventh tab would never load.
// The tab that has the lock reads; the others hear it. When it closes, the next one has the lock.
import { read } from './sse.js';

const LOCK = 'slipway-events';
const SILENT_MS = 50000;

/** `event(type, data)` for each; `state({live, since, status})` when the stream is there or not; `gap()` when something
 * may have been missed. */
export function start({ event, state, gap }) {
    const channel = new BroadcastChannel(LOCK);
    const me = { leads: false, live: null, heard: Date.now(), woken: null };
    const set = (live, status) => {
        const before = me.live;

        me.heard = Date.now();
        me.live = live;
        me.status = status;
        if (before !== live || status) state({ live, since: Date.now(), status });
    };
    const say = (message) => {
        if (me.leads) channel.postMessage(message);
    };
    const take = (message) => {
        if (message.kind === 'event') event(message.type, message.data);
        else if (message.kind === 'gap') gap();
        if (message.kind !== 'who' && message.kind !== 'wake') set(message.live, message.status);
    };

    channel.onmessage = ({ data }) => {
        if (data.kind === 'who') say({ kind: 'state', live: me.live });
        else if (data.kind === 'wake') me.woken?.();
        else take(data);
    };
    channel.postMessage({ kind: 'who' });
    setInterval(() => {
        if (!me.leads && me.live !== false && Date.now() - me.heard > SILENT_MS) set(false, 0);
    }, 5000);
    lead(me, (message) => {
        say(message);
        take(message);
    });
    return {
        /** Tries again at once: somebody logged in. */
        wake() {
            channel.postMessage({ kind: 'wake' });
            me.woken?.();
        },
    };
}

async function lead(me, tell) {
    await navigator.locks.request(LOCK, async () => {
        me.leads = true;
        for (let lastId = '', wait = 0; ; wait = Math.min(wait ? wait * 2 : 500, 10000)) {
            const began = Date.now();

            lastId = await connection(lastId, tell);
            if (Date.now() - began > 10000) wait = 0;
            await new Promise((resolve) => {
                me.woken = resolve;
                setTimeout(resolve, wait + Math.random() * 300);
            });
        }
    });
}

/* One connection, until it ends; the id of the last event. */
async function connection(lastId, tell) {
    let last = lastId;
    let status = 0;

    try {
        await read('/api/v1/events', {
            lastId: last,
            opened: () => tell({ kind: 'state', live: true }),
            alive: () => tell({ kind: 'state', live: true }),
            event({ id, type, data }) {
                if (id) last = id;
                if (type === 'reset') tell({ kind: 'gap', live: true });
                else if (type === 'hello' && !lastId) tell({ kind: 'gap', live: true });
                else tell({ kind: 'event', type, data: JSON.parse(data), live: true });
            },
        });
    } catch (error) {
        status = error.status ?? 0;
    }
    tell({ kind: 'state', live: false, status });
    return last;
}
