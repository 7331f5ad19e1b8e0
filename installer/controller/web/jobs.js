// SPDX-License-Identifier: MIT
// What is done at certain times: when each job is next, what became of the last, and beginning one now.
import { post } from './api.js';
import { button, h, link, table } from './dom.js';
import { date } from './format.js';
import { taskBadge } from './lists.js';
import { to } from './route.js';

function lastRun({ last }) {
    if (!last) return 'never';
    return h('span', null, taskBadge({ state: last.result }), ` ${date(last.ended ?? last.begun)}, by ${last.by}`);
}

function outcome({ last }) {
    const text = last?.problem ?? last?.text ?? (last?.task ? 'Its task' : '');

    return last?.task ? link(to('tasks', last.task), text) : text;
}

function columns(page) {
    const all = [
        { title: 'Job', header: true, cell: (row) => row.name },
        { title: 'What', class: 'wide', cell: (row) => row.summary },
        { title: 'Schedule (UTC)', cell: (row) => (row.schedule ? h('code', null, row.schedule) : 'off') },
        { title: 'Next', cell: (row) => date(row.next) },
        { title: 'Last', cell: lastRun },
        { title: 'What came of it', class: 'wide', cell: outcome },
        { title: 'Trouble with the schedule', class: 'wide', cell: (row) => row.problem ?? '' },
    ];
    const run = (row) =>
        button('Run now', () => page.run(() => post(`/jobs/${encodeURIComponent(row.name)}/run`)), {
            'aria-label': `Run ${row.name} now`,
        });

    return page.may('operator') ? [...all, { title: 'Run', cell: run }] : all;
}

export const jobsView = {
    title: () => 'Jobs',
    render: (page) => [
        h('h1', { tabindex: -1 }, 'Jobs'),
        h(
            'p',
            { key: 'help', class: 'help' },
            'Their schedules are keys of the component ',
            link(to('configuration', 'controller'), 'controller'),
            '.',
        ),
        page.when(['/jobs'], ({ items }) => table('Jobs', columns(page), items, (row) => row.name, { key: 'table' })),
    ],
};
