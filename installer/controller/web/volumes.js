// SPDX-License-Identifier: MIT
// Volumes with snapshots, the drivers that serve them and the lines that use them; pools.
import { ask } from './ask.js';
import { post, remove } from './api.js';
import { announce, button, facts, h, link, table } from './dom.js';
import { date, shown, size } from './format.js';
import { to } from './route.js';
import { instanceLink } from './state.js';

const path = (name, ...more) => ['/volumes', encodeURIComponent(name), ...more].join('/');
const SIZE = {
    name: 'size',
    label: 'Size',
    placeholder: '10GiB',
    help: 'Like 10GiB; thin: only what is written takes space.',
};

/** Snapshots as a list, whatever the document has them as. */
export function snapshotsOf(volume) {
    const all = volume.snapshots ?? [];

    if (Array.isArray(all)) return all.map((one) => (typeof one === 'string' ? { name: one } : one));
    return Object.entries(all).map(([name, one]) => ({ name, ...(one ?? {}) }));
}

function question(page, question_) {
    return page.run(() => ask(question_));
}

function drivers(page) {
    return (page.use('/components').data?.items ?? [])
        .filter((one) => one.role === 'driver')
        .flatMap((one) => one.instances);
}

function none(values, act) {
    return act(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '' && value !== false)));
}

function create(page) {
    const pools = (page.use('/pools').data?.items ?? []).map((one) => one.name);

    return question(page, {
        title: 'A new volume',
        confirm: 'Create',
        fields: [
            { name: 'name', label: 'Name', required: true },
            SIZE,
            {
                name: 'from',
                label: 'Copy of',
                placeholder: 'VOLUME@SNAPSHOT or a template',
                help: 'Empty: a blank one.',
            },
            { name: 'pool', label: 'Pool', options: ['', ...pools] },
            { name: 'attach', label: 'Served by', options: ['', ...drivers(page)] },
        ],
        act: (values) => none(values, (body) => post('/volumes', body)),
    });
}

function createPool(page) {
    return question(page, {
        title: 'A new pool',
        confirm: 'Create',
        fields: [
            { name: 'name', label: 'Name', required: true },
            { name: 'size', label: 'Copies', type: 'number', help: 'Empty: as the storage does it.' },
            { name: 'policy', label: 'Policy', placeholder: '4+2', help: 'Erasure coding instead of copies.' },
            { name: 'quota', label: 'Quota', placeholder: '100GiB' },
        ],
        act: ({ name, size: copies, policy, quota }) =>
            none({ name, size: copies && Number(copies), quota, policies: policy ? [policy] : '' }, (body) =>
                post('/pools', body),
            ),
    });
}

/* ---- the list ---- */

function served(row) {
    return row.attached.map((one) => [
        instanceLink(one.instance),
        one.readOnly ? ' (read only)' : '',
        one.detaching ? ' (letting go)' : '',
        ' ',
    ]);
}

const COLUMNS = [
    { title: 'Volume', header: true, cell: (row) => link(to('volumes', row.name), row.name) },
    { title: 'Size', class: 'number', cell: (row) => size(row.size) },
    { title: 'State', cell: (row) => row.state },
    { title: 'Served by', cell: served },
    { title: 'Snapshots', class: 'number', cell: (row) => snapshotsOf(row).length },
    { title: 'Pool', cell: (row) => row.pool },
    { title: 'Problems', class: 'wide', cell: (row) => (row.problems ?? []).join(' ') },
];

function deletePool(page, row) {
    return question(page, {
        title: `Delete the pool ${row.name}?`,
        text: 'Refused while volumes or other pools use it.',
        confirm: 'Delete',
        danger: true,
        act: () => remove(`/pools/${encodeURIComponent(row.name)}`),
    });
}

