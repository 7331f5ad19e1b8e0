// SPDX-License-Identifier: MIT
// Which view shows which address, and the menu.
import { agentsView } from './agents.js';
import { auditView, checksView, findView, tasksView } from './lists.js';
import { configurationView } from './configuration.js';
import { documentView } from './document.js';
import { jobsView } from './jobs.js';
import { instancesView } from './instances.js';
import { instanceView } from './instance.js';
import { h } from './dom.js';
import { logsView } from './logs.js';
import { mapView } from './map.js';
import { meView, usersView } from './users.js';
import { volumesView } from './volumes.js';

/** name, title, role that it needs */
export const MENU = [
    ['map', 'Map', 'viewer'],
    ['instances', 'Instances', 'viewer'],
    ['logs', 'Logs', 'viewer'],
    ['configuration', 'Configuration', 'viewer'],
    ['document', 'Document', 'viewer'],
    ['volumes', 'Volumes', 'viewer'],
    ['checks', 'Checks', 'viewer'],
    ['jobs', 'Jobs', 'viewer'],
    ['tasks', 'Tasks', 'viewer'],
    ['agents', 'Agents', 'viewer'],
    ['audit', 'Audit', 'admin'],
    ['users', 'Users', 'admin'],
];

const VIEWS = {
    map: mapView,
    logs: logsView,
    configuration: configurationView,
    document: documentView,
    volumes: volumesView,
    checks: checksView,
    jobs: jobsView,
    tasks: tasksView,
    agents: agentsView,
    audit: auditView,
    users: usersView,
    me: meView,
    find: findView,
    instances: instancesView,
};

const NOWHERE = {
    title: () => 'No such page',
    render: () => [
        h('h1', { tabindex: -1 }, 'No such page'),
        h('p', null, 'The address is of no page of this version.'),
    ],
};

/** The view of an address: {title(parts), render(page) -> nodes}. */
export function viewOf(parts) {
    if (parts.length === 0) return mapView;
    if (parts[0] === 'instances' && parts[1]) return instanceView;
    return Object.hasOwn(VIEWS, parts[0]) ? VIEWS[parts[0]] : NOWHERE;
}
