// SPDX-License-Identifier: MIT
// One instance: how it is and why, all that its container has, its configuration, its log.
import { badge, causeOf, configOf, since, stateOf } from './state.js';
import { editor } from './edit.js';
import { facts, h, link } from './dom.js';
import { date, digest, shown, size } from './format.js';
import { historyOf } from './history.js';
import { logOf } from './logs.js';
import { powerButtons } from './power.js';
import { to } from './route.js';

const TABS = [
    ['', 'Overview'],
    ['configuration', 'Configuration'],
    ['history', 'History'],
    ['logs', 'Logs'],
];

function tabs(name, at) {
    return h(
        'nav',
        { class: 'tabs', key: 'tabs', 'aria-label': `Of ${name}` },
        h(
            'ul',
            null,
            TABS.map(([tab, title]) =>
                h(
                    'li',
                    null,
                    h(
                        'a',
                        {
                            href: tab ? to('instances', name, tab) : to('instances', name),
                            'aria-current': at === tab ? 'page' : null,
                        },
                        title,
                    ),
                ),
            ),
        ),
    );
}

/* Text, a list of texts, or a list of objects, each in a line. */
function list(value) {
    if (!Array.isArray(value)) return value === null || value === undefined ? '' : shown(value);
    return value.length
        ? h(
              'ul',
              { class: 'plain' },
              value.map((one) => h('li', null, line(one))),
          )
        : '';
}

function line(one) {
    if (typeof one !== 'object' || one === null) return shown(one);
    return Object.entries(one)
        .filter(([, value]) => value !== '' && value !== null)
        .map(([name, value]) => `${name} ${shown(value)}`)
        .join(', ');
}

/* A published port is a link where a browser may try it. */
function port(one) {
    const text = line(one);
    const host = one?.host ?? one?.publishedAddress ?? one?.address;
    const at = one?.published ?? one?.hostPort;

    if (!at || !host || (one.protocol ?? 'tcp') !== 'tcp') return text;
    const name = host === '127.0.0.1' || host === '0.0.0.0' || host === '' ? location.hostname : host;

    return h('a', { href: `http://${name}:${at}/`, rel: 'noreferrer' }, text);
}

function ports(value) {
    if (!Array.isArray(value)) return list(value);
    return value.length
        ? h(
              'ul',
              { class: 'plain' },
              value.map((one) => h('li', null, port(one))),
          )
        : '';
}

function image(value) {
    if (!value || typeof value !== 'object') return value ?? '';
    return [
        value.name ?? value.tag ?? '',
        value.id ? h('code', { title: value.id }, ` ${digest(value.id)}`) : '',
        value.created ? ` of ${date(value.created)}` : '',
    ];
}

const KNOWN = new Set([
    'instance',
    'component',
    'container',
    'state',
    'health',
    'reason',
    'ok',
    'restarts',
    'crashes',
    'since',
    'address',
    'image',
    'agent',
    'release',
    'releaseSince',
    'protected',
    'config',
    'keeper',
    'host',
    'ports',
    'volumes',
    'folders',
    'networks',
    'devices',
    'capabilities',
    'memoryLimit',
    'ssh',
    'reach',
    'seen',
    'revision',
]);

function now(row) {
    const state = stateOf(row);
    const kept = row.keeper ?? {};

    return h(
        'section',
        { class: 'card', key: 'now' },
        h('h2', null, 'Now'),
        facts([
            ['State', badge(state)],
            ['Cause', causeOf(row)],
            ['For', since(row.since)],
            ['Health', row.health],
            ['Configuration', badge(configOf(row))],
            ['Applied revision', row.config?.revision],
            ['Kept up by', kept.state],
            ['Next try', kept.next ? date(kept.next) : ''],
            ['Restarts', row.restarts],
            ['Crashes of its daemon', row.crashes],
            ['Stray container', row.renamedTo],
        ]),
        kept.lines?.length
            ? [
                  h('h3', null, 'Its last lines'),
                  h('pre', { tabindex: 0, 'aria-label': 'Last lines' }, kept.lines.join('\n')),
              ]
            : null,
    );
}

