// SPDX-License-Identifier: MIT
// How an instance is, in words, a sign and a colour; never by the colour alone.
import { h, link } from './dom.js';
import { date, duration, time } from './format.js';
import { to } from './route.js';

/** {sign, kind, text} of a row of the instances. */
export function stateOf(row) {
    const kept = row.keeper?.state;

    if (kept === 'crash loop') return { sign: '✖', kind: 'bad', text: 'crash loop' };
    if (row.state === 'unreachable') return { sign: '?', kind: 'warn', text: 'unreachable' };
    if (row.ok) return { sign: '●', kind: 'good', text: row.state };
    if (row.state === 'starting' || row.state === 'created') return { sign: '◐', kind: 'warn', text: row.state };
    return { sign: '▲', kind: 'bad', text: row.health === 'unhealthy' ? `${row.state}, unhealthy` : row.state };
}

export function badge({ sign, kind, text }) {
    return h('span', { class: `badge ${kind}` }, h('span', { 'aria-hidden': 'true' }, sign), ' ', text);
}

export function instanceLink(name, ...more) {
    return link(to('instances', name, ...more), name);
}

/** The column of a table of instances that leads to what one prints. */
export const logsColumn = {
    title: 'Logs',
    cell: (row) =>
        h(
            'a',
            {
                href: to('instances', row.instance, 'logs'),
                'aria-label': `Logs of ${row.instance}`,
            },
            'Logs',
        ),
};

/** Why it is as it is: the agent's reason, or the keeper's cause. */
export function causeOf(row) {
    return row.keeper?.cause || row.reason || '';
}

/** "since 2026-…, 3 min", of a time. */
export function since(value) {
    if (!value || !Number.isFinite(time(value))) return '';
    return h(
        'time',
        { datetime: new Date(time(value)).toISOString(), title: date(value) },
        duration(Date.now() - time(value)),
    );
}

/** Whether the configuration of etcd is applied, in words. */
export function configOf(row) {
    const config = row.config ?? {};

    if (config.error) return { sign: '▲', kind: 'bad', text: `refused: ${config.error}` };
    if (config.pending?.length)
        return { sign: '◐', kind: 'warn', text: `waits for a restart: ${config.pending.join(', ')}` };
    if (config.current === false) return { sign: '◐', kind: 'warn', text: 'not acknowledged yet' };
    if (config.current) return { sign: '●', kind: 'good', text: 'applied' };
    return { sign: '–', kind: 'off', text: 'unknown' };
}
