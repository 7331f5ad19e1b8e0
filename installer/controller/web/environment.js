// SPDX-License-Identifier: MIT
// What can be done with the environment as a whole.
import { button, h, link } from './dom.js';
import { post } from './api.js';
import { to } from './route.js';

/** Run the check, see the document. */
export function environmentButtons(page) {
    return h(
        'p',
        { class: 'buttons', key: 'environment-buttons' },
        page.may('operator') ? button('Check it', () => page.run(() => post('/checks', {}))) : null,
        h('span', null, link(to('document'), 'The document in force')),
    );
}
