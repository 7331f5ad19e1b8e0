// SPDX-License-Identifier: MIT
// The environment's document: read, edit, see what applying it would do, apply it.
import { ask } from './ask.js';
import { post } from './api.js';
import { button, h, labelled, table } from './dom.js';
import { count, shown } from './format.js';
import { historyOf } from './history.js';

const STORE = 'slipway-document';
const STORE_BASE = 'slipway-document-base';

function draftOf(page) {
    page.text ??= sessionStorage.getItem(STORE) ?? null;
    page.base ??= sessionStorage.getItem(STORE_BASE) ?? null;
    return page.text;
}

// Edits are of the revision they began with, whatever comes after it.
function edit(page, text, accepted, revision) {
    if (page.text === null) page.base = `"${revision}"`;
    page.text = text === accepted ? null : text;
    page.plan = null;
    if (page.text === null) {
        page.base = null;
        sessionStorage.removeItem(STORE);
        sessionStorage.removeItem(STORE_BASE);
    } else {
        sessionStorage.setItem(STORE, text);
        sessionStorage.setItem(STORE_BASE, page.base);
    }
    page.draw();
}

const body = (page) => (page.text === null ? {} : { text: page.text });

async function plan(page) {
    page.plan = (await post('/document/plan', body(page))).data;
    page.draw();
}

async function apply(page) {
    const done = await ask({
        title: 'Apply the document?',
        text: `${count(page.plan.operations.length, 'operation')}, as the plan says. No data volume is removed by it.`,
        confirm: 'Apply',
        act: () => post('/document/apply', body(page), { match: page.text === null ? null : page.base }),
    });

    if (!done) return null;
    edit(page, null, null, null);
    page.plan = null;
    page.round = (page.round ?? 0) + 1;
    page.draw();
    return done;
}

function operations(page) {
    const columns = [
        { title: 'Operation', header: true, cell: (row) => row.operation },
        { title: 'Of', cell: (row) => row.instance ?? row.component ?? row.target ?? row.name ?? '' },
        { title: 'Why', class: 'wide', cell: (row) => shown(row.why) },
    ];

    return h(
        'section',
        { class: 'card', key: 'plan', 'aria-labelledby': 'document-plan' },
        h('h2', { id: 'document-plan' }, 'The plan'),
        page.plan.note ? h('p', null, page.plan.note) : null,
        page.plan.operations.length === 0
            ? h('p', null, 'Nothing is to be done: the environment is as the document says.')
            : table(
                  'What would be done, in this order',
                  columns,
                  page.plan.operations.map((row, i) => ({ ...row, i })),
                  (row) => row.i,
              ),
        page.plan.operations.length && page.may('admin')
            ? h(
                  'p',
                  { class: 'buttons' },
                  button('Apply', () => page.run(() => apply(page)), { class: 'main' }),
              )
            : null,
    );
}

export const documentView = {
    title: () => 'Document',
    render: (page) => [
        h('h1', { tabindex: -1 }, 'Document'),
        h(
            'p',
            { key: 'what' },
            'What the environment is: its components, how many of each, and what they are told.',
        ),
        page.when(['/document'], ({ text, revision }) => {
            const draft = draftOf(page);

            return [
                page.plan ? operations(page) : null,
                labelled(
                    'The document in force, as YAML',
                    h('textarea', {
                        id: 'document-text',
                        class: 'document',
                        rows: Math.min(40, text.split('\n').length + 2),
                        spellcheck: 'false',
                        readonly: !page.may('admin'),
                        value: draft ?? text,
                        key: `text-${page.round ?? 0}`,
                        on: { input: (event) => edit(page, event.currentTarget.value, text, revision) },
                    }),
                    `Revision ${revision}. ${draft === null ? '' : 'It is edited here, and not applied.'}`,
                ),
                page.may('operator')
                    ? h(
                          'p',
                          { class: 'buttons', key: 'bar' },
                          button('See the plan', () => page.run(() => plan(page)), { class: 'main' }),
                          button(
                              'Throw my edits away',
                              () => {
                                  edit(page, text, text, revision);
                                  page.round = (page.round ?? 0) + 1;
                                  page.draw();
                              },
                              { disabled: draft === null },
                          ),
                      )
                    : null,
                h('h2', { key: 'history' }, 'Who changed what'),
                historyOf(page, null),
            ];
        }),
    ],
};
