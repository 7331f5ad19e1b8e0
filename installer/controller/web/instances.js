// SPDX-License-Identifier: MIT
// The list of the instances, with a filter that stays in the address.
import { h, labelled, link, table } from './dom.js';
import { keep, to } from './route.js';
import { badge, causeOf, configOf, instanceLink, logsColumn, since, stateOf } from './state.js';

const COLUMNS = [
    { title: 'Instance', header: true, cell: (row) => instanceLink(row.instance) },
    { title: 'State', cell: (row) => badge(stateOf(row)) },
    { title: 'Cause', class: 'wide', cell: causeOf },
    { title: 'Configuration', cell: (row) => badge(configOf(row)) },
    { title: 'Component', cell: (row) => link(to('configuration', row.component), row.component) },
    { title: 'Host', cell: (row) => row.host ?? '' },
    { title: 'Address', cell: (row) => row.address ?? '' },
    { title: 'Agent', cell: (row) => row.agent ?? '' },
    { title: 'Restarts', class: 'number', cell: (row) => row.restarts ?? '' },
    { title: 'Since', cell: (row) => since(row.since) },
    logsColumn,
];

/** The rows in which the text is found, and whose state is not good, where only those are wanted. */
function matching(rows, text, onlyBad) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);

    return rows.filter((row) => {
        const all = [
            row.instance,
            row.component,
            row.container,
            row.state,
            row.health,
            row.address,
            row.host,
            row.image,
            stateOf(row).text,
        ]
            .join(' ')
            .toLowerCase();

        return words.every((word) => all.includes(word)) && !(onlyBad && row.ok);
    });
}

function filters(page, q, bad) {
    const changed = (event) => {
        const form = event.currentTarget;

        keep({ q: form.elements.q.value, bad: form.elements.bad.checked });
        page.query = new URLSearchParams({ q: form.elements.q.value, bad: form.elements.bad.checked ? '1' : '' });
        page.draw();
    };

    return h(
        'form',
        { class: 'bar', key: 'filter', on: { input: changed, submit: (event) => event.preventDefault() } },
        labelled('Filter', h('input', { type: 'search', name: 'q', value: q, id: 'instances-q' })),
        labelled(
            'Only what is wrong',
            h('input', { type: 'checkbox', name: 'bad', checked: bad, id: 'instances-bad' }),
        ),
    );
}

export const instancesView = {
    title: () => 'Instances',
    render(page) {
        const q = page.query.get('q') ?? '';
        const bad = Boolean(page.query.get('bad'));

        return [
            h('h1', { tabindex: -1 }, 'Instances'),
            filters(page, q, bad),
            page.when(['/instances'], ({ items }) => {
                const rows = matching(items, q, bad);
                const columns = COLUMNS.filter((c) => c.title !== 'Host' || rows.some((row) => row.host));

                return [
                    h('p', { key: 'count', role: 'status' }, `${rows.length} of ${items.length} instances`),
                    table('Instances', columns, rows, (row) => row.instance, { key: 'table' }),
                ];
            }),
        ];
    },
};
