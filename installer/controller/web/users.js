// SPDX-License-Identifier: MIT
// Who may log in, with which role; tokens and sessions; one's own password.
import { ask } from './ask.js';
import { call, get, post, remove } from './api.js';
import { button, facts, h, table } from './dom.js';
import { date } from './format.js';
import { stale } from './store.js';

const ROLES = ['viewer', 'operator', 'admin'];
const path = (name) => `/users/${encodeURIComponent(name)}`;

function newUser(page) {
    return page.run(() =>
        ask({
            title: 'A new user',
            confirm: 'Create',
            fields: [
                { name: 'name', label: 'Name', required: true },
                { name: 'role', label: 'Role', options: ROLES, value: 'viewer' },
                {
                    name: 'password',
                    label: 'Password',
                    type: 'password',
                    required: true,
                    autocomplete: 'new-password',
                    help: 'At least 10 characters.',
                },
            ],
            act: async ({ name, role, password }) => {
                await call('PUT', path(name), { body: { role, password }, none: '*' });
                stale('/users');
            },
        }),
    );
}

function changeUser(page, row) {
    return page.run(async () => {
        const { etag } = await get(path(row.name));

        return ask({
            title: `Change ${row.name}`,
            confirm: 'Change',
            fields: [
                { name: 'role', label: 'Role', options: ROLES, value: row.role },
                {
                    name: 'password',
                    label: 'New password',
                    type: 'password',
                    autocomplete: 'new-password',
                    help: 'Empty: it stays.',
                },
            ],
            act: async ({ role, password }) => {
                await call('PUT', path(row.name), { body: password ? { role, password } : { role }, match: etag });
                stale('/users');
            },
        });
    });
}

function deleteUser(page, row) {
    return page.run(() =>
        ask({
            title: `Delete ${row.name}?`,
            text: 'Sessions and tokens of this user end at once.',
            confirm: 'Delete',
            danger: true,
            act: async () => {
                const { etag } = await get(path(row.name));

                await remove(path(row.name), { match: etag });
                stale('/users', '/tokens');
            },
        }),
    );
}

function users(page) {
    const columns = [
        { title: 'User', header: true, cell: (row) => row.name },
        { title: 'Role', cell: (row) => row.role },
        { title: 'Created', cell: (row) => date(row.created) },
        { title: 'Changed', cell: (row) => date(row.changed) },
        {
            title: 'Do',
            cell: (row) =>
                h(
                    'span',
                    { class: 'buttons' },
                    button('Change', () => changeUser(page, row), { 'aria-label': `Change ${row.name}` }),
                    button('Delete', () => deleteUser(page, row), {
                        'aria-label': `Delete ${row.name}`,
                        class: 'danger',
                    }),
                ),
        },
    ];

    return page.when(['/users'], ({ items }) =>
        table('Users', columns, items, (row) => row.name, { key: 'users' }),
    );
}

/* ---- tokens ---- */

function newToken(page) {
    const most = ROLES.slice(0, ROLES.indexOf(page.session.role) + 1);

    return page.run(async () => {
        const made = await ask({
            title: 'A new token',
            confirm: 'Make it',
            text: 'For programs. It can do what its role may, until it expires.',
            fields: [
                { name: 'label', label: 'What it is for', required: true },
                {
                    name: 'role',
                    label: 'Role',
                    options: page.may('admin') ? ['metrics', ...most] : most,
                    value: 'viewer',
                },
                { name: 'days', label: 'Days', type: 'number', value: '30', required: true },
            ],
            act: ({ label, role, days }) => post('/tokens', { label, role, days: Number(days) }),
        });

        if (!made) return;
        page.made = made.data;
        stale('/tokens');
        page.draw();
    });
}

function revoke(page, row) {
    return page.run(() =>
        ask({
            title: `Revoke ${row.label || row.kind}?`,
            text: 'What uses it ends at once.',
            confirm: 'Revoke',
            danger: true,
            act: async () => {
                await remove(`/tokens/${encodeURIComponent(row.id)}`);
                stale('/tokens');
            },
        }),
    );
}

function tokens(page) {
    const columns = [
        { title: 'For', header: true, cell: (row) => row.label || row.kind },
        {
            title: 'Kind',
            cell: (row) => ({ api: 'token', session: 'session of a browser', once: 'one-time' })[row.kind],
        },
        { title: 'User', cell: (row) => row.user },
        { title: 'Role', cell: (row) => row.role },
        { title: 'Expires', cell: (row) => date(row.expires) },
        {
            title: 'Do',
            cell: (row) =>
                button('Revoke', () => revoke(page, row), {
                    'aria-label': `Revoke ${row.label || row.kind} ${row.id}`,
                    class: 'danger',
                }),
        },
    ];

    return [
        page.made
            ? h(
                  'section',
                  { class: 'card', key: 'made' },
                  h('h2', null, 'The new token'),
                  h('p', null, 'It is shown this once: ', h('code', { class: 'secret' }, page.made.token)),
                  button('I have it', () => {
                      page.made = null;
                      page.draw();
                  }),
              )
            : null,
        h(
            'p',
            { class: 'buttons', key: 'new-token' },
            button('New token', () => newToken(page)),
        ),
        page.when(['/tokens'], ({ items }) =>
            table('Tokens and sessions', columns, items, (row) => row.id, { key: 'tokens' }),
        ),
    ];
}

export const usersView = {
    title: () => 'Users',
    render: (page) => [
        h('h1', { tabindex: -1 }, 'Users'),
        h(
            'p',
            { class: 'buttons', key: 'new-user' },
            button('New user', () => newUser(page), { class: 'main' }),
        ),
        users(page),
        h('h2', { key: 'tokens-title' }, 'Tokens and sessions'),
        tokens(page),
    ],
};

/* ---- oneself ---- */

function password(page) {
    return page.run(() =>
        ask({
            title: 'Change your password',
            confirm: 'Change',
            fields: [
                {
                    name: 'old',
                    label: 'Old password',
                    type: 'password',
                    required: true,
                    autocomplete: 'current-password',
                },
                {
                    name: 'fresh',
                    label: 'New password',
                    type: 'password',
                    required: true,
                    autocomplete: 'new-password',
                    help: 'At least 10 characters.',
                },
            ],
            act: (answer) => call('POST', '/session/password', { body: { old: answer.old, new: answer.fresh } }),
        }),
    );
}

export const meView = {
    title: () => 'You',
    render: (page) => [
        h('h1', { tabindex: -1 }, 'You'),
        facts([
            ['User', page.session.user],
            ['Role', page.session.role],
            ['This session ends', date(page.session.expires)],
        ]),
        h(
            'p',
            { class: 'buttons', key: 'password' },
            button('Change your password', () => password(page)),
        ),
        h('h2', { key: 'tokens-title' }, 'Your tokens and sessions'),
        tokens(page),
    ],
};
