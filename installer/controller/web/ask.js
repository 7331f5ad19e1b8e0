// SPDX-License-Identifier: MIT
// Questions before something is done, as native dialogs: focus, Escape and the screen reader are the browser's.
import { h, labelled } from './dom.js';

function control(field) {
    if (field.options) {
        return h(
            'select',
            { name: field.name, value: field.value },
            field.options.map((option) => h('option', { value: option.value ?? option }, option.title ?? option)),
        );
    }
    if (field.type === 'checkbox') return h('input', { type: 'checkbox', name: field.name, checked: field.value });
    return h('input', {
        type: field.type ?? 'text',
        name: field.name,
        value: field.value ?? '',
        required: field.required,
        autocomplete: field.autocomplete ?? 'off',
        placeholder: field.placeholder,
        spellcheck: 'false',
    });
}

function answers(form, fields) {
    const out = {};

    for (const field of fields) {
        const { type, checked, value } = form.elements[field.name];

        out[field.name] = type === 'checkbox' ? checked : value.trim();
    }
    return out;
}

/**
 * Asks, and calls `act` with the answers {name: value}; the dialog stays, with the sentence, when that fails. `fields`:
 * [{name, label, value, type, options, required, help}]. Returns what `act` did, or null when nobody wanted it.
 */
export function ask({ title, text, confirm, danger, fields = [], act }) {
    return new Promise((resolve) => {
        const problem = h('p', { class: 'problem', role: 'alert', hidden: true });
        const yes = h('button', { type: 'submit', class: danger ? 'danger' : 'main' }, confirm ?? title);
        const no = h('button', { type: 'button', on: { click: () => dialog.close() } }, 'Cancel');
        const form = h(
            'form',
            { on: { submit } },
            h('h2', { id: 'asked' }, title),
            text ? h('p', null, text) : null,
            fields.map((field) =>
                labelled(field.label, Object.assign(control(field), { id: `ask-${field.name}` }), field.help),
            ),
            problem,
            h('p', { class: 'buttons' }, yes, no),
        );
        const dialog = h('dialog', { 'aria-labelledby': 'asked', on: { close } }, form);
        let result = null;

        async function submit(event) {
            event.preventDefault();
            yes.disabled = true;
            try {
                result = (await act(answers(form, fields))) ?? true;
                dialog.close();
            } catch (error) {
                problem.textContent = [error.message, ...(error.problems ?? []).slice(1)].join(' ');
                problem.hidden = false;
            }
            yes.disabled = false;
        }

        function close() {
            dialog.remove();
            resolve(result);
        }

        document.body.append(dialog);
        dialog.showModal();
        (danger ? no : (form.querySelector('input, select') ?? yes)).focus();
    });
}

/** Asks as above in a page, and follows the task that it began. */
export function askIn(page, question) {
    return page.run(() => ask(question));
}