function pools(page) {
    const columns = [
        { title: 'Pool', header: true, cell: (row) => row.name },
        { title: 'Kind', cell: (row) => row.kind ?? '' },
        { title: 'Quota', class: 'number', cell: (row) => (row.quota ? size(row.quota) : 'none') },
        { title: 'Volumes', class: 'number', cell: (row) => row.volumes ?? 0 },
    ];

    if (page.may('operator')) {
        columns.push({
            title: 'Do',
            cell: (row) =>
                button('Delete', () => deletePool(page, row), {
                    'aria-label': `Delete the pool ${row.name}`,
                    class: 'danger',
                }),
        });
    }
    return page.when(['/pools'], ({ items }) =>
        table('Pools', columns, items, (row) => row.name, { key: 'pools' }),
    );
}

const NO_STORAGE = 'This environment has no component that stores volumes.';

function hasStorage({ items }) {
    return items.some((one) => one.role === 'storage');
}

function volumesAndPools(page) {
    return [
        page.when(['/volumes'], ({ items }) =>
            items.length
                ? table('Volumes', COLUMNS, items, (row) => row.name, { key: 'volumes' })
                : h('p', { key: 'none' }, 'There is no volume.'),
        ),
        pools(page),
    ];
}

function all(page) {
    const components = page.use('/components').data;

    return [
        h('h1', { tabindex: -1 }, 'Volumes'),
        page.may('operator') && components && hasStorage(components)
            ? h(
                  'p',
                  { class: 'buttons', key: 'bar' },
                  button('New volume', () => create(page), { class: 'main' }),
                  button('New pool', () => createPool(page)),
              )
            : null,
        page.when(['/components'], (components) =>
            hasStorage(components) ? volumesAndPools(page) : h('p', { key: 'none' }, NO_STORAGE),
        ),
    ];
}

/* ---- one ---- */

function buttons(page, row) {
    const name = row.name;
    const by = row.attached.map((one) => one.instance);
    const others = drivers(page).filter((one) => !by.includes(one));
    const force = { name: 'force', label: 'By force', type: 'checkbox', value: false };
    const one = (title, asked, attrs) => button(title, () => question(page, asked), attrs);

    if (!page.may('operator')) return null;
    return h(
        'p',
        { class: 'buttons', key: 'bar' },
        one(
            'Snapshot',
            {
                title: `A snapshot of ${name}`,
                confirm: 'Make it',
                fields: [{ name: 'name', label: 'Name of the snapshot', required: true }],
                act: (body) => post(path(name, 'snapshots'), body),
            },
            { class: 'main' },
        ),
        one('Resize', {
            title: `Resize ${name}`,
            confirm: 'Resize',
            text: `It has ${size(row.size)}.`,
            fields: [
                { ...SIZE, required: true },
                { ...force, label: 'Also smaller: what is behind the end is lost' },
            ],
            act: (values) => none(values, (body) => post(path(name, 'resize'), body)),
        }),
        one(
            'Attach',
            {
                title: `Attach ${name}`,
                confirm: 'Attach',
                fields: [
                    { name: 'to', label: 'To', options: others },
                    { name: 'readOnly', label: 'Read only', type: 'checkbox', value: false },
                ],
                act: (values) => none(values, (body) => post(path(name, 'attach'), body)),
            },
            { disabled: others.length === 0 },
        ),
        one(
            'Detach',
            {
                title: `Detach ${name}`,
                confirm: 'Detach',
                text: 'Refused while somebody uses it, unless by force.',
                fields: [
                    { name: 'from', label: 'From', options: by },
                    { ...force, label: 'By force: whoever uses it is cut off' },
                ],
                act: (values) => none(values, (body) => post(path(name, 'detach'), body)),
            },
            { disabled: by.length === 0 },
        ),
        one(
            'Move',
            {
                title: `Move ${name}`,
                confirm: 'Move',
                text: 'Handed over; there are never two writers.',
                fields: [
                    { name: 'to', label: 'To', options: others },
                    { ...force, label: 'By force: the old driver is dead, and is fenced' },
                ],
                act: (values) => none(values, (body) => post(path(name, 'move'), body)),
            },
            { disabled: by.length === 0 || others.length === 0 },
        ),
        one(
            'Make it a template',
            {
                title: `Make ${name} a template?`,
                confirm: 'Make it one',
                text: 'Volumes are copied from it, and it never changes again.',
                act: () => post(path(name, 'template')),
            },
            { disabled: by.length > 0 || row.state === 'template' },
        ),
        one(
            'Delete',
            {
                title: `Delete ${name}?`,
                text: 'Its data is gone.',
                confirm: 'Delete',
                danger: true,
                fields: snapshotsOf(row).length ? [{ ...force, label: 'Its snapshots too' }] : [],
                act: ({ force: all_ }) => remove(`${path(name)}${all_ ? '?force=true' : ''}`),
            },
            { class: 'danger' },
        ),
    );
}

