// SPDX-License-Identifier: MIT
// Where we are: #/instances/ceph-osd-1/logs?filter=x. All of it is in the address, so that it survives a reload and
// can be sent to somebody.

/** {parts: [...], query: URLSearchParams} of the address. */
export function here() {
    const [path, query] = location.hash.replace(/^#\/?/, '').split('?', 2);

    return { parts: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query ?? '') };
}

function decode(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text; // what somebody typed
    }
}

/** The address of a page: to('instances', 'ceph-osd-1'), to('logs', {filter: 'x'}). */
export function to(...parts) {
    const last = parts.at(-1);
    const query = typeof last === 'object' ? new URLSearchParams(Object.entries(parts.pop())) : null;
    const text = query?.toString();

    return `#/${parts.map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
}

export function go(...parts) {
    location.hash = to(...parts);
}

/** Changes the query of this page without a new entry in the browser's history; '' takes a name out. */
export function keep(values) {
    const { parts, query } = here();

    for (const [name, value] of Object.entries(values)) {
        if (value === '' || value === null || value === false) query.delete(name);
        else query.set(name, value === true ? '1' : value);
    }
    history.replaceState(null, '', to(...parts, Object.fromEntries(query)));
}
