// SPDX-License-Identifier: MIT
// Checks, tasks, audit, and finding anything by any word.
import { post } from './api.js';
import { button, facts, h, labelled, link, table } from './dom.js';
import { date, shown } from './format.js';
import { taskState, taskTitle } from './notices.js';
import { to } from './route.js';
import { badge, instanceLink, since, stateOf } from './state.js';
import { isRunning } from './store.js';
import { snapshotsOf } from './volumes.js';

/* ---- checks ---- */

const RESULT = {
    SUCCESS: { sign: '●', kind: 'good', text: 'success' },
    WARNING: { sign: '◐', kind: 'warn', text: 'warning' },
    FAILED: { sign: '▲', kind: 'bad', text: 'failed' },
    SKIPPED: { sign: '–', kind: 'off', text: 'skipped' },
    EXCEPTION: { sign: '✖', kind: 'bad', text: 'could not be checked' },
};
const ORDER = ['FAILED', 'EXCEPTION', 'WARNING', 'SUCCESS', 'SKIPPED'];

const CHECK_COLUMNS = [
    { title: 'Test', header: true, cell: (row) => `${row.module} ${row.test}` },
    { title: 'Result', cell: (row) => badge(RESULT[row.result] ?? { sign: '–', kind: 'off', text: row.result }) },
    { title: 'What was found', class: 'wide', cell: (row) => row.message },
    { title: 'Advice', class: 'wide', cell: (row) => row.advice ?? '' },
    { title: 'Code', cell: (row) => h('code', null, row.code) },
];

function runChecks(page) {
    return (event) => {
        const words = event.currentTarget.elements.words.value.trim().split(/\s+/).filter(Boolean);

        event.preventDefault();
        page.run(() => post('/checks', words.length ? { words } : {}));
    };
}

export const checksView = {
    title: () => 'Checks',
    render: (page) => [
        h('h1', { tabindex: -1 }, 'Checks'),
        page.may('operator')
            ? h(
                  'form',
                  { class: 'bar', key: 'run', on: { submit: runChecks(page) } },
                  labelled(
                      'Which',
                      h('input', {
                          name: 'words',
                          id: 'check-words',
                          type: 'text',
                          value: '',
                          spellcheck: 'false',
                      }),
                      'A module, or a module and tests of it: containers zombies. Empty: all.',
                  ),
                  h('button', { type: 'submit', class: 'main' }, 'Run'),
              )
            : null,
        page.when(['/checks'], (report) => {
            if (!report.ended) return h('p', { key: 'none' }, 'Nothing was checked yet.');
            const rows = [...report.results].sort((a, b) => ORDER.indexOf(a.result) - ORDER.indexOf(b.result));

            return [
                h(
                    'p',
                    { key: 'ended', class: report.good ? 'good' : 'bad' },
                    `${report.good ? '● All is well' : '▲ Not all is well'}, as of ${date(report.ended)}. `,
                    report.task ? link(to('tasks', report.task), 'Its task') : '',
                ),
                table('Results, what is wrong first', CHECK_COLUMNS, rows, (row) => row.code + row.message, {
                    key: 'table',
                }),
            ];
        }),
    ],
};

/* ---- tasks ---- */

const TASK_STATE = {
    queued: 'off',
    running: 'warn',
    succeeded: 'good',
    failed: 'bad',
    cancelled: 'off',
    interrupted: 'bad',
};
const TASK_SIGN = { queued: '–', running: '◐', succeeded: '●', failed: '▲', cancelled: '–', interrupted: '▲' };

export function taskBadge(task) {
    return badge({
        sign: TASK_SIGN[task.state] ?? '–',
        kind: TASK_STATE[task.state] ?? 'off',
        text: taskState(task),
    });
}

const TASK_COLUMNS = [
    { title: 'Task', header: true, cell: (row) => link(to('tasks', row.id), taskTitle(row)) },
    { title: 'State', cell: taskBadge },
    { title: 'By', cell: (row) => row.by },
    { title: 'Begun', cell: (row) => date(row.created) },
    { title: 'Ended', cell: (row) => date(row.ended) },
    { title: 'Trouble', class: 'wide', cell: (row) => row.error?.detail ?? '' },
];

function task(page, id) {
    return page.when([`/tasks/${encodeURIComponent(id)}`], (one) => [
        h('h1', { tabindex: -1 }, `Task: ${taskTitle(one)}`),
        h(
            'section',
            { class: 'card', key: 'facts', 'aria-label': 'Facts' },
            facts([
                ['State', taskBadge(one)],
                ['By', one.by],
                ['Begun', date(one.created)],
                ['Ended', date(one.ended)],
                ['Trouble', one.error?.detail],
                ['Result', one.result && Object.keys(one.result).length ? h('code', null, shown(one.result)) : ''],
            ]),
            isRunning(one)
                ? [
                      h('progress', {
                          'aria-label': 'Progress',
                          max: one.total > 1 ? one.total : null,
                          value: one.total > 1 ? one.done : null,
                      }),
                      page.may('operator')
                          ? button('Cancel', () => page.run(() => post(`/tasks/${encodeURIComponent(id)}/cancel`)))
                          : null,
                  ]
                : null,
        ),
        h('h2', { key: 'log-title' }, 'Log'),
        h(
            'pre',
            { key: 'log', tabindex: 0, 'aria-label': 'Log of the task' },
            (one.log ?? [])
                .map((line) => [line.time ? `${date(line.time)}  ` : '', line.text, '\n'].join(''))
                .join('') || 'It has said nothing yet.',
        ),
    ]);
}

