// SPDX-License-Identifier: MIT
// Elements out of functions, and an update in place: focus, selection, open details and what somebody has typed stay
// as they are. Text is only ever text, so that nothing a container says can become markup.

const SVG = 'http://www.w3.org/2000/svg';
const SVG_TAGS = new Set(['svg', 'path', 'line', 'g']);

/** An element. `attrs`: attributes; `on`: {event: function}; `key`: who it is among its siblings; `value`, `checked`:
 * what a field begins with. Children: nodes, texts, lists of them; null, undefined and false are nothing. */
export function h(tag, attrs, ...children) {
    const node = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);

    for (const [name, value] of Object.entries(attrs ?? {})) {
        if (name === 'on') listen(node, value);
        else if (name === 'key') node.slipwayKey = String(value);
        else if (name === 'props') Object.assign(node, value);
        else if (name === 'value' || name === 'checked')
            continue; // when the options are in it
        else if (value === true) node.setAttribute(name, '');
        else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, String(value));
    }
    append(node, children);
    if (attrs?.value !== undefined && attrs.value !== null) begin(node, attrs.value);
    if (attrs?.checked) node.defaultChecked = node.checked = true;
    return node;
}

function begin(node, value) {
    if (node.tagName === 'OPTION' || node.tagName === 'BUTTON') node.setAttribute('value', value);
    else node.value = value;
    node.slipwayBegan = String(value);
}

function append(node, children) {
    for (const child of children) {
        if (Array.isArray(child)) append(node, child);
        else if (child instanceof Node) node.append(child);
        else if (child !== null && child !== undefined && child !== false) node.append(String(child));
    }
}

/* One listener for each event of a node, which looks up what to call: so an update only exchanges the functions. */
function listen(node, handlers) {
    node.slipwayOn = handlers;
    for (const event of Object.keys(handlers)) node.addEventListener(event, call);
}

function call(event) {
    return event.currentTarget.slipwayOn?.[event.type]?.(event);
}

function isSame(a, b) {
    return (
        a.nodeType === b.nodeType &&
        a.nodeName === b.nodeName &&
        a.slipwayKey === b.slipwayKey &&
        a.getAttribute?.('type') === b.getAttribute?.('type')
    );
}

const OWN = new Set(['value', 'checked', 'selected', 'open']); // the reader's, once it is there

function attributes(from, to) {
    for (const { name } of [...from.attributes]) {
        if (!to.hasAttribute(name) && !OWN.has(name)) from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
        if (!OWN.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const event of Object.keys(to.slipwayOn ?? {})) {
        if (!from.slipwayOn?.[event]) from.addEventListener(event, call);
    }
    from.slipwayOn = to.slipwayOn;
}

/* A field that nobody touched takes the new value; one that somebody changed keeps what was typed. */
function field(from, to) {
    const before = from.slipwayBegan;

    if (to.slipwayBegan === undefined || to.slipwayBegan === before) return;
    if (from !== document.activeElement && from.value === before) {
        from.value = to.slipwayBegan;
        from.slipwayBegan = to.slipwayBegan;
    }
}

/** Makes `from` look like `to`. What has data-keep stays as it is, with all in it. */
export function morph(from, to) {
    if (from.nodeType === Node.TEXT_NODE) {
        if (from.data !== to.data) from.data = to.data;
        return;
    }
    if (from.dataset?.keep !== undefined && from.dataset.keep === to.dataset?.keep) return;
    attributes(from, to);
    if (from.tagName !== 'TEXTAREA') children(from, to);
    field(from, to);
}

function children(from, to) {
    const keyed = new Map();
    let at = from.firstChild;

    for (const child of from.childNodes) if (child.slipwayKey !== undefined) keyed.set(child.slipwayKey, child);
    for (const want of [...to.childNodes]) {
        const have = want.slipwayKey === undefined ? at : keyed.get(want.slipwayKey);

        if (have && isSame(have, want)) {
            if (have === at) at = at.nextSibling;
            else from.insertBefore(have, at);
            morph(have, want);
        } else {
            from.insertBefore(want, at);
        }
    }
    while (at) {
        const next = at.nextSibling;

        at.remove();
        at = next;
    }
}

/** Puts `nodes` in the place of what `host` has; the focus stays, or goes to the host when its element is gone. */
export function update(host, ...nodes) {
    const active = document.activeElement;
    const inside = active && active !== host && host.contains(active);

    children(host, h('div', null, nodes));
    if (!inside || document.activeElement === active) return;
    if (host.contains(active)) active.focus({ preventScroll: true });
    else (host.querySelector('h1') ?? host).focus({ preventScroll: true });
}

/** A table. `columns`: [{title, cell: row -> children, class, header}]; `key`: row -> text. */
export function table(caption, columns, rows, key, attrs = {}) {
    const head = h(
        'tr',
        null,
        columns.map((c) => h('th', { scope: 'col', class: c.class }, c.title)),
    );
    const body = rows.map((row) =>
        h(
            'tr',
            { key: key(row) },
            columns.map((c) =>
                c.header
                    ? h('th', { scope: 'row', class: c.class, 'data-title': c.title }, c.cell(row))
                    : h('td', { class: c.class, 'data-title': c.title }, c.cell(row)),
            ),
        ),
    );

    return h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption, ...attrs },
        h('table', null, h('caption', null, caption), h('thead', null, head), h('tbody', null, body)),
    );
}

/** A list of names and values; rows without a value are left out. */
export function facts(rows) {
    return h(
        'dl',
        { class: 'facts' },
        rows
            .filter(([, value]) => !isNothing(value))
            .map(([name, value]) => h('div', { key: name }, h('dt', null, name), h('dd', null, value))),
    );
}

function isNothing(value) {
    return value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}

/** A labelled field: the label is its own, so that a click and a screen reader find it. */
export function labelled(label, control, help) {
    const id = control.id || `f-${label.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;

    control.id = id;
    if (help) control.setAttribute('aria-describedby', `${id}-help`);
    return h(
        'div',
        { class: 'field', key: id },
        h('label', { for: id }, label),
        control,
        help ? h('p', { class: 'help', id: `${id}-help` }, help) : null,
    );
}

export function button(label, click, attrs = {}) {
    return h('button', { type: 'button', key: `b-${label}`, on: { click }, ...attrs }, label);
}

export function link(to, ...children) {
    return h('a', { href: to }, ...children);
}

let politely;

/** Says a sentence to a screen reader, without moving anything. */
export function announce(text) {
    const region = document.getElementById('said');

    clearTimeout(politely);
    politely = setTimeout(() => {
        region.textContent = text;
    }, 100);
}
