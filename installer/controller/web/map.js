// SPDX-License-Identifier: MIT
// The environment at a glance: what is wrong first, then who needs whom, in tiers: what needs nothing stands above.
import { count, size } from './format.js';
import { facts, h, link, table } from './dom.js';
import { holdButton, powerButtons } from './power.js';
import { to } from './route.js';
import { badge, causeOf, instanceLink, logsColumn, since, stateOf } from './state.js';
import { taskState, taskTitle } from './notices.js';
import { environmentButtons } from './environment.js';

/** Components by how far they are from what needs nothing: [[component, ...], ...]. */
export function tiers(components) {
    const level = new Map();
    const byName = new Map(components.map((one) => [one.component, one]));
    const of = (name, seen) => {
        const one = byName.get(name);

        if (level.has(name)) return level.get(name);
        if (!one || seen.has(name)) return -1; // not in this environment, or a ring
        seen.add(name);
        const found = 1 + Math.max(-1, ...one.requires.map((other) => of(other, seen)));

        level.set(name, found);
        return found;
    };
    const out = [];

    for (const one of components) (out[of(one.component, new Set())] ??= []).push(one);
    return out.filter(Boolean);
}

function wrong(rows) {
    const bad = rows.filter((row) => !row.ok);

    if (bad.length === 0)
        return h('p', { key: 'wrong', class: 'good' }, `● All of ${count(rows.length, 'instance')} are well.`);
    return table(
        `What is wrong: ${bad.length} of ${count(rows.length, 'instance')}`,
        [
            { title: 'Instance', header: true, cell: (row) => instanceLink(row.instance) },
            { title: 'State', cell: (row) => badge(stateOf(row)) },
            { title: 'Cause', class: 'wide', cell: causeOf },
            { title: 'For', cell: (row) => since(row.since) },
            logsColumn,
        ],
        bad,
        (row) => row.instance,
        { key: 'wrong-table' },
    );
}

function tile(row) {
    const state = stateOf(row);

    return h(
        'li',
        { key: row.instance },
        h(
            'a',
            {
                href: to('instances', row.instance),
                class: `tile ${state.kind}`,
                title: causeOf(row) || null,
            },
            h('span', { 'aria-hidden': 'true' }, state.sign),
            ' ',
            row.instance,
            h('span', { class: state.kind === 'good' ? 'quiet' : '' }, ` ${state.text}`),
        ),
    );
}

function card(page, one, rows) {
    const own = rows.filter((row) => row.component === one.component);
    const ok = own.filter((row) => row.ok).length;

    return h(
        'section',
        { class: 'card component', key: one.component, 'aria-label': one.component },
        h(
            'h2',
            null,
            link(to('configuration', one.component), one.component),
            h('span', { class: 'help' }, ` ${ok} of ${own.length} well`),
        ),
        h('p', { class: 'help' }, one.summary ?? ''),
        own.length ? h('ul', { class: 'tiles' }, own.map(tile)) : h('p', null, 'No container.'),
        h(
            'p',
            { class: 'needs' },
            one.requires.length
                ? [
                      'needs ',
                      one.requires.map((other, i) => [i ? ', ' : '', link(to('configuration', other), other)]),
                  ]
                : 'needs nothing else',
        ),
        h(
            'details',
            { key: 'more' },
            h('summary', null, `All of ${one.component}`),
            powerButtons(page, 'components', one.component),
            h('p', null, link(to('logs', { of: one.component }), `Logs of ${one.component}`)),
        ),
    );
}

function etcd(page, environment) {
    const store = environment.etcd ?? {};

    return h(
        'section',
        { class: 'card', key: 'etcd', 'aria-label': 'Environment' },
        h('h2', null, 'Environment'),
        facts([
            ['Name', environment.environment],
            ['UUID', environment.uuid ? h('code', null, environment.uuid) : ''],
            ['Slipway', environment.version],
            ['etcd', store.answers ? `answers, ${store.version ?? ''}` : `does not answer: ${store.error ?? ''}`],
            ['Leader', store.leader],
            [
                'Database',
                store.dbSize ? `${size(store.dbSize)}${store.dbQuota ? ` of ${size(store.dbQuota)}` : ''}` : '',
            ],
            ['Alarms', store.alarms?.length ? store.alarms.join(', ') : ''],
            ['Revision', environment.revision],
            ['Kept up by', environment.keeper ? [keeper(environment.keeper), ' ', hold(page, environment.keeper)] : ''],
            ['Note', environment.note],
            ['Strays', (environment.strays ?? []).map((one) => `${one.container} (${one.state})`).join(', ')],
        ]),
    );
}

function hold(page, one) {
    return holdButton(page, '/environment', 'the environment', one.state === 'paused');
}

function keeper(one) {
    return (
        [one.state, one.detail, one.holder].filter((text) => typeof text === 'string' && text).join(', ') ||
        'the controller'
    );
}

function recent(page) {
    return page.when(['/tasks'], ({ items }) =>
        h(
            'section',
            { class: 'card', key: 'recent', 'aria-label': 'Recent tasks' },
            h('h2', null, 'Recent tasks'),
            items.length === 0
                ? h('p', null, 'None.')
                : h(
                      'ul',
                      { class: 'plain' },
                      items
                          .slice(0, 6)
                          .map((task) =>
                              h(
                                  'li',
                                  { key: task.id },
                                  link(to('tasks', task.id), taskTitle(task)),
                                  ` ${taskState(task)}, `,
                                  since(task.ended ?? task.created),
                                  ` ago, by ${task.by}`,
                              ),
                          ),
                  ),
        ),
    );
}

export const mapView = {
    title: () => 'Map',
    render: (page) => [
        h('h1', { tabindex: -1 }, 'Map of the environment'),
        page.when(
            ['/environment', '/instances', '/components'],
            (environment, { items }, { items: components }) => [
                wrong(items),
                environmentButtons(page, environment),
                h(
                    'div',
                    { class: 'tiers', key: 'tiers' },
                    tiers(components).map((tier, i) =>
                        h(
                            'section',
                            {
                                class: 'tier',
                                key: i,
                                'aria-label': i ? `Needs what is above, tier ${i}` : 'Needs nothing',
                            },
                            tier.map((one) => card(page, one, items)),
                        ),
                    ),
                ),
                h('div', { class: 'cards', key: 'cards' }, etcd(page, environment), recent(page)),
            ],
        ),
    ],
};
