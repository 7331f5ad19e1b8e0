// SPDX-License-Identifier: MIT
// The login: user and password, or a token.
import { post } from './api.js';
import { h, labelled } from './dom.js';

/** `enter(session)` is called when somebody has logged in. */
export function loginView(enter) {
    const problem = h('p', { role: 'alert', class: 'problem', hidden: true });
    const user = h('input', {
        type: 'text',
        autocomplete: 'username',
        autocapitalize: 'none',
        spellcheck: 'false',
    });
    const password = h('input', { type: 'password', autocomplete: 'current-password' });
    const token = h('input', { type: 'password', autocomplete: 'off', spellcheck: 'false' });
    const logIn = (make) => async (event) => {
        event.preventDefault();
        problem.hidden = true;
        try {
            enter((await post('/login', make())).data);
        } catch (error) {
            problem.textContent = error.message;
            problem.hidden = false;
        }
    };

    return h(
        'div',
        { id: 'login', key: 'login', 'data-keep': 'login' },
        h('h1', { tabindex: -1 }, 'Log in'),
        problem,
        h(
            'form',
            { class: 'card', on: { submit: logIn(() => ({ user: user.value, password: password.value })) } },
            h('h2', null, 'As a user'),
            labelled('User', user),
            labelled('Password', password),
            h('button', { type: 'submit' }, 'Log in'),
        ),
        h(
            'form',
            { class: 'card', on: { submit: logIn(() => ({ token: token.value.trim() })) } },
            h('h2', null, 'With a token'),
            labelled('Token', token, 'The one that `slipway up` or `slipway open` printed counts once.'),
            h('button', { type: 'submit' }, 'Use the token'),
        ),
    );
}
