// SPDX-License-Identifier: MIT
// Editing what a component or one instance is told: a form made of the schema, the plan as a diff, apply, watching each
// instance acknowledge it, and taking it back. Only what the document says for this target is edited; what follows from
// a profile or a default stays there. What was typed is kept until it is applied or thrown away, also over a reload.
import { call, get, post } from './api.js';
import { announce, button, h } from './dom.js';
import { control, errorsOf } from './field.js';
import { count, shown } from './format.js';
import { to } from './route.js';
import { badge, configOf, instanceLink } from './state.js';
import { fresh, stale } from './store.js';

const STORE = 'slipway-draft-';
const drafts = new Map(); // target -> {set: {key: text}, unset: [keys], etag, plan, applied, problems}

function draftOf(target) {
    if (!drafts.has(target)) {
        const draft = { set: {}, unset: [], etag: '', plan: null, applied: null, problems: [] };

        try {
            Object.assign(draft, JSON.parse(sessionStorage.getItem(STORE + target) ?? '{}'));
        } catch {
            // somebody else's, or of another version
        }
        drafts.set(target, draft);
    }
    return drafts.get(target);
}

function remember(target, draft) {
    const { set, unset, etag } = draft;

    try {
        if (isEmpty(draft)) sessionStorage.removeItem(STORE + target);
        else sessionStorage.setItem(STORE + target, JSON.stringify({ set, unset, etag }));
    } catch {
        // no room: it is kept until the page is left
    }
}

function isEmpty(draft) {
    return Object.keys(draft.set).length === 0 && draft.unset.length === 0;
}

/** Targets with edits that were not applied. */
export function unsaved() {
    return [...drafts].filter(([, draft]) => !isEmpty(draft)).map(([target]) => target);
}

window.addEventListener('beforeunload', (event) => {
    if (unsaved().length) event.preventDefault();
});

const path = (target) => `/configuration/${encodeURIComponent(target)}`;

/* ---- the form ---- */

const SOURCE = {
    instance: 'given for this instance',
    document: 'given in the document',
    profile: 'from the profile',
    default: 'the default',
};
const APPLY = {
    live: 'applies live',
    reload: 'is reread by the daemon',
    restart: 'an argument: its daemon restarts',
};

function row(page, target, draft, key, config) {
    const given = Object.hasOwn(config.given, key.key);
    const unset = draft.unset.includes(key.key);
    const id = `key-${key.key}`;
    const wrong = errorsOf(draft.problems, key.key);
    const change = (text) => {
        if (!draft.etag) draft.etag = page.use(path(target)).etag;
        if (text === key.shown) delete draft.set[key.key];
        else draft.set[key.key] = text;
        touched(page, target, draft);
    };
    const takeOut = (event) => {
        if (!draft.etag) draft.etag = page.use(path(target)).etag;
        draft.unset = draft.unset.filter((one) => one !== key.key);
        if (event.currentTarget.checked) draft.unset.push(key.key);
        touched(page, target, draft);
    };
    const field = control(id, key, config.schema.properties?.[key.key], draft.set[key.key] ?? key.shown, change);

    field.disabled = unset || !page.may('operator');
    field.setAttribute('aria-describedby', `${id}-help`);
    if (wrong.length) field.setAttribute('aria-invalid', 'true');
    return h(
        'div',
        { class: `key ${Object.hasOwn(draft.set, key.key) || unset ? 'changed' : ''}`, key: id },
        h('label', { for: id }, key.key),
        field,
        h(
            'p',
            { class: 'help', id: `${id}-help` },
            key.help,
            ` (${key.type ?? 'text'}; `,
            APPLY[key.apply] ?? key.apply,
            key.default !== undefined && key.default !== null
                ? `; default ${key.default === '' ? 'empty' : shown(key.default)}`
                : '',
            `). Now ${SOURCE[key.source]}.`,
        ),
        wrong.map((text) => h('p', { class: 'problem' }, text)),
        given && page.may('operator')
            ? h(
                  'p',
                  { class: 'check' },
                  h('input', { type: 'checkbox', id: `${id}-unset`, checked: unset, on: { change: takeOut } }),
                  h(
                      'label',
                      { for: `${id}-unset` },
                      `Take ${key.key} out: what ${config.instance ? 'its component, ' : ''}the profile` +
                          ' or the default says counts again',
                  ),
              )
            : null,
    );
}

