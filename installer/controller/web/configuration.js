// SPDX-License-Identifier: MIT
// Every key of every component with its value and where it comes from, and the editor of one component.
import { editor, unsaved } from './edit.js';
import { h, labelled, link, table } from './dom.js';
import { historyOf } from './history.js';
import { powerButtons } from './power.js';
import { keep, to } from './route.js';

const COLUMNS = [
    { title: 'Key', header: true, cell: (row) => row.key },
    { title: 'Of', cell: (row) => link(to(...of(row)), row.instance || row.component) },
    { title: 'Value', class: 'value', cell: (row) => row.shown },
    { title: 'From', cell: (row) => row.source },
    { title: 'A change', cell: (row) => row.apply ?? '' },
    { title: 'Help', class: 'wide', cell: (row) => row.help },
];

function of(row) {
    return row.instance ? ['instances', row.instance, 'configuration'] : ['configuration', row.component];
}

function all(page) {
    const q = page.query.get('q') ?? '';
    const changed = (event) => {
        keep({ q: event.currentTarget.value });
        page.query.set('q', event.currentTarget.value);
        page.draw();
    };

    return [
        h('h1', { tabindex: -1 }, 'Configuration'),
        unsaved().length
            ? h(
                  'p',
                  { key: 'unsaved', class: 'problem' },
                  'Edited and not applied: ',
                  unsaved().map((target) => [link(to('configuration', target), target), ' ']),
              )
            : null,
        page.when(['/components'], ({ items }) =>
            h(
                'ul',
                { class: 'boxes', key: 'components' },
                items.map((one) =>
                    h(
                        'li',
                        { key: one.component },
                        link(to('configuration', one.component), `Edit ${one.component}`),
                    ),
                ),
            ),
        ),
        labelled('Filter', h('input', { type: 'search', id: 'configuration-q', value: q, on: { input: changed } })),
        page.when(['/configuration'], ({ items }) => {
            const rows = items.filter((row) =>
                `${row.key} ${row.component} ${row.instance ?? ''} ${row.shown} ${row.help}`
                    .toLowerCase()
                    .includes(q.toLowerCase()),
            );

            return [
                h('p', { key: 'count', role: 'status' }, `${rows.length} of ${items.length} keys`),
                table('Keys', COLUMNS, rows, (row) => `${row.component}/${row.instance ?? ''}/${row.key}`, {
                    key: 'table',
                }),
            ];
        }),
    ];
}

function one(page, target) {
    return [
        h('h1', { tabindex: -1 }, `Configuration of ${target}`),
        h(
            'div',
            { class: 'bar', key: 'bar' },
            powerButtons(page, 'components', target),
            link(to('logs', { of: target }), `Logs of ${target}`),
        ),
        h('div', { key: 'editor' }, editor(page, target)),
        h('h2', { key: 'history' }, 'History'),
        historyOf(page, target),
    ];
}

export const configurationView = {
    title: (parts) => (parts[1] ? `Configuration of ${parts[1]}` : 'Configuration'),
    render: (page) => (page.parts[1] ? one(page, page.parts[1]) : all(page)),
};