function containerRows(one) {
    if (typeof one !== 'object' || one === null) return [['Container', one]];
    return [
        ['Container', one.name],
        ['Id of the container', one.id ? h('code', { title: one.id }, digest(one.id)) : ''],
        ['Created', date(one.created)],
        ['Started', date(one.started)],
        ['Restarted by Docker', one.restart ? `${one.restart}; ${one.restarted ?? 0} times` : ''],
    ];
}

/* "name on /path", of a data volume or a folder. */
function mounts(value) {
    if (!Array.isArray(value)) return list(value);
    return list(
        value.map((one) =>
            one?.path
                ? `${one.name ?? one.hostPath} on ${one.path}${one.readOnly ? ', read only' : ''}`
                : line(one),
        ),
    );
}

function container(row) {
    const rest = Object.entries(row).filter(([name]) => !KNOWN.has(name));

    return h(
        'section',
        { class: 'card', key: 'container' },
        h('h2', null, 'Container'),
        facts([
            ['Component', link(to('configuration', row.component), row.component)],
            ...containerRows(row.container),
            ['Host', shown(row.host)],
            ['Address', row.address],
            ['Image', image(row.image)],
            ['Agent', row.agent],
            ['Release of the agent', row.release === 'image' ? 'that of the image' : digest(row.release)],
            ['Ports', ports(row.ports)],
            ['Networks', list((row.networks ?? []).map((one) => one?.name ?? one))],
            ['Data volumes', mounts(row.volumes)],
            ['Folders of the host', mounts(row.folders)],
            ['Devices', list(row.devices) || 'none'],
            [
                'Capabilities',
                Array.isArray(row.capabilities) ? row.capabilities.join(', ') || 'none' : list(row.capabilities),
            ],
            ['Memory limit', row.memoryLimit ? size(row.memoryLimit) : 'none'],
            ['SSH', shown(row.ssh)],
            ['Reached by', shown(row.reach)],
            ...rest.map(([name, value]) => [name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`), list(value)]),
        ]),
    );
}

function overview(page, name) {
    return page.when([`/instances/${encodeURIComponent(name)}`], (row) => [
        h('div', { class: 'cards', key: 'cards' }, now(row), container(row)),
        dependents(page, row.component),
    ]);
}

/* Who needs it, and whom it needs. */
function dependents(page, component) {
    const items = page.use('/components').data?.items ?? [];
    const own = items.find((one) => one.component === component);
    const by = items.filter((one) => one.requires.includes(component)).map((one) => one.component);

    if (!own) return null;
    return h(
        'p',
        { key: 'needs' },
        own.requires.length ? `Needs ${own.requires.join(', ')}. ` : 'Needs nothing else. ',
        by.length
            ? `${by.join(', ')} ${by.length === 1 ? 'needs' : 'need'} ${component}.`
            : `Nothing needs ${component}.`,
    );
}

const PARTS = {
    '': overview,
    configuration: (page, name) => editor(page, name),
    history: (page, name) => historyOf(page, name),
    logs: (page, name) => logOf(page, [name]),
};

export const instanceView = {
    title: (parts) => `${parts[1]} ${parts[2] ?? ''}`.trim(),
    render(page) {
        const [, name, tab = ''] = page.parts;
        const row = page.use('/instances').data?.items.find((one) => one.instance === name);

        if (!PARTS[tab]) return h('p', { class: 'problem' }, 'There is no such page of an instance.');
        return [
            h('h1', { tabindex: -1 }, name, ' ', row ? badge(stateOf(row)) : null),
            h('div', { class: 'bar', key: 'bar' }, powerButtons(page, 'instances', row?.instance ?? name, row)),
            tabs(name, tab),
            h('div', { key: `tab-${tab}` }, PARTS[tab](page, name)),
        ];
    },
};
