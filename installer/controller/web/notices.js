// SPDX-License-Identifier: MIT
// What was begun here goes on in the background: one line each, with progress and how it ended.
import { button, h, link, announce, update } from './dom.js';
import { to } from './route.js';
import { isRunning, use } from './store.js';

const STAY_MS = 8000;
const shown = new Map(); // task id -> {told}
let host;

export function startNotices(element) {
    host = element;
}

/** Shows a task from now on until it has succeeded or somebody closes it. */
export function noteTask(task) {
    shown.set(task.id, { told: false });
    draw();
}

function close(id) {
    shown.delete(id);
    draw();
}

/** "restart ceph-osd-1", of a task. */
export function taskTitle(task) {
    return `${task.kind.replace('.', ' ')} ${task.target ?? ''}`.trim();
}

/** "running (1 of 3)". */
export function taskState(task) {
    return task.total > 1 ? `${task.state} (${task.done ?? 0} of ${task.total})` : task.state;
}

function draw() {
    update(
        host,
        [...shown].map(([id, notice]) => one(id, notice)),
    );
}

function one(id, notice) {
    const { data: task, error } = use(`/tasks/${id}`, draw);

    if (!task) return h('div', { key: id, class: 'notice' }, error ? error.message : 'Begun.');
    if (!isRunning(task) && !notice.told) {
        notice.told = true;
        announce(`${taskTitle(task)}: ${task.state}. ${task.error?.detail ?? ''}`);
        if (task.state === 'succeeded') setTimeout(() => close(id), STAY_MS);
    }
    return h(
        'div',
        { key: id, class: `notice ${task.state}` },
        h('p', null, link(to('tasks', id), taskTitle(task)), `: ${taskState(task)}`),
        isRunning(task)
            ? h('progress', {
                  'aria-label': taskTitle(task),
                  max: task.total > 1 ? task.total : null,
                  value: task.total > 1 ? (task.done ?? 0) : null,
              })
            : null,
        task.error ? h('p', { class: 'problem' }, task.error.detail) : null,
        button('Close', () => close(id), { 'aria-label': `Close ${taskTitle(task)}` }),
    );
}