export const tasksView = {
    title: (parts) => (parts[1] ? 'Task' : 'Tasks'),
    render: (page) =>
        page.parts[1]
            ? task(page, page.parts[1])
            : [
                  h('h1', { tabindex: -1 }, 'Tasks'),
                  page.when(['/tasks'], ({ items }) =>
                      items.length
                          ? table('Tasks, the newest first', TASK_COLUMNS, items, (row) => row.id, { key: 'table' })
                          : h('p', { key: 'none' }, 'Nothing was begun yet.'),
                  ),
              ],
};

/* ---- audit ---- */

const AUDIT_COLUMNS = [
    { title: 'When', header: true, cell: (row) => date(row.time) },
    { title: 'Who', cell: (row) => row.who },
    { title: 'From', cell: (row) => row.address },
    { title: 'What', cell: (row) => row.what },
    { title: 'Of', cell: (row) => row.target ?? '' },
    { title: 'Arguments', class: 'value', cell: (row) => shown(row.arguments) },
    { title: 'Status', class: 'number', cell: (row) => row.status },
    { title: 'Task', cell: (row) => (row.task ? link(to('tasks', row.task), row.task) : (row.detail ?? '')) },
];
const PAGE = 100;

export const auditView = {
    title: () => 'Audit',
    render(page) {
        const from = Number(page.query.get('from')) || 0;

        return [
            h('h1', { tabindex: -1 }, 'Audit'),
            page.when([`/audit?limit=${PAGE}&offset=${from}`], ({ items, total }) => [
                h(
                    'p',
                    { key: 'count' },
                    `${from + 1} to ${from + items.length} of ${total}. `,
                    from > 0 ? link(to('audit', { from: Math.max(0, from - PAGE) }), 'Newer') : '',
                    ' ',
                    from + items.length < total ? link(to('audit', { from: from + PAGE }), 'Older') : '',
                ),
                table('Who did what, the newest first', AUDIT_COLUMNS, items, (row) => row.time + row.what, {
                    key: 'table',
                }),
            ]),
        ];
    },
};

/* ---- find ---- */

function kinds(page) {
    const of = (path) => page.use(path).data?.items ?? [];

    return [
        [
            'Instances',
            of('/instances'),
            (row) => [instanceLink(row.instance), ' ', badge(stateOf(row)), ' ', row.container ?? ''],
            (row) => [row.instance, row.container, row.address, row.image, row.component, row.release, row.id],
        ],
        [
            'Components',
            of('/components'),
            (row) => [link(to('configuration', row.component), row.component), ' ', row.summary],
            (row) => [row.component, row.summary, row.image],
        ],
        [
            'Volumes',
            of('/volumes'),
            (row) => link(to('volumes', row.name), row.name),
            (row) => [row.name, row.pool, row.state, ...snapshotsOf(row).map((one) => one.name)],
        ],
        ['Pools', of('/pools'), (row) => link(to('volumes'), row.name), (row) => [row.name, row.kind]],
        [
            'Keys',
            of('/configuration'),
            (row) => [
                link(
                    row.instance
                        ? to('instances', row.instance, 'configuration')
                        : to('configuration', row.component),
                    `${row.key} of ${row.instance || row.component}`,
                ),
                ` ${row.shown}`,
            ],
            (row) => [row.key, row.component, row.instance, row.help, row.shown],
        ],
        [
            'Tasks',
            of('/tasks'),
            (row) => [link(to('tasks', row.id), taskTitle(row)), ` ${row.state}, `, since(row.created), ' ago'],
            (row) => [row.id, row.kind, row.target, row.by],
        ],
        [
            'Users',
            page.may('admin') ? of('/users') : [],
            (row) => link(to('users'), row.name),
            (row) => [row.name, row.role],
        ],
    ];
}

const MOST = 50;

export const findView = {
    title: () => 'Find',
    render(page) {
        const words = (page.query.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
        let found = 0;
        const parts = kinds(page).map(([title, rows, show, texts]) => {
            const hits = rows.filter((row) => {
                const all = texts(row).filter(Boolean).join(' ').toLowerCase();

                return words.length && words.every((word) => all.includes(word));
            });

            found += hits.length;
            return hits.length
                ? h(
                      'section',
                      { key: title, class: 'found' },
                      h('h2', null, title),
                      h(
                          'ul',
                          { class: 'plain' },
                          hits.slice(0, MOST).map((row, i) => h('li', { key: i }, show(row))),
                      ),
                      hits.length > MOST ? h('p', null, `The first ${MOST} of ${hits.length}.`) : null,
                  )
                : null;
        });

        return [
            h('h1', { tabindex: -1 }, 'Find'),
            h(
                'p',
                { key: 'count', role: 'status' },
                words.length
                    ? `${found} found for “${words.join(' ')}”.`
                    : 'Type a name, an address, a key, an id of a container.',
            ),
            parts,
        ];
    },
};
