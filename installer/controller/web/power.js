// SPDX-License-Identifier: MIT
// Start, stop and restart, of an instance or of all of a component; and what the controller leaves alone.
import { ask } from './ask.js';
import { post } from './api.js';
import { button, h } from './dom.js';

const TEXT = {
    stop: 'It stays stopped, with its container and its data, until somebody starts it. What needs it may suffer.',
    restart: 'Its daemon ends and begins again; clients may wait meanwhile.',
};

function act(page, kind, name, what) {
    const path = `/${kind}/${encodeURIComponent(name)}/${what}`;

    if (what === 'start') return page.run(() => post(path));
    return page.run(() =>
        ask({
            title: `${what === 'stop' ? 'Stop' : 'Restart'} ${name}?`,
            text:
                kind === 'components' && what === 'restart'
                    ? 'One instance after the other, each ready before the next.'
                    : TEXT[what],
            confirm: what === 'stop' ? 'Stop' : 'Restart',
            danger: what === 'stop',
            fields: [
                {
                    name: 'force',
                    label: 'Also when it is protected or others depend on it',
                    type: 'checkbox',
                    value: false,
                },
            ],
            act: ({ force }) => post(path, force ? { force } : {}),
        }),
    );
}

/** Leaves an instance alone, or all with `path` "/environment", or mends it again: as `held` says. */
export function holdButton(page, path, name, held) {
    if (!page.may('operator')) return null;
    const [title, what] = held ? ['Resume', 'resume'] : ['Pause', 'pause'];

    return button(title, () => page.run(() => post(`${path}/${what}`)), {
        'aria-label': `${title} ${name}`,
        title: held ? 'What is not well is mended again.' : 'The controller leaves it alone, whatever becomes of it.',
    });
}

/** The buttons; `kind` is "instances" or "components". */
export function powerButtons(page, kind, name, row) {
    if (!page.may('operator')) return null;
    const one = (title, what) =>
        button(title, () => act(page, kind, name, what), {
            'aria-label': `${title} ${name}`,
            disabled: Boolean(row?.protected && what !== 'start'),
        });

    return h(
        'span',
        { class: 'buttons', key: `power-${name}` },
        one('Start', 'start'),
        one('Stop', 'stop'),
        one('Restart', 'restart'),
        row ? holdButton(page, `/instances/${encodeURIComponent(name)}`, name, row.keeper?.state === 'paused') : null,
        row?.protected ? h('span', { class: 'help' }, 'It is protected.') : null,
    );
}