function touched(page, target, draft) {
    draft.plan = null;
    draft.applied = null;
    draft.problems = [];
    remember(target, draft);
    page.draw();
}

/* ---- plan, apply, take back ---- */

function editOf(draft) {
    const set = Object.fromEntries(Object.entries(draft.set).filter(([key]) => !draft.unset.includes(key)));

    return { set, unset: draft.unset };
}

async function plan(page, target, draft) {
    draft.problems = [];
    try {
        draft.plan = (await post(`${path(target)}/plan`, editOf(draft))).data;
    } catch (problem) {
        draft.problems = problem.problems.length ? problem.problems : [problem.message];
        throw problem;
    } finally {
        page.draw();
    }
    announce(`The plan has ${count(draft.plan.changes.length, 'change')}.`);
}

/* The revision that each instance has applied: a later one is what they acknowledge. */
function revisions(page) {
    const rows = page.use('/instances').data?.items ?? [];

    return Object.fromEntries(rows.map((row) => [row.instance, row.config?.revision ?? 0]));
}

async function apply(page, target, draft) {
    const before = revisions(page);
    let done;

    try {
        done = await call('PATCH', path(target), { body: editOf(draft), match: draft.etag });
    } catch (problem) {
        if (problem.status !== 412) throw problem;
        draft.etag = (await fresh(path(target))).etag;
        draft.plan = null;
        page.draw();
        throw Object.assign(
            new Error(
                `Somebody changed ${target} meanwhile. The form shows what counts now beside what ` +
                    'you typed: see the plan again before you apply it.',
            ),
            { problems: [] },
        );
    }
    draft.applied = { began: Date.now(), changes: done.data.changes, before, entry: null, seen: {} };
    cleared(target, draft);
    await fresh(path(target));
    draft.applied.entry = await newestEntry(target);
    page.draw();
}

function cleared(target, draft) {
    Object.assign(draft, { set: {}, unset: [], etag: '', plan: null, problems: [] });
    draft.round = (draft.round ?? 0) + 1; // the fields are made anew
    remember(target, draft);
    stale('/history');
}

async function newestEntry(target) {
    return (await get(`${path(target)}/history?limit=1`)).data.items[0]?.time ?? null;
}

async function takeBack(page, target, draft) {
    const { entry } = draft.applied;
    const before = revisions(page);
    const done = await post(`${path(target)}/restore`, { time: entry });

    draft.applied = { began: Date.now(), changes: done.data.changes, before, back: true, seen: {} };
    cleared(target, draft);
    await fresh(path(target));
    page.draw();
}

/** Changes as a diff: what is taken away, what comes, for whom and how it applies. */
export function diff(changes) {
    if (changes.length === 0) return h('p', null, 'Nothing changes.');
    return h(
        'ul',
        { class: 'diff', key: 'diff' },
        changes.map((one, i) =>
            h(
                'li',
                { key: i },
                h(
                    'p',
                    null,
                    h('strong', null, one.name ?? one.key),
                    one.instance ? [' of ', instanceLink(one.instance)] : null,
                    ` (${APPLY[one.apply] ?? one.apply})`,
                ),
                one.old === undefined || one.old === null
                    ? null
                    : h('del', null, '− ', h('span', { class: 'quiet' }, 'was '), text(one.old)),
                one.new === undefined || one.new === null
                    ? null
                    : h('ins', null, '+ ', h('span', { class: 'quiet' }, 'becomes '), text(one.new)),
            ),
        ),
    );
}

function text(value) {
    return typeof value === 'string' ? value : JSON.stringify(value);
}

