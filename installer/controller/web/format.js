// SPDX-License-Identifier: MIT
// Sizes, times and values as people read them.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** 1073741824 -> "1 GiB". */
export function size(bytes) {
    let n = Number(bytes);
    let unit = 0;

    if (bytes === null || bytes === undefined || !Number.isFinite(n)) return '';
    for (; n >= 1024 && unit < UNITS.length - 1; unit++) n /= 1024;
    return `${Number.isInteger(n) ? n : n.toFixed(n < 10 ? 1 : 0)} ${UNITS[unit]}`;
}

/** A time of the API (RFC 3339 or milliseconds) as a number; NaN when it is none. */
export function time(value) {
    return typeof value === 'number' ? value : Date.parse(value);
}

/** "2026-11-29 22:13:01", in the reader's own zone. */
export function date(value) {
    const t = time(value);

    if (!Number.isFinite(t) || t <= 0) return '';
    const d = new Date(t - new Date(t).getTimezoneOffset() * 60000);

    return d.toISOString().slice(0, 19).replace('T', ' ');
}

/** "3 min", "2 h", "5 d". */
export function duration(ms) {
    const s = Math.max(0, Math.round(ms / 1000));

    if (s < 120) return `${s} s`;
    if (s < 7200) return `${Math.round(s / 60)} min`;
    if (s < 172800) return `${Math.round(s / 3600)} h`;
    return `${Math.round(s / 86400)} d`;
}

/** What is in a value, in one line: a text as it is, anything else as JSON. */
export function shown(value) {
    if (value === null || value === undefined) return '';
    return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The digest of an image or a release, short enough to compare by eye. */
export function digest(text) {
    return String(text ?? '')
        .replace(/^sha256:/, '')
        .slice(0, 12);
}

/** "1 volume", "3 volumes". */
export function count(n, what) {
    return `${n} ${what}${n === 1 ? '' : 's'}`;
}
