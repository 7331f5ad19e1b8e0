// SPDX-License-Identifier: MIT
// Who changed which configuration, and taking an entry back.
import { ask } from './ask.js';
import { post } from './api.js';
import { button, h, table } from './dom.js';
import { date, shown } from './format.js';
import { diff } from './edit.js';
import { stale } from './store.js';

const path = (target) => `/configuration/${encodeURIComponent(target)}`;

async function restore(page, target, entry) {
    const planned = (await post(`${path(target)}/restore`, { time: entry.time, dryRun: true })).data;

    if (planned.changes.length === 0) throw new Error('What this entry changed has its old value already.');
    const done = await ask({
        title: 'Put the old values back?',
        text: planned.changes
            .map(
                (one) =>
                    `${one.name ?? one.key}${one.instance ? ` of ${one.instance}` : ''}: ${shown(
                        one.old,
                    )} becomes ${shown(one.new)}`,
            )
            .join('. '),
        confirm: 'Put them back',
        act: () => post(`${path(target)}/restore`, { time: entry.time }),
    });

    if (!done) return;
    page.done = { target, changes: done.data.changes };
    stale('/configuration', '/history');
    page.draw();
}

const COLUMNS = [
    { title: 'When', header: true, cell: (row) => date(row.time) },
    { title: 'Who', cell: (row) => row.who },
    { title: 'What', cell: (row) => row.what },
    { title: 'Of', cell: (row) => row.instance ?? row.target ?? '' },
    { title: 'Key', cell: (row) => row.name ?? '' },
    { title: 'Was', class: 'value', cell: (row) => shown(row.old) },
    { title: 'Became', class: 'value', cell: (row) => shown(row.new) },
];

/** The history of one target; without one, of everything, and nothing can be taken back there. */
export function historyOf(page, target) {
    const of = target ? `${path(target)}/history?limit=200` : '/history?limit=200';
    const columns = [...COLUMNS];

    if (target && page.may('operator')) {
        columns.push({
            title: 'Restore',
            cell: (row) =>
                row.name
                    ? button('Put back', () => page.run(() => restore(page, target, row)), {
                          'aria-label': `Put back what ${row.name} was before ${date(row.time)}`,
                      })
                    : '',
        });
    }
    return page.when([of], ({ items, total }) => [
        page.done?.target === target && page.done
            ? h('section', { class: 'card', key: 'done' }, h('h2', null, 'Put back'), diff(page.done.changes))
            : null,
        items.length === 0
            ? h('p', { key: 'none' }, 'Nothing was changed yet.')
            : table(
                  'Changes, the newest first',
                  columns,
                  items,
                  (row) => [row.time, row.target, row.name, row.instance].join(' '),
                  { key: 'table' },
              ),
        total > items.length ? h('p', { key: 'more' }, `The newest ${items.length} of ${total}.`) : null,
    ]);
}
