// SPDX-License-Identifier: MIT
// Which agent runs in which container; putting the server's own there, and the one before back.
import { ask } from './ask.js';
import { post } from './api.js';
import { button, h, table } from './dom.js';
import { count, digest } from './format.js';
import { instanceLink } from './state.js';

function release(name) {
    return name === 'image' ? 'that of the image' : digest(name);
}

function columns(page, rows) {
    const chosen = (page.chosen ??= new Set());
    const box = (row) =>
        h('input', {
            type: 'checkbox',
            'aria-label': `Choose ${row.instance}`,
            checked: chosen.has(row.instance),
            on: {
                change: (event) => {
                    if (event.currentTarget.checked) chosen.add(row.instance);
                    else chosen.delete(row.instance);
                    page.draw();
                },
            },
        });
    const all = [
        { title: 'Instance', header: true, cell: (row) => instanceLink(row.instance) },
        { title: 'Release', cell: (row) => h('code', { title: row.release }, release(row.release ?? '')) },
        { title: 'Before it', cell: (row) => release(row.previous ?? '') },
        { title: 'Trial', cell: (row) => (row.trial ? 'has to show that it works' : '') },
        { title: 'Reached by', cell: (row) => row.via ?? '' },
        { title: 'Trouble', class: 'wide', cell: (row) => row.error ?? '' },
    ];

    return page.may('operator') && rows.length ? [{ title: 'Choose', cell: box }, ...all] : all;
}

function bar(page) {
    const names = [...(page.chosen ?? [])];
    const whom = names.length ? count(names.length, 'instance') : 'all instances';
    const body = names.length ? { instances: names } : {};

    if (!page.may('operator')) return null;
    return h(
        'p',
        { class: 'buttons', key: 'bar' },
        button(
            'Deploy the agent',
            () =>
                page.run(() =>
                    ask({
                        title: `Deploy the agent to ${whom}?`,
                        confirm: 'Deploy',
                        text: "This server's agent is put there; daemons run on. One that does not work is taken back.",
                        fields: [
                            {
                                name: 'again',
                                label: 'Also where it was found not to work before',
                                type: 'checkbox',
                                value: false,
                            },
                        ],
                        act: ({ again }) => post('/agents/deploy', again ? { ...body, again } : body),
                    }),
                ),
            { class: 'main' },
        ),
        button('Put the one before back', () =>
            page.run(() =>
                ask({
                    title: `Put the agent before it back, in ${whom}?`,
                    confirm: 'Put it back',
                    act: () => post('/agents/rollback', body),
                }),
            ),
        ),
        h('span', { class: 'help' }, names.length ? `In ${names.join(', ')}.` : 'In all; choose some for less.'),
    );
}

export const agentsView = {
    title: () => 'Agents',
    render: (page) => [
        h('h1', { tabindex: -1 }, 'Agents'),
        bar(page),
        page.when(['/agents'], ({ items }) =>
            table('Agents', columns(page, items), items, (row) => row.instance, { key: 'table' }),
        ),
    ],
};