function snapshots(page, row) {
    const columns = [
        { title: 'Snapshot', header: true, cell: (one) => one.name },
        { title: 'Made', cell: (one) => date(one.time ?? one.created) },
        { title: 'Size', class: 'number', cell: (one) => size(one.size) },
    ];

    if (page.may('operator')) {
        columns.push({
            title: 'Do',
            cell: (one) =>
                h(
                    'span',
                    { class: 'buttons' },
                    button(
                        'Roll back',
                        () =>
                            question(page, {
                                title: `Roll ${row.name} back to ${one.name}?`,
                                text: 'What was written since is lost.',
                                confirm: 'Roll back',
                                danger: true,
                                act: () =>
                                    post(path(row.name, 'snapshots', encodeURIComponent(one.name), 'rollback')),
                            }),
                        {
                            'aria-label': `Roll back to ${one.name}`,
                            disabled: row.attached.length > 0,
                            title: row.attached.length ? 'Detach it first.' : null,
                        },
                    ),
                    button(
                        'Delete',
                        () =>
                            question(page, {
                                title: `Delete the snapshot ${one.name}?`,
                                confirm: 'Delete',
                                danger: true,
                                act: () => remove(path(row.name, 'snapshots', encodeURIComponent(one.name))),
                            }),
                        { 'aria-label': `Delete the snapshot ${one.name}`, class: 'danger' },
                    ),
                ),
        });
    }
    const items = snapshotsOf(row);

    return items.length
        ? table('Snapshots', columns, items, (one) => one.name, { key: 'snapshots' })
        : h('p', { key: 'no-snapshots' }, 'It has no snapshots.');
}

function copy(text) {
    return button(
        'Copy',
        async () => {
            try {
                await navigator.clipboard.writeText(text);
                announce('Copied.');
            } catch {
                announce('The browser does not let it be copied.');
            }
        },
        { key: `copy-${text}`, 'aria-label': `Copy ${text}` },
    );
}

function uses(row) {
    const list = row.attached.filter((one) => one.use?.length);

    return list.map((one) =>
        h(
            'section',
            { class: 'card', key: `use-${one.instance}` },
            h('h2', null, 'How it is used through ', instanceLink(one.instance)),
            one.use.map((use) => [
                h('h3', { key: use.title }, use.title),
                h('p', { class: 'line', key: use.line }, h('code', null, use.line), ' ', copy(use.line)),
            ]),
        ),
    );
}

const KNOWN = new Set(['name', 'pool', 'size', 'state', 'attached', 'snapshots', 'problems']);

function volume(page, name) {
    page.use('/components');
    return [
        h('h1', { tabindex: -1 }, `Volume ${name}`),
        page.when([path(name)], (row) => [
            buttons(page, row),
            (row.problems ?? []).map((text) => h('p', { class: 'problem', key: text }, text)),
            h(
                'section',
                { class: 'card', key: 'facts', 'aria-label': 'Facts' },
                facts([
                    ['State', row.state],
                    ['Size', size(row.size)],
                    ['Pool', row.pool],
                    ['Served by', row.attached.length ? served(row) : 'none'],
                    ...Object.entries(row)
                        .filter(([key]) => !KNOWN.has(key))
                        .map(([key, value]) => [key, shown(value)]),
                ]),
            ),
            snapshots(page, row),
            uses(row),
        ]),
    ];
}

export const volumesView = {
    title: (parts) => (parts[1] ? `Volume ${parts[1]}` : 'Volumes'),
    render: (page) => (page.parts[1] ? volume(page, page.parts[1]) : all(page)),
};
