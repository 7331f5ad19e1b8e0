// SPDX-License-Identifier: MIT
// The field for one key: what its schema says decides which.
import { h } from './dom.js';

/** A control for a key; `changed(text)` gets what people write. `schema`: of JSON Schema, or nothing. */
export function control(id, key, schema, value, changed) {
    const on = { input: (event) => changed(event.currentTarget.value) };
    const text = value ?? '';

    if (schema?.enum) return choice(id, schema.enum.map(String), text, on);
    if (key.type === 'bool' || schema?.type === 'boolean') return choice(id, ['true', 'false'], text, on);
    if (key.type === 'map' || key.type === 'list' || text.includes('\n')) {
        return h('textarea', {
            id,
            rows: Math.min(12, Math.max(2, text.split('\n').length)),
            spellcheck: 'false',
            value: text,
            on,
        });
    }
    if (key.type === 'int' || schema?.type === 'integer') {
        return h('input', {
            id,
            type: 'number',
            step: 1,
            min: schema?.minimum,
            max: schema?.maximum,
            value: text,
            on,
        });
    }
    return h('input', { id, type: 'text', spellcheck: 'false', autocomplete: 'off', value: text, on });
}

function choice(id, values, text, on) {
    const all = values.includes(text) ? values : [text, ...values];

    return h(
        'select',
        { id, value: text, on },
        all.map((one) => h('option', { value: one }, one === '' ? '(not set)' : one)),
    );
}

/** The problems that are about a key. */
export function errorsOf(problems, key) {
    return problems.filter((text) => new RegExp(`(^|[^a-z0-9_])${key}([^a-z0-9_]|$)`).test(text));
}