/* Which instances have acknowledged what was applied: of their rows, as events bring them. */
function acknowledged(page, target, applied) {
    const rows = page.use('/instances').data?.items ?? [];
    const all = rows.filter((row) => row.component === target).map((row) => row.instance);
    const names = [...new Set(applied.changes.flatMap((one) => (one.instance ? [one.instance] : all)))];

    return h(
        'ul',
        { class: 'plain', key: 'acknowledged', role: 'status' },
        names.map((name) => {
            const row = rows.find((one) => one.instance === name);
            const state = row ? configOf(row) : { sign: '–', kind: 'off', text: 'has no container' };
            const newer = (row?.config?.revision ?? 0) > (applied.before[name] ?? 0);

            if (row?.config?.current && newer && applied.seen[name] === undefined) {
                applied.seen[name] = Date.now() - applied.began;
                announce(`${name} acknowledged.`);
            }
            return h(
                'li',
                { key: name },
                instanceLink(name),
                ' ',
                applied.seen[name] === undefined
                    ? badge(
                          state.kind === 'good' ? { sign: '◐', kind: 'warn', text: 'not acknowledged yet' } : state,
                      )
                    : [
                          badge({
                              sign: '●',
                              kind: 'good',
                              text: `acknowledged after ${(applied.seen[name] / 1000).toFixed(1)} s`,
                          }),
                          row?.config?.pending?.length ? [' ', badge(state)] : null,
                      ],
            );
        }),
    );
}

function applied(page, target, draft) {
    const one = draft.applied;

    return h(
        'section',
        { class: 'card', key: 'applied', 'aria-labelledby': 'applied-title' },
        h('h2', { id: 'applied-title' }, one.back ? 'Taken back' : 'Applied'),
        diff(one.changes),
        acknowledged(page, target, one),
        h(
            'p',
            { class: 'buttons' },
            one.back || !one.entry
                ? null
                : button('Take it back', () => page.run(() => takeBack(page, target, draft))),
            button('Done', () => {
                draft.applied = null;
                page.draw();
            }),
        ),
    );
}

function planned(page, target, draft) {
    return h(
        'section',
        { class: 'card', key: 'plan', 'aria-labelledby': 'plan-title' },
        h('h2', { id: 'plan-title' }, 'The plan'),
        diff(draft.plan.changes),
        draft.plan.changes.length
            ? h(
                  'p',
                  { class: 'buttons' },
                  button('Apply', () => page.run(() => apply(page, target, draft)), { class: 'main' }),
              )
            : null,
    );
}

function bar(page, target, draft) {
    if (!page.may('operator')) return h('p', { key: 'bar' }, 'Your role, viewer, does not suffice to change it.');
    return h(
        'p',
        { class: 'buttons', key: 'bar' },
        button('See the plan', () => page.run(() => plan(page, target, draft)), {
            class: 'main',
            disabled: isEmpty(draft),
        }),
        button(
            'Throw my edits away',
            () => {
                cleared(target, draft);
                page.show(null);
            },
            { disabled: isEmpty(draft) },
        ),
        isEmpty(draft)
            ? null
            : h(
                  'span',
                  { class: 'help', key: 'kept' },
                  `${count(Object.keys(draft.set).length + draft.unset.length, 'edit')} not applied`,
              ),
    );
}

/** The editor of a target: a component or an instance. */
export function editor(page, target) {
    const draft = draftOf(target);

    return page.when([path(target)], (config) => [
        h(
            'p',
            { key: 'of' },
            config.instance
                ? [
                      'What is set here is for this instance alone. ',
                      h(
                          'a',
                          {
                              href: to('configuration', config.component),
                          },
                          `Everything of ${config.component}`,
                      ),
                  ]
                : `What is set here is for every instance of ${target}.`,
        ),
        draft.applied ? applied(page, target, draft) : null,
        draft.plan ? planned(page, target, draft) : null,
        bar(page, target, draft),
        h(
            'div',
            { class: 'keys', key: `keys-${draft.round ?? 0}` },
            config.keys.map((key) => row(page, target, draft, key, config)),
        ),
        config.keys.length === 0 ? h('p', { key: 'none' }, 'It has no keys.') : null,
    ]);
}
